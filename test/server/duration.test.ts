/**
 * Durations in Go's syntax. Method: known texts and their milliseconds, texts that are none, and a
 * round trip through what `/nodes` prints.
 */
import { expect, test } from "vitest";
import { formatDuration, parseDuration } from "#server";

test.each([
  ["0", 0],
  ["-0", 0],
  ["10ms", 10],
  ["1.5s", 1500],
  ["1h2m", 3_720_000],
  ["-1s", -1000],
  ["+2s", 2000],
  [".5s", 500],
  ["1.s", 1000],
  ["1us", 0.001],
  ["1µs", 0.001],
  ["1μs", 0.001],
  ["250ns", 0.00025],
  ["1m1m", 120_000],
])("%s is read as %d ms", (text, ms) => {
  expect(parseDuration(text)).toBeCloseTo(ms, 9);
});

test.each(["", "5", "s", "1", "1 s", "1S", "1d", "--1s", "1s2", ".s", "1e3s", "x", "9999999h"])(
  "%j is no duration",
  (text) => {
    expect(parseDuration(text)).toBeUndefined();
  },
);

test.each([
  [0, "0s"],
  [0.0231, "23.1µs"],
  [0.00025, "250ns"],
  [1.5, "1.5ms"],
  [1500, "1.5s"],
  [120_000, "2m0s"],
  [3_720_000, "1h2m0s"],
  [-1500, "-1.5s"],
])("%d ms is written as %s", (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
  expect(parseDuration(text)).toBeCloseTo(ms, 9);
});

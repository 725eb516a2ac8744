/**
 * Byte order against `Buffer.compare`, which is an implementation of its own.
 */
import { expect, test } from "vitest";
import { compareBytes, equalBytes } from "#bytes";
import { seededRandom } from "#platform";
import { forEachSeed } from "../support/seeds.ts";

const bytes = (...values: number[]) => Uint8Array.from(values);

test("00.3 nothing comes first, and a prefix comes before what is longer", () => {
  expect(compareBytes(bytes(), bytes(0))).toBe(-1);
  expect(compareBytes(bytes(1, 2), bytes(1, 2, 0))).toBe(-1);
  expect(compareBytes(bytes(1, 2, 0), bytes(1, 2))).toBe(1);
  expect(compareBytes(bytes(), bytes())).toBe(0);
});

test("00.3 bytes are unsigned", () => {
  expect(compareBytes(bytes(0x7f), bytes(0x80))).toBe(-1);
  expect(compareBytes(bytes(0xff), bytes(0))).toBe(1);
});

test("00.3 byte order agrees with Buffer.compare on random pairs", () => {
  forEachSeed(2000, (seed) => {
    const random = seededRandom(seed);
    // Few different values and lengths, so that equal pairs and prefixes come up.
    const make = () => random.bytes(random.below(5)).map((byte) => byte & 3);
    const [a, b] = [make(), make()];
    expect(compareBytes(a, b)).toBe(Buffer.compare(a, b));
    expect(equalBytes(a, b)).toBe(Buffer.compare(a, b) === 0);
  });
});

test("00.3 text sorts by its bytes and not by JavaScript's string order", () => {
  const encoder = new TextEncoder();
  const [high, replacement] = ["\u{10000}", "\uFFFD"];
  expect(high < replacement).toBe(true);
  expect(compareBytes(encoder.encode(high), encoder.encode(replacement))).toBe(1);
});

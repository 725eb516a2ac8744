/**
 * Keys of versions: their bytes sort by key upwards and timestamp downwards, for any key. Method:
 * all short keys over an alphabet of troublesome bytes, compared pair by pair; random long ones.
 */
import { expect, test } from "vitest";
import { isCairnError } from "#base";
import { compareBytes, equalBytes } from "#bytes";
import { decodeVersion, encodeVersion } from "#mvcc";
import { forEachSeed } from "../support/seeds.ts";
import { shortKeys, wrongPairs } from "./key-checks.ts";

const TIMESTAMPS = [0, 1, 255, 256, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER - 1];

test("06.1 byte order is key order, and of one key later versions come first", () => {
  expect(wrongPairs({ encodeVersion })).toEqual([]);
});

test("06.1 no version of another key lies between two versions of one key", () => {
  const keys = shortKeys();
  for (const key of keys) {
    const newest = encodeVersion(key, Number.MAX_SAFE_INTEGER);
    const oldest = encodeVersion(key, 0);
    for (const other of keys) {
      if (equalBytes(key, other)) continue;
      const bytes = encodeVersion(other, 77);
      const isBetween = compareBytes(bytes, newest) > 0 && compareBytes(bytes, oldest) < 0;
      expect(isBetween, `${other} between versions of ${key}`).toBe(false);
    }
  }
});

test("06.1 what is decoded is what was encoded", () => {
  for (const key of shortKeys()) {
    for (const timestamp of TIMESTAMPS) {
      const decoded = decodeVersion(encodeVersion(key, timestamp));
      expect([[...decoded.key], decoded.timestamp]).toEqual([[...key], timestamp]);
    }
  }
});

test("06.1 random keys keep their order", () => {
  forEachSeed(200, (_, random) => {
    const keyOf = () => random.bytes(random.below(40)).map((byte) => (byte < 90 ? 0 : byte));
    const [one, other] = [keyOf(), keyOf()];
    const order = compareBytes(encodeVersion(one, 5), encodeVersion(other, 5));
    expect(Math.sign(order)).toBe(compareBytes(one, other));
  });
});

test("06.1 other bytes are refused with a code", () => {
  const good = encodeVersion(Uint8Array.of(1, 0, 2), 9);
  const bad = [
    new Uint8Array(0),
    good.subarray(1),
    good.subarray(0, good.length - 1),
    Uint8Array.from(good, (byte, i) => (i === 3 ? 7 : byte)),
    Uint8Array.from(good, (byte, i) => (i === good.length - 8 ? 255 : byte)),
  ];
  for (const bytes of bad) {
    let error: unknown;
    try {
      decodeVersion(bytes);
    } catch (thrown) {
      error = thrown;
    }
    expect(isCairnError(error, "BYTES_MALFORMED"), String(bytes)).toBe(true);
  }
});

/**
 * Integers as bytes: round trips at every edge, and everything that must be refused.
 */
import { expect, test } from "vitest";
import {
  createByteReader,
  getU32,
  getU64,
  getVarint,
  putU32,
  putU64,
  putVarint,
  varintBytes,
} from "#bytes";
import { seededRandom } from "#platform";
import { forEachSeed } from "../support/seeds.ts";

const U32_EDGES = [0, 1, 255, 256, 65_535, 65_536, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1];
const U64_EDGES = [...U32_EDGES, 2 ** 32, 2 ** 32 + 1, 2 ** 52, Number.MAX_SAFE_INTEGER];
const NONSENSE = [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, -0.5];

test("00.2 fixed-width integers round trip at their edges", () => {
  const target = new Uint8Array(16);
  for (const value of U32_EDGES) {
    putU32(target, 3, value);
    expect(getU32(target, 3)).toBe(value);
  }
  for (const value of U64_EDGES) {
    putU64(target, 5, value);
    expect(getU64(target, 5)).toBe(value);
  }
});

test("00.2 fixed-width integers are little-endian", () => {
  const target = new Uint8Array(12);
  putU32(target, 0, 0x0102_0304);
  putU64(target, 4, 0x0002_0304_0506_0708);
  expect([...target]).toEqual([4, 3, 2, 1, 8, 7, 6, 5, 4, 3, 2, 0]);
});

test("00.2 fixed-width integers agree with DataView for random values", () => {
  forEachSeed(500, (seed) => {
    const random = seededRandom(seed);
    const value = random.below(2 ** 21) * 2 ** 32 + random.below(2 ** 32);
    const target = new Uint8Array(8);
    putU64(target, 0, value);
    expect(new DataView(target.buffer).getBigUint64(0, true)).toBe(BigInt(value));
    expect(getU64(target, 0)).toBe(value);
  });
});

test("00.2 a number outside the range is refused and nothing is written", () => {
  const target = new Uint8Array(8).fill(9);
  for (const value of [...NONSENSE, 2 ** 32]) {
    expect(() => putU32(target, 0, value)).toThrow(RangeError);
  }
  for (const value of [...NONSENSE, 2 ** 53]) {
    expect(() => putU64(target, 0, value)).toThrow(RangeError);
    expect(() => putVarint(target, 0, value)).toThrow(RangeError);
    expect(() => varintBytes(value)).toThrow(RangeError);
  }
  expect([...target]).toEqual(new Array(8).fill(9));
});

test("00.2 an offset outside the array is refused", () => {
  const four = new Uint8Array(4);
  for (const offset of [-1, 1, 5, 0.5, Number.NaN]) {
    expect(() => putU32(four, offset, 1)).toThrow(RangeError);
    expect(() => getU32(four, offset)).toThrow(RangeError);
  }
  expect(() => putU64(four, 0, 1)).toThrow(RangeError);
  expect(() => getU64(four, 0)).toThrow(RangeError);
  expect(() => putVarint(four, 3, 300)).toThrow(RangeError);
  expect(() => putVarint(four, -1, 3)).toThrow(RangeError);
});

test("00.2 a u64 of 2^53 or more is refused on reading, because a number cannot hold it", () => {
  const bytes = new Uint8Array(8);
  bytes[6] = 0x20;
  expect(() => getU64(bytes, 0)).toThrow(RangeError);
  expect(() => createByteReader(bytes).u64()).toThrow(/above 2\^53/);
});

test("00.2 reading gives a number of its own, which later writes do not change", () => {
  const target = new Uint8Array(4);
  putU32(target, 0, 7);
  const value = getU32(target, 0);
  putU32(target, 0, 8);
  expect(value).toBe(7);
});

test("varints round trip and take as many bytes as promised", () => {
  const target = new Uint8Array(10);
  for (const power of Array.from({ length: 53 }, (_, i) => 2 ** i)) {
    for (const value of [power - 1, power, power + 1, 2 * power - 1]) {
      if (!Number.isSafeInteger(value)) continue;
      const end = putVarint(target, 1, value);
      expect(end).toBe(1 + varintBytes(value));
      expect(getVarint(target, 1)).toEqual({ value, next: end });
    }
  }
  expect(varintBytes(127)).toBe(1);
  expect(varintBytes(128)).toBe(2);
  expect(varintBytes(Number.MAX_SAFE_INTEGER)).toBe(8);
});

test("a varint that is cut off, padded or too large is malformed", () => {
  const cases: [number[], RegExp][] = [
    [[], /cut off/],
    [[0x80], /cut off/],
    [[0x80, 0x00], /longer than needed/],
    [[0xff, 0x80, 0x00], /longer than needed/],
    [[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f], /above 2\^53/],
    [new Array(9).fill(0xff), /above 2\^53/],
  ];
  for (const [bytes, problem] of cases) {
    expect(() => getVarint(Uint8Array.from(bytes), 0)).toThrow(problem);
    expect(() => getVarint(Uint8Array.from(bytes), 0)).toThrow(
      expect.objectContaining({ code: "BYTES_MALFORMED" }),
    );
  }
});

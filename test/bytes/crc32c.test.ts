/**
 * CRC-32C against published values, and against the definition bit by bit.
 */
import { expect, test } from "vitest";
import { crc32c, crc32cRange } from "#bytes";
import { seededRandom } from "#platform";
import { forEachSeed } from "../support/seeds.ts";

/** RFC 3720, appendix B.4 (there printed as bytes, low first), and the usual check value. */
const VECTORS: [string, Uint8Array, number][] = [
  ["123456789", new TextEncoder().encode("123456789"), 0xe306_9283],
  ["32 zeros", new Uint8Array(32), 0x8a91_36aa],
  ["32 bytes of ones", new Uint8Array(32).fill(0xff), 0x62a8_ab43],
  ["32 rising", Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd_794e],
  ["32 falling", Uint8Array.from({ length: 32 }, (_, i) => 31 - i), 0x113f_db5c],
  ["one a", new TextEncoder().encode("a"), 0xc1d0_4330],
];

function bitByBit(bytes: Uint8Array): number {
  let crc = 0xffff_ffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0x82f6_3b78 : crc >>> 1;
  }
  return (crc ^ 0xffff_ffff) >>> 0;
}

test.each(VECTORS)("00.4 the checksum of %s is the published one", (_, bytes, checksum) => {
  expect(crc32c(bytes)).toBe(checksum);
});

test("00.4 the checksum of nothing is 0, which is why no format may rely on it", () => {
  expect(crc32c(new Uint8Array(0))).toBe(0);
});

test("00.4 the checksum agrees with the definition at every length around the block size", () => {
  const random = seededRandom(1);
  for (let length = 0; length <= 100; length += 1) {
    const bytes = random.bytes(length);
    expect(crc32c(bytes), `length ${length}`).toBe(bitByBit(bytes));
  }
});

test("00.4 long arrays, taken by words, agree with the definition at any place and length", () => {
  const random = seededRandom(3);
  const memory = random.bytes(1200);
  for (let from = 0; from < 20; from += 1) {
    // A view into the middle, and a range inside of the view.
    const bytes = memory.subarray(from, from + 1100);
    for (let length = 500; length < 540; length += 1) {
      const checksum = crc32cRange(bytes, 7, 7 + length);
      expect(checksum, `${length} from ${from}`).toBe(bitByBit(bytes.subarray(7, 7 + length)));
    }
    expect(crc32c(bytes, 17)).toBe(crc32cRange(bytes, 400, 1100, crc32cRange(bytes, 0, 400, 17)));
  }
});

test("00.4 a checksum in pieces is the checksum of the whole", () => {
  forEachSeed(300, (seed) => {
    const random = seededRandom(seed);
    const bytes = random.bytes(random.below(200));
    const cut = random.below(bytes.length + 1);
    const [a, b] = [bytes.subarray(0, cut), bytes.subarray(cut)];
    expect(crc32c(b, crc32c(a))).toBe(crc32c(bytes));
    expect(crc32cRange(bytes, cut, bytes.length, crc32c(a))).toBe(crc32c(bytes));
  });
});

test("00.4 every single flipped bit changes the checksum", () => {
  const bytes = seededRandom(2).bytes(64);
  const checksum = crc32c(bytes);
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    const flipped = bytes.slice();
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    expect(crc32c(flipped)).not.toBe(checksum);
  }
});

test("a range outside the array is refused", () => {
  const bytes = new Uint8Array(4);
  for (const [from, before] of [
    [-1, 2],
    [3, 2],
    [0, 5],
    [Number.NaN, 4],
  ] as const) {
    expect(() => crc32cRange(bytes, from, before)).toThrow(RangeError);
  }
});

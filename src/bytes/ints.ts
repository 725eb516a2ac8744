/**
 * Whole numbers as fixed-width bytes.
 *
 * | type | bytes | order         | range        |
 * | ---- | ----: | ------------- | ------------ |
 * | u32  |     4 | little-endian | 0 to 2^32 - 1 |
 * | u64  |     8 | little-endian | 0 to 2^53 - 1 |
 *
 * Invariant: a value that does not fit, or bytes that are not there, are an error and never a
 * different number. Plain byte stores instead of a `DataView`: no view is made per call.
 * Chapter: 00-bytes
 */
import type { Bytes } from "#base";

/** Bytes that `putU32` writes. */
export const U32_BYTES: number = 4;
/** Bytes that `putU64` writes. */
export const U64_BYTES: number = 8;
/** The largest value of a u32. */
export const U32_MAX: number = 0xffff_ffff;
const U32_VALUES = 2 ** 32;
/** The high half of 2^53 - 1: the largest one whose u64 is still an exact JavaScript number. */
const HIGH_MAX = 2 ** 21 - 1;

/**
 * Writes a whole number from 0 to 2^32 - 1, little-endian. @throws RangeError outside the range or
 * the array.
 */
export function putU32(target: Bytes, offset: number, value: number): void {
  if (value >>> 0 !== value) throw new RangeError(`bytes: u32: ${value} is not from 0 to 2^32 - 1`);
  checkRoom(target, offset, U32_BYTES);
  storeU32(target, offset, value);
}

/** Reads what {@link putU32} wrote. @throws RangeError beyond the end. */
export function getU32(source: Bytes, offset: number): number {
  checkRoom(source, offset, U32_BYTES);
  return loadU32(source, offset);
}

/** Writes a whole number from 0 to 2^53 - 1 as eight bytes, little-endian. @throws RangeError */
export function putU64(target: Bytes, offset: number, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new RangeError(`bytes: u64: ${value} is not from 0 to 2^53 - 1`);
  }
  checkRoom(target, offset, U64_BYTES);
  const low = value >>> 0;
  storeU32(target, offset, low);
  storeU32(target, offset + U32_BYTES, (value - low) / U32_VALUES);
}

/** Reads what {@link putU64} wrote. @throws RangeError beyond the end, or for 2^53 and more. */
export function getU64(source: Bytes, offset: number): number {
  checkRoom(source, offset, U64_BYTES);
  const high = loadU32(source, offset + U32_BYTES);
  if (high > HIGH_MAX) throw new RangeError(`bytes: u64 at ${offset}: 2^53 or more`);
  return high * U32_VALUES + loadU32(source, offset);
}

function checkRoom(bytes: Bytes, offset: number, count: number): void {
  // The comparison is written so that NaN fails it.
  if (offset < 0 || !(offset + count <= bytes.length) || !Number.isInteger(offset)) {
    throw new RangeError(`bytes: ${count} bytes at ${offset} of ${bytes.length}: outside`);
  }
}

function storeU32(target: Bytes, offset: number, value: number): void {
  target[offset] = value;
  target[offset + 1] = value >>> 8;
  target[offset + 2] = value >>> 16;
  target[offset + 3] = value >>> 24;
}

function loadU32(source: Bytes, offset: number): number {
  // `>>> 0` because the shift by 24 may set the sign bit: 0x80000000 would come back negative.
  return (
    (source[offset]! |
      (source[offset + 1]! << 8) |
      (source[offset + 2]! << 16) |
      (source[offset + 3]! << 24)) >>>
    0
  );
}

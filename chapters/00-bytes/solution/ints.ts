/**
 * Whole numbers as fixed-width bytes.
 *
 * | type | bytes | order         | range         |
 * | ---- | ----: | ------------- | ------------- |
 * | u32  |     4 | little-endian | 0 to 2^32 - 1 |
 * | u64  |     8 | little-endian | 0 to 2^53 - 1 |
 *
 * Invariant: a number that does not fit, or bytes that are not there, are a RangeError, and never
 * another number (rule E1).
 * Chapter: 00-bytes, step 00.2
 */
import type { Bytes } from "#base";
import { U32_BYTES, U32_MAX, U64_BYTES } from "#bytes/reference";

const U32_VALUES = 2 ** 32;

/** Writes a whole number from 0 to 2^32 - 1. @throws RangeError */
export function putU32(target: Bytes, offset: number, value: number): void {
  checkNumber(value, U32_MAX);
  // The view wraps what is too large, so the range is checked above. It checks the offset itself.
  viewOf(target).setUint32(offset, value, true);
}

/** Reads what {@link putU32} wrote. @throws RangeError beyond the end. */
export function getU32(source: Bytes, offset: number): number {
  return viewOf(source).getUint32(offset, true);
}

/** Writes a whole number from 0 to 2^53 - 1. @throws RangeError */
export function putU64(target: Bytes, offset: number, value: number): void {
  checkNumber(value, Number.MAX_SAFE_INTEGER);
  checkRoom(target, offset, U64_BYTES);
  // No bit operators: they see only the low 32 bits.
  putU32(target, offset, value % U32_VALUES);
  putU32(target, offset + U32_BYTES, Math.floor(value / U32_VALUES));
}

/** Reads what {@link putU64} wrote. @throws RangeError beyond the end, or for 2^53 and more. */
export function getU64(source: Bytes, offset: number): number {
  const low = getU32(source, offset);
  const high = getU32(source, offset + U32_BYTES);
  const value = high * U32_VALUES + low;
  checkNumber(value, Number.MAX_SAFE_INTEGER);
  return value;
}

/** The array may be a part of a larger buffer: its own offset counts. */
function viewOf(bytes: Bytes): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function checkNumber(value: number, max: number): void {
  if (!Number.isInteger(value) || value < 0 || value > max) {
    throw new RangeError(`${value} is not a whole number from 0 to ${max}`);
  }
}

function checkRoom(bytes: Bytes, offset: number, count: number): void {
  if (!(offset >= 0 && offset + count <= bytes.length)) {
    throw new RangeError(`${count} bytes at ${offset} do not fit in ${bytes.length}`);
  }
}

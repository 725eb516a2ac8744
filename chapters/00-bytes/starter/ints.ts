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
import { type Bytes, notWritten } from "#base";

/**
 * Writes a whole number from 0 to 2^32 - 1 at `offset`: four bytes, the lowest first.
 *
 * @throws RangeError outside the range or the array; nothing is written then.
 */
export function putU32(_target: Bytes, _offset: number, _value: number): void {
  notWritten("00.2", "putU32");
}

/** Reads what {@link putU32} wrote. @throws RangeError beyond the end of the array. */
export function getU32(_source: Bytes, _offset: number): number {
  notWritten("00.2", "getU32");
}

/**
 * Writes a whole number from 0 to 2^53 - 1 at `offset`: eight bytes, the lowest first.
 *
 * @throws RangeError outside the range or the array; nothing is written then.
 */
export function putU64(_target: Bytes, _offset: number, _value: number): void {
  notWritten("00.2", "putU64");
}

/**
 * Reads what {@link putU64} wrote.
 *
 * @throws RangeError beyond the end of the array, and for 2^53 and more: a JavaScript number does
 * not hold those exactly.
 */
export function getU64(_source: Bytes, _offset: number): number {
  notWritten("00.2", "getU64");
}

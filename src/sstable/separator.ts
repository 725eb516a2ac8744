/**
 * Keys for the index: as short as they can be, and numbers that stand for their first bytes.
 *
 * Invariant: a separator is at or above every key of its block and below every key of the next.
 * Chapter: 03-sstable
 */
import type { Bytes } from "#base";

/** Bytes of a key that a head holds: six, since a double holds 53 bits exactly. */
export const HEAD_BYTES = 6;
const BYTE_VALUES = 256;
const BYTE_MAX = 255;
/** Three bytes: the half of a head is put together with integer operations. */
const HALF_VALUES = 2 ** 24;

/** Bytes that two keys have in common from their beginning. */
export function sharedBytes(a: Bytes, b: Bytes): number {
  const stop = Math.min(a.length, b.length);
  let count = 0;
  while (count < stop && a[count] === b[count]) count += 1;
  return count;
}

/** The shortest key at or above `last` and below `next`. @param next - above `last`. */
export function shortestSeparator(last: Bytes, next: Bytes): Bytes {
  const shared = sharedBytes(last, next);
  // `last` itself is the only one of its length or shorter if it ends at the first difference.
  if (last.length <= shared + 1) return last.slice();
  // One byte of `next` behind the common ones is above `last`; it is below `next` if that goes on.
  if (next.length > shared + 1) return next.slice(0, shared + 1);
  if (last[shared]! + 1 < next[shared]!) return raised(last, shared);
  // The first byte that differs must stay: raise the first one behind it that can be raised.
  for (let i = shared + 1; i < last.length - 1; i += 1) {
    if (last[i] !== BYTE_MAX) return raised(last, i);
  }
  return last.slice();
}

/** The bytes of a key up to `index`, with the last of them one higher. */
function raised(key: Bytes, index: number): Bytes {
  const result = key.slice(0, index + 1);
  result[index]! += 1;
  return result;
}

/**
 * The number of a key's bytes from `from` on: it orders as they do, but for ties, which only a
 * comparison of the bytes decides. Missing bytes count as zero.
 *
 * @param before - where the key ends.
 */
export function headOf(bytes: Bytes, from: number, before: number): number {
  if (before - from >= HEAD_BYTES) {
    const high = (bytes[from]! << 16) | (bytes[from + 1]! << 8) | bytes[from + 2]!;
    const low = (bytes[from + 3]! << 16) | (bytes[from + 4]! << 8) | bytes[from + 5]!;
    return high * HALF_VALUES + low;
  }
  let head = 0;
  for (let i = from; i < from + HEAD_BYTES; i += 1) {
    head = head * BYTE_VALUES + (i < before ? bytes[i]! : 0);
  }
  return head;
}

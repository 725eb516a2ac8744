/**
 * A copy of part of an array, made quickly.
 *
 * Invariant: the copy shares no byte with its source, and is never shared memory.
 * Chapter: 00-bytes
 */
import type { Bytes } from "#base";

/** Where there is a pool for small arrays, taking from it is quicker than making a new one. */
const pooled: ((count: number) => Bytes) | undefined = globalThis.Buffer?.allocUnsafe;

/**
 * Copies bytes from `from` (included) to `before` (excluded). The copy is the caller's own; its
 * `buffer` may be larger than it.
 */
export function copyBytes(source: Bytes, from = 0, before: number = source.length): Bytes {
  const count = before - from;
  const copy = pooled === undefined ? new Uint8Array(count) : pooled(count);
  copy.set(from === 0 && before === source.length ? source : source.subarray(from, before));
  return copy;
}

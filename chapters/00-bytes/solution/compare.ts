/**
 * The order of byte strings: the first byte that differs decides, and a prefix comes first.
 *
 * Invariant: a total order, the same on every machine (rule E3).
 * Chapter: 00-bytes, step 00.3
 */
import type { Bytes } from "#base";

/** Orders as bytes: -1 when `a` comes first, 1 when `b` does, 0 when they are equal. */
export function compareBytes(a: Bytes, b: Bytes): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i += 1) {
    const difference = a[i]! - b[i]!;
    if (difference !== 0) return Math.sign(difference);
  }
  return Math.sign(a.length - b.length);
}

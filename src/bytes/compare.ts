/**
 * The order of byte strings: the first byte that differs decides, and a prefix comes first.
 *
 * Invariant: a total order, the same on every machine. JavaScript's own string order is another
 * one: it compares UTF-16 units, so that U+10000 sorts before U+FFFD.
 * Chapter: 00-bytes
 */
import type { Bytes } from "#base";

/** Orders as bytes: -1 when `a` comes first, 1 when `b` does, 0 when they are equal. */
export function compareBytes(a: Bytes, b: Bytes): number {
  const count = Math.min(a.length, b.length);
  for (let i = 0; i < count; i += 1) {
    const left = a[i]!;
    const right = b[i]!;
    if (left !== right) return left < right ? -1 : 1;
  }
  if (a.length === b.length) return 0;
  return a.length < b.length ? -1 : 1;
}

/** Tells whether two byte strings are the same. */
export function equalBytes(a: Bytes, b: Bytes): boolean {
  return a.length === b.length && compareBytes(a, b) === 0;
}

/**
 * The order of byte strings: the first byte that differs decides, and a prefix comes first.
 *
 * Invariant: a total order, the same on every machine (rule E3).
 * Chapter: 00-bytes, step 00.3
 */
import { type Bytes, notWritten } from "#base";

/** Orders as bytes: -1 when `a` comes first, 1 when `b` does, 0 when they are equal. */
export function compareBytes(_a: Bytes, _b: Bytes): number {
  notWritten("00.3", "compareBytes");
}

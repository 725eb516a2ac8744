/**
 * When a version may die, and a deletion too (04.7).
 *
 * Chapter: 04-lsm, step 04.7
 */
import { notWritten, type Sequence } from "#base";
import type { KeySpan } from "#lsm/reference";
import type { KeepRule } from "./types.ts";

/**
 * Makes the rule for one job. Readers stand at the snapshots, and at "now": each of them must see
 * the same before and after. What nobody can see goes. A deletion goes if it hides nothing: no
 * older version of its key stays, and no older table may hold one.
 *
 * @param snapshots - sequences that somebody may still read at, ascending.
 * @param older - spans of the tables that may hold older versions, in any order, bounds included;
 * null: any key may have some.
 */
export function createKeepRule(
  _snapshots: readonly Sequence[],
  _older: readonly KeySpan[] | null,
): KeepRule {
  return notWritten("04.7", "createKeepRule");
}

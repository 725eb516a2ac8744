/**
 * When a version may die, and a deletion too (04.7).
 *
 * Readers stand at the snapshots, and at "now". Invariant: every one of them sees the same before
 * and after (L5), whatever older tables hold.
 * Chapter: 04-lsm, step 04.7
 */
import type { Bytes, Sequence } from "#base";
import { compareBytes } from "#bytes";
import type { KeySpan } from "#lsm/reference";
import type { KeepRule, KeyVersion } from "./types.ts";

/**
 * Makes the rule for one job.
 *
 * @param snapshots - sequences that somebody may still read at, ascending.
 * @param older - spans of the tables that may hold older versions; null: any key may have some.
 */
export function createKeepRule(
  snapshots: readonly Sequence[],
  older: readonly KeySpan[] | null,
): KeepRule {
  const readers = [...snapshots, Number.POSITIVE_INFINITY];
  const olderMayHold = (key: Bytes): boolean =>
    older === null ||
    older.some(
      ({ smallest, largest }) =>
        compareBytes(smallest, key) <= 0 && compareBytes(key, largest) <= 0,
    );
  return {
    survivors(key, newestFirst) {
      const stay = newestFirst.filter((version, at) => isSeen(readers, newestFirst, version, at));
      // From the oldest up: a deletion that hides nothing is the same as no entry at all.
      if (!olderMayHold(key)) while (stay.at(-1)?.isDeletion === true) stay.pop();
      return stay;
    },
  };
}

/** Whether some reader sees exactly this version: it is old enough, and the next newer is not. */
function isSeen(
  readers: readonly Sequence[],
  newestFirst: readonly KeyVersion[],
  version: KeyVersion,
  at: number,
): boolean {
  const newer = newestFirst[at - 1]?.sequence ?? Number.POSITIVE_INFINITY;
  return readers.some((reader) => {
    const isOldEnough = version.sequence <= reader;
    return isOldEnough && (at === 0 || newer > reader);
  });
}

/**
 * A version, and the order in which a table keeps versions.
 *
 * Invariant: key ascending as bytes, then sequence descending: the newest version of a key is the
 * first one that a reader meets.
 * Chapter: 03-sstable, step 03.1
 */
import type { Bytes, Sequence } from "#base";
import { compareBytes } from "#bytes";

/** Where a version stands in the order. */
export interface Place {
  readonly key: Bytes;
  readonly sequence: Sequence;
}

/** One version of one key. */
export interface Version extends Place {
  /** null: a deletion. */
  readonly value: Bytes | null;
}

/** Larger than every sequence: together with a key it stands before all versions of that key. */
export const NEWEST: Sequence = Number.MAX_SAFE_INTEGER;

/** Below 0 if `a` stands before `b`, 0 for the same place, above 0 otherwise. */
export function compareVersions(a: Place, b: Place): number {
  return compareBytes(a.key, b.key) || b.sequence - a.sequence;
}

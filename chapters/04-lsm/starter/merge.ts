/**
 * Merging sorted sources by recency (04.1).
 *
 * Chapter: 04-lsm, step 04.1
 */
import { notWritten } from "#base";
import type { ForwardCursor } from "./types.ts";

/**
 * Merges cursors into one. Keys go up; of equal keys, all entries of the newer cursor come first.
 * Deletions pass through: they are entries like others.
 *
 * When a cursor throws, the merge passes the error on, once, and is at no entry from then on, for
 * good. `close` closes every cursor, whatever happened.
 *
 * @param newestFirst - the place in the list decides what is newer, never a sequence.
 */
export function mergeCursors(_newestFirst: readonly ForwardCursor[]): ForwardCursor {
  return notWritten("04.1", "mergeCursors");
}

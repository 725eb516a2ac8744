/**
 * Moves over the versions of a table, forwards and backwards.
 *
 * Invariant: a cursor is at a version of the block that it has read, or at none. A method that
 * throws leaves it at none.
 * Chapter: 03-sstable, step 03.8
 */
import { type Cursor, notWritten } from "#base";
import type { IndexEntry } from "./sparse-index.ts";
import type { Version } from "./version.ts";

/** Makes a cursor that is at no version. @param read - all versions of a block, in order. */
export function createTableCursor(
  _index: readonly IndexEntry[],
  _read: (block: number) => readonly Version[],
): Cursor {
  return notWritten("03.8", "createTableCursor");
}

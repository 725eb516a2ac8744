/**
 * A range of a table: every version from one key to another, in either direction.
 *
 * Invariant: `from` is included and `before` is excluded, whichever way the scan goes (S8).
 * Chapter: 03-sstable, step 03.8
 */
import type { Bytes, Cursor } from "#base";
import { compareBytes } from "#bytes";
import type { Version } from "./version.ts";

/** Which keys. */
export interface ScanRange {
  /** The first key that belongs to it. Default: from the first key of the table. */
  readonly from?: Bytes;
  /** The first key that does not. Default: to the last key of the table. */
  readonly before?: Bytes;
  /** Default false: upwards. */
  readonly isReversed?: boolean;
}

/** Hands out copies of the versions of a range, one by one. @throws what the cursor throws. */
export function* scanRange(cursor: Cursor, range: ScanRange = {}): Generator<Version> {
  const { from, before, isReversed = false } = range;
  if (isReversed) {
    if (before === undefined) cursor.seekLast();
    else cursor.seekBefore(before);
  } else if (from === undefined) cursor.seekFirst();
  else cursor.seek(from);
  while (cursor.valid) {
    const { key } = cursor;
    if (isReversed && from !== undefined && compareBytes(key, from) < 0) return;
    if (!isReversed && before !== undefined && compareBytes(key, before) >= 0) return;
    const value = cursor.isDeletion ? null : cursor.value.slice();
    yield { key: key.slice(), value, sequence: cursor.sequence };
    if (isReversed) cursor.prev();
    else cursor.next();
  }
}

/**
 * A range of a table: every version from one key to another, in either direction.
 *
 * Invariant: `from` is included and `before` is excluded, whichever way the scan goes (S8).
 * Chapter: 03-sstable, step 03.8
 */
import { type Bytes, type Cursor, notWritten } from "#base";
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
export function scanRange(_cursor: Cursor, _range: ScanRange = {}): Iterable<Version> {
  return notWritten("03.8", "scanRange");
}

/**
 * Reading one segment from its beginning: the heart of recovery. Steps 01.2, 01.4 and 01.5.
 *
 * Invariant: looking changes nothing.
 */
import { notWritten } from "#base";
import type { Lsn, WalRecord } from "#wal/types";
import type { Settings } from "./options.ts";
import type { Segment } from "./segment.ts";

/** What reading a segment has found. */
export interface Scan {
  /** The number that the next record gets. */
  readonly nextLsn: Lsn;
  /** The highest watermark of all frames. */
  readonly watermark: Lsn;
  /** Bytes of a torn tail behind the last frame. Always 0 until step 01.4. */
  readonly droppedBytes: number;
}

/** What is known of a segment's end before it is read. */
export interface Limits {
  /** The number at which the next segment takes over; null in the last one. */
  readonly before: Lsn | null;
  /** A later segment was made, or begun: so all of this one was durable. */
  readonly isSealed: boolean;
}

/**
 * Hands out the records of a segment in order, up to the first place where no valid frame lies, and
 * notes their offsets and its end in `segment`. Looking changes nothing.
 *
 * Step 01.2: records. Step 01.4: how long the torn tail is. Step 01.5: damage is no torn tail.
 * Step 01.6: a segment that is not the last one, in which nothing may be missing.
 *
 * @throws `WAL_CORRUPT` when a record that must have been durable cannot be read.
 */
export function scanSegment(
  _settings: Settings,
  _segment: Segment,
  _limits: Limits,
  _onRecord: (record: WalRecord) => void,
): Scan {
  return notWritten("01.2", "scanSegment");
}

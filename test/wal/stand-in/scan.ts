/**
 * Reading one segment from its beginning: the heart of recovery. Steps 01.2, 01.4 and 01.5.
 *
 * Invariant: looking changes nothing.
 *
 * Written by a reader who had only the pages of chapter 01: neither the reference nor the solution.
 */
import type { Bytes } from "#base";
import type { Lsn, WalRecord } from "#wal/types";
import { type Settings, walCorrupt } from "../../../chapters/01-wal/starter/options.ts";
import { SEGMENT_HEADER_BYTES } from "../../../chapters/01-wal/starter/segment-header.ts";
import { decodeFrame, FrameType } from "./frame.ts";
import { readFile, type Segment } from "./segment.ts";
import { findWitness } from "./witness.ts";

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
  settings: Settings,
  segment: Segment,
  limits: Limits,
  onRecord: (record: WalRecord) => void,
): Scan {
  const bytes = readFile(settings.disk, segment.path);
  let lsn = segment.firstLsn;
  let watermark = segment.firstLsn - 1;
  let offset = SEGMENT_HEADER_BYTES;
  while (limits.before === null || lsn < limits.before) {
    const frame = decodeFrame(bytes, offset, { seed: segment.seed, lsn });
    if (typeof frame === "string") break;
    watermark = Math.max(watermark, frame.watermark);
    if (frame.type === FrameType.record) {
      segment.offsets.push(offset);
      onRecord({ lsn, payload: frame.payload });
      lsn += 1;
    }
    offset = frame.endOffset;
  }
  segment.endOffset = offset;
  // Everything that a later segment, even a half-made one, has behind it was durable.
  if (limits.before !== null) {
    if (lsn === limits.before) return { nextLsn: lsn, watermark, droppedBytes: 0 };
    throw walCorrupt({ ...segment, offset }, `record ${lsn} is missing`);
  }
  const droppedBytes = tornBytes(bytes.subarray(offset));
  if (droppedBytes > 0) {
    const isWitnessed =
      limits.isSealed || findWitness(bytes.subarray(offset), { seed: segment.seed, lsn });
    if (isWitnessed) {
      throw walCorrupt({ ...segment, offset }, `record ${lsn} was durable and cannot be read`);
    }
  }
  return { nextLsn: lsn, watermark, droppedBytes };
}

/** Bytes up to the last that is not zero. */
function tornBytes(tail: Bytes): number {
  let end = tail.length;
  while (end > 0 && tail[end - 1] === 0) end -= 1;
  return end;
}

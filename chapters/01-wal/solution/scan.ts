/**
 * Reading one segment from its beginning: the heart of recovery. Steps 01.2, 01.4 and 01.5.
 *
 * Invariant: looking changes nothing.
 */
import type { Bytes } from "#base";
import type { Lsn, WalRecord } from "#wal/types";
import { decodeFrame, FrameType } from "./frame.ts";
import { type Settings, walCorrupt } from "./options.ts";
import { readFile, type Segment } from "./segment.ts";
import { SEGMENT_HEADER_BYTES } from "./segment-header.ts";
import { findWitness } from "./witness.ts";

/** What reading a segment has found. */
export interface Scan {
  /** The number that the next record gets. */
  readonly nextLsn: Lsn;
  /** The highest watermark of all frames. */
  readonly watermark: Lsn;
  /** Bytes of a torn tail behind the last frame. */
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
 * Hands out the records of a segment, and notes their offsets and its end in `segment`.
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
  const { before } = limits;
  let nextLsn = segment.firstLsn;
  let watermark = segment.firstLsn - 1;
  let offset = SEGMENT_HEADER_BYTES;
  let problem = "the file is over";
  while (before === null || nextLsn < before) {
    const frame = decodeFrame(bytes, offset, { seed: segment.seed, lsn: nextLsn });
    if (typeof frame === "string") {
      problem = frame;
      break;
    }
    watermark = Math.max(watermark, frame.watermark);
    if (frame.type === FrameType.record) {
      segment.offsets.push(offset);
      onRecord({ lsn: nextLsn, payload: frame.payload });
      nextLsn += 1;
    }
    offset = frame.endOffset;
  }
  segment.endOffset = offset;
  const tail = bytes.subarray(offset);
  const droppedBytes = before === null ? tail.findLastIndex((byte) => byte !== 0) + 1 : 0;
  const isShort = before !== null && nextLsn < before;
  if (isShort || (droppedBytes > 0 && isDamage(tail, { segment, limits, nextLsn }))) {
    throw walCorrupt({ ...segment, offset }, `record ${nextLsn} was durable: ${problem}`);
  }
  return { nextLsn, watermark, droppedBytes };
}

/** Tells damage from a torn tail: was what stood here ever durable? */
function isDamage(
  tail: Bytes,
  at: { readonly segment: Segment; readonly limits: Limits; readonly nextLsn: Lsn },
): boolean {
  return at.limits.isSealed || findWitness(tail, { seed: at.segment.seed, lsn: at.nextLsn });
}

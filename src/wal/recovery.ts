/**
 * Recovery: from whatever a crash has left to a log that ends in a whole, durable record.
 *
 * First everything is read and judged, and nothing is changed: a damaged log is left as it was
 * found. Then the end is repaired: a torn tail is cut off, what may not be on disk is written
 * again, and all of it is synced before anybody hears of it. Each step may be interrupted by a
 * crash; doing it again from the beginning gives the same log.
 *
 * Invariant: the records handed out are a prefix of what was appended, with everything that was
 * ever acknowledged (W3, W4), and after `repair` they are durable. Chapter: 01-wal, W5, W6 and W8
 */
import type { FileHandle } from "#platform/types";
import { walCorrupt } from "./corruption.ts";
import { createFrameCursor, type FrameCursor, readFully } from "./cursor.ts";
import type { Directory } from "./directory.ts";
import { SCAN_CHUNK_BYTES, type WalSettings } from "./options.ts";
import { FrameType } from "./record.ts";
import type { Segment } from "./segment.ts";
import { SEGMENT_HEADER_BYTES } from "./segment-header.ts";
import type { Lsn, WalRecord } from "./types.ts";
import { findWitness, lastNonZero } from "./witness.ts";

/** What reading a log has found. */
export interface Scan {
  readonly nextLsn: Lsn;
  /** Offset behind the last whole frame of the last segment. */
  readonly endOffset: number;
  /** Bytes of a torn tail behind it. */
  readonly droppedBytes: number;
  /** The highest LSN that some frame says was durable. */
  readonly watermark: Lsn;
  /** The last frame is a mark: there is nothing that a new one would witness. */
  readonly endsInMark: boolean;
}

/**
 * Reads every record that counts and hands it out, oldest first. Changes nothing.
 *
 * @throws `WAL_CORRUPT` when a record that must have been durable is damaged or missing.
 */
export function scanLog(
  settings: WalSettings,
  directory: Directory,
  onRecord: (record: WalRecord) => void,
): Scan {
  const { live } = directory;
  const first = live[0];
  let scan: Scan = {
    nextLsn: first?.firstLsn ?? 1,
    endOffset: SEGMENT_HEADER_BYTES,
    droppedBytes: 0,
    watermark: (first?.firstLsn ?? 1) - 1,
    endsInMark: false,
  };
  for (const [i, segment] of live.entries()) {
    // A segment is made only when everything before it is durable, so its existence is a witness.
    const before = live[i + 1]?.firstLsn ?? null;
    const isSealed = before !== null || directory.unfinished !== null;
    const handle = settings.disk.open(segment.path, "read");
    try {
      scan = scanSegment({ settings, segment, handle, before, isSealed }, onRecord);
    } finally {
      handle.close();
    }
  }
  return scan;
}

interface SegmentScan {
  readonly settings: WalSettings;
  readonly segment: Segment;
  readonly handle: FileHandle;
  /** The LSN at which the next segment takes over; null in the last one. */
  readonly before: Lsn | null;
  readonly isSealed: boolean;
}

function scanSegment(input: SegmentScan, onRecord: (record: WalRecord) => void): Scan {
  const { segment, handle, before } = input;
  const cursor = createFrameCursor({
    handle,
    seed: segment.seed,
    from: { lsn: segment.firstLsn, offset: SEGMENT_HEADER_BYTES },
    before: segment.sizeBytes,
    payloadBytesMax: input.settings.payloadBytesMax,
    chunkBytes: SCAN_CHUNK_BYTES,
  });
  let watermark = segment.firstLsn - 1;
  while ((before === null || cursor.nextLsn < before) && cursor.advance()) {
    watermark = Math.max(watermark, cursor.watermark);
    if (cursor.type !== FrameType.record) continue;
    const lsn = cursor.nextLsn - 1;
    segment.index.note(lsn, cursor.offset);
    onRecord({ lsn, payload: cursor.payload() });
  }
  if (before !== null && cursor.nextLsn < before) throw unreadable(input, cursor, before);
  const droppedBytes = before === null ? judgeTail(input, cursor) : 0;
  return {
    nextLsn: cursor.nextLsn,
    endOffset: cursor.nextOffset,
    droppedBytes,
    watermark,
    endsInMark: cursor.type === FrameType.mark,
  };
}

/**
 * Decides about the bytes behind the last whole frame. @returns how many of them are a torn tail.
 */
function judgeTail(input: SegmentScan, cursor: FrameCursor): number {
  const { segment, handle } = input;
  const range = { from: cursor.nextOffset, before: segment.sizeBytes };
  if (cursor.problem === "payload above the limit") throw unreadable(input, cursor, null);
  const droppedBytes = lastNonZero(handle, range) + 1 - range.from;
  const tail = { ...range, handle, seed: segment.seed, lsn: cursor.nextLsn };
  // Nothing but zeros: room that was made ahead, or writes of which nothing reached the disk.
  if (droppedBytes === 0) return 0;
  if (input.isSealed || findWitness(tail) !== null) throw unreadable(input, cursor, null);
  return droppedBytes;
}

function unreadable(input: SegmentScan, cursor: FrameCursor, before: Lsn | null): Error {
  const { path, number } = input.segment;
  const problem = cursor.problem ?? "the file is over";
  const next = before === null ? "" : `, and the next segment begins with ${before}`;
  return walCorrupt(
    { path, number, offset: cursor.nextOffset },
    `record ${cursor.nextLsn} was durable and cannot be read: ${problem}${next}`,
  );
}

/**
 * Whether the log was closed properly: it ends in a mark that vouches for all before it, and that
 * was written when the segment, its name and its records were durable. Only the mark itself may not
 * be; without it the log is the same. So such a log opens without a sync.
 */
export function isVouchedFor(scan: Scan): boolean {
  return scan.endsInMark && scan.droppedBytes === 0 && scan.watermark === scan.nextLsn - 1;
}

/**
 * Repairs the end of the last segment and makes it durable.
 *
 * What no frame vouches for is written once more before the sync. After a failed sync, Linux counts
 * the pages as clean although they are not on disk; if the process was restarted and the machine
 * was not, reading finds them, and a sync alone would pass over them (rule D4).
 */
export function repairEnd(handle: FileHandle, segment: Segment, scan: Scan): void {
  if (scan.droppedBytes > 0) {
    handle.truncate(scan.endOffset);
    segment.sizeBytes = scan.endOffset;
  }
  const from = segment.index.nearest(scan.watermark + 1).offset;
  const isEmpty = scan.nextLsn === segment.firstLsn;
  rewrite(handle, { from: isEmpty ? 0 : from, before: scan.endOffset });
  handle.sync();
}

/** Writes what a file holds over itself, so that it counts as unsynced again. */
export function rewrite(
  handle: FileHandle,
  range: { readonly from: number; readonly before: number },
): void {
  for (let at = range.from; at < range.before; at += SCAN_CHUNK_BYTES) {
    const chunk = new Uint8Array(Math.min(SCAN_CHUNK_BYTES, range.before - at));
    readFully(handle, at, chunk);
    handle.write(at, chunk);
  }
}

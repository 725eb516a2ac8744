/**
 * Reads the headers of all segments, and decides which of their records count.
 *
 * A cut (`truncateAfter`) does not touch old files. It makes a new segment whose first LSN is below
 * what the older ones reach. So the records of a segment count up to the first LSN of any later
 * segment, and a segment of which nothing counts is void. One durable header is thus what decides
 * between the log before the cut and the log after it, and no crash can leave a mixture.
 *
 * Invariant: looking changes nothing.
 * Chapter: 01-wal, W8 and W9
 */
import type { FileHandle } from "#platform/types";
import { walCorrupt } from "./corruption.ts";
import type { WalSettings } from "./options.ts";
import { createSegment, type Segment, segmentPath } from "./segment.ts";
import { decodeSegmentHeader, SEGMENT_HEADER_BYTES, segmentNumber } from "./segment-header.ts";
import type { Lsn } from "./types.ts";
import { lastNonZero } from "./witness.ts";

/** The segments of a log directory. */
export interface Directory {
  /** Segments with records that count, or that could have some, oldest first. */
  readonly live: readonly Segment[];
  /** Paths of segments of which nothing counts any more. */
  readonly void: readonly string[];
  /** Number of a last segment that was never finished being made: it holds nothing. */
  readonly unfinished: number | null;
}

/**
 * Reads a log directory. @throws `WAL_CORRUPT` for a header that must have been durable and is
 * damaged.
 */
export function readDirectory(settings: WalSettings): Directory {
  const numbers = settings.disk
    .list(settings.dir)
    .map(segmentNumber)
    .filter((number) => number !== null)
    .sort((a, b) => a - b);
  const segments: Segment[] = [];
  let unfinished: number | null = null;
  for (const number of numbers) {
    const segment = readHeader(settings, number, number === numbers[numbers.length - 1]);
    if (segment === null) unfinished = number;
    else segments.push(segment);
  }
  if (segments.length === 0 && unfinished !== null && unfinished > 1) {
    const place = { path: segmentPath(settings.dir, unfinished), number: unfinished, offset: 0 };
    throw walCorrupt(place, "no earlier segment, and this one holds nothing");
  }
  return { ...dropVoid(segments), unfinished };
}

/** Reads one header; null if the segment is the last one and was never finished being made. */
function readHeader(settings: WalSettings, number: number, isLast: boolean): Segment | null {
  const path = segmentPath(settings.dir, number);
  const handle = settings.disk.open(path, "read");
  try {
    const sizeBytes = handle.size();
    const bytes = new Uint8Array(Math.min(SEGMENT_HEADER_BYTES, sizeBytes));
    handle.read(0, bytes);
    const header = decodeSegmentHeader(bytes, number);
    if (typeof header !== "string") {
      const segment = createSegment(settings.dir, header);
      segment.sizeBytes = sizeBytes;
      return segment;
    }
    if (isLast && !holdsFrames(handle, sizeBytes)) return null;
    throw walCorrupt({ path, number, offset: 0 }, header);
  } finally {
    handle.close();
  }
}

/**
 * Anything behind the header was written after the header was durable, so a bad header in front of
 * it is damage. With nothing behind it, no record was ever acknowledged from this file.
 */
function holdsFrames(handle: FileHandle, sizeBytes: number): boolean {
  const range = { from: SEGMENT_HEADER_BYTES, before: sizeBytes };
  return sizeBytes > range.from && lastNonZero(handle, range) >= range.from;
}

function dropVoid(segments: readonly Segment[]): { live: Segment[]; void: string[] } {
  const live: Segment[] = [];
  const dropped: string[] = [];
  let limit: Lsn = Number.POSITIVE_INFINITY;
  for (const segment of [...segments].reverse()) {
    if (segment.firstLsn >= limit) {
      dropped.unshift(segment.path);
      continue;
    }
    live.unshift(segment);
    limit = segment.firstLsn;
  }
  return { live, void: dropped };
}

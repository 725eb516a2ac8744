/**
 * Segment files: making one, and finding those that are there. Steps 01.2 and 01.6.
 *
 * Invariant: a segment is made only when everything before it is durable; its header and its name
 * are durable before it takes a record (W9).
 *
 * Written by a reader who had only the pages of chapter 01: neither the reference nor the solution.
 */
import type { Bytes } from "#base";
import type { Disk, FileHandle } from "#platform/types";
import type { Lsn } from "#wal/types";
import { type Settings, walCorrupt } from "../../../chapters/01-wal/starter/options.ts";
import {
  decodeSegmentHeader,
  encodeSegmentHeader,
  SEGMENT_HEADER_BYTES,
  type SegmentHeader,
  segmentName,
  segmentNumber,
} from "../../../chapters/01-wal/starter/segment-header.ts";

/** What is kept in memory about one segment. */
export interface Segment {
  readonly number: number;
  readonly firstLsn: Lsn;
  readonly seed: number;
  readonly path: string;
  /** Where each record starts, from `firstLsn` on. */
  readonly offsets: number[];
  /** Behind the last frame. */
  endOffset: number;
}

/** What a log's directory holds. */
export interface Directory {
  /** Segments whose records count, oldest first. */
  readonly segments: Segment[];
  /** Paths of segments of which nothing counts any more. */
  readonly obsolete: readonly string[];
  /** Number of a last segment that a crash left half made; it holds nothing. */
  readonly unfinished: number | null;
}

/** The path of a segment. */
export function segmentPath(dir: string, number: number): string {
  return `${dir}/${segmentName(number)}`;
}

/** The in-memory part of a segment without records. */
export function emptySegment(dir: string, header: SegmentHeader): Segment {
  const path = segmentPath(dir, header.number);
  return { ...header, path, offsets: [], endOffset: SEGMENT_HEADER_BYTES };
}

/**
 * Makes a new segment and opens it for writing. Step 01.2: its file and its header. Step 01.6: both
 * durable before it takes a record.
 */
export function makeSegment(
  settings: Settings,
  number: number,
  firstLsn: Lsn,
): { segment: Segment; handle: FileHandle } {
  const { disk, dir } = settings;
  const handle = disk.open(segmentPath(dir, number), "read-write");
  try {
    handle.truncate(0);
    const bytes = encodeSegmentHeader(number, firstLsn);
    handle.write(0, bytes);
    handle.sync();
    disk.syncDir(dir);
    const header = decodeSegmentHeader(bytes, number);
    if (typeof header === "string") throw new Error(header);
    return { segment: emptySegment(dir, header), handle };
  } catch (error) {
    handle.close();
    throw error;
  }
}

/**
 * Finds the segments of a log, oldest first. Looking changes nothing.
 *
 * @throws `WAL_CORRUPT` for a header that was durable once and cannot be read.
 */
export function listSegments({ disk, dir }: Settings): Directory {
  const numbers = disk
    .list(dir)
    .map(segmentNumber)
    .filter((number) => number !== null)
    .sort((a, b) => a - b);
  const segments: Segment[] = [];
  let unfinished: number | null = null;
  for (const number of numbers) {
    const path = segmentPath(dir, number);
    const header = decodeSegmentHeader(readFile(disk, path, SEGMENT_HEADER_BYTES), number);
    if (typeof header !== "string") {
      segments.push(emptySegment(dir, header));
    } else if (number === numbers.at(-1) && holdsNothing(readFile(disk, path))) {
      unfinished = number;
    } else {
      throw walCorrupt({ path, number, offset: 0 }, header);
    }
  }
  if (segments.length === 0 && unfinished !== null && unfinished > 1) {
    const place = { path: segmentPath(dir, unfinished), number: unfinished, offset: 0 };
    throw walCorrupt(place, "the segments before it are missing");
  }
  const counts = (segment: Segment, index: number): boolean =>
    segments.slice(index + 1).every((later) => later.firstLsn > segment.firstLsn);
  return {
    segments: segments.filter(counts),
    obsolete: segments.filter((segment, index) => !counts(segment, index)).map(({ path }) => path),
    unfinished,
  };
}

/** A segment that a crash has left half made: nothing but zeros behind its header. */
function holdsNothing(bytes: Bytes): boolean {
  return bytes.subarray(SEGMENT_HEADER_BYTES).every((byte) => byte === 0);
}

/** Reads a file, or its first bytes. */
export function readFile(disk: Disk, path: string, bytesMax = Number.POSITIVE_INFINITY): Bytes {
  const handle = disk.open(path, "read");
  try {
    const bytes = new Uint8Array(Math.min(handle.size(), bytesMax));
    return bytes.subarray(0, handle.read(0, bytes));
  } finally {
    handle.close();
  }
}

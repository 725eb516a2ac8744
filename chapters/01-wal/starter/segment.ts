/**
 * Segment files: making one, and finding those that are there. Steps 01.2 and 01.6.
 *
 * Invariant: a segment is made only when everything before it is durable; its header and its name
 * are durable before it takes a record (W9).
 */
import { type Bytes, notWritten } from "#base";
import type { Disk, FileHandle } from "#platform/types";
import type { Lsn } from "#wal/types";
import type { Settings } from "./options.ts";
import {
  decodeSegmentHeader,
  SEGMENT_HEADER_BYTES,
  type SegmentHeader,
  segmentName,
} from "./segment-header.ts";

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
  _settings: Settings,
  _number: number,
  _firstLsn: Lsn,
): { segment: Segment; handle: FileHandle } {
  return notWritten("01.2", "makeSegment");
}

/**
 * Finds the segments of a log. Given, for a log of one segment. In step 01.6 you replace the body,
 * so that it finds them all, and refuses damaged headers. In 01.9 some no longer count.
 */
export function listSegments({ disk, dir }: Settings): Directory {
  const segments: Segment[] = [];
  const path = segmentPath(dir, 1);
  if (disk.exists(path)) {
    const header = decodeSegmentHeader(readFile(disk, path, SEGMENT_HEADER_BYTES), 1);
    if (typeof header !== "string") segments.push(emptySegment(dir, header));
  }
  return { segments, obsolete: [], unfinished: null };
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

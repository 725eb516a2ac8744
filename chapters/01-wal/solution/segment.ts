/**
 * Segment files: making one, and finding those that are there. Steps 01.2 and 01.6.
 *
 * Invariant: a segment is made only when everything before it is durable; its header and its name
 * are durable before it takes a record (W9).
 */
import type { Bytes } from "#base";
import type { Disk, FileHandle } from "#platform/types";
import type { Lsn } from "#wal/types";
import { type Settings, walCorrupt } from "./options.ts";
import {
  decodeSegmentHeader,
  encodeSegmentHeader,
  SEGMENT_HEADER_BYTES,
  type SegmentHeader,
  segmentName,
  segmentNumber,
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

/** Makes a new segment, durable with its name, and opens it for writing. */
export function makeSegment(
  { disk, dir }: Settings,
  number: number,
  firstLsn: Lsn,
): { segment: Segment; handle: FileHandle } {
  const header = encodeSegmentHeader(number, firstLsn);
  const decoded = decodeSegmentHeader(header, number) as SegmentHeader;
  const segment = emptySegment(dir, decoded);
  const handle = disk.open(segment.path, "read-write");
  // A crash may have left an unfinished one of that number.
  handle.truncate(0);
  handle.write(0, header);
  handle.sync();
  disk.syncDir(dir);
  return { segment, handle };
}

/** Reads the headers of all segments. @throws `WAL_CORRUPT` for a damaged one. */
export function listSegments(settings: Settings): Directory {
  const { disk, dir } = settings;
  const numbers = disk.list(dir).flatMap((name) => segmentNumber(name) ?? []);
  const found: Segment[] = [];
  let unfinished: number | null = null;
  for (const number of numbers.sort((a, b) => a - b)) {
    const segment = readSegment(settings, number, number === numbers.at(-1));
    if (segment === null) unfinished = number;
    else found.push(segment);
  }
  if (found.length === 0 && unfinished !== null && unfinished > 1) {
    const place = { path: segmentPath(dir, unfinished), number: unfinished, offset: 0 };
    throw walCorrupt(place, "no earlier segment, and this one holds nothing");
  }
  const [segments, obsolete] = dropObsolete(found);
  return { segments, obsolete: obsolete.map(({ path }) => path), unfinished };
}

/** Reads one header. @returns null for a last segment that was never finished being made. */
function readSegment({ disk, dir }: Settings, number: number, isLast: boolean): Segment | null {
  const path = segmentPath(dir, number);
  const header = decodeSegmentHeader(readFile(disk, path, SEGMENT_HEADER_BYTES), number);
  if (typeof header !== "string") return emptySegment(dir, header);
  // The header was durable before anything was written behind it.
  const holdsNothing = () => readFile(disk, path).subarray(SEGMENT_HEADER_BYTES).every(isZero);
  if (isLast && holdsNothing()) return null;
  throw walCorrupt({ path, number, offset: 0 }, header);
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

const isZero = (byte: number): boolean => byte === 0;

/** A cut makes a segment that begins below the end of older ones: their rest does not count. */
function dropObsolete(found: readonly Segment[]): [Segment[], Segment[]] {
  const counts = (segment: Segment, index: number): boolean =>
    found.slice(index + 1).every((later) => later.firstLsn > segment.firstLsn);
  return [found.filter(counts), found.filter((segment, index) => !counts(segment, index))];
}

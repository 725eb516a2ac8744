/**
 * Reads a segment file, damaged or not, and says what is there: for people, not for recovery.
 *
 * Invariant: looking changes nothing, and no frame is handed out whose checksum was not verified.
 * Memory stays bounded: a chunk, or one payload if that is larger.
 * Chapter: 01-wal, W5 and W6
 */
import type { Bytes } from "#base";
import type { Disk, FileHandle } from "#platform/types";
import { createFrameCursor, type FrameCursor } from "./cursor.ts";
import { SCAN_CHUNK_BYTES } from "./options.ts";
import { FRAME_HEADER_BYTES, FrameType, frameLsn } from "./record.ts";
import {
  decodeAnyHeader,
  headerChecksum,
  looksLikeSegment,
  SEGMENT_HEADER_BYTES,
} from "./segment-header.ts";
import type { DescribedFrame, Lsn, SegmentDescription } from "./types.ts";
import { findWitness, lastNonZero } from "./witness.ts";

/** What logs are opened with by default: a longer payload is shown as too long. */
const PAYLOAD_BYTES_MAX = 128 * 1024 * 1024;

/** Where to begin, and what vouches for the frames. */
interface Start {
  readonly seed: number;
  readonly firstLsn: Lsn;
  readonly number: number | null;
  readonly problem: SegmentDescription["problem"];
}

/** Tells whether a file's first bytes (16 or more, if it has them) are those of a segment. */
export function isSegmentFile(firstBytes: Bytes): boolean {
  return looksLikeSegment(firstBytes);
}

/**
 * Describes one segment file.
 *
 * With a damaged header, the frames are tried with what the header should have said.
 *
 * @param onFrame - called for each whole frame, in order, up to the first that is not.
 * @throws disk errors as they come.
 */
export function describeSegment(
  file: { readonly disk: Disk; readonly path: string },
  onFrame: (frame: DescribedFrame) => void = () => {},
): SegmentDescription {
  const handle = file.disk.open(file.path, "read");
  try {
    return describeHandle(handle, onFrame);
  } finally {
    handle.close();
  }
}

function describeHandle(
  handle: FileHandle,
  onFrame: (frame: DescribedFrame) => void,
): SegmentDescription {
  const bytes = handle.size();
  const start = readStart(handle);
  const known = start.number !== null;
  const counts = { records: 0, marks: 0, durableLsn: known ? start.firstLsn - 1 : 0 };
  const cursor = createFrameCursor({
    handle,
    seed: start.seed,
    from: { lsn: start.firstLsn, offset: Math.min(SEGMENT_HEADER_BYTES, bytes) },
    before: bytes,
    payloadBytesMax: PAYLOAD_BYTES_MAX,
    chunkBytes: SCAN_CHUNK_BYTES,
  });
  while (cursor.advance()) {
    const frame = frameAt(cursor);
    counts[frame.kind === "mark" ? "marks" : "records"] += 1;
    counts.durableLsn = Math.max(counts.durableLsn, frame.watermark);
    onFrame(frame);
  }
  const held = {
    ...counts,
    bytes,
    number: start.number,
    firstLsn: known ? start.firstLsn : null,
    endOffset: cursor.nextOffset,
    nextLsn: known || counts.records + counts.marks > 0 ? cursor.nextLsn : 0,
  };
  return { ...held, ...judge(handle, start, { cursor, bytes }) };
}

function frameAt(cursor: FrameCursor): DescribedFrame {
  const isMark = cursor.type === FrameType.mark;
  return {
    offset: cursor.offset,
    bytes: cursor.nextOffset - cursor.offset,
    kind: isMark ? "mark" : "record",
    lsn: isMark ? cursor.nextLsn : cursor.nextLsn - 1,
    watermark: cursor.watermark,
    payload: cursor.payload(),
  };
}

function readStart(handle: FileHandle): Start {
  const bytes = new Uint8Array(SEGMENT_HEADER_BYTES + FRAME_HEADER_BYTES);
  const source = bytes.subarray(0, handle.read(0, bytes));
  const header = decodeAnyHeader(source.subarray(0, SEGMENT_HEADER_BYTES));
  if (typeof header !== "string") {
    return {
      seed: header.checksum,
      firstLsn: header.firstLsn,
      number: header.number,
      problem: null,
    };
  }
  const problem = { offset: 0, text: header };
  const isWhole = source.length === bytes.length;
  const firstLsn = isWhole ? frameLsn(source, SEGMENT_HEADER_BYTES) : 0;
  const seed = isWhole ? headerChecksum(source) : 0;
  return { seed, firstLsn, number: null, problem };
}

/** Decides about what is behind the last whole frame, and about the header. */
function judge(
  handle: FileHandle,
  start: Start,
  { cursor, bytes }: { readonly cursor: FrameCursor; readonly bytes: number },
): Pick<SegmentDescription, "droppedBytes" | "verdict" | "problem" | "witnessOffset"> {
  const range = { from: cursor.nextOffset, before: bytes };
  const droppedBytes = lastNonZero(handle, range) + 1 - range.from;
  if (start.problem !== null) {
    // A segment takes its first frame only when its header is durable.
    const holdsFrames = droppedBytes > 0 || range.from > SEGMENT_HEADER_BYTES;
    const verdict = holdsFrames ? "damaged" : "torn";
    return { droppedBytes, verdict, problem: start.problem, witnessOffset: null };
  }
  if (droppedBytes === 0) {
    return { droppedBytes, verdict: "sound", problem: null, witnessOffset: null };
  }
  const tail = { ...range, handle, seed: start.seed, lsn: cursor.nextLsn };
  const witnessOffset = findWitness(tail);
  const text = `record ${cursor.nextLsn}: ${cursor.problem ?? "the file is over"}`;
  const isDamage = witnessOffset !== null || cursor.problem === "payload above the limit";
  return {
    droppedBytes,
    verdict: isDamage ? "damaged" : "torn",
    problem: { offset: range.from, text },
    witnessOffset,
  };
}

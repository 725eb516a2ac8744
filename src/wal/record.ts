/**
 * The frame around one record of the log, so that a torn or damaged one is noticed.
 *
 * | offset | bytes | field     | type   | meaning                                              |
 * | -----: | ----: | --------- | ------ | ---------------------------------------------------- |
 * |      0 |     4 | checksum  | u32 LE | CRC-32C from offset 4 to the end; see below          |
 * |      4 |     4 | length    | u32 LE | payload bytes                                        |
 * |      8 |     1 | type      | u8     | see FrameType; never 0                               |
 * |      9 |     8 | lsn       | u64 LE | number of this record; of the next one in a mark     |
 * |     17 |     8 | watermark | u64 LE | all up to here was durable when this was written     |
 * |     25 |     n | payload   | bytes  | opaque to this layer; none in a mark                 |
 *
 * The checksum starts from the checksum of the segment's header, so that a frame is valid in no
 * other segment: bytes left over in a recycled block are never replayed, whatever their LSN.
 *
 * Invariant: a reader returns no payload whose checksum it has not verified (W5).
 * Chapter: 01-wal
 */
import { assert, type Bytes } from "#base";
import { crc32cRange, getU32, putU32, putU64, U32_BYTES, U64_BYTES } from "#bytes";
import type { Lsn } from "./types.ts";

const CHECKSUM_OFFSET = 0;
const LENGTH_OFFSET = CHECKSUM_OFFSET + U32_BYTES;
const TYPE_OFFSET = LENGTH_OFFSET + U32_BYTES;
const LSN_OFFSET = TYPE_OFFSET + 1;
const WATERMARK_OFFSET = LSN_OFFSET + U64_BYTES;
/** Bytes in front of the payload. */
export const FRAME_HEADER_BYTES: number = WATERMARK_OFFSET + U64_BYTES;
assert(FRAME_HEADER_BYTES === 25, "wal: a frame header is 25 bytes, as in the table");

const U32_VALUES = 2 ** 32;

/**
 * Stored on disk: never renumber, only add. 0 is reserved, so that zeroed bytes are never valid.
 */
export const FrameType = {
  /** A record of the caller's. */
  record: 1,
  /**
   * Only carries a watermark: the witness for what was synced before it. Written when a log is
   * closed.
   */
  mark: 2,
} as const;
export type FrameType = (typeof FrameType)[keyof typeof FrameType];

/** Why bytes are not the expected frame. */
export type FrameProblem =
  | "header cut off"
  | "unknown type"
  | "length beyond the end of the file"
  | "unexpected lsn"
  | "watermark not below the lsn"
  | "payload above the limit"
  | "checksum mismatch";

/**
 * Writes a frame whose watermark and checksum are still missing: they are set by {@link sealFrame}.
 */
export function putFrame(
  target: Bytes,
  offset: number,
  frame: { readonly type: FrameType; readonly lsn: Lsn; readonly payload: Bytes },
): void {
  putU32(target, offset + LENGTH_OFFSET, frame.payload.length);
  target[offset + TYPE_OFFSET] = frame.type;
  putU64(target, offset + LSN_OFFSET, frame.lsn);
  target.set(frame.payload, offset + FRAME_HEADER_BYTES);
}

/**
 * Sets watermark and checksum, right before the frame is written: the later, the more the watermark
 * says.
 *
 * @param seed - checksum of the segment's header.
 * @returns the offset behind the frame.
 */
export function sealFrame(target: Bytes, offset: number, watermark: Lsn, seed: number): number {
  putU64(target, offset + WATERMARK_OFFSET, watermark);
  const end = offset + FRAME_HEADER_BYTES + frameLength(target, offset);
  putU32(target, offset, crc32cRange(target, offset + LENGTH_OFFSET, end, seed));
  return end;
}

/**
 * Checks a frame that lies in `source` whole, apart from its length, which the caller has checked.
 *
 * @returns what is wrong, or null.
 */
export function checkFrame(
  source: Bytes,
  offset: number,
  expected: { readonly lsn: Lsn; readonly seed: number },
): FrameProblem | null {
  const type = frameType(source, offset);
  if (type !== FrameType.record && type !== FrameType.mark) return "unknown type";
  const lsn = frameLsn(source, offset);
  if (lsn !== expected.lsn) return "unexpected lsn";
  if (frameWatermark(source, offset) >= lsn) return "watermark not below the lsn";
  return checksumMatches(source, offset, expected.seed) ? null : "checksum mismatch";
}

/** Tells whether the frame's checksum is right. The frame must lie in `source` whole. */
export function checksumMatches(source: Bytes, offset: number, seed: number): boolean {
  const end = offset + FRAME_HEADER_BYTES + frameLength(source, offset);
  return crc32cRange(source, offset + LENGTH_OFFSET, end, seed) === frameChecksum(source, offset);
}

/** Offset from the frame's start where its checksum begins to count. */
export const FRAME_CHECKED_FROM: number = LENGTH_OFFSET;

export function frameChecksum(source: Bytes, offset: number): number {
  return getU32(source, offset + CHECKSUM_OFFSET);
}

/** Payload bytes, as the header claims. */
export function frameLength(source: Bytes, offset: number): number {
  return getU32(source, offset + LENGTH_OFFSET);
}

export function frameType(source: Bytes, offset: number): number {
  return source[offset + TYPE_OFFSET]!;
}

/**
 * The LSN as the header claims. Damage may make it larger than a JavaScript number holds exactly.
 */
export function frameLsn(source: Bytes, offset: number): number {
  return looseU64(source, offset + LSN_OFFSET);
}

export function frameWatermark(source: Bytes, offset: number): number {
  return looseU64(source, offset + WATERMARK_OFFSET);
}

/**
 * Unlike `getU64` it does not throw for damaged bytes: a value of 2^53 or more is just not the
 * expected one.
 */
function looseU64(source: Bytes, offset: number): number {
  return getU32(source, offset + U32_BYTES) * U32_VALUES + getU32(source, offset);
}

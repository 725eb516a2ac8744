/**
 * The frame around one record of the log, so that a torn or damaged one is noticed. You write it in
 * step 01.1.
 *
 * | offset | bytes | field     | type   | meaning                                              |
 * | -----: | ----: | --------- | ------ | ---------------------------------------------------- |
 * |      0 |     4 | checksum  | u32 LE | CRC-32C from offset 4 to the end, begun from the seed |
 * |      4 |     4 | length    | u32 LE | payload bytes                                        |
 * |      8 |     1 | type      | u8     | 1 record, 2 mark; never 0                            |
 * |      9 |     8 | lsn       | u64 LE | number of this record; of the next one in a mark     |
 * |     17 |     8 | watermark | u64 LE | all up to here was durable when this was written     |
 * |     25 |     n | payload   | bytes  | opaque to this layer; none in a mark                 |
 *
 * Invariant: no payload is handed out whose checksum was not verified (W5).
 *
 * Written by a reader who had only the pages of chapter 01: neither the reference nor the solution.
 */
import type { Bytes } from "#base";
import { crc32c, getU32, getU64, putU32, putU64 } from "#bytes";
import type { Lsn } from "#wal/types";

/** Bytes in front of the payload. */
export const FRAME_HEADER_BYTES = 25;

/** Stored on disk: never renumber. 0 is no type, so that zeros are never a frame. */
export const FrameType = { record: 1, mark: 2 } as const;
export type FrameType = (typeof FrameType)[keyof typeof FrameType];

/** What a frame says. */
export interface Frame {
  readonly type: FrameType;
  readonly lsn: Lsn;
  readonly watermark: Lsn;
  readonly payload: Bytes;
}

/** A frame that was found, and where it ends. */
export interface FoundFrame extends Frame {
  /** Offset of the first byte behind the frame. */
  readonly endOffset: number;
}

const LENGTH_AT = 4;
const TYPE_AT = 8;
const LSN_AT = 9;
const WATERMARK_AT = 17;

/** Makes the bytes of a frame, as the table says. */
export function encodeFrame(frame: Frame, seed: number): Bytes {
  const { type, lsn, watermark, payload } = frame;
  const bytes = new Uint8Array(FRAME_HEADER_BYTES + payload.length);
  putU32(bytes, LENGTH_AT, payload.length);
  bytes[TYPE_AT] = type;
  putU64(bytes, LSN_AT, lsn);
  putU64(bytes, WATERMARK_AT, watermark);
  bytes.set(payload, FRAME_HEADER_BYTES);
  putU32(bytes, 0, crc32c(bytes.subarray(LENGTH_AT), seed));
  return bytes;
}

/** Looks for a valid frame at an offset (W5). @returns the frame, or what is wrong. */
export function decodeFrame(
  source: Bytes,
  offset: number,
  expected: { readonly seed: number; readonly lsn: Lsn | null },
): FoundFrame | string {
  if (offset + FRAME_HEADER_BYTES > source.length) return "header cut off";
  const type = source[offset + TYPE_AT];
  if (type !== FrameType.record && type !== FrameType.mark) return "unknown type";
  const endOffset = offset + FRAME_HEADER_BYTES + getU32(source, offset + LENGTH_AT);
  if (endOffset > source.length) return "payload cut off";
  const checksum = crc32c(source.subarray(offset + LENGTH_AT, endOffset), expected.seed);
  if (checksum !== getU32(source, offset)) return "checksum mismatch";
  const lsn = getU64(source, offset + LSN_AT);
  if (expected.lsn !== null && lsn !== expected.lsn) return `number ${lsn}, not ${expected.lsn}`;
  const watermark = getU64(source, offset + WATERMARK_AT);
  const payload = source.subarray(offset + FRAME_HEADER_BYTES, endOffset);
  return { type, lsn, watermark, payload, endOffset };
}

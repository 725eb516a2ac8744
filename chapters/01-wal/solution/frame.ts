/**
 * The frame around one record of the log, so that a torn or damaged one is noticed. Step 01.1.
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
 */
import type { Bytes } from "#base";
import { crc32c, getU32, getU64, putU32, putU64 } from "#bytes";
import type { Lsn } from "#wal/types";

const CHECKSUM_OFFSET = 0;
const LENGTH_OFFSET = 4;
const TYPE_OFFSET = 8;
const LSN_OFFSET = 9;
const WATERMARK_OFFSET = 17;
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

/** Makes the bytes of a frame. @param seed - the checksum of the segment's header. */
export function encodeFrame(frame: Frame, seed: number): Bytes {
  const bytes = new Uint8Array(FRAME_HEADER_BYTES + frame.payload.length);
  putU32(bytes, LENGTH_OFFSET, frame.payload.length);
  bytes[TYPE_OFFSET] = frame.type;
  putU64(bytes, LSN_OFFSET, frame.lsn);
  putU64(bytes, WATERMARK_OFFSET, frame.watermark);
  bytes.set(frame.payload, FRAME_HEADER_BYTES);
  putU32(bytes, CHECKSUM_OFFSET, crc32c(bytes.subarray(LENGTH_OFFSET), seed));
  return bytes;
}

/**
 * Looks for a valid frame at an offset (W5).
 *
 * @param expected - the seed of the segment, and the number that the frame must have; `null`: any.
 * @returns the frame, or what is wrong, in words. Never throws, whatever the bytes.
 */
export function decodeFrame(
  source: Bytes,
  offset: number,
  expected: { readonly seed: number; readonly lsn: Lsn | null },
): FoundFrame | string {
  const left = source.length - offset;
  if (left < FRAME_HEADER_BYTES) return "header cut off";
  const type = source[offset + TYPE_OFFSET];
  if (type !== FrameType.record && type !== FrameType.mark) return "unknown type";
  const length = getU32(source, offset + LENGTH_OFFSET);
  if (length > left - FRAME_HEADER_BYTES) return "length beyond the end";
  const endOffset = offset + FRAME_HEADER_BYTES + length;
  const checked = source.subarray(offset + LENGTH_OFFSET, endOffset);
  if (crc32c(checked, expected.seed) !== getU32(source, offset + CHECKSUM_OFFSET)) {
    return "checksum mismatch";
  }
  // Read only now: `getU64` throws for numbers that only damage can make.
  const lsn = getU64(source, offset + LSN_OFFSET);
  if (expected.lsn !== null && lsn !== expected.lsn) return "unexpected lsn";
  const watermark = getU64(source, offset + WATERMARK_OFFSET);
  const payload = source.subarray(offset + FRAME_HEADER_BYTES, endOffset);
  return { type, lsn, watermark, payload, endOffset };
}

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
 */
import { type Bytes, notWritten } from "#base";
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

/**
 * Makes the bytes of a frame, as the table says.
 *
 * @param seed - the checksum of the segment's header: this frame's checksum begins with it.
 */
export function encodeFrame(_frame: Frame, _seed: number): Bytes {
  return notWritten("01.1", "encodeFrame");
}

/**
 * Looks for a valid frame at an offset (W5).
 *
 * @param expected - the seed of the segment, and the number that the frame must have; `null`: any.
 * @returns the frame, or what is wrong, in words. Never throws, whatever the bytes.
 */
export function decodeFrame(
  _source: Bytes,
  _offset: number,
  _expected: { readonly seed: number; readonly lsn: Lsn | null },
): FoundFrame | string {
  return notWritten("01.1", "decodeFrame");
}

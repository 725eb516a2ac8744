/**
 * One frame by itself, as chapter 01 begins with it: thin functions over record.ts.
 *
 * The log does not use them: it puts many frames into one array, and reads them from chunks.
 * Invariant: whatever the bytes, `decodeFrame` answers and does not throw (W5).
 * Chapter: 01-wal, step 01.1
 */
import type { Bytes } from "#base";
import {
  checkFrame,
  FRAME_HEADER_BYTES,
  type FrameProblem,
  type FrameType,
  frameLength,
  frameLsn,
  frameType,
  frameWatermark,
  putFrame,
  sealFrame,
} from "./record.ts";
import type { Lsn } from "./types.ts";

/** What a frame says. Type 1 is a record, type 2 a mark. */
export interface WalFrame {
  readonly type: FrameType;
  readonly lsn: Lsn;
  readonly watermark: Lsn;
  readonly payload: Bytes;
}

/** Makes the bytes of a frame. @param seed - the checksum of the segment's header. */
export function encodeFrame(frame: WalFrame, seed: number): Bytes {
  const bytes = new Uint8Array(FRAME_HEADER_BYTES + frame.payload.length);
  putFrame(bytes, 0, frame);
  sealFrame(bytes, 0, frame.watermark, seed);
  return bytes;
}

/**
 * Looks for a valid frame at an offset.
 *
 * @param expected - the segment's seed, and the number that the frame must have; `null`: any.
 * @returns the frame, its payload a view, and the offset behind it; or what is wrong, in words.
 */
export function decodeFrame(
  source: Bytes,
  offset: number,
  expected: { readonly seed: number; readonly lsn: Lsn | null },
): (WalFrame & { readonly endOffset: number }) | FrameProblem {
  const left = source.length - offset;
  if (left < FRAME_HEADER_BYTES) return "header cut off";
  const length = frameLength(source, offset);
  if (length > left - FRAME_HEADER_BYTES) return "length beyond the end of the file";
  const lsn = expected.lsn ?? frameLsn(source, offset);
  const problem = checkFrame(source, offset, { lsn, seed: expected.seed });
  if (problem !== null) return problem;
  const start = offset + FRAME_HEADER_BYTES;
  return {
    // `checkFrame` has refused every other type.
    type: frameType(source, offset) as FrameType,
    lsn,
    watermark: frameWatermark(source, offset),
    payload: source.subarray(start, start + length),
    endOffset: start + length,
  };
}

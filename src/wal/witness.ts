/**
 * Tells a torn tail from damage: looks behind a bad place for what proves that it once was good
 * (W6).
 *
 * A valid frame behind the bad place proves nothing by itself, because sectors of unsynced writes
 * reach the disk in any order. But each frame says up to which LSN the log was durable when the
 * frame was written. One that covers the bad record is a witness: that record was synced, perhaps
 * acknowledged, and cutting it off would lose it silently.
 *
 * What no witness can show is damage to the last synced batch, if nothing was written behind it. A
 * log that was closed properly ends in a mark, which is such a witness.
 *
 * Invariant: looking changes nothing.
 * Chapter: 01-wal, W6
 */
import type { FileHandle } from "#platform/types";
import { checksumOfFrame, readFully } from "./cursor.ts";
import {
  FRAME_HEADER_BYTES,
  FrameType,
  frameChecksum,
  frameLength,
  frameLsn,
  frameType,
  frameWatermark,
} from "./record.ts";
import type { Lsn } from "./types.ts";

/** The bytes to search: from a bad frame, which should have had `lsn`, to the end of the file. */
export interface SearchedTail {
  readonly handle: FileHandle;
  readonly seed: number;
  readonly from: number;
  readonly before: number;
  readonly lsn: Lsn;
}

const WINDOW_BYTES = 1024 * 1024;

/**
 * Finds the offset of a valid frame whose watermark covers the bad record; null if there is none.
 *
 * The length of the bad frame may be what is damaged, so every byte is tried as a beginning. A few
 * comparisons refuse nearly all of them; only what is left pays for a checksum.
 */
export function findWitness(tail: SearchedTail): number | null {
  const last = tail.before - FRAME_HEADER_BYTES;
  for (let at = tail.from + 1; at <= last; at += WINDOW_BYTES) {
    const bytes = Math.min(WINDOW_BYTES + FRAME_HEADER_BYTES - 1, tail.before - at);
    const window = new Uint8Array(bytes);
    readFully(tail.handle, at, window);
    for (let i = 0; i + FRAME_HEADER_BYTES <= bytes; i += 1) {
      if (mayBeWitness(window, i, tail, at + i) && isWhole(window, i, tail, at + i)) return at + i;
    }
  }
  return null;
}

/** The last byte in a range that is not zero, or `from - 1` if there is none. */
export function lastNonZero(
  handle: FileHandle,
  range: { readonly from: number; readonly before: number },
): number {
  for (let before = range.before; before > range.from; ) {
    const at = Math.max(range.from, before - WINDOW_BYTES);
    const window = new Uint8Array(before - at);
    readFully(handle, at, window);
    for (let i = window.length - 1; i >= 0; i -= 1) if (window[i] !== 0) return at + i;
    before = at;
  }
  return range.from - 1;
}

function mayBeWitness(window: Uint8Array, i: number, tail: SearchedTail, offset: number): boolean {
  const type = frameType(window, i);
  if (type !== FrameType.record && type !== FrameType.mark) return false;
  const lsn = frameLsn(window, i);
  const watermark = frameWatermark(window, i);
  if (watermark < tail.lsn || lsn <= watermark) return false;
  // Every LSN between the bad record's and this one takes a frame header at least.
  if (lsn > tail.lsn + Math.ceil((offset - tail.from) / FRAME_HEADER_BYTES)) return false;
  return FRAME_HEADER_BYTES + frameLength(window, i) <= tail.before - offset;
}

function isWhole(window: Uint8Array, i: number, tail: SearchedTail, offset: number): boolean {
  const expected = checksumOfFrame(tail.handle, {
    offset,
    bytes: FRAME_HEADER_BYTES + frameLength(window, i),
    seed: tail.seed,
    chunkBytes: WINDOW_BYTES,
  });
  return expected === frameChecksum(window, i);
}

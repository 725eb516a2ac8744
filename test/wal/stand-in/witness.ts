/**
 * Looks behind a bad place for what proves that it once was good. Step 01.5.
 *
 * A valid frame behind it proves nothing: unsynced sectors reach the disk in any order. But each
 * frame says up to where the log was durable when it was written. One that covers the bad record is
 * a witness.
 *
 * Written by a reader who had only the pages of chapter 01: neither the reference nor the solution.
 */
import type { Bytes } from "#base";
import type { Lsn } from "#wal/types";
import { decodeFrame, FRAME_HEADER_BYTES } from "./frame.ts";

/**
 * Tells whether some frame in `tail` says that record `lsn` was durable.
 *
 * @param tail - the bytes from the bad place to the end of the file.
 * @param bad - the segment's seed, and the number of the record that cannot be read.
 */
export function findWitness(
  tail: Bytes,
  bad: { readonly seed: number; readonly lsn: Lsn },
): boolean {
  // The length of the bad record cannot be trusted: every byte may be the beginning of a frame.
  for (let offset = 1; offset + FRAME_HEADER_BYTES <= tail.length; offset += 1) {
    const frame = decodeFrame(tail, offset, { seed: bad.seed, lsn: null });
    if (typeof frame !== "string" && frame.watermark >= bad.lsn) return true;
  }
  return false;
}

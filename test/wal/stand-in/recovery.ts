/**
 * Repairing the end of a log before anybody writes to it. Steps 01.4 and 01.8.
 *
 * Invariant: what `openWal` has handed out is durable when it returns.
 *
 * Written by a reader who had only the pages of chapter 01: neither the reference nor the solution.
 */
import type { FileHandle } from "#platform/types";
import type { Scan } from "./scan.ts";
import type { Segment } from "./segment.ts";

/**
 * Cuts what is behind the last frame, and makes what is left durable: what no frame vouches for is
 * written again, since a sync that failed may have left it in memory only, on pages that look
 * clean.
 */
export function repairEnd(handle: FileHandle, segment: Segment, scan: Scan): void {
  if (handle.size() > segment.endOffset) handle.truncate(segment.endOffset);
  rewrite(handle, doubtfulOffset(segment, scan), segment.endOffset);
  // Even when nothing was cut: what was read may be in the page cache only.
  handle.sync();
}

/** Where the first byte lies of which no frame says that it was durable. */
function doubtfulOffset(segment: Segment, { watermark }: Scan): number {
  if (watermark < segment.firstLsn) return 0;
  return segment.offsets[watermark + 1 - segment.firstLsn] ?? segment.endOffset;
}

/** Writes bytes over themselves: then their pages are dirty. */
function rewrite(handle: FileHandle, from: number, before: number): void {
  const bytes = new Uint8Array(before - from);
  const count = handle.read(from, bytes);
  handle.write(from, bytes.subarray(0, count));
}

/**
 * Repairing the end of a log before anybody writes to it. Steps 01.4 and 01.8.
 *
 * Invariant: what `openWal` has handed out is durable when it returns.
 */
import type { FileHandle } from "#platform/types";
import type { Scan } from "./scan.ts";
import type { Segment } from "./segment.ts";

/** Cuts what is behind the last frame, and makes what is left durable. */
export function repairEnd(handle: FileHandle, segment: Segment, scan: Scan): void {
  if (handle.size() > segment.endOffset) handle.truncate(segment.endOffset);
  rewrite(handle, segment, scan.watermark);
  handle.sync();
}

/**
 * Writes once more what no frame vouches for. After a failed sync the system counts pages as clean
 * that are not on disk. A process that was restarted reads them, and a sync passes over them (D4).
 */
function rewrite(handle: FileHandle, segment: Segment, watermark: number): void {
  const from = segment.offsets[watermark + 1 - segment.firstLsn] ?? segment.endOffset;
  const start = watermark < segment.firstLsn ? 0 : from;
  const bytes = new Uint8Array(segment.endOffset - start);
  handle.read(start, bytes);
  handle.write(start, bytes);
}

/**
 * Reading records of an open log. Given: nothing to write here.
 *
 * Invariant: nothing is handed out whose frame was not checked again.
 *
 * Given with the chapter, as it is.
 */
import type { Disk } from "#platform/types";
import type { Lsn, Wal } from "#wal/types";
import { walCorrupt } from "../../../chapters/01-wal/starter/options.ts";
import { decodeFrame } from "./frame.ts";
import type { Segment } from "./segment.ts";

/** Hands out the records of a range, all of which exist. Ends early when the receiver says so. */
export function readRecords(
  disk: Disk,
  segments: readonly Segment[],
  range: { readonly from: Lsn; readonly before: Lsn },
  onRecord: Parameters<Wal["read"]>[1],
): void {
  for (const [index, segment] of segments.entries()) {
    const before = Math.min(range.before, segments[index + 1]?.firstLsn ?? range.before);
    const from = Math.max(range.from, segment.firstLsn);
    if (from < before && !readSegmentRange(disk, segment, { from, before }, onRecord)) return;
  }
}

function readSegmentRange(
  disk: Disk,
  segment: Segment,
  range: { readonly from: Lsn; readonly before: Lsn },
  onRecord: Parameters<Wal["read"]>[1],
): boolean {
  const handle = disk.open(segment.path, "read");
  try {
    for (let lsn = range.from; lsn < range.before; lsn += 1) {
      const index = lsn - segment.firstLsn;
      const offset = segment.offsets[index]!;
      const bytes = new Uint8Array((segment.offsets[index + 1] ?? segment.endOffset) - offset);
      const count = handle.read(offset, bytes);
      const frame = decodeFrame(bytes.subarray(0, count), 0, { seed: segment.seed, lsn });
      if (typeof frame === "string") throw walCorrupt({ ...segment, offset }, `${lsn}: ${frame}`);
      if (onRecord({ lsn, payload: frame.payload }) === false) return false;
    }
    return true;
  } finally {
    handle.close();
  }
}

/**
 * What is kept in memory about one segment, and where in it a record can be found.
 *
 * Invariant: the index is sparse and ordered; an entry is the exact offset of the frame with that
 * LSN. A search starts at the nearest entry and walks forward, so reading an old record costs one
 * stretch of the file and not the whole of it. Chapter: 01-wal
 */
import { assert } from "#base";
import { SEGMENT_HEADER_BYTES, type SegmentHeader, segmentName } from "./segment-header.ts";
import type { Lsn } from "./types.ts";

/** One entry for this many bytes: walking that far costs less than opening the file. */
const INDEX_SPACING_BYTES = 16 * 1024;

/** A segment of an open log. */
export interface Segment {
  readonly number: number;
  readonly firstLsn: Lsn;
  /** Start value of every frame's checksum. */
  readonly seed: number;
  readonly path: string;
  readonly index: SparseIndex;
  /**
   * Bytes of the file. Exact for the last segment; for the others, as it was when they became old.
   */
  sizeBytes: number;
}

/** LSN to offset, for one record in many. */
export interface SparseIndex {
  /** Takes note of a frame. Calls come in order of LSN. */
  note(lsn: Lsn, offset: number): void;
  /** The last noted frame at or before an LSN, or the beginning of the segment. */
  nearest(lsn: Lsn): { readonly lsn: Lsn; readonly offset: number };
  /** Forgets frames from an LSN on. */
  cut(from: Lsn): void;
}

/** Makes the in-memory part of a segment whose header is known. */
export function createSegment(dir: string, header: SegmentHeader): Segment {
  return {
    number: header.number,
    firstLsn: header.firstLsn,
    seed: header.checksum,
    path: segmentPath(dir, header.number),
    index: createSparseIndex(header.firstLsn),
    sizeBytes: SEGMENT_HEADER_BYTES,
  };
}

/** The path of the segment with this number. */
export function segmentPath(dir: string, number: number): string {
  return `${dir}/${segmentName(number)}`;
}

function createSparseIndex(firstLsn: Lsn): SparseIndex {
  const lsns: Lsn[] = [firstLsn];
  const offsets: number[] = [SEGMENT_HEADER_BYTES];
  return {
    note(lsn, offset) {
      if (offset - offsets[offsets.length - 1]! < INDEX_SPACING_BYTES) return;
      assert(lsn > lsns[lsns.length - 1]!, "wal: the index is noted in order");
      lsns.push(lsn);
      offsets.push(offset);
    },
    nearest(lsn) {
      let low = 0;
      let before = lsns.length;
      while (before - low > 1) {
        const middle = (low + before) >>> 1;
        if (lsns[middle]! <= lsn) low = middle;
        else before = middle;
      }
      return { lsn: lsns[low]!, offset: offsets[low]! };
    },
    cut(from) {
      // The first entry stays: it is the beginning of the segment, not a record.
      while (lsns.length > 1 && lsns[lsns.length - 1]! >= from) {
        lsns.pop();
        offsets.pop();
      }
    },
  };
}

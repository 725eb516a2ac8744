/**
 * A write-ahead log as a good reader of chapter 01 would write it: small, complete, correct.
 *
 * Reading order: frame.ts (01.1), segment-header.ts, segment.ts (01.2, 01.6), scan.ts (01.2, 01.4,
 * 01.5), witness.ts (01.5), recovery.ts (01.4, 01.8), open.ts, guard.ts (01.8), group-commit.ts
 * (01.7), read.ts, log.ts; options.ts.
 */
export { describeSegment, isSegmentFile } from "#wal/reference";
export { decodeFrame, encodeFrame } from "./frame.ts";
export { openWal } from "./open.ts";

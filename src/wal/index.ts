/**
 * wal: a log of records on disk that survives power loss.
 *
 * Reading order: record.ts and segment-header.ts (the formats), segment.ts, cursor.ts, batch.ts,
 * tail.ts, group-sync.ts, log.ts (writing and reading); directory.ts, witness.ts, recovery.ts,
 * open.ts (recovery); options.ts, corruption.ts; describe.ts (for people); frame.ts (one frame by
 * itself). Chapter: 01-wal
 */
export { describeSegment, isSegmentFile } from "./describe.ts";
export { decodeFrame, encodeFrame, type WalFrame } from "./frame.ts";
export { openWal } from "./open.ts";
export type {
  DescribedFrame,
  Lsn,
  RecoveryReport,
  SegmentDescription,
  Wal,
  WalModule,
  WalOptions,
  WalRecord,
} from "./types.ts";

/**
 * lsm: an ordered, crash-safe store of keys and values, made of a log, memtables and tables.
 *
 * Reading order: parts.ts, options.ts. What is written: write-group.ts, write-batch.ts,
 * write-queue.ts, memory.ts, engine-log.ts, new-log.ts, back-pressure.ts. What counts:
 * file-names.ts, numbers.ts, corruption.ts, version.ts, version-replay.ts, version-query.ts,
 * edit-codec.ts, current-file.ts, manifest-scan.ts, lazy-log.ts, manifest.ts, table-set.ts,
 * verify.ts. What is read: held-bytes.ts, merge-cursor.ts, run-cursor.ts, visible-cursor.ts,
 * snapshots.ts, read-view.ts, engine-iterator.ts, engine-reads.ts. What is written anew:
 * keep-rule.ts, superseded.ts, compaction.ts, flush.ts, job-tables.ts, jobs.ts. What is decided:
 * picker-math.ts, leveled-picker.ts, tiered-picker.ts, range-plan.ts, edits.ts, orders.ts,
 * edit-queue.ts, retries.ts, waiters.ts, background.ts. On whichever thread: job-runner.ts,
 * worker-protocol.ts, worker-pool.ts, thread-runner.ts, background-worker.ts. All together:
 * statistics.ts, engine-parts.ts, recover.ts, engine.ts, open-engine.ts. For people, and when
 * something is damaged: describe-manifest.ts, repair-salvage.ts, repair-merge.ts, repair-output.ts,
 * repair-log.ts, repair-manifest.ts, repair.ts.
 *
 * Chapter: 04-lsm
 */
// The layer above may import nothing else that knows when a turn of the event loop is over.
export { atTurnEnd } from "#platform";
export { runCompaction } from "./compaction.ts";
export { decodeCurrent, readCurrent, readSmallFile, writeCurrent } from "./current-file.ts";
export {
  type DescribedEdit,
  describeManifest,
  isManifestPath,
  type ManifestDescription,
} from "./describe-manifest.ts";
export {
  decodeEdit,
  EditKind,
  encodeEdit,
  encodeSnapshot,
  type ManifestRecord,
  snapshotEdit,
} from "./edit-codec.ts";
export {
  createNumbers,
  lockPath,
  logPath,
  manifestPath,
  type Numbers,
  numberOf,
  parseName,
  tablePath,
} from "./file-names.ts";
export { runFlush } from "./flush.ts";
export { createJobTables, type JobTables } from "./job-tables.ts";
export { createKeepRule, type KeepRule, Verdict } from "./keep-rule.ts";
export { createLeveledPicker, type LeveledOptions, levelTargets } from "./leveled-picker.ts";
export { openManifest } from "./manifest.ts";
export { type ManifestScan, type ScannedRecord, scanManifest } from "./manifest-scan.ts";
export { mergeCursors } from "./merge-cursor.ts";
export { openEngine } from "./open-engine.ts";
export type {
  CompactionInput,
  CompactionJob,
  CompactionPlan,
  JobResult,
  JobRun,
  KeySpan,
  Manifest,
  ManifestState,
  MergeCursors,
  Picker,
  Run,
  SupersededKeys,
  TableIo,
  TableShape,
  Version,
  VersionEdit,
} from "./parts.ts";
export {
  bytesOf,
  checkPlan,
  inputsOf,
  isMove,
  LEVEL_MAX,
  levelBytes,
  lowestLevel,
  olderSpans,
  onlyRun,
  runsOf,
  spanOf,
  tablesOverlapping,
} from "./picker-math.ts";
export { type PlannedRange, planRange } from "./range-plan.ts";
export { repairEngine } from "./repair.ts";
export { createRunCursor } from "./run-cursor.ts";
export { createSupersededRule, type SupersededRule } from "./superseded.ts";
export { createTableSet } from "./table-set.ts";
export { createTieredPicker, type TieredOptions } from "./tiered-picker.ts";
export type * from "./types.ts";
export { verifyTables } from "./verify.ts";
export { applyEdit, EMPTY_STATE, tryEdit, versionProblem } from "./version.ts";
export { tableIndexFor } from "./version-query.ts";
export { createReplay } from "./version-replay.ts";
export { createVisibleCursor, type VisibleCursor, type VisibleOptions } from "./visible-cursor.ts";
export { createWriteBatch } from "./write-batch.ts";
export { applyGroup, createOperations, groupHeader, type Operations } from "./write-group.ts";

/**
 * lsm: an ordered, crash-safe store of keys and values, made of a log, memtables and tables.
 *
 * Reading order of the moving parts: held-bytes.ts, merge-cursor.ts, run-cursor.ts,
 * visible-cursor.ts (reading); keep-rule.ts, compaction.ts, flush.ts (writing anew);
 * picker-math.ts, leveled-picker.ts, tiered-picker.ts, range-plan.ts (deciding). Chapter: 04-lsm
 */
export { runCompaction } from "./compaction.ts";
export { decodeEdit, encodeEdit, encodeSnapshot, snapshotEdit } from "./edit-codec.ts";
export { runFlush } from "./flush.ts";
export { createKeepRule, type KeepRule, Verdict } from "./keep-rule.ts";
export { createLeveledPicker, type LeveledOptions, levelTargets } from "./leveled-picker.ts";
export { openManifest } from "./manifest.ts";
export { mergeCursors } from "./merge-cursor.ts";
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
  TableIo,
  TableShape,
  Version,
  VersionEdit,
} from "./parts.ts";
export { checkPlan, isMove, lowestLevel, olderSpans } from "./picker-math.ts";
export { type PlannedRange, planRange } from "./range-plan.ts";
export { createRunCursor } from "./run-cursor.ts";
export { createTableSet } from "./table-set.ts";
export { createTieredPicker, type TieredOptions } from "./tiered-picker.ts";
export { verifyTables } from "./verify.ts";
export { applyEdit, EMPTY_STATE, tryEdit, versionProblem } from "./version.ts";
export { tableIndexFor } from "./version-query.ts";
export { createVisibleCursor, type VisibleCursor, type VisibleOptions } from "./visible-cursor.ts";

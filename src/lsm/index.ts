/**
 * lsm: an ordered, crash-safe store of keys and values, made of a log, memtables and tables.
 *
 * Reading order of the moving parts: held-bytes.ts, merge-cursor.ts, run-cursor.ts,
 * visible-cursor.ts (reading); keep-rule.ts, compaction.ts, flush.ts (writing anew);
 * picker-math.ts, leveled-picker.ts, tiered-picker.ts, range-plan.ts (deciding). Chapter: 04-lsm
 */
export { runCompaction } from "./compaction.ts";
export { runFlush } from "./flush.ts";
export { createKeepRule, type KeepRule, Verdict } from "./keep-rule.ts";
export { createLeveledPicker, type LeveledOptions, levelTargets } from "./leveled-picker.ts";
export { mergeCursors } from "./merge-cursor.ts";
export { checkPlan, isMove, lowestLevel, olderSpans } from "./picker-math.ts";
export { type PlannedRange, planRange } from "./range-plan.ts";
export { createRunCursor } from "./run-cursor.ts";
export { createTieredPicker, type TieredOptions } from "./tiered-picker.ts";
export { createVisibleCursor, type VisibleCursor, type VisibleOptions } from "./visible-cursor.ts";

/**
 * lsm: your engine, in nine steps.
 *
 * Reading order: types.ts, merge.ts, read.ts, flush.ts, manifest.ts, recover.ts, tables.ts,
 * compaction.ts, keep-rule.ts, leveled-picker.ts, tiered-picker.ts, pressure.ts, store.ts.
 *
 * The database wants the full `Engine` of the contract, with snapshots, reverse iterators, a worker
 * thread and repair. That one, and every part that is not listed below, is the reference's; what is
 * exported here by name takes its place.
 * Chapter: 04-lsm
 */
export * from "#lsm/reference";
export { runCompaction } from "./compaction.ts";
export { flushMemtable, runFlush } from "./flush.ts";
export { createKeepRule } from "./keep-rule.ts";
export { createLeveledPicker, type LeveledOptions } from "./leveled-picker.ts";
export { openManifest } from "./manifest.ts";
export { mergeCursors } from "./merge.ts";
export { createStallMeter, pressureOf } from "./pressure.ts";
export { readKey, scanRange } from "./read.ts";
export { recoverStore } from "./recover.ts";
export { openStore } from "./store.ts";
export { createTableFiles } from "./tables.ts";
export { createTieredPicker, type TieredOptions } from "./tiered-picker.ts";
export type {
  Change,
  FlushTarget,
  ForwardCursor,
  FrozenMemtable,
  KeepRule,
  KeyVersion,
  OpenedStoreManifest,
  ReadView,
  Store,
  StoreManifest,
  StoreManifestOptions,
  StoreOptions,
  StoreStats,
} from "./types.ts";

/**
 * level: the storage engine as an `abstract-level` database.
 *
 * Reading order: types.ts, cairn-level.ts; text.ts, turns.ts, errors.ts; iterator.ts, snapshot.ts,
 * chained-batch.ts. No chapter: this is how the engine is used from outside.
 */
export { CairnLevel } from "./cairn-level.ts";
export type { LevelError } from "./errors.ts";
export type * from "./types.ts";

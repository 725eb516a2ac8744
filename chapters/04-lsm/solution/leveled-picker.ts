/**
 * Leveled compaction: from level 1 on, a level is one run, `levelRatio` times as large as the one
 * above (04.8).
 *
 * Invariant: a plan takes every table that overlaps its inputs on their way, so that no version
 * sinks below an older one (L6); and each plan brings its level nearer to its limit.
 * Chapter: 04-lsm, step 04.8
 */
import {
  type CompactionPlan,
  inputsOf,
  LEVEL_MAX,
  levelBytes,
  onlyRun,
  type Picker,
  type Run,
  runsOf,
  spanOf,
  tablesOverlapping,
  type Version,
} from "#lsm/reference";
import type { TableMeta } from "#sstable/types";

const MIB = 1024 * 1024;
const LEVEL_BYTES_BASE_DEFAULT = 64 * MIB;

/** When a level is due. */
export interface LeveledOptions {
  /** Size of a level against the one above: 2 or more. */
  readonly levelRatio: number;
  /** Runs in level 0 that make it due. */
  readonly levelZeroCompactRuns: number;
  /** Bytes of level 1 above which it is due. Default 64 MiB. */
  readonly levelBytesBase?: number;
}

/** Makes the picker. */
export function createLeveledPicker(options: LeveledOptions): Picker {
  const { levelRatio, levelZeroCompactRuns } = options;
  const base = options.levelBytesBase ?? LEVEL_BYTES_BASE_DEFAULT;
  return {
    name: "leveled",
    pick(version) {
      // Level 0 first: every run there costs every reader a look.
      if (runsOf(version, 0).length >= levelZeroCompactRuns) return planLevelZero(version);
      for (let level = 1; level < LEVEL_MAX; level += 1) {
        const target = base * levelRatio ** (level - 1);
        if (levelBytes(version, level) > target) return planLevel(version, level, target);
      }
      return null;
    },
  };
}

/** The oldest run of level 0, and all that overlaps it there, or overlaps those, and below. */
function planLevelZero(version: Version): CompactionPlan {
  const runs = runsOf(version, 0);
  const oldest = runs[runs.length - 1]!;
  const chosen = new Set(oldest.tables);
  grow(chosen, runs);
  grow(chosen, runsOf(version, 1));
  return {
    reason: `level 0 has ${runs.length} runs`,
    inputs: inputsOf(version, chosen),
    outputLevel: 1,
    outputRun: onlyRun(version, 1),
  };
}

/** One table of a level, with what it overlaps below. */
function planLevel(version: Version, level: number, target: number): CompactionPlan {
  const tables = runsOf(version, level).flatMap((run) => run.tables);
  // The oldest table: in time, every part of the level gets its turn.
  const table = tables.reduce((oldest, next) => (next.id < oldest.id ? next : oldest));
  const chosen = new Set([table]);
  grow(chosen, runsOf(version, level + 1));
  return {
    reason: `level ${level} has ${levelBytes(version, level)} bytes, its limit is ${target}`,
    inputs: inputsOf(version, chosen),
    outputLevel: level + 1,
    outputRun: onlyRun(version, level + 1),
  };
}

/** Adds every table that overlaps what is chosen, until none is left. */
function grow(chosen: Set<TableMeta>, runs: readonly Run[]): void {
  for (let before = 0; chosen.size !== before; ) {
    before = chosen.size;
    for (const run of runs) {
      for (const table of tablesOverlapping(run, spanOf([...chosen]))) chosen.add(table);
    }
  }
}

/**
 * Leveled compaction: from level 1 on, each level is one run, `levelRatio` times the size of the
 * one above it. Few places to look for a key, paid for by writing data again on its way down.
 *
 * Level 0 is due by its runs, because each one costs every reader a look. The others are due by
 * bytes. The most overdue goes first. Of a level, one table at a time goes down: the one that makes
 * the fewest bytes below be written again.
 *
 * Invariant: each plan lessens the runs of a level or its bytes, and adds to deeper levels only, so
 * that plans come to an end.
 * Chapter: 04-lsm. Source: O'Neil et al., "The Log-Structured Merge-Tree", 1996, section 3; choice
 * by overlap as in RocksDB.
 */
import type { TableMeta } from "#sstable/types";
import type { CompactionPlan, Picker, Run, Version } from "./parts.ts";
import {
  bytesOf,
  growChoice,
  inputsOf,
  LEVEL_MAX,
  levelBytes,
  onlyRun,
  runsOf,
  tablesOverlapping,
} from "./picker-math.ts";

const MIB = 1024 * 1024;

/** Four memtables of the default size: what level 0 hands down at once. */
const LEVEL_BYTES_BASE_DEFAULT = 64 * MIB;

/** When a level is due. */
export interface LeveledOptions {
  /** Size of a level against the one above: 2 or more. Larger: fewer levels, each costs more. */
  readonly levelRatio: number;
  /** Runs in level 0 that make it due: 1 or more. */
  readonly levelZeroCompactRuns: number;
  /** Bytes of level 1 above which it is due. Default 64 MiB. */
  readonly levelBytesBase?: number;
}

/** Makes the picker. @throws RangeError for options out of range. */
export function createLeveledPicker(options: LeveledOptions): Picker {
  const { levelRatio, levelZeroCompactRuns, levelBytesBase = LEVEL_BYTES_BASE_DEFAULT } = options;
  if (!(levelRatio >= 2)) throw new RangeError(`lsm: levelRatio is ${levelRatio}, not 2 or more`);
  if (!(levelZeroCompactRuns >= 1)) {
    throw new RangeError(`lsm: levelZeroCompactRuns is ${levelZeroCompactRuns}, not 1 or more`);
  }
  if (!(levelBytesBase > 0)) {
    throw new RangeError(`lsm: levelBytesBase is ${levelBytesBase}, not above 0`);
  }
  const targets = levelTargets(levelRatio, levelBytesBase);
  return {
    name: "leveled",
    pick(version) {
      const several = planSeveralRuns(version);
      if (several !== null) return several;
      let due = 0;
      let score = runsOf(version, 0).length / levelZeroCompactRuns;
      for (let level = 1; level < LEVEL_MAX; level += 1) {
        const levelScore = overdue(levelBytes(version, level), targets[level]!);
        if (levelScore > score) [due, score] = [level, levelScore];
      }
      if (score < 1) return null;
      return due === 0 ? planLevelZero(version) : planLevel(version, due, targets[due]!);
    },
  };
}

/** Bytes that a level may hold. Level 0 has no such limit. */
export function levelTargets(levelRatio: number, levelBytesBase: number): number[] {
  return Array.from({ length: LEVEL_MAX + 1 }, (_, level) =>
    level === 0 ? Number.POSITIVE_INFINITY : levelBytesBase * levelRatio ** (level - 1),
  );
}

/** 1 and more: due. A level that just fills its target is not, or it would be due for ever. */
function overdue(bytes: number, target: number): number {
  return bytes > target ? bytes / target : 0;
}

/** A level of several runs was left by a tiered picker. Everything else here builds on one. */
function planSeveralRuns(version: Version): CompactionPlan | null {
  for (let level = 1; level <= LEVEL_MAX; level += 1) {
    const runs = runsOf(version, level);
    if (runs.length < 2) continue;
    return {
      reason: `level ${level} has ${runs.length} runs, and should have one`,
      inputs: inputsOf(version, new Set(runs.flatMap((run) => run.tables))),
      outputLevel: level,
      outputRun: null,
    };
  }
  return null;
}

/**
 * Level 0: its oldest run, and every run there that overlaps it, or one of these. Where nothing
 * overlaps, as when keys are written in order, that is one run, which can be moved as it is.
 */
function planLevelZero(version: Version): CompactionPlan {
  const runs = runsOf(version, 0);
  const chosen = new Set(runs.at(-1)!.tables);
  growChoice(chosen, runs);
  growChoice(chosen, runsOf(version, 1));
  const inputs = inputsOf(version, chosen);
  const taken = inputs.filter((input) => input.level === 0).length;
  return {
    reason: `level 0 has ${runs.length} runs, of which ${taken} go down`,
    inputs,
    outputLevel: 1,
    outputRun: onlyRun(version, 1),
  };
}

function planLevel(version: Version, level: number, target: number): CompactionPlan {
  const [run] = runsOf(version, level);
  const [below] = runsOf(version, level + 1);
  const table = cheapest(run!.tables, below);
  const share = Math.round((100 * levelBytes(version, level)) / target);
  return {
    reason: `level ${level} is ${share} % full`,
    inputs: inputsOf(version, new Set([table, ...tablesBelow(table, below)])),
    outputLevel: level + 1,
    outputRun: onlyRun(version, level + 1),
  };
}

/** The table with the fewest bytes below for one of its own; of equals, the oldest. */
function cheapest(tables: readonly TableMeta[], below: Run | undefined): TableMeta {
  let best = tables[0]!;
  let bestRatio = Number.POSITIVE_INFINITY;
  for (const table of tables) {
    const ratio = bytesOf(tablesBelow(table, below)) / table.bytes;
    if (ratio < bestRatio || (ratio === bestRatio && table.id < best.id)) {
      [best, bestRatio] = [table, ratio];
    }
  }
  return best;
}

function tablesBelow(table: TableMeta, below: Run | undefined): readonly TableMeta[] {
  return below === undefined ? [] : tablesOverlapping(below, table);
}

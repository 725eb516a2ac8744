/**
 * Tiered compaction: a level collects runs until it has `levelRatio` of them, and then all become
 * one run of the next level. Data are written about once for each level; in return there are more
 * places to look for a key, and more old versions lie about.
 *
 * Invariant: a plan takes all runs of a level, whole, and either makes them fewer or takes them
 * down, so that plans come to an end.
 * Chapter: 04-lsm. Source: Jagadish et al., "Incremental Organization for Data Recording and
 * Warehousing", 1997 (stepped merge).
 */
import type { Picker } from "./parts.ts";
import { inputsOf, LEVEL_MAX, runsOf } from "./picker-math.ts";

/** When a level is due. */
export interface TieredOptions {
  /** Runs that make a level due: 2 or more. Larger: less rewriting, slower reads. */
  readonly levelRatio: number;
  /** The same for level 0: 1 or more. */
  readonly levelZeroCompactRuns: number;
}

/** Makes the picker. @throws RangeError for options out of range. */
export function createTieredPicker(options: TieredOptions): Picker {
  const { levelRatio, levelZeroCompactRuns } = options;
  if (!(levelRatio >= 2)) throw new RangeError(`lsm: levelRatio is ${levelRatio}, not 2 or more`);
  if (!(levelZeroCompactRuns >= 1)) {
    throw new RangeError(`lsm: levelZeroCompactRuns is ${levelZeroCompactRuns}, not 1 or more`);
  }
  return {
    name: "tiered",
    pick(version) {
      let due = 0;
      let score = 0;
      for (let level = 0; level <= LEVEL_MAX; level += 1) {
        const limit = level === 0 ? levelZeroCompactRuns : levelRatio;
        const levelScore = runsOf(version, level).length / limit;
        if (levelScore > score) [due, score] = [level, levelScore];
      }
      if (score < 1) return null;
      const runs = runsOf(version, due);
      return {
        reason: `level ${due} has ${runs.length} runs`,
        inputs: inputsOf(version, new Set(runs.flatMap((run) => run.tables))),
        outputLevel: Math.min(due + 1, LEVEL_MAX),
        outputRun: null,
      };
    },
  };
}

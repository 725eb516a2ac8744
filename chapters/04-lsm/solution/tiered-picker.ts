/**
 * Tiered compaction: a level collects runs, and then all of them become one run of the next (04.8).
 *
 * Invariant: a plan takes all runs of a level, whole, so that the order of ages stays (L6).
 * Chapter: 04-lsm, step 04.8
 */
import { inputsOf, LEVEL_MAX, type Picker, runsOf } from "#lsm/reference";

/** When a level is due. */
export interface TieredOptions {
  /** Runs that make a level due: 2 or more. */
  readonly levelRatio: number;
  /** The same for level 0. */
  readonly levelZeroCompactRuns: number;
}

/** Makes the picker. */
export function createTieredPicker(options: TieredOptions): Picker {
  return {
    name: "tiered",
    pick(version) {
      for (let level = 0; level <= LEVEL_MAX; level += 1) {
        const runs = runsOf(version, level);
        const limit = level === 0 ? options.levelZeroCompactRuns : options.levelRatio;
        if (runs.length < limit) continue;
        return {
          reason: `level ${level} has ${runs.length} runs`,
          inputs: inputsOf(version, new Set(runs.flatMap((run) => run.tables))),
          // The deepest level has none below it: it is merged into itself.
          outputLevel: Math.min(level + 1, LEVEL_MAX),
          outputRun: null,
        };
      }
      return null;
    },
  };
}

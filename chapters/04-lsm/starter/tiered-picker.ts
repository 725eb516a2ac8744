/**
 * Tiered compaction: a level collects runs, and then all of them become one run of the next (04.8).
 *
 * Given, in "#lsm/reference": `runsOf`, `inputsOf`, `LEVEL_MAX`.
 * Chapter: 04-lsm, step 04.8
 */
import { notWritten } from "#base";
import type { Picker } from "#lsm/reference";

/** When a level is due. */
export interface TieredOptions {
  /** Runs that make a level due: 2 or more. */
  readonly levelRatio: number;
  /** The same for level 0. */
  readonly levelZeroCompactRuns: number;
}

/**
 * Makes the picker. A due level gives all its runs, whole; they become a new run of the next level
 * (`outputRun` null). The deepest level is merged into itself.
 */
export function createTieredPicker(_options: TieredOptions): Picker {
  return notWritten("04.8", "createTieredPicker");
}

/**
 * Leveled compaction: from level 1 on, a level is one run, `levelRatio` times as large as the one
 * above (04.8).
 *
 * Given, in "#lsm/reference": `runsOf`, `levelBytes`, `spanOf`, `tablesOverlapping`, `inputsOf`,
 * `onlyRun`, `LEVEL_MAX`.
 * Chapter: 04-lsm, step 04.8
 */
import { notWritten } from "#base";
import type { Picker } from "#lsm/reference";

/** When a level is due. */
export interface LeveledOptions {
  /** Size of a level against the one above: 2 or more. */
  readonly levelRatio: number;
  /** Runs in level 0 that make it due. */
  readonly levelZeroCompactRuns: number;
  /** Bytes of level 1 above which it is due. Default 64 MiB. */
  readonly levelBytesBase?: number;
}

/**
 * Makes the picker. Level 0 is due at `levelZeroCompactRuns` runs, level n above
 * `levelBytesBase * levelRatio ** (n - 1)` bytes, the deepest never. Outputs join the run of the
 * level below; where there is none, `outputRun` is null.
 */
export function createLeveledPicker(_options: LeveledOptions): Picker {
  return notWritten("04.8", "createLeveledPicker");
}

/**
 * Compaction of a range because somebody asks for it: level by level down to the lowest.
 *
 * Invariant: after `planRange` was carried out for each level above the lowest, from 0 on, every
 * table of the lowest level that reaches into the range was written anew, above it nothing of the
 * range is left, and for the whole range all that there is, is one run.
 * Chapter: 04-lsm
 */
import type { Bytes } from "#base";
import { compareBytes } from "#bytes";
import type { TableMeta } from "#sstable/types";
import type { CompactionPlan, Run, Version } from "./parts.ts";
import { growChoice, inputsOf, lowestLevel, onlyRun, runsOf } from "./picker-math.ts";

/** Keys from `from` (included) to `before` (excluded); what is left out has no end on that side. */
export interface PlannedRange {
  readonly from?: Bytes | undefined;
  readonly before?: Bytes | undefined;
}

/**
 * Plans to merge what overlaps a range in a level into the next one. To be run as it is, never as a
 * move: a table that was only moved keeps deletions that hide nothing.
 *
 * @param level - from 0 up to the level above `lowestLevel`; beyond that, there is no plan.
 * @returns null when there is nothing to do.
 */
export function planRange(
  version: Version,
  level: number,
  range: PlannedRange,
): CompactionPlan | null {
  const lowest = lowestLevel(version);
  const outputLevel = level + 1;
  if (outputLevel > lowest) return null;
  const runs = runsOf(version, level);
  const runsBelow = runsOf(version, outputLevel);
  const chosen = new Set(tablesIn(runs, range));
  if (chosen.size > 0) growChoice(chosen, runs);
  // What came down to the lowest level by moves was not looked through on its way.
  if (outputLevel === lowest) for (const table of tablesIn(runsBelow, range)) chosen.add(table);
  if (chosen.size === 0) return null;
  growChoice(chosen, runsBelow);
  return {
    reason: `asked for: level ${level} into level ${outputLevel}`,
    inputs: inputsOf(version, chosen),
    outputLevel,
    outputRun: onlyRun(version, outputLevel),
  };
}

function tablesIn(runs: readonly Run[], { from, before }: PlannedRange): TableMeta[] {
  return runs
    .flatMap((run) => run.tables)
    .filter(({ largest }) => from === undefined || compareBytes(largest, from) >= 0)
    .filter(({ smallest }) => before === undefined || compareBytes(smallest, before) < 0);
}

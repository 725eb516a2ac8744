/**
 * Many seeds, one after the other, until one fails or all are done.
 *
 * Chapter: 11-simulation.
 */
import type { RaftModule } from "#raft/types";
import { drawRealPlan, type RealParts, runRealPlan } from "../real/index.ts";
import { drawPlan, type Plan, type RunReport, type RunRequest, runPlan } from "../world/index.ts";

/** Which seeds. */
export interface SeedSearch extends Omit<RunRequest, "seed"> {
  /** The core under test. */
  readonly createRaftCore: RaftModule["createRaftCore"];
  /** The first seed. */
  readonly from: number;
  readonly count: number;
  /** The distance to the next one. Default 1: workers take turns. */
  readonly stride?: number;
  /** Called after each run. @returns false to stop. */
  readonly onRun?: (report: RunReport) => boolean | undefined;
}

/** What all runs came to. */
export interface SeedTotals {
  readonly runs: number;
  readonly steps: number;
  readonly packets: number;
  readonly committed: number;
  readonly virtualMs: number;
  readonly operations: number;
}

/** What a search found. */
export interface SeedResult {
  readonly totals: SeedTotals;
  /** The first run that failed, and its plan. */
  readonly failure: { readonly plan: Plan; readonly report: RunReport } | undefined;
}

/** Nothing has run yet. */
export const NO_TOTALS: SeedTotals = {
  runs: 0,
  steps: 0,
  packets: 0,
  committed: 0,
  virtualMs: 0,
  operations: 0,
};

/** Adds a run. */
export function addRun(totals: SeedTotals, report: RunReport): SeedTotals {
  const { ok, failed, unknown } = report.operations;
  return {
    runs: totals.runs + 1,
    steps: totals.steps + report.steps,
    packets: totals.packets + report.packets,
    committed: totals.committed + report.committed,
    virtualMs: totals.virtualMs + report.virtualMs,
    operations: totals.operations + ok + failed + unknown,
  };
}

/** Which seeds of the real tier. */
export interface RealSeedSearch {
  readonly parts: RealParts;
  readonly nodes?: number;
  readonly from: number;
  readonly count: number;
  readonly stride?: number;
  /** Called after each run. @returns false to stop. */
  readonly onRun?: SeedSearch["onRun"];
}

/** As {@link searchSeeds}, with nodes as they ship. @returns the seed that failed, if one did. */
export async function searchRealSeeds(
  search: RealSeedSearch,
): Promise<{ readonly totals: SeedTotals; readonly failed: number | undefined }> {
  const { parts, nodes, from, count, stride = 1, onRun } = search;
  let totals = NO_TOTALS;
  for (let n = 0; n < count; n += 1) {
    const seed = from + n * stride;
    const plan = drawRealPlan(nodes === undefined ? { seed } : { seed, nodes });
    const { report } = await runRealPlan(plan, parts);
    totals = addRun(totals, report);
    const goesOn = onRun?.(report) ?? true;
    if (report.broken !== undefined) return { totals, failed: seed };
    if (!goesOn) break;
  }
  return { totals, failed: undefined };
}

/** Runs seeds until one fails. */
export function searchSeeds(search: SeedSearch): SeedResult {
  const { from, count, stride = 1, createRaftCore, onRun, ...request } = search;
  let totals = NO_TOTALS;
  for (let n = 0; n < count; n += 1) {
    const plan = drawPlan({ ...request, seed: from + n * stride });
    const { report } = runPlan(plan, { createRaftCore });
    totals = addRun(totals, report);
    const goesOn = onRun?.(report) ?? true;
    if (report.broken !== undefined) return { totals, failure: { plan, report } };
    if (!goesOn) break;
  }
  return { totals, failure: undefined };
}

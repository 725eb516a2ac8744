/**
 * Runs seeds on this thread or on several, and tells how it goes.
 *
 * Invariant: with one thread or many, the same seeds are run; the lowest that fails is reported.
 */
import { spawnThread } from "#platform";
import { createRaftCore } from "#raft";
import {
  addRun,
  NO_TOTALS,
  type RunReport,
  type SeedTotals,
  searchRealSeeds,
  searchSeeds,
  type Tier,
} from "#simulation";
import type { SimulationNews, SimulationShare } from "./sim-worker.ts";

/** Which seeds, and by how many threads. */
export interface SearchRequest {
  readonly tier: Tier | "real";
  readonly nodes: number | undefined;
  readonly from: number;
  readonly seeds: number;
  readonly jobs: number;
}

/** How a search came out. */
export interface SearchOutcome {
  readonly totals: SeedTotals;
  /** The lowest seed that failed. */
  readonly failed: number | undefined;
}

/** The text of a failure is not needed to add a run up. */
const HOLDS = { broken: undefined };

/** Runs the seeds. @param onRun - after each; false stops. */
export async function searchWithJobs(
  request: SearchRequest,
  onRun: (totals: SeedTotals) => boolean,
): Promise<SearchOutcome> {
  return request.jobs === 1 ? searchHere(request, onRun) : searchInThreads(request, onRun);
}

async function searchHere(
  request: SearchRequest,
  onRun: (totals: SeedTotals) => boolean,
): Promise<SearchOutcome> {
  let totals = NO_TOTALS;
  const { tier, nodes, from, seeds } = request;
  for (let seed = from; seed < from + seeds; seed += 1) {
    const search = { from: seed, count: 1, ...(nodes === undefined ? {} : { nodes }) };
    const result = await searchOne(tier, search);
    totals = sum(totals, result.totals);
    if (result.failed !== undefined) return { totals, failed: seed };
    if (!onRun(totals)) break;
    // Signals and the screen get their turn.
    await new Promise((resolve) => setImmediate(resolve));
  }
  return { totals, failed: undefined };
}

async function searchOne(
  tier: SearchRequest["tier"],
  search: { readonly from: number; readonly count: number; readonly nodes?: number },
): Promise<SearchOutcome> {
  if (tier === "real") {
    const { realParts } = await import("./sim-real.ts");
    return searchRealSeeds({ ...search, parts: realParts });
  }
  const { totals, failure } = searchSeeds({ ...search, tier, createRaftCore });
  return { totals, failed: failure?.report.seed };
}

function sum(one: SeedTotals, other: SeedTotals): SeedTotals {
  return {
    runs: one.runs + other.runs,
    steps: one.steps + other.steps,
    packets: one.packets + other.packets,
    committed: one.committed + other.committed,
    virtualMs: one.virtualMs + other.virtualMs,
    operations: one.operations + other.operations,
  };
}

async function searchInThreads(
  request: SearchRequest,
  onRun: (totals: SeedTotals) => boolean,
): Promise<SearchOutcome> {
  const { jobs, seeds, from, tier, nodes } = request;
  let totals = NO_TOTALS;
  let failed: number | undefined;
  let goesOn = true;
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const file = new URL(`./sim-worker.${extension}`, import.meta.url);
  const shares = Array.from({ length: jobs }, (_, job): SimulationShare => {
    const count = Math.max(0, Math.ceil((seeds - job) / jobs));
    return { tier, nodes, from: from + job, count, stride: jobs };
  });
  const runShare = (share: SimulationShare): Promise<void> =>
    new Promise((resolve, reject) => {
      const thread = spawnThread<never, SimulationNews>(file, { name: "sim", data: share });
      let left = share.count;
      thread.onError(reject);
      thread.onMessage(({ report, broken }) => {
        left -= 1;
        totals = addRun(totals, { ...(report as RunReport), ...HOLDS });
        if (broken !== undefined) failed = Math.min(failed ?? report.seed, report.seed);
        goesOn = onRun(totals) && goesOn;
        // A failing seed ends its own worker; lower seeds of others may still fail.
        const isDone = left === 0 || broken !== undefined || !goesOn;
        if (isDone || (failed !== undefined && report.seed > failed)) {
          void thread.terminate().then(resolve);
        }
      });
    });
  await Promise.all(shares.filter(({ count }) => count > 0).map(runShare));
  return { totals, failed };
}

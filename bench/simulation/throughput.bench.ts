/**
 * How many seeds does the simulator run in an hour on one core, and where does a step's time go?
 *
 * Whole runs with all checks: boot, bad times, healing, history. Not measured: disk, network,
 * threads; nothing is synced. The goal is that of the project: 20,000 standard seeds an hour.
 */
import { createRaftCore } from "#raft";
import { addRun, drawPlan, NO_TOTALS, runPlan, type Tier } from "#simulation";
import type { Bench } from "../harness/index.ts";

const HOUR_SECONDS = 3600;
/** Seeds before the clock runs: code is compiled while it runs. */
const WARM_UP = 5;
const WARM_UP_FROM = 100_000;
const STANDARD_GOAL = 20_000;

function runTier(bench: Bench, tier: Tier, seeds: number): void {
  const run = (seed: number) => {
    const { report } = runPlan(drawPlan({ seed, tier }), { createRaftCore });
    if (report.broken !== undefined) throw report.broken;
    return report;
  };
  for (let n = 0; n < WARM_UP; n += 1) run(WARM_UP_FROM + n);
  let totals = NO_TOTALS;
  let hash = 0;
  // Time of this process alone: others may use the machine.
  const start = process.cpuUsage().user;
  for (let seed = 1; seed <= seeds; seed += 1) {
    const report = run(seed);
    totals = addRun(totals, report);
    hash ^= report.hash;
  }
  const seconds = (process.cpuUsage().user - start) / 1e6;
  const goal = tier === "standard" ? { atLeast: STANDARD_GOAL } : {};
  bench.figure(`${tier}: seeds`, (seeds / seconds) * HOUR_SECONDS, "seeds/h and core", goal);
  bench.figure(`${tier}: a seed`, (seconds * 1000) / seeds, "ms");
  bench.figure(`${tier}: a step with its checks`, (seconds * 1e6) / totals.steps, "µs");
  bench.figure(`${tier}: steps of a seed`, totals.steps / seeds, "steps");
  bench.figure(`${tier}: virtual time`, totals.virtualMs / 1000 / seconds, "s a second");
  bench.work(`${tier} ${seeds} ${hash}`);
}

export function standardSeeds(bench: Bench): void {
  runTier(bench, "standard", bench.parameter("standardSeeds", { small: 3, canonical: 200 }));
}

export function microSeeds(bench: Bench): void {
  runTier(bench, "micro", bench.parameter("microSeeds", { small: 10, canonical: 1000 }));
}

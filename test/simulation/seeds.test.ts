/**
 * The core in a bad world. Method: seeds of the two model tiers, with all invariants at every step,
 * the oracles on what clients saw, V1 to V8 after healing, and linearizability at the end.
 *
 * CAIRN_SCALE=300 npx vitest run test/simulation/seeds runs 18,000 standard seeds.
 */
import { expect, test } from "vitest";
import { createRaftCore } from "#raft";
import {
  addRun,
  describeFailure,
  drawPlan,
  NO_TOTALS,
  type RunReport,
  runPlan,
  type Tier,
} from "#simulation";
import { runSeeds } from "../support/seeds.ts";

function runOne(tier: Tier, seed: number): RunReport {
  const plan = drawPlan({ seed, tier });
  const { report } = runPlan(plan, { createRaftCore });
  if (report.broken !== undefined) {
    throw new Error(describeFailure(plan, report, { createRaftCore }), { cause: report.broken });
  }
  return report;
}

test("micro seeds hold: elections and logs", { timeout: 3_600_000 }, () => {
  let totals = NO_TOTALS;
  runSeeds({ count: 300, name: "micro seeds hold: elections and logs" }, (seed) => {
    totals = addRun(totals, runOne("micro", seed));
  });
  expect(totals.committed).toBeGreaterThan(totals.runs);
});

test("standard seeds hold: clients, members, snapshots, reads", { timeout: 3_600_000 }, () => {
  const name = "standard seeds hold: clients, members, snapshots, reads";
  let totals = NO_TOTALS;
  const done = new Map<string, number>();
  let unknown = 0;
  runSeeds({ count: 60, name }, (seed) => {
    const report = runOne("standard", seed);
    totals = addRun(totals, report);
    unknown += report.operations.unknown;
    for (const [kind, count] of Object.entries(report.operator)) {
      done.set(kind, (done.get(kind) ?? 0) + count);
    }
  });
  // The world was bad, and yet work was done.
  expect(totals.operations).toBeGreaterThan(100 * totals.runs);
  if (totals.runs < 30) return;
  expect(unknown).toBeGreaterThan(0);
  for (const kind of ["add-learner", "promote", "demote", "remove", "transfer", "compact"]) {
    expect(done.get(kind), kind).toBeGreaterThan(0);
  }
});

/**
 * The core in a bad world. Method: hundreds of seeded runs of three and of five nodes, with the
 * invariants G1 to G12 and L1 to L11 checked at every step against the simulated disks, and V1,
 * V2 and V3 after healing.
 */
import { expect, test } from "vitest";
import { createRaftCore } from "#raft";
import { runSeeds } from "../support/seeds.ts";
import { simulate } from "./simulation.ts";

test.each([
  { nodes: 3, seeds: 120 },
  { nodes: 5, seeds: 60 },
])("$nodes nodes stay safe in a bad world and recover from it", ({ nodes, seeds }) => {
  const name = `${nodes} nodes stay safe in a bad world and recover from it`;
  let committed = 0;
  let crashes = 0;
  runSeeds({ count: seeds, name }, (seed) => {
    const report = simulate({ seed, nodes, createRaftCore });
    committed += report.committed;
    crashes += report.crashes;
  });
  // The world was bad, and yet work was done.
  expect(crashes).toBeGreaterThan(0);
  expect(committed).toBeGreaterThan(0);
});

test.each([
  { nodes: 5, seeds: 60 },
  { nodes: 6, seeds: 30 },
])("$nodes nodes stay safe while members come and go and everybody reads", ({ nodes, seeds }) => {
  const name = `${nodes} nodes stay safe while members come and go and everybody reads`;
  const sum = { reads: 0, leaseReads: 0, changes: 0, transfers: 0, installs: 0 };
  runSeeds({ count: seeds, name }, (seed) => {
    const { tally } = simulate({ seed, nodes, createRaftCore, churn: true });
    for (const key of Object.keys(sum) as (keyof typeof sum)[]) sum[key] += tally?.[key] ?? 0;
  });
  // All of it happened.
  for (const count of Object.values(sum)) expect(count).toBeGreaterThan(0);
});

test("the same seed gives the same run", () => {
  const options = { seed: 7, nodes: 3, createRaftCore };
  expect(simulate(options)).toEqual(simulate(options));
  const churn = { ...options, nodes: 5, churn: true };
  expect(simulate(churn)).toEqual(simulate(churn));
});

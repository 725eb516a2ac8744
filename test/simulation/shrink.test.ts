/**
 * Finding a failure and making it small. Method: a planted mistake is found by seeds, shrunk, and
 * the small plan, through JSON, breaks the same invariant.
 */
import { expect, test } from "vitest";
import { createRaftCore } from "#raft";
import {
  describeFailure,
  drawPlan,
  isSameFailure,
  parsePlan,
  replayCommand,
  runPlan,
  searchSeeds,
  shrinkPlan,
} from "#simulation";
import { MUTANTS } from "../raft/mutants/bank.ts";
import { plant } from "../raft/mutants/plant.ts";

/** A leader commits entries of older terms by counting. */
const FIGURE_8 = 5;
const SEEDS_MAX = 60;
const PATIENCE = { timeout: 120_000 };

async function planted(number: number): Promise<typeof createRaftCore> {
  return (await plant(MUTANTS.find((mutant) => mutant.number === number)!)).createRaftCore;
}

test("a planted mistake is found, shrunk, and found again from JSON", PATIENCE, async () => {
  const create = await planted(FIGURE_8);
  const search = { tier: "micro", from: 1, count: SEEDS_MAX, createRaftCore: create } as const;
  const { failure } = searchSeeds(search);
  expect(failure?.report.broken?.id).toBe("G7");
  const { plan, report } = failure!;
  const small = shrinkPlan(plan, { createRaftCore: create, runsMax: 300 });
  expect(small.report.broken?.id).toBe("G7");
  const size = small.plan.faults.length + small.plan.operations.length;
  expect(size).toBeLessThan((plan.faults.length + plan.operations.length) / 4);
  const again = runPlan(parsePlan(JSON.stringify(small.plan)), { createRaftCore: create });
  expect(isSameFailure(report.broken!, again.report.broken)).toBe(true);
  expect(again.report.hash).toBe(small.report.hash);
  // The mistake, not the plan, is to blame.
  expect(runPlan(small.plan, { createRaftCore }).report.broken).toBeUndefined();
});

test("a report names the invariant, the nodes and the command", PATIENCE, async () => {
  const create = await planted(FIGURE_8);
  const { failure } = searchSeeds({
    tier: "micro",
    from: 1,
    count: SEEDS_MAX,
    createRaftCore: create,
  });
  const { plan, report } = failure!;
  const text = describeFailure(plan, report, { createRaftCore: create, steps: 5 });
  expect(text).toMatch(new RegExp(`^seed ${report.seed} breaks G7: node \\d leads in term`));
  expect(text).toContain("BROKEN G7");
  expect(text).toMatch(/\nnode +state +role +term +commit/);
  expect(text).toContain(`Replay: npx cairn sim --seed ${report.seed} --tier micro`);
  expect(replayCommand(plan)).toContain(`--seed ${report.seed}`);
  expect(text).not.toContain("not deterministic");
});

test("a run that is different the second time is reported as such", () => {
  const plan = drawPlan({ seed: 1, tier: "micro" });
  const { report } = runPlan(plan, { createRaftCore });
  const lying = { ...report, hash: report.hash + 1, broken: failureOf("G1") };
  const text = describeFailure(plan, lying, { createRaftCore });
  expect(text).toContain("something is not deterministic");
});

test("what holds is not shrunk", () => {
  const plan = drawPlan({ seed: 1, tier: "micro" });
  expect(() => shrinkPlan(plan, { createRaftCore })).toThrow(RangeError);
});

test("of assertions the words count, of invariants the id", () => {
  const one = failureOf("assert", "stopped: raft: cut at 2, but 4 is committed");
  const same = failureOf("assert", "stopped: raft: cut at 94, but 95 is committed");
  const other = failureOf("assert", "stopped: raft: term fell from 3 to 2");
  expect(isSameFailure(one, same)).toBe(true);
  expect(isSameFailure(one, other)).toBe(false);
  expect(isSameFailure(failureOf("G1", "x"), failureOf("G1", "y"))).toBe(true);
  expect(isSameFailure(failureOf("G1"), failureOf("G2"))).toBe(false);
  expect(isSameFailure(failureOf("G1"), undefined)).toBe(false);
});

function failureOf(id: string, text = "") {
  return Object.assign(new Error(`${id}: ${text}`), { id, node: 1, text });
}

/**
 * One plan, one run. Method: the hash over every step, twice in this process and once in a fresh
 * one; and with words, which must change nothing.
 */
import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { createRaftCore } from "#raft";
import { drawPlan, parsePlan, runPlan } from "#simulation";
import { CAIRN } from "../support/processes.ts";

const SEEDS = [1, 2, 3, 4];
/** Runs of a fresh process are slow to start while other tests run. */
const PATIENCE = { timeout: 120_000 };

function hashOf(seed: number, withWords = false): number {
  const plan = drawPlan({ seed, tier: "standard" });
  return runPlan(plan, { createRaftCore, withWords }).report.hash;
}

test("the same seed has the same hash twice, with words and without", PATIENCE, () => {
  const first = SEEDS.map((seed) => hashOf(seed));
  expect(SEEDS.map((seed) => hashOf(seed))).toEqual(first);
  expect(SEEDS.slice(0, 2).map((seed) => hashOf(seed, true))).toEqual(first.slice(0, 2));
  expect(new Set(first).size).toBe(SEEDS.length);
});

test("the same seed has the same hash in a fresh process", PATIENCE, () => {
  for (const seed of SEEDS.slice(0, 2)) {
    const output = execFileSync(process.execPath, [CAIRN, "sim", "--seed", `${seed}`, "--replay"], {
      encoding: "utf8",
    });
    expect(output).toContain(`trace ${hashOf(seed).toString(16).padStart(8, "0")}`);
  }
});

test("a plan that went through JSON is the same run", PATIENCE, () => {
  const plan = drawPlan({ seed: 3, tier: "standard" });
  const again = parsePlan(JSON.stringify(plan));
  expect(runPlan(again, { createRaftCore }).report.hash).toBe(hashOf(3));
});

test("what is no plan is refused", () => {
  expect(() => parsePlan("{")).toThrow(/no JSON/);
  expect(() => parsePlan('{"options":{}}')).toThrow(/faults and operations/);
});

test("a fault that is left out changes nothing before its time", PATIENCE, () => {
  const plan = drawPlan({ seed: 4, tier: "standard" });
  const last = plan.faults.at(-1)!;
  const shorter = { ...plan, faults: plan.faults.slice(0, -1) };
  const until = (text: string): boolean => Number.parseFloat(text) < last.at;
  const words = [plan, shorter].map((one) => {
    const options = { ...one.options, safetyMs: last.at };
    const ended = runPlan({ ...one, options }, { createRaftCore, withWords: true });
    return ended.world.trace.last.filter(until);
  });
  expect(words[0]).toEqual(words[1]);
});

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

test("faults that are left out change nothing before their time", PATIENCE, () => {
  const drawn = drawPlan({ seed: 4, tier: "standard" });
  // One alone may hit nobody.
  const first = drawn.faults.at(-8)!;
  // Without drift, a clock shows true time and up to a second more.
  const plan = { ...drawn, options: { ...drawn.options, driftMax: 0 } };
  const shorter = { ...plan, faults: plan.faults.slice(0, -8) };
  const [all, fewer] = [plan, shorter].map((one) => {
    const steps: { readonly at: number; readonly what: string }[] = [];
    const create: typeof createRaftCore = (options, boot, now) => {
      const core = createRaftCore(options, boot, now);
      const step = core.step.bind(core);
      core.step = (at, input, outputs) => {
        steps.push({ at, what: `${options.self} ${at} ${input.kind}` });
        step(at, input, outputs);
      };
      return core;
    };
    runPlan(one, { createRaftCore: create });
    return steps;
  });
  const place = all!.findIndex(({ what }, step) => what !== fewer![step]?.what);
  expect(place).toBeGreaterThan(1000);
  expect(all![place]!.at).toBeGreaterThan(first.at);
});

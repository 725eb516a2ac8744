/**
 * `cairn sim`. Method: the command over a simulated disk and a screen that remembers.
 */
import { expect, test } from "vitest";
import { runSim, type SimFlags } from "#cli";
import { createSimulatedDisk } from "#platform";
import type { Disk } from "#platform/types";
import { drawPlan } from "#simulation";

const FLAGS: SimFlags = {
  seeds: 3,
  from: 1,
  replay: false,
  shrink: false,
  tier: "micro",
  jobs: 1,
  steps: 20,
};

function around(disk: Disk = createSimulatedDisk()) {
  const said: string[] = [];
  let time = 0;
  return {
    said,
    disk,
    screen: {
      live: false,
      style: () => ({ columns: 80, color: false }),
      say: (text: string) => void said.push(text),
      show: () => undefined,
      end: () => undefined,
    },
    now: () => {
      time += 1000;
      return time;
    },
    isStopped: () => false,
  };
}

function write(disk: Disk, path: string, text: string): void {
  const file = disk.open(path, "read-write");
  file.write(0, new TextEncoder().encode(text));
  file.close();
}

test("seeds that hold end with a line of totals and code 0", async () => {
  const surroundings = around();
  expect(await runSim(FLAGS, surroundings)).toBe(0);
  expect(surroundings.said.join("\n")).toMatch(/^3 micro seeds from 1, .* seeds\/h$/);
});

test("a stop ends the search after the run under way", async () => {
  const surroundings = { ...around(), isStopped: () => true };
  expect(await runSim(FLAGS, surroundings)).toBe(0);
  expect(surroundings.said.join("\n")).toMatch(/^1 micro seeds/);
});

test("one seed shows its hash", async () => {
  const surroundings = around();
  expect(await runSim({ ...FLAGS, seed: 5, replay: true }, surroundings)).toBe(0);
  expect(surroundings.said[0]).toMatch(/^seed 5 holds: .* trace [0-9a-f]{8}$/);
});

test("a plan from a file is run, and nonsense is refused", async () => {
  const surroundings = around();
  const { disk } = surroundings;
  const plan = drawPlan({ seed: 5, tier: "micro" });
  write(disk, "plan.json", JSON.stringify(plan));
  write(disk, "bad.json", "{}");
  expect(await runSim({ ...FLAGS, plan: "plan.json" }, surroundings)).toBe(0);
  expect(surroundings.said[0]).toMatch(/^seed 5 holds/);
  await expect(runSim({ ...FLAGS, plan: "bad.json" }, surroundings)).rejects.toThrow(RangeError);
  await expect(runSim({ ...FLAGS, plan: "no.json" }, surroundings)).rejects.toThrow(/no.json/);
});

test("a plan that breaks a bound is shown, shrunk and written", async () => {
  const surroundings = around();
  const { disk, said } = surroundings;
  const plan = drawPlan({ seed: 5, tier: "micro" });
  // A network on which no answer comes in time: nobody is ever elected.
  const net = { ...plan.options.net, personality: "stream" as const };
  const core = { ...plan.options.core, electionTimeoutMs: 1, heartbeatMs: 0.5 };
  const options = { ...plan.options, net, core, syncMinMs: 50 };
  write(disk, "plan.json", JSON.stringify({ ...plan, options }));
  const flags = { ...FLAGS, plan: "plan.json", shrink: true, out: "small.json" };
  expect(await runSim(flags, surroundings)).toBe(1);
  const text = said.join("\n");
  expect(text).toContain("seed 5 breaks V1: nobody leads");
  expect(text).toContain("Replay: npx cairn sim --plan plan.json --replay");
  expect(text).toMatch(/Shrunk in \d+ runs to 0 faults and 0 operations, in small.json/);
  expect(disk.exists("small.json")).toBe(true);
});

test("a scenario that fails names its line", async () => {
  const surroundings = around();
  const { disk, said } = surroundings;
  write(disk, "bad.txt", "A scenario that is none.\n\ngobbledygook 3\n---\n");
  expect(await runSim({ ...FLAGS, scenario: "bad.txt" }, surroundings)).toBe(1);
  expect(said[0]).toMatch(/^bad.txt:\d+:\d+: /);
});

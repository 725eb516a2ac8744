/**
 * The key-value machine against power cuts: every operation of the disk in a history with a copy
 * installed in its middle. The judge is the model, at the index that recovery finds.
 */
import { afterAll, expect, test } from "vitest";
import * as replica from "#replica";
import { SCALE, scaled } from "../../support/seeds.ts";
import { crashPoints, crashRun, writeStory } from "./crash-lab.ts";

let runs = 0;
/** A crash test that no longer runs passes as well. */
const RUNS_LEAST = 200;
afterAll(() => console.log(`kv: ${runs} crash runs; a violation fails its test`));

test("old or new after a power cut at every operation, and finishing gives the same state", {
  timeout: 300_000,
}, async () => {
  const story = await writeStory(replica);
  const points = await crashPoints(replica, story);
  const seeds = scaled(3);
  for (let point = 0; point < points; point += 1) {
    for (let seed = 1; seed <= seeds; seed += 1) {
      await crashRun(replica, story, { point, seed });
      runs += 1;
    }
  }
  expect(runs).toBeGreaterThan(RUNS_LEAST * Math.min(1, SCALE));
});

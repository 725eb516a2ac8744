/**
 * The engine against a sorted map. Method: runs of random operations, each from its own seed, with
 * its own keys, options, memtable structure and picker; flushes, compactions, single steps of
 * background work and reopenings come at random, and snapshots and iterators are held across them.
 *
 * CAIRN_SCALE=25 npx vitest run test/lsm/model makes a million operations, in about a minute.
 */
import { expect, test } from "vitest";
import { createWriteBatch, openEngine } from "#lsm";
import { runSeeds, scaled } from "../support/seeds.ts";
import { plantShrunk } from "./mistakes/shrunk.ts";
import { modelRun } from "./model-run.ts";

const RUNS = 20;
const OPERATIONS = 2000;

test("04.2 random operations give what a sorted map gives", { timeout: 900_000 }, async () => {
  const name = expect.getState().currentTestName ?? "";
  const whole = { openEngine, createWriteBatch };
  const shrunk = await plantShrunk();
  await runSeeds({ count: RUNS, name }, (seed) =>
    modelRun({ lsm: seed % 3 === 0 ? whole : shrunk }, seed, OPERATIONS),
  );
  console.log(`model: ${scaled(RUNS) * OPERATIONS} operations, seeds 1 to ${scaled(RUNS)}`);
});

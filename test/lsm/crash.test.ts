/**
 * The engine on a disk whose power fails. Method: see crash-lab.ts; the judge is oracle.ts. Short
 * histories are cut at every operation of the disk, random ones at random operations; random seeds
 * decide what a crash keeps of what was not synced. Most runs are on an engine whose inner limits
 * are small (see mistakes/shrunk.ts), so that logs and manifests begin anew within a history.
 *
 * CAIRN_SCALE=40 npx vitest run test/lsm/crash makes more than 200,000 crash runs.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createWriteBatch, openEngine } from "#lsm";
import { SCALE } from "../support/seeds.ts";
import { kills, powerCuts, powerCutsInRandomHistories } from "./crash-checks.ts";
import { crashSeeds } from "./crash-lab.ts";
import { shortHistories } from "./histories.ts";
import { plantShrunk } from "./mistakes/shrunk.ts";
import type { Subject } from "./player.ts";

const whole: Subject = { lsm: { openEngine, createWriteBatch } };
let shrunk: Subject = whole;
const LONG = { timeout: 7_200_000 };

/** What the default size makes at least; CAIRN_SCALE multiplies it. */
const RUNS_MIN = 5000;

let total = 0;
const count = (runs: number): void => {
  expect(runs).toBeGreaterThan(0);
  total += runs;
};

beforeAll(async () => {
  shrunk = { lsm: await plantShrunk() };
});
afterAll(() => {
  console.log(`crash lab of the engine: ${total} crash runs at CAIRN_SCALE=${SCALE}`);
});

describe("04.5 after a power cut, every durable write is there and nothing is invented", () => {
  test.each(shortHistories)("$name: at every crash point", LONG, async (history) => {
    count(await powerCuts(shrunk, history, { seeds: 3 }));
  });

  test.each(shortHistories)("$name: with the limits of every day", LONG, async (history) => {
    count(await powerCuts(whole, history, { seeds: 1, stride: 3 }));
  });

  test("in random histories", LONG, async () => {
    const histories = crashSeeds(72);
    const effort = { histories, steps: 60, points: 5, seeds: 6 };
    count(await powerCutsInRandomHistories(shrunk, effort));
  });

  test("in long random histories", LONG, async () => {
    const histories = crashSeeds(12).map((seed) => seed + 1_000_000);
    const effort = { histories, steps: 150, points: 6, seeds: 12 };
    count(await powerCutsInRandomHistories(shrunk, effort));
  });
});

describe("04.5 after the end of the process, nothing acknowledged is lost", () => {
  test.each(shortHistories)("$name", LONG, async (history) => {
    count(await kills(shrunk, history, { seeds: 1, stride: 3 }));
  });
});

test("these were at least 5,000 crash runs, times the scale", () => {
  expect(total).toBeGreaterThanOrEqual(Math.floor(RUNS_MIN * SCALE));
});

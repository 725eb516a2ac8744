/**
 * The engine on a disk whose power fails. Method: see crash-lab.ts; the judge is oracle.ts. Short
 * histories are cut at every operation of the disk, random ones at random operations; random seeds
 * decide what a crash keeps of what was not synced.
 *
 * CAIRN_SCALE=30 npx vitest run test/lsm/crash makes more than 200,000 crash runs.
 */
import { afterAll, describe, expect, test } from "vitest";
import { createWriteBatch, openEngine } from "#lsm";
import { kills, powerCuts, powerCutsInRandomHistories } from "./crash-checks.ts";
import { crashSeeds } from "./crash-lab.ts";
import { shortHistories } from "./histories.ts";

const subject = { lsm: { openEngine, createWriteBatch } };
const LONG = { timeout: 3_600_000 };

let total = 0;
afterAll(() => console.log(`crash lab of the engine: ${total} crash runs`));

describe("04.5 after a power cut, every durable write is there and nothing is invented", () => {
  test.each(shortHistories)("$name: at every crash point", LONG, async (history) => {
    const runs = await powerCuts(subject, history, { seeds: 3 });
    expect(runs).toBeGreaterThan(0);
    total += runs;
  });

  test("in random histories", LONG, async () => {
    const histories = crashSeeds(60);
    total += await powerCutsInRandomHistories(subject, {
      histories,
      steps: 60,
      points: 8,
      seeds: 3,
    });
  });

  test("in long random histories", LONG, async () => {
    const histories = crashSeeds(16).map((seed) => seed + 1_000_000);
    total += await powerCutsInRandomHistories(subject, {
      histories,
      steps: 200,
      points: 6,
      seeds: 4,
    });
  });
});

describe("04.5 after the end of the process, nothing acknowledged is lost", () => {
  test.each(shortHistories)("$name", LONG, async (history) => {
    total += await kills(subject, history, { seeds: 1, stride: 2 });
  });
});

/**
 * The log against power cuts: every crash point of short histories, samples of long ones, failing
 * disks, killed processes. The judge is the sentence in model.ts; `CAIRN_SCALE` multiplies the
 * seeds.
 */
import { afterAll, describe, expect, test } from "vitest";
import { createSimulatedDisk } from "#platform";
import { openWal } from "#wal";
import { SCALE } from "../support/seeds.ts";
import {
  failingDisk,
  killThenPowerCut,
  powerCuts,
  powerCutsInLongHistories,
} from "./crash-checks.ts";
import { play } from "./crash-lab.ts";
import { shortHistories } from "./histories.ts";

const subject = { openWal };
/** Crash runs of this file, for the last test: a crash test that no longer runs passes as well. */
let runs = 0;
const RUNS_LEAST = 50_000;
const TIMEOUT_MS = 120_000;

afterAll(() => console.log(`wal: ${runs} crash runs; a violation fails its test`));

describe("every acknowledged record survives", { timeout: TIMEOUT_MS }, () => {
  test.each(shortHistories)("01.3 a power cut at every crash point of: $name", async (history) => {
    runs += await powerCuts(subject, history, 110);
  });

  test("01.3 a power cut at random points of long histories", async () => {
    runs += await powerCutsInLongHistories(subject, { histories: 400, seeds: 30 });
  });

  test.each(shortHistories)(
    "01.8 every disk operation failing once, in: $name",
    async (history) => {
      runs += await failingDisk(subject, history);
    },
  );

  test.each(shortHistories)(
    "01.3 a kill, a recovery and a power cut, in: $name",
    async (history) => {
      runs += await killThenPowerCut(subject, history, 6);
    },
  );
});

test("the crash tests really run, and crash", async () => {
  expect(runs).toBeGreaterThanOrEqual(RUNS_LEAST * Math.min(1, SCALE));
  const disk = createSimulatedDisk();
  disk.cutPowerAt(3);
  expect((await play(subject, disk, shortHistories[0]!)).ended).toBe("power cut");
});

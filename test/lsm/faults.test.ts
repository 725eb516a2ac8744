/**
 * The engine on disks that fail and fill up. Method: see fault-checks.ts. Every operation of a
 * history fails once, and for a while; the disk is filled to every size that matters and given
 * space back; every operation of an opening fails.
 */
import { describe, expect, test } from "vitest";
import { createWriteBatch, openEngine } from "#lsm";
import { scaled } from "../support/seeds.ts";
import { failingDisk, failingOpening, fullDisk } from "./fault-checks.ts";
import { randomHistory, shortHistories } from "./histories.ts";

const subject = { lsm: { openEngine, createWriteBatch } };
const LONG = { timeout: 900_000 };

describe("04.3 when the disk fails, reads go on, and writes too once it is well", () => {
  test.each(shortHistories)("$name", LONG, async (history) => {
    expect(await failingDisk(subject, history, { stride: 1, times: [1, 6] })).toBeGreaterThan(10);
  });

  test("random histories", LONG, async () => {
    for (let seed = 1; seed <= scaled(6); seed += 1) {
      await failingDisk(subject, randomHistory(seed, 60), { stride: 7, times: [1, 3, 20] });
    }
  });
});

describe("04.3 when the disk is full, reads go on, and writes too once there is space", () => {
  test.each(shortHistories)("$name", LONG, async (history) => {
    let failed = 0;
    for (let capacity = 0; capacity < 16_000; capacity += 500) {
      if (await fullDisk(subject, history, capacity)) failed += 1;
    }
    expect(failed).toBeGreaterThan(3);
  });
});

describe("04.5 an opening that fails leaves an engine that opens", () => {
  test.each(shortHistories)("$name", LONG, async (history) => {
    expect(await failingOpening(subject, history)).toBeGreaterThan(3);
  });
});

/**
 * The engine on disks that fail and fill up. Method: see fault-checks.ts. Every operation of a
 * history fails once, and for a while; the disk is filled to every size that matters and given
 * space back; every operation of an opening fails.
 */
import { beforeAll, describe, expect, test } from "vitest";
import { scaled } from "../support/seeds.ts";
import { failingDisk, failingOpening, fullDisk } from "./fault-checks.ts";
import { overwriting, randomHistory, shortHistories } from "./histories.ts";
import { plantShrunk } from "./mistakes/shrunk.ts";
import type { Subject } from "./player.ts";

let subject: Subject;
beforeAll(async () => {
  subject = { lsm: await plantShrunk() };
});
const LONG = { timeout: 900_000 };

describe("04.3 when the disk fails, reads go on, and writes too once it is well", () => {
  test.each([overwriting, ...shortHistories])("$name", LONG, async (history) => {
    const effort = { perKind: scaled(6), times: [1, 6] };
    expect(await failingDisk(subject, history, effort)).toBeGreaterThan(30);
  });

  test("random histories", LONG, async () => {
    for (let seed = 1; seed <= scaled(6); seed += 1) {
      await failingDisk(subject, randomHistory(seed, 60), { perKind: 4, times: [1, 3, 20] });
    }
  });
});

describe("04.3 when the disk is full, reads go on, and writes too once there is space", () => {
  test.each(shortHistories)("$name", LONG, async (history) => {
    let failed = 0;
    for (let capacity = 0; capacity < 40_000; capacity += 1500) {
      if (await fullDisk(subject, history, capacity)) failed += 1;
    }
    expect(failed).toBeGreaterThan(2);
  });
});

describe("04.5 an opening that fails leaves an engine that opens", () => {
  test.each(shortHistories)("$name", LONG, async (history) => {
    expect(await failingOpening(subject, history)).toBeGreaterThan(3);
  });
});

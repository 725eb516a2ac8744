/**
 * The tests of the tests: each planted mistake must be caught, by the check that is named for it,
 * and the log as it is must pass that check with the same effort.
 */
import { expect, test } from "vitest";
import { openWal } from "#wal";
import type { WalModule } from "#wal/types";
import { plantMistake } from "../support/plant.ts";
import {
  failingDisk,
  killThenPowerCut,
  powerCuts,
  recycledSegment,
  rotBelowTheWatermark,
} from "./crash-checks.ts";
import type { Subject } from "./crash-lab.ts";
import { flipEveryBit } from "./frame-flips.ts";
import { shortHistories } from "./histories.ts";
import { type CheckName, mistakes } from "./mistakes/bank.ts";
import { OracleViolation } from "./model.ts";

const SEEDS_PER_POINT = 20;

const checks: Record<CheckName, (subject: Subject) => Promise<void> | void> = {
  "power cuts": async (subject) => {
    for (const history of shortHistories) await powerCuts(subject, history, SEEDS_PER_POINT);
  },
  "failing disk": async (subject) => {
    for (const history of shortHistories) await failingDisk(subject, history);
  },
  "kill, then power cut": async (subject) => {
    for (const history of shortHistories) await killThenPowerCut(subject, history, 6);
  },
  "rot below the watermark": rotBelowTheWatermark,
  "recycled segment": recycledSegment,
  "every bit of a frame": (subject) => void flipEveryBit(subject),
};

async function caught(name: CheckName, subject: Subject): Promise<OracleViolation | null> {
  try {
    await checks[name](subject);
    return null;
  } catch (error) {
    if (error instanceof OracleViolation) return error;
    throw error;
  }
}

test.each(Object.keys(checks) as CheckName[])("the log itself passes: %s", async (name) => {
  expect(await caught(name, { openWal })).toBeNull();
});

test.each(mistakes)("$caughtBy catches: $name ($rule)", async (mistake) => {
  const planted = await plantMistake<WalModule>("wal", mistake.patches ?? []);
  const { wrap } = mistake;
  const subject = { openWal: planted.openWal, ...(wrap && { wrap }) };
  expect(await caught(mistake.caughtBy, subject), "it went unnoticed").not.toBeNull();
});

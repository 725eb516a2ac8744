/**
 * The tests of the tests: each planted mistake must be caught, by the check that is named for it,
 * and the table as it is must pass that check with the same effort.
 */
import { expect, test } from "vitest";
import * as sstable from "#sstable";
import type { SstableModule } from "#sstable/types";
import { plantMistake } from "../support/plant.ts";
import {
  againstTheModel,
  cacheUnderPressure,
  failingDisk,
  filterFollowsTheFormula,
  flipEveryBit,
  foreignBlock,
  lyingLengths,
  misplaced,
  powerCuts,
  remainsOfACrash,
} from "./checks.ts";
import { type CheckName, mistakes } from "./mistakes/bank.ts";
import { Violation } from "./model.ts";

const SEEDS_PER_POINT = 6;

const checks: Record<CheckName, (subject: SstableModule) => void> = {
  "against the model": againstTheModel,
  "the filter's formula": filterFollowsTheFormula,
  "every bit": (subject) => void flipEveryBit(subject),
  "misplaced blocks": misplaced,
  "a foreign block": foreignBlock,
  "lying lengths": lyingLengths,
  "power cuts": (subject) => void powerCuts(subject, SEEDS_PER_POINT),
  "failing disk": (subject) => void failingDisk(subject),
  "remains of a crash": remainsOfACrash,
  "cache under pressure": cacheUnderPressure,
};

function caught(name: CheckName, subject: SstableModule): Violation | null {
  try {
    checks[name](subject);
    return null;
  } catch (error) {
    if (error instanceof Violation) return error;
    throw error;
  }
}

test.each(Object.keys(checks) as CheckName[])("the table itself passes: %s", (name) => {
  expect(caught(name, sstable)).toBeNull();
});

test.each(mistakes)("$caughtBy: it catches $name ($rule)", async (mistake) => {
  const planted = await plantMistake<SstableModule>("sstable", mistake.patches);
  expect(caught(mistake.caughtBy, planted), "it went unnoticed").not.toBeNull();
});

/**
 * The tests of the tests: each planted mistake must be caught, by the check that is named for it,
 * and the memtable as it is must pass that check with the same effort.
 */
import { expect, test } from "vitest";
import { InvariantError } from "#base";
import * as memtable from "#memtable";
import { seededRandom } from "#platform";
import type { Random } from "#platform/types";
import { plantMistake } from "../support/plant.ts";
import {
  awkwardKeys,
  type Module,
  randomOperations,
  readersComeAndGo,
  type Subject,
  structures,
  Violation,
  writesBetweenMoves,
} from "./checks.ts";
import { arrivals, keyFamilies } from "./keys.ts";
import { type CheckName, mistakes } from "./mistakes/bank.ts";
import {
  boundsAreHalfOpen,
  buffersUsedAgain,
  deletionsGrow,
  frozenNeverChanges,
  levelsAreParts,
  overwritesDoNotLeak,
  sharedIsTheSame,
  threeOutcomes,
  versionsAtSequences,
} from "./rules.ts";

const checks: Record<CheckName, (subject: Subject, random: Random) => void> = {
  "three outcomes": threeOutcomes,
  "buffers used again": buffersUsedAgain,
  "versions at sequences": versionsAtSequences,
  "half-open bounds": boundsAreHalfOpen,
  "deletions grow the table": deletionsGrow,
  "overwrites do not leak": overwritesDoNotLeak,
  "frozen never changes": frozenNeverChanges,
  "shared is the same": sharedIsTheSame,
  "levels are parts": levelsAreParts,
  "random operations": (subject, random) => randomOperations(subject, random, 3000),
  "readers come and go": (subject, random) => readersComeAndGo(subject, random, 500),
  "writes between moves": (subject, random) => writesBetweenMoves(subject, random, 6),
  "awkward keys": (subject, random) => {
    for (const family of Object.values(keyFamilies)) {
      for (const arrival of Object.keys(arrivals)) {
        awkwardKeys(subject, random, { family, arrival, count: 200 });
      }
    }
  },
};

/** What the check says; a broken invariant, or an index out of bounds, counts as well. */
function caught(name: CheckName, subject: Subject): Error | null {
  try {
    checks[name](subject, seededRandom(1));
    return null;
  } catch (error) {
    const isVerdict = error instanceof Violation || error instanceof InvariantError;
    if (isVerdict || error instanceof RangeError) return error;
    throw error;
  }
}

test.each(Object.keys(checks) as CheckName[])("the memtable itself passes: %s", (name) => {
  for (const structure of structures) {
    expect(caught(name, { module: memtable, structure }), structure).toBeNull();
  }
});

for (const mistake of mistakes) {
  // Not `test.each`, which cuts long names off.
  test(`${mistake.caughtBy} catches: ${mistake.name} (${mistake.rule})`, async () => {
    const module = await plantMistake<Module>("memtable", mistake.patches);
    for (const structure of mistake.structure ? [mistake.structure] : structures) {
      const found = caught(mistake.caughtBy, { module, structure });
      expect(found, `it went unnoticed in ${structure}`).not.toBeNull();
    }
  });
}

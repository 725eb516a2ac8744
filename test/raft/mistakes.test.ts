/**
 * Do these tests notice? Method: well-known mistakes are planted in a copy of the sources, one at
 * a time, and each has to be caught: by a scenario at once, or by the simulation within the
 * number of seeds that is written beside it.
 */
import { expect, test } from "vitest";
import { createRaftCore } from "#raft";
import { Violation } from "./checker.ts";
import { MISTAKES, plant } from "./mistakes.ts";
import {
  figure8,
  lastTermBeatsLength,
  preVoteUnderLivingLeader,
  reorderedReplies,
  stuckInNewerTerm,
} from "./scenarios.ts";
import { simulate } from "./simulation.ts";

type Create = typeof createRaftCore;

/** Who catches a mistake: a scenario, or the simulation with so many seeds of three nodes. */
const CAUGHT_BY: Readonly<Record<number, number | ((create: Create) => unknown)>> = {
  1: 3,
  2: 10,
  4: lastTermBeatsLength,
  5: 20,
  6: 20,
  7: 3,
  8: 30,
  9: 10,
  10: 20,
  11: reorderedReplies,
  25: 60,
  29: preVoteUnderLivingLeader,
  30: stuckInNewerTerm,
  33: 3,
};

/** The error that the first of the seeds brings about; undefined if all pass. */
function catchWith(create: Create, catcher: number | ((create: Create) => unknown)): unknown {
  try {
    if (typeof catcher === "function") catcher(create);
    else {
      for (let seed = 1; seed <= catcher; seed += 1) {
        simulate({ seed, nodes: 3, createRaftCore: create });
      }
    }
  } catch (error) {
    return error;
  }
  return undefined;
}

test.each(MISTAKES)("mistake $number is caught: $name", async (mistake) => {
  const catcher = CAUGHT_BY[mistake.number];
  expect(catcher).toBeDefined();
  const error = catchWith(await plant(mistake), catcher!);
  // The planted core has assertions of its own; both count, nothing else does.
  const name = error instanceof Error ? error.name : "nothing";
  expect(error instanceof Violation ? "InvariantError" : name).toBe("InvariantError");
});

test("figure 8 catches mistake 5 as well", async () => {
  const mistake = MISTAKES.find(({ number }) => number === 5)!;
  const error = catchWith(await plant(mistake), figure8);
  expect(error).toBeInstanceOf(Violation);
});

test("without a mistake, all that catches mistakes is content", () => {
  for (const catcher of Object.values(CAUGHT_BY)) {
    if (typeof catcher === "function") expect(catchWith(createRaftCore, catcher)).toBeUndefined();
  }
});

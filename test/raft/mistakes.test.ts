/**
 * Do these tests notice? Method: well-known mistakes are planted in a copy of the sources, one at
 * a time, and each has to be caught: by a scenario at once, or by the simulation within the
 * number of seeds that is written beside it.
 */
import { expect, test } from "vitest";
import { createRaftCore } from "#raft";
import { Violation } from "./checker.ts";
import {
  changeBeforeOwnTerm,
  comesBackInOneTerm,
  deadDisk,
  dismissedLeaderGoes,
  emptyVoter,
  jointElection,
  removedIsTold,
  seesItsRemovalThrough,
} from "./member-scenarios.ts";
import { MISTAKES, plant } from "./mistakes.ts";
import {
  appliesAfterInstall,
  copyOverPendingWrites,
  earlyAnswers,
  leaseFromAppend,
} from "./read-scenarios.ts";
import {
  figure8,
  lastTermBeatsLength,
  preVoteUnderLivingLeader,
  reorderedReplies,
  stuckInNewerTerm,
} from "./scenarios.ts";
import { simulate } from "./simulation.ts";

type Create = typeof createRaftCore;

/** Who catches a mistake: a scenario, or the simulation within so many seeds. */
type Catcher = number | { readonly churn: number } | ((create: Create) => unknown);

/** A bare number: seeds of three nodes that stay. With churn: of five that come and go. */
const CAUGHT_BY: Readonly<Record<number, Catcher>> = {
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
  12: { churn: 30 },
  13: earlyAnswers,
  15: leaseFromAppend,
  17: { churn: 5 },
  18: { churn: 5 },
  19: changeBeforeOwnTerm,
  20: { churn: 20 },
  21: { churn: 5 },
  22: appliesAfterInstall,
  25: 60,
  26: comesBackInOneTerm,
  29: preVoteUnderLivingLeader,
  30: stuckInNewerTerm,
  31: deadDisk,
  33: 3,
  101: jointElection,
  102: { churn: 5 },
  103: { churn: 40 },
  104: appliesAfterInstall,
  105: copyOverPendingWrites,
  106: seesItsRemovalThrough,
  107: removedIsTold,
  108: emptyVoter,
  109: { churn: 5 },
  110: dismissedLeaderGoes,
  111: { churn: 5 },
  112: { churn: 5 },
};

/** The error that the first of the seeds brings about; undefined if all pass. */
function catchWith(create: Create, catcher: Catcher): unknown {
  try {
    if (typeof catcher === "function") catcher(create);
    else {
      const churn = typeof catcher === "object";
      const seeds = churn ? catcher.churn : catcher;
      for (let seed = 1; seed <= seeds; seed += 1) {
        simulate({ seed, nodes: churn ? 5 : 3, churn, createRaftCore: create });
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

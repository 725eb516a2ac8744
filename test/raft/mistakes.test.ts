/**
 * Do these tests notice? Method: well-known mistakes are planted in a copy of the sources, one at
 * a time, and each has to be caught: by a scenario at once, or by the simulator within the number
 * of seeds that is written beside it.
 */
import { expect, test } from "vitest";
import { createRaftCore } from "#raft";
import { isBrokenInvariant, searchSeeds } from "#simulation";
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

type Create = typeof createRaftCore;

/** Copies are loaded one by one while other tests run. */
const PATIENCE = { timeout: 120_000 };

/** Who catches a mistake: a scenario, or the simulator within so many seeds of a tier. */
type Catcher =
  | { readonly micro: number }
  | { readonly standard: number }
  | ((create: Create) => unknown);

const CAUGHT_BY: Readonly<Record<number, Catcher>> = {
  1: { micro: 5 },
  2: { micro: 10 },
  4: lastTermBeatsLength,
  5: { micro: 20 },
  6: { micro: 10 },
  7: { micro: 5 },
  8: { micro: 40 },
  9: { micro: 10 },
  10: { micro: 10 },
  11: reorderedReplies,
  12: { standard: 25 },
  13: earlyAnswers,
  15: leaseFromAppend,
  17: { standard: 10 },
  18: { standard: 25 },
  19: changeBeforeOwnTerm,
  20: { standard: 40 },
  21: { standard: 20 },
  22: appliesAfterInstall,
  25: { micro: 20 },
  26: comesBackInOneTerm,
  29: preVoteUnderLivingLeader,
  30: stuckInNewerTerm,
  31: deadDisk,
  33: { micro: 5 },
  101: jointElection,
  102: { standard: 10 },
  103: { standard: 40 },
  104: appliesAfterInstall,
  105: copyOverPendingWrites,
  106: seesItsRemovalThrough,
  107: removedIsTold,
  108: emptyVoter,
  109: { standard: 25 },
  110: dismissedLeaderGoes,
  111: { standard: 10 },
  112: { micro: 20 },
};

/** The error that the first of the seeds brings about; undefined if all pass. */
function catchWith(create: Create, catcher: Catcher): unknown {
  try {
    if (typeof catcher === "function") {
      catcher(create);
      return undefined;
    }
    const [tier, count] =
      "micro" in catcher
        ? (["micro", catcher.micro] as const)
        : (["standard", catcher.standard] as const);
    const { failure } = searchSeeds({ tier, from: 1, count, createRaftCore: create });
    return failure?.report.broken;
  } catch (error) {
    return error;
  }
}

test.each(MISTAKES)("mistake $number is caught: $name", PATIENCE, async (mistake) => {
  const catcher = CAUGHT_BY[mistake.number];
  expect(catcher).toBeDefined();
  const error = catchWith(await plant(mistake), catcher!);
  // The planted core has assertions of its own; both count, nothing else does.
  const name = error instanceof Error ? error.name : "nothing";
  const isNoticed = error instanceof Violation || isBrokenInvariant(error);
  expect(isNoticed ? "InvariantError" : name).toBe("InvariantError");
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

/**
 * The tests of the tests: each planted mistake must be caught, by the check that is named for it,
 * and the engine as it is must pass that check with the same effort.
 *
 * What an assertion of the engine itself catches counts as caught: the process would have stopped
 * there, with nothing lost.
 */
import { expect, test } from "vitest";
import { InvariantError } from "#base";
import { kills, powerCuts } from "./crash-checks.ts";
import { cutFiles, flipBits, makeSpecimen, swapTables } from "./damage-checks.ts";
import { failingDisk } from "./fault-checks.ts";
import { overwriting, randomHistory, shortHistories } from "./histories.ts";
import { mistakes } from "./mistakes/bank.ts";
import type { CheckName } from "./mistakes/mistake.ts";
import { plantShrunk } from "./mistakes/shrunk.ts";
import { modelRun } from "./model-run.ts";
import { OracleViolation } from "./oracle.ts";
import type { Subject } from "./player.ts";

const LONG = { timeout: 300_000 };
const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);

const checks: Record<CheckName, (subject: Subject) => Promise<unknown>> = {
  "power cuts": async (subject) => {
    for (const history of shortHistories)
      await powerCuts(subject, history, { seeds: 5, stride: 4 });
  },
  kills: async (subject) => {
    for (const history of shortHistories) await kills(subject, history, { seeds: 1, stride: 2 });
  },
  "failing disk": async (subject) => {
    // What a log that has failed brings back shows in few moments, so these are looked for.
    const closely = { perKind: 30, times: [1], kinds: ["sync", "write"], crashes: 12 } as const;
    await failingDisk(subject, overwriting, closely);
    for (const history of shortHistories) {
      await failingDisk(subject, history, { perKind: 4, times: [1, 5] });
    }
  },
  "failing removals": async (subject) => {
    for (const seed of upTo(6)) {
      await failingDisk(subject, randomHistory(seed, 60), {
        ...{ perKind: 10, times: [1, 20], kinds: ["unlink"] },
      });
    }
  },
  model: async (subject) => {
    for (const seed of upTo(24)) await modelRun(subject, seed, 800);
  },
  damage: async (subject) => {
    await swapTables(subject);
    const specimen = await makeSpecimen(subject);
    await flipBits(subject, 7, specimen);
    cutFiles(subject, specimen);
  },
};

async function caught(name: CheckName, subject: Subject): Promise<Error | null> {
  try {
    await checks[name](subject);
    return null;
  } catch (error) {
    if (error instanceof OracleViolation || error instanceof InvariantError) return error;
    throw error;
  }
}

test.each(Object.keys(checks) as CheckName[])("the engine passes: %s", LONG, async (name) => {
  expect(await caught(name, { lsm: await plantShrunk([]) })).toBeNull();
});

test.each(mistakes)("$caughtBy catches: $name ($rule)", LONG, async (mistake) => {
  const lsm = await plantShrunk(mistake.patches ?? []);
  const subject = { lsm, ...(mistake.wrap && { wrap: mistake.wrap }) };
  expect(await caught(mistake.caughtBy, subject), "it went unnoticed").not.toBeNull();
});

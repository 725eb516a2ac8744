/**
 * The tests of the tests: each planted mistake must be caught, by the check that is named for it,
 * and the store as it is must pass that check with the same effort.
 */
import { expect, test } from "vitest";
import { InvariantError, isCairnError } from "#base";
import { seededRandom } from "#platform";
import * as replica from "#replica";
import { plantMistake } from "../../support/plant.ts";
import { Broken, crashPoints, crashRun, writeStory } from "./crash-lab.ts";
import { damages } from "./damage-checks.ts";
import { type CheckName, mistakes } from "./mistakes/bank.ts";
import { b } from "./model.ts";
import { Difference, modelRun } from "./model-run.ts";
import { apply, command, entryOf, freshDisk, openOn, put, type Subject } from "./support.ts";

const LONG = { timeout: 120_000 };
const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);

const checks: Record<CheckName, (subject: Subject) => Promise<void>> = {
  model: async (subject) => {
    for (const seed of upTo(12)) await modelRun(subject, seededRandom(seed), 80);
  },
  "power cuts": async (subject) => {
    const story = await writeStory(replica);
    const points = await crashPoints(subject, story);
    for (let point = 0; point < points; point += 1) {
      for (const seed of upTo(3)) await crashRun(subject, story, { point, seed });
    }
  },
  damage: async (subject) => {
    await damages(subject, await writeStory(replica));
  },
  "large answers": async (subject) => {
    const machine = await openOn(subject, freshDisk());
    const value = "x".repeat(1_100_000);
    await apply(machine, [entryOf(subject, 1, command([put("one", value)]))]);
    const get = { kind: "get", key: b("one") } as const;
    await apply(machine, [entryOf(subject, 2, command([put("two", "2"), get]))]);
    const found = machine.read({ kind: "get", key: b("two") });
    if (found.kind === "got" && found.entry !== null)
      throw new Difference("a refused put is there");
  },
};

/** What the check says, if it says anything. */
async function caught(name: CheckName, subject: Subject): Promise<Error | null> {
  try {
    await checks[name](subject);
    return null;
  } catch (error) {
    const isVerdict =
      error instanceof Broken ||
      error instanceof Difference ||
      error instanceof InvariantError ||
      isCairnError(error);
    if (!isVerdict) throw error;
    return error as Error;
  }
}

const names = [...new Set(mistakes.map(({ caughtBy }) => caughtBy))];

test.each(names)("nothing is found in the store itself by: %s", LONG, async (name) => {
  expect(await caught(name, replica)).toBeNull();
});

test.each(mistakes.map((one) => [one.name, one] as const))(
  "caught: %s",
  LONG,
  async (_, mistake) => {
    const planted = await plantMistake<typeof replica>("replica", mistake.patches);
    expect(await caught(mistake.caughtBy, planted)).not.toBeNull();
  },
);

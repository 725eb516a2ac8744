/**
 * The tests of the tests: each planted mistake must be caught, by the check that is named for it,
 * and the store as it is must pass that check with the same effort.
 */
import { expect, test } from "vitest";
import { InvariantError } from "#base";
import * as mvcc from "#mvcc";
import type { MvccModule, VersionLayout } from "#mvcc/types";
import { seededRandom } from "#platform";
import { plantStack } from "../support/plant.ts";
import { commitBesideCollection } from "./beside-collection.ts";
import { deletionBelow, deletionsInLevels, watchedWork } from "./compaction-checks.ts";
import { Broken, crashPoints, crashRun } from "./crash-lab.ts";
import { cycleText, dependencies, findCycle } from "./cycles.ts";
import { playHistory } from "./histories.ts";
import { overwrittenInFlight } from "./in-flight.ts";
import { wrongPairs } from "./key-checks.ts";
import { type CheckName, mistakes } from "./mistakes/bank.ts";
import { Difference, modelRun } from "./model-run.ts";
import { pastRun } from "./past-checks.ts";
import { fresh } from "./support.ts";

const LONG = { timeout: 120_000 };
const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);

const checks: Record<CheckName, (subject: MvccModule, layout: VersionLayout) => Promise<void>> = {
  histories: async (subject, layout) => {
    const { mvcc: store } = await fresh({ layout }, subject);
    const shape = { clients: 8, transactions: 24, keys: 6, level: "serializable" } as const;
    for (const seed of upTo(60)) {
      const history = await playHistory(store, seededRandom(seed), shape, `h${seed}`);
      const cycle = findCycle(dependencies(history.committed));
      if (cycle !== null) throw new Difference(`T5: seed ${seed}: ${cycleText(cycle)}`);
      while (store.step());
    }
    await store.close();
  },
  model: async (subject, layout) => {
    for (const seed of upTo(20)) await modelRun(subject, { layout }, seededRandom(seed), 300);
  },
  "power cuts": async (subject, layout) => {
    const points = await crashPoints(subject, { layout });
    for (let point = 0; point < points; point += 1) {
      for (const seed of upTo(1)) await crashRun(subject, { layout }, { point, seed });
    }
  },
  "the past": async (subject, layout) => {
    for (const seed of upTo(6)) await pastRun(subject, { layout }, seed, 250);
  },
  "beside a collection": async (subject, layout) => {
    for (const seed of upTo(6)) await commitBesideCollection(subject, layout, seed);
  },
  "a deletion below": (subject) => deletionBelow(subject),
  "in flight": (subject, layout) => overwrittenInFlight(subject, layout),
  "key order": async (subject) => {
    const [first] = wrongPairs(subject);
    if (first !== undefined) throw new Difference(`T1: ${first}`);
  },
  compactions: async (subject) => {
    for (const seed of upTo(10)) await deletionsInLevels(subject, seed);
    for (const seed of upTo(3)) await watchedWork(subject, seed);
  },
};

async function caught(
  name: CheckName,
  subject: MvccModule,
  layout: VersionLayout,
): Promise<Error | null> {
  try {
    await checks[name](subject, layout);
    return null;
  } catch (error) {
    const isVerdict = error instanceof Difference || error instanceof Broken;
    if (isVerdict || error instanceof InvariantError) return error;
    if (error instanceof Error && /^T\d: /.test(error.message)) return error;
    throw error;
  }
}

test.each(Object.keys(checks) as CheckName[])("the store itself passes: %s", LONG, async (name) => {
  expect(await caught(name, mvcc, "timestamped")).toBeNull();
});

for (const mistake of mistakes) {
  const { name, rule, caughtBy, layout = "timestamped" } = mistake;
  test(`${caughtBy} catches: ${name} (${rule})`, LONG, async () => {
    const module = await plantStack<MvccModule>("mvcc", mistake.patches);
    expect(await caught(caughtBy, module, layout), "it went unnoticed").not.toBeNull();
  });
}

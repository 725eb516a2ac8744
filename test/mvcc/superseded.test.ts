/**
 * Compactions leave out versions, and no reader can tell. Method: compaction-checks.ts, from
 * printed seeds; the rule by itself is tested in test/lsm/superseded.test.ts.
 */
import { test } from "vitest";
import { openMvcc } from "#mvcc";
import { runSeeds } from "../support/seeds.ts";
import { deletionBelow, deletionsInLevels, watchedWork } from "./compaction-checks.ts";

const LONG = { timeout: 60_000 };

test("06.8 no unit of background work changes what a reader sees", LONG, async () => {
  const name = "06.8 no unit of background work changes what a reader sees";
  await runSeeds({ count: 4, name }, (seed) => watchedWork({ openMvcc }, seed));
});

test("06.8 a deletion in any level keeps hiding what it hides", LONG, async () => {
  const name = "06.8 a deletion in any level keeps hiding what it hides";
  await runSeeds({ count: 20, name }, (seed) => deletionsInLevels({ openMvcc }, seed));
});

test("06.8 a deletion below the value that it hides stays when it is written anew", async () => {
  await deletionBelow({ openMvcc });
});

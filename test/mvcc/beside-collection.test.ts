/**
 * Collections beside commits: what is committed while garbage is being removed stays. Method:
 * beside-collection.ts, on every layout, from printed seeds.
 */
import { test } from "vitest";
import { openMvcc } from "#mvcc";
import { runSeeds } from "../support/seeds.ts";
import { commitBesideCollection } from "./beside-collection.ts";
import { LAYOUTS } from "./support.ts";

test.each(LAYOUTS)("06.7 %s: what is committed during a collection stays", async (layout) => {
  const name = `06.7 ${layout}: what is committed during a collection stays`;
  await runSeeds({ count: 3, name }, (seed) => commitBesideCollection({ openMvcc }, layout, seed));
});

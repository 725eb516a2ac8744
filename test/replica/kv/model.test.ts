/**
 * The key-value machine against a Map. Method: random commands, in sessions and without, applied in
 * batches beside entries of others, with restarts, power cuts, copies and installations in between;
 * see model-run.ts.
 */
import { test } from "vitest";
import * as replica from "#replica";
import { runSeeds } from "../../support/seeds.ts";
import { modelRun } from "./model-run.ts";

test("answers, content and sessions are those of the model, through every restart", {
  timeout: 120_000,
}, async () => {
  await runSeeds({ count: 25, name: "are those of the model" }, (_seed, random) =>
    modelRun(replica, random, 120),
  );
});

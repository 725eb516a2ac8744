/**
 * Random transactions do what the naive model does. Method: model-run.ts, on every layout, from
 * printed seeds.
 */
import { describe, test } from "vitest";
import { openMvcc } from "#mvcc";
import { runSeeds } from "../support/seeds.ts";
import { modelRun } from "./model-run.ts";
import { LAYOUTS } from "./support.ts";

describe("06.2 and 06.7: every read and every refusal is the model's", () => {
  test.each(LAYOUTS)("%s", { timeout: 120_000 }, async (layout) => {
    const name = `06.2 and 06.7: every read and every refusal is the model's > ${layout}`;
    await runSeeds({ count: layout === "timestamped" ? 40 : 15, name }, (_, random) =>
      modelRun({ openMvcc }, { layout }, random, 400),
    );
  });
});

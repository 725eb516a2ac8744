/**
 * Rot and cuts in every file of an engine. Method: flip every bit, cut at every length, remove and
 * exchange files, and mutate at random; open, read everything, compare. See damage-checks.ts.
 *
 * CAIRN_SCALE=5 npx vitest run test/lsm/damage makes 10,000 random mutations.
 */
import { describe, expect, test } from "vitest";
import { createWriteBatch, openEngine } from "#lsm";
import { runSeeds } from "../support/seeds.ts";
import {
  flipBits,
  judgeDamaged,
  makeSpecimen,
  mutate,
  swapTables,
  targets,
  withFile,
} from "./damage-checks.ts";
import { DIR, filesOf, isLogFile, isTableFile } from "./directory.ts";

const subject = { lsm: { openEngine, createWriteBatch } };
const LONG = { timeout: 900_000 };
const WAYS = ["forward", "get", "reverse"] as const;

describe("04.4 damage gives the right answer or a coded error", () => {
  test.each(["none", "deflate"] as const)("every bit flipped, %s", LONG, (compression) =>
    flipBits(subject, 1, { compression }),
  );

  test("every length of every file", LONG, async () => {
    const specimen = await makeSpecimen(subject);
    for (const { path, bytes } of targets(specimen)) {
      for (let length = 0; length < bytes; length += 1) {
        const disk = withFile(specimen, path, (content) => content.slice(0, length));
        const isNoticed = judgeDamaged(subject, specimen, { disk, path, way: "forward" });
        if (isTableFile(path)) expect(isNoticed, `${path} cut at ${length}`).toBe(true);
      }
    }
  });

  test("random mutations", LONG, async () => {
    const specimen = await makeSpecimen(subject);
    const files = targets(specimen);
    const name = expect.getState().currentTestName ?? "";
    runSeeds({ count: 2000, name }, (seed, random) => {
      const { path, bytes } = files[seed % files.length]!;
      const disk = withFile(specimen, path, (content) => mutate(content.slice(0, bytes), random));
      judgeDamaged(subject, specimen, { disk, path, way: WAYS[seed % 3]! });
    });
  });
});

describe("04.5 a file that is not there, or another one", () => {
  test("a missing table is an error", async () => {
    const specimen = await makeSpecimen(subject);
    for (const path of filesOf(specimen.disk).filter(isTableFile)) {
      const disk = specimen.disk.kill();
      disk.unlink(path);
      expect(judgeDamaged(subject, specimen, { disk, path, way: "get" }), path).toBe(true);
    }
  });

  test("a table in the place of another is an error", () => swapTables(subject));

  test("without its manifest or the pointer to it, an engine is refused and left alone", async () => {
    const specimen = await makeSpecimen(subject);
    const others = filesOf(specimen.disk).filter((path) => !isTableFile(path) && !isLogFile(path));
    expect(others.length).toBeGreaterThan(1);
    for (const path of others.filter((other) => other !== `${DIR}/LOCK`)) {
      const disk = specimen.disk.kill();
      disk.unlink(path);
      expect(judgeDamaged(subject, specimen, { disk, path, way: "get" }), path).toBe(true);
    }
  });
});

/**
 * Rot and cuts in every file of an engine. Method: flip every bit, cut at every length, remove and
 * exchange files, and mutate at random; open, read everything, compare. See damage-checks.ts.
 *
 * CAIRN_SCALE=5 npx vitest run test/lsm/damage makes 15,000 random mutations.
 */
import { beforeAll, describe, expect, test } from "vitest";
import { createWriteBatch, openEngine } from "#lsm";
import { runSeeds, SCALE } from "../support/seeds.ts";
import {
  cutFiles,
  flipBits,
  judgeDamaged,
  LARGE_BYTES,
  makeSpecimen,
  mutate,
  type Specimen,
  swapTables,
  withFile,
} from "./damage-checks.ts";
import { DIR, filesOf, isLogFile, isTableFile } from "./directory.ts";
import { plantShrunk } from "./mistakes/shrunk.ts";
import type { Subject } from "./player.ts";

const whole = { lsm: { openEngine, createWriteBatch } };
let shrunk: Subject = whole;
beforeAll(async () => {
  shrunk = { lsm: await plantShrunk() };
});
const LONG = { timeout: 900_000 };

/** The first records have left the log. */
async function retiring(): Promise<Specimen> {
  const specimen = await makeSpecimen(shrunk, { memtableBytesMax: 600 }, LARGE_BYTES);
  const logs = filesOf(specimen.disk).filter(isLogFile);
  expect(logs.some((path) => path.endsWith("0000000000000001.wal"))).toBe(false);
  return specimen;
}

const stride = (bits: number): number => Math.max(1, Math.round(bits / SCALE));
const WAYS = ["forward", "get", "reverse"] as const;

describe("04.4 damage gives the right answer or a coded error", () => {
  test("every bit flipped", LONG, async () => flipBits(whole, 1, await makeSpecimen(whole)));

  test("bits flipped, of compressed blocks", LONG, async () =>
    flipBits(whole, stride(5), await makeSpecimen(whole, { compression: "deflate" })),
  );

  test("bits flipped, of an engine whose log was retired in part", LONG, async () =>
    flipBits(shrunk, stride(11), await retiring()),
  );

  test("every length of every file", LONG, async () => {
    cutFiles(whole, await makeSpecimen(whole));
    cutFiles(shrunk, await retiring());
  });

  test("random mutations", LONG, async () => {
    const specimen = await makeSpecimen(whole);
    const { files } = specimen;
    const name = expect.getState().currentTestName ?? "";
    runSeeds({ count: 3000, name }, (seed, random) => {
      const { path, bytes } = files[seed % files.length]!;
      const disk = withFile(specimen, path, (content) => mutate(content.slice(0, bytes), random));
      judgeDamaged(whole, specimen, { disk, path, way: WAYS[seed % 3]! });
    });
  });
});

describe("04.5 a file that is not there, or another one", () => {
  test("a missing table is an error", async () => {
    const specimen = await makeSpecimen(whole);
    for (const path of filesOf(specimen.disk).filter(isTableFile)) {
      const disk = specimen.disk.kill();
      disk.unlink(path);
      expect(judgeDamaged(whole, specimen, { disk, path, way: "get" }), path).toBe(true);
    }
  });

  test("a table in the place of another is an error", () => swapTables(whole));

  test("without its manifest or CURRENT, an engine is refused and left alone", async () => {
    const specimen = await makeSpecimen(whole);
    const others = filesOf(specimen.disk).filter((path) => !isTableFile(path) && !isLogFile(path));
    expect(others.length).toBeGreaterThan(1);
    for (const path of others.filter((other) => other !== `${DIR}/LOCK`)) {
      const disk = specimen.disk.kill();
      disk.unlink(path);
      expect(judgeDamaged(whole, specimen, { disk, path, way: "get" }), path).toBe(true);
    }
  });
});

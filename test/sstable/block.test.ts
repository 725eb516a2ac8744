/**
 * Inside one block: restarts, shared prefixes, and the search that rebuilds no key. Method: tables
 * of a single block with every restart interval, against a list searched from its beginning.
 */
import { describe, expect, test } from "vitest";
import * as sstable from "#sstable";
import { forEachSeed } from "../support/seeds.ts";
import { checkLookups, checkScans, checkSeeks, made, PATH } from "./lab.ts";
import { bytesOf, numbered, randomVersions } from "./model.ts";

const ONE_BLOCK = { blockBytes: 1024 * 1024 };

describe.each([1, 2, 3, 16, 1000])("with a restart every %i entries", (restartInterval) => {
  test("03.1 what was put in comes out, in both directions", () => {
    forEachSeed(15, (_, random) => {
      const versions = randomVersions(random, { keys: 1 + random.below(60), versionsMax: 4 });
      const { table } = made(sstable, versions, { ...ONE_BLOCK, restartInterval });
      checkScans(table.cursor(), versions);
    });
  });

  test("03.2 a search finds what a linear search finds: before, at, between, behind", () => {
    forEachSeed(6, (_, random) => {
      const versions = randomVersions(random, { keys: 1 + random.below(40), versionsMax: 4 });
      const options = { ...ONE_BLOCK, restartInterval, filterBitsPerKey: 0 };
      const { table } = made(sstable, versions, options);
      checkLookups(table, versions);
      checkSeeks(table.cursor(), versions);
    });
  });
});

test("03.2 many versions of one key span restarts, and each is found at its sequence", () => {
  const key = bytesOf("the key");
  const versions = Array.from({ length: 100 }, (_, i) => ({
    key,
    value: bytesOf(String(i)),
    sequence: 1000 - 7 * i,
  }));
  const { table } = made(sstable, versions, { ...ONE_BLOCK, restartInterval: 4 });
  checkLookups(table, versions);
});

test("03.1 shared beginnings are written once between restarts", () => {
  const versions = numbered(160, (i) => `a long beginning that all keys share ${1000 + i}`);
  const sizes = [1, 16].map(
    (restartInterval) => made(sstable, versions, { ...ONE_BLOCK, restartInterval }).meta.bytes,
  );
  expect(sizes[0]! - sizes[1]!).toBeGreaterThan(150 * 36);
});

test("03.1 the layout is that of the format's description", () => {
  const versions = [
    { key: bytesOf("ab"), value: bytesOf("x"), sequence: 5 },
    { key: bytesOf("abc"), value: null, sequence: 300 },
  ];
  const { disk } = made(sstable, versions, { filterBitsPerKey: 0 });
  const entry1 = [0, 2, 2, 5, ...bytesOf("ab"), ...bytesOf("x")];
  const entry2 = [2, 1, 1, 0xac, 0x02, ...bytesOf("c")];
  const restarts = [0, 0, 0, 0, 1, 0, 0, 0];
  const block = [...entry1, ...entry2, ...restarts, 1];
  expect([...disk.content(PATH).subarray(0, block.length)]).toEqual(block);
});

/**
 * The inside of a skip list. Method: look at the chains of its levels, with heights from a printed
 * seed, and with chance that always says the same.
 */
import { expect, test } from "vitest";
import * as memtable from "#memtable";
import { SKIP_CHANCE, SKIP_LEVELS_MAX } from "#memtable";
import { seededRandom } from "#platform";
import type { Random } from "#platform/types";
import { forEachSeed } from "../support/seeds.ts";
import { randomOperations } from "./checks.ts";
import { bytesOf } from "./model.ts";
import { fillSkipList, levelsAreParts } from "./rules.ts";

const subject = { module: memtable, structure: "skiplist" as const };

test("02.2 the lowest level ascends, and each level is a part of the one below it", () => {
  forEachSeed(4, (_, random) => levelsAreParts(subject, random));
});

test("02.3 each level has its share of the keys", () => {
  const keys = 20_000;
  forEachSeed(2, (_, random) => {
    const levels = fillSkipList(memtable, keys, () => random.fraction()).list.levels();
    expect(levels[0]!.length).toBe(keys);
    for (const [level, { length }] of levels.entries()) {
      const chance = SKIP_CHANCE ** level;
      // With fewer, the spread is no longer that of a bell.
      if (keys * chance < 10) break;
      const sigma = Math.sqrt(keys * chance * (1 - chance));
      expect(Math.abs(length - keys * chance), `level ${level}`).toBeLessThanOrEqual(4 * sigma);
    }
    expect(levels.length).toBeGreaterThan(5);
  });
});

test("02.3 without a random source the heights are well spread, and the same each time", () => {
  const keys = 4096;
  const lengths = [0, 1].map(() =>
    fillSkipList(memtable, keys)
      .list.levels()
      .map(({ length }) => length),
  );
  expect(lengths[0]).toEqual(lengths[1]);
  const share = lengths[0]![1]! / keys;
  expect(Math.abs(share - SKIP_CHANCE)).toBeLessThan(4 * Math.sqrt((0.25 * 0.75) / keys));
});

test("02.3 when all heights are 1 a search meets half of the keys, and is right", () => {
  const keys = 1000;
  const { list, keyOf } = fillSkipList(memtable, keys, () => 0.99);
  expect(list.levels().length).toBe(1);
  let hops = 0;
  for (const [reference, key] of keyOf) {
    expect(list.find(bytesOf(key))).toBe(reference);
    hops += list.hops;
  }
  expect(hops / keys / keys).toBeCloseTo(0.5, 2);
  for (const height of [0, 0.99]) {
    forEachSeed(1, (_, random) => randomOperations(subject, constant(height, random), 1000));
  }
});

test("02.3 heights end at the highest level", () => {
  const { list } = fillSkipList(memtable, 300, () => 0);
  expect(list.levels().map(({ length }) => length)).toEqual(
    Array.from({ length: SKIP_LEVELS_MAX }, () => 300),
  );
});

test("02.3 on average a search looks at few keys", () => {
  const random = seededRandom(3);
  const { list, keyOf } = fillSkipList(memtable, 20_000, () => random.fraction());
  let hops = 0;
  for (const key of keyOf.values()) {
    list.find(bytesOf(key));
    hops += list.hops;
  }
  // Pugh: about log(n) / log(1/p) levels, with up to 1/p looks on each.
  expect(hops / keyOf.size).toBeLessThan((Math.log(20_000) / Math.log(4)) * 4);
});

/** Chance for everything but the heights. */
function constant(height: number, random: Random): Random {
  return {
    below: (before) => random.below(before),
    fraction: () => height,
    bytes: (count) => random.bytes(count),
  };
}

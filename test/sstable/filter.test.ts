/**
 * The Bloom filter, seen through lookups: how many of them it answers. Method: ask for every key
 * that was added, and for as many that were not, and compare the rate with the formula.
 */
import { expect, test } from "vitest";
import * as sstable from "#sstable";
import { forEachSeed } from "../support/seeds.ts";
import { filterRate } from "./checks.ts";
import { made } from "./lab.ts";
import { numbered, randomVersions } from "./model.ts";

test("03.4 none of 10,000 keys is denied", () => {
  expect(filterRate(sstable, { keys: 10_000, bitsPerKey: 10 }).measured).toBeLessThan(0.02);
});

test.each([2, 4, 6, 8, 10, 12])(
  "03.4 %i bits per key: false positives within a third of the formula",
  (bitsPerKey) => {
    const { measured, predicted } = filterRate(sstable, { keys: 12_000, bitsPerKey });
    const noise = 3 * Math.sqrt(predicted / 12_000);
    expect(measured).toBeGreaterThan(predicted * 0.7 - noise);
    expect(measured).toBeLessThan(predicted * 1.3 + noise);
  },
);

test("03.4 ten times fewer false positives cost half as many bits again, not ten times", () => {
  const one = filterRate(sstable, { keys: 12_000, bitsPerKey: 9.59 }).measured;
  const tenth = filterRate(sstable, { keys: 12_000, bitsPerKey: 14.38 }).measured;
  expect(one / tenth).toBeGreaterThan(5);
  expect(one / tenth).toBeLessThan(20);
});

test("03.4 tables of few keys deny none of them", () => {
  forEachSeed(60, (_, random) => {
    const versions = randomVersions(random, { keys: 1 + random.below(12), keyBytesMax: 40 });
    const { table } = made(sstable, versions, { filterBitsPerKey: 1 + random.below(30) });
    for (const { key } of versions) expect(table.get(key).kind).not.toBe("absent");
  });
});

test("03.4 a small filter is not mostly ones", () => {
  const versions = numbered(2, (i) => `key ${i === 0 ? 0 : 9}`);
  const { table } = made(sstable, versions);
  for (let i = 1; i < 5000; i += 1) table.get(new TextEncoder().encode(`key 1${i}`));
  expect(table.reads.filtered).toBeGreaterThan(4999 * 0.99);
});

test("without a filter every key inside the bounds costs a read", () => {
  const versions = numbered(100, (i) => `key ${1000 + 2 * i}`);
  const { table } = made(sstable, versions, { filterBitsPerKey: 0 });
  for (let i = 0; i < 99; i += 1) table.get(new TextEncoder().encode(`key ${1001 + 2 * i}`));
  expect(table.reads).toMatchObject({ blocks: 99, filtered: 0 });
});

test("03.4 the filter holds keys, not versions", () => {
  const versions = randomVersions(
    { below: (n) => n - 1, fraction: () => 0.5, bytes: (n) => new Uint8Array(n) },
    { keys: 1, versionsMax: 500, valueBytesMax: 1 },
  );
  expect(versions).toHaveLength(500);
  const bits = [0, 10].map((filterBitsPerKey) => made(sstable, versions, { filterBitsPerKey }));
  expect(bits[1]!.meta.bytes - bits[0]!.meta.bytes).toBeLessThan(20);
});

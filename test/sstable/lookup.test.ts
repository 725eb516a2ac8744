/**
 * Lookups over many blocks: one read each, the sparse index, and versions that straddle blocks.
 * Method: tables of tiny blocks against the model, with the table's own count of reads.
 */
import { expect, test } from "vitest";
import * as sstable from "#sstable";
import { forEachSeed } from "../support/seeds.ts";
import { checkLookups, ID, made, PATH } from "./lab.ts";
import { around, bytesOf, numbered, randomVersions, shown, shownValue } from "./model.ts";

const SMALL_BLOCKS = { blockBytes: 128 };

test("03.3 a hit reads exactly one data block", () => {
  const versions = numbered(500);
  const { table } = made(sstable, versions, SMALL_BLOCKS);
  for (const [done, { key, value }] of versions.entries()) {
    expect(shown(table.get(key))).toBe(shownValue(value));
    expect(table.reads.blocks).toBe(done + 1);
  }
});

test("03.3 a key between blocks, or outside of the table, reads at most one", () => {
  const versions = numbered(300, (i) => `k${i * 2}`);
  const { table } = made(sstable, versions, { ...SMALL_BLOCKS, filterBitsPerKey: 0 });
  for (const { key } of versions) {
    for (const other of around(key)) {
      const before = table.reads.blocks;
      table.get(other);
      expect(table.reads.blocks - before).toBeLessThanOrEqual(1);
    }
  }
  const before = table.reads.blocks;
  for (const outside of ["", "j", "k", "l", "k9999"]) table.get(bytesOf(outside));
  expect(table.reads.blocks).toBe(before);
});

test("03.3 the index has one entry for each block, not for each key", () => {
  const versions = numbered(2000, (i) => String(i).padStart(30, "0"));
  const { disk, table } = made(sstable, versions, { filterBitsPerKey: 0 });
  const { parts } = sstable.describeTable({ disk, path: PATH });
  const blocks = parts.filter(({ kind }) => kind === "data").length;
  const index = parts.find(({ kind }) => kind === "index")!;
  expect(blocks).toBeLessThan(40);
  expect(index.bytes).toBeLessThan(blocks * 40);
  expect(table.memoryBytes).toBeLessThan(blocks * 80);
});

test("03.3 separators are short where keys allow it", () => {
  const versions = numbered(400, (i) => `${1000 + i * 7919}${"x".repeat(100)}`);
  const { disk } = made(sstable, versions);
  const { parts } = sstable.describeTable({ disk, path: PATH });
  const blocks = parts.filter(({ kind }) => kind === "data").length;
  // The last one is the largest key, whole.
  const index = parts.find(({ kind }) => kind === "index")!.bytes - 110;
  expect(index / blocks).toBeLessThan(15);
});

test("03.3 every key, its neighbours, and every old sequence: as the model", () => {
  forEachSeed(30, (_, random) => {
    const versions = randomVersions(random, { keys: 1 + random.below(60), versionsMax: 3 });
    const { table } = made(sstable, versions, {
      blockBytes: 64 + random.below(200),
      restartInterval: 1 + random.below(8),
      filterBitsPerKey: random.below(2) * 10,
    });
    checkLookups(table, versions);
  });
});

test("03.3 the newest of versions in many blocks costs one read, and older ones are found", () => {
  forEachSeed(10, (_, random) => {
    const versions = randomVersions(random, { keys: 4, versionsMax: 60, valueBytesMax: 40 });
    const { table } = made(sstable, versions, { blockBytes: 96 });
    checkLookups(table, versions);
    table.verify();
  });
});

test("a value is the caller's own", () => {
  const { disk } = made(sstable, numbered(3));
  const cache = sstable.createBlockCache(65_536);
  const table = sstable.openTable({ disk, path: PATH, id: ID, cache });
  for (let round = 0; round < 3; round += 1) {
    const found = table.get(bytesOf("1"));
    expect(shown(found)).toBe(shownValue(bytesOf("value 1")));
    if (found.kind === "value") found.value.fill(0);
  }
});

test("approximate sizes grow with the range and add up to the data", () => {
  const versions = numbered(1000, (i) => String(i).padStart(6, "0"));
  const { disk, table } = made(sstable, versions, { blockBytes: 512 });
  const { parts } = sstable.describeTable({ disk, path: PATH });
  const data = parts.find(({ kind }) => kind === "filter")!.offset;
  expect(table.approximateBytes(bytesOf(""), bytesOf("a"))).toBe(data);
  const half = table.approximateBytes(bytesOf(""), bytesOf("000500"));
  expect(Math.abs(half - data / 2)).toBeLessThan(data / 20);
  expect(table.approximateBytes(bytesOf("000500"), bytesOf("b"))).toBe(data - half);
  expect(table.approximateBytes(bytesOf("b"), bytesOf("a"))).toBe(0);
});

test("03.3 deflated blocks answer as plain ones, and are smaller", () => {
  forEachSeed(10, (_, random) => {
    const shape = { keys: 60, versionsMax: 3, valueBytesMax: 80 };
    const versions = randomVersions(random, shape).map((version) => ({
      ...version,
      value: version.value?.fill(3) ?? null,
    }));
    const plain = made(sstable, versions, { blockBytes: 1024 });
    const { table, meta } = made(sstable, versions, { blockBytes: 1024, compression: "deflate" });
    checkLookups(table, versions);
    expect(meta.bytes).toBeLessThan(plain.meta.bytes);
  });
});

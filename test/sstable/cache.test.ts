/**
 * The block cache: bounded, right under eviction, and empty when its tables are closed. Method:
 * count hits, misses and bytes; use caches that are far too small.
 */
import { expect, test } from "vitest";
import type { BlockCache, Table } from "#sstable";
import * as sstable from "#sstable";
import { cacheUnderPressure } from "./checks.ts";
import { checkScans, ID, made, PATH } from "./lab.ts";
import { numbered, shown, shownValue, type Version } from "./model.ts";

const { createBlockCache, openTable } = sstable;
const SLOT_BYTES = 4096;

function cached(bytesMax: number, valueBytes = 100, options = {}) {
  const versions = numbered(1000, (i) => String(i).padStart(8, "0")).map((version) => ({
    ...version,
    value: new Uint8Array(valueBytes).fill(version.sequence),
  }));
  const { disk } = made(sstable, versions, options);
  const cache = createBlockCache(bytesMax);
  const open = () => openTable({ disk, path: PATH, id: ID, cache });
  return { versions, disk, cache, open };
}

test("a block is read once and found afterwards", () => {
  const { versions, cache, open } = cached(1024 * 1024);
  const table = open();
  for (const { key } of versions) table.get(key);
  const { blocks } = table.reads;
  expect([cache.hits, cache.misses]).toEqual([versions.length - blocks, blocks]);
  expect(cache.bytes).toBe(blocks * SLOT_BYTES);
  for (const { key, value } of versions) expect(shown(table.get(key))).toBe(shownValue(value));
  expect(table.reads.blocks).toBe(blocks);
});

test("a lookup may leave the cache alone", () => {
  const { versions, cache, open } = cached(1024 * 1024);
  const table = open();
  for (const { key } of versions) table.get(key, undefined, { fillCache: false });
  expect(cache.bytes).toBe(0);
  expect(cache.misses).toBe(versions.length);
});

test.each([0, 1, 4095])("a cache of %i bytes caches nothing", (bytesMax) => {
  const { versions, cache, open } = cached(bytesMax);
  const table = open();
  for (const { key, value } of versions) expect(shown(table.get(key))).toBe(shownValue(value));
  expect([cache.hits, cache.bytes]).toEqual([0, 0]);
});

test.each([1, 2, 3, 17, 24])("a cache of %i slots is full and never above its limit", (slots) => {
  const { versions, cache, open } = cached(slots * SLOT_BYTES);
  const table = open();
  for (let round = 0; round < 3; round += 1) {
    for (const { key, value } of versions) {
      expect(shown(table.get(key))).toBe(shownValue(value));
      expect(cache.bytes).toBeLessThanOrEqual(cache.bytesMax);
    }
  }
  expect(cache.bytes).toBeGreaterThan((cache.bytesMax * 9) / 10 - SLOT_BYTES);
});

test("what is used often stays while a scan of single uses goes by", () => {
  const { versions, cache, open } = cached(8 * SLOT_BYTES);
  const table = open();
  const often = versions[0]!.key;
  let misses = 0;
  for (const { key } of versions) {
    table.get(key);
    const before = cache.misses;
    table.get(often);
    misses += cache.misses - before;
  }
  // The hand may come by once when every slot has its mark.
  expect(misses).toBeLessThanOrEqual(2);
  expect(table.reads.blocks).toBeGreaterThan(20);
});

test("closing a table gives all of its slots back, and only its", () => {
  const { versions, cache, open } = cached(1024 * 1024);
  const one = open();
  const other = open();
  for (const { key } of versions) one.get(key);
  const { bytes } = cache;
  for (const { key } of versions) other.get(key);
  expect(cache.bytes).toBe(2 * bytes);
  one.close();
  expect(cache.bytes).toBe(bytes);
  const { hits } = cache;
  for (const { key } of versions) other.get(key);
  expect(cache.hits).toBe(hits + versions.length);
  other.close();
  expect(cache.bytes).toBe(0);
});

test("blocks above the size of a slot are kept too, within the budget", () => {
  const { versions, cache, open } = cached(512 * 1024, 5000);
  const table = open();
  for (const { key, value } of versions.slice(0, 200)) {
    expect(shown(table.get(key))).toBe(shownValue(value));
    expect(cache.bytes).toBeLessThanOrEqual(cache.bytesMax);
  }
  expect(cache.bytes).toBeGreaterThan(cache.bytesMax * 0.9);
  const { hits } = cache;
  table.get(versions[199]!.key);
  expect(cache.hits).toBe(hits + 1);
  table.close();
  expect(cache.bytes).toBe(0);
});

test("large blocks and small ones that want the same memory get half of it each", () => {
  const small = numbered(4000, (i) => String(i).padStart(8, "0"));
  const large = small.slice(0, 300).map((version) => ({ ...version, value: new Uint8Array(5000) }));
  const cache = createBlockCache(50 * SLOT_BYTES);
  const [smallTable, largeTable] = [small, large].map((versions) => {
    const { disk } = made(sstable, versions, { filterBitsPerKey: 0 });
    return openTable({ disk, path: PATH, id: ID, cache });
  }) as [Table, Table];
  const visit = (table: Table, versions: readonly Version[]): number => {
    for (const { key } of versions) {
      table.get(key);
      expect(cache.bytes).toBeLessThanOrEqual(cache.bytesMax);
    }
    return cache.bytes;
  };
  for (let round = 0; round < 3; round += 1) {
    visit(largeTable, large);
    visit(smallTable, small);
  }
  smallTable.close();
  expect(cache.bytes).toBeGreaterThan(cache.bytesMax * 0.4);
  largeTable.close();
  expect(cache.bytes).toBe(0);
});

test("a block that would take too much of the budget is not kept", () => {
  const { versions, cache, open } = cached(64 * 1024, 20_000);
  const table = open();
  for (const { key } of versions.slice(0, 20)) table.get(key);
  expect([cache.hits, cache.bytes]).toEqual([0, 0]);
});

test("deflated blocks are kept plain", () => {
  for (const blockBytes of [4096, 9000]) {
    const options = { compression: "deflate", blockBytes };
    const { versions, cache, open } = cached(1024 * 1024, 100, options);
    const table = open();
    for (let round = 0; round < 2; round += 1) {
      for (const { key, value } of versions) expect(shown(table.get(key))).toBe(shownValue(value));
    }
    expect(cache.hits).toBe(2 * versions.length - table.reads.blocks);
  }
});

test("lookups and cursors are right while everything is evicted all the time", () => {
  cacheUnderPressure(sstable);
});

test("a cursor keeps its place and its bytes when its block is evicted", () => {
  const { versions, open } = cached(SLOT_BYTES);
  const table = open();
  const cursor = table.cursor({ readAheadBytesMax: 0 });
  cursor.seek(versions[500]!.key);
  const { value } = cursor;
  const before = value.slice();
  for (const { key } of versions) table.get(key);
  expect(value).toEqual(before);
  checkScans(cursor, versions);
});

test("nonsense is refused", () => {
  for (const bytesMax of [-1, 1.5, Number.NaN]) {
    expect(() => createBlockCache(bytesMax)).toThrow(RangeError);
  }
  const { disk } = cached(0);
  const cache: BlockCache = { bytesMax: 1, bytes: 0, hits: 0, misses: 0 };
  expect(() => openTable({ disk, path: PATH, id: ID, cache })).toThrow(TypeError);
});

/**
 * Cursors: bounds, directions, block boundaries, reading ahead. Method: random tables and random
 * moves against a list, with every way of reading, and the table's count of what was read.
 */
import { describe, expect, test } from "vitest";
import { InvariantError } from "#base";
import { compareBytes } from "#bytes";
import * as sstable from "#sstable";
import { forEachSeed } from "../support/seeds.ts";
import { checkAt, checkScans, checkSeeks, checkWalk, ID, made, PATH } from "./lab.ts";
import { bytesOf, indexAtOrAbove, numbered, randomVersions } from "./model.ts";

describe.each([
  { name: "block by block", options: { readAheadBytesMax: 0 } },
  { name: "reading a little ahead", options: { readAheadBytesMax: 250 } },
  { name: "reading far ahead", options: {} },
  { name: "past the cache", options: { fillCache: false } },
])("$name", ({ options }) => {
  test("03.8 scans, seeks and random moves go where the model goes", () => {
    forEachSeed(8, (_, random) => {
      const shape = { keys: 1 + random.below(80), versionsMax: 1 + random.below(4) };
      const versions = randomVersions(random, shape);
      const { disk } = made(sstable, versions, {
        blockBytes: 64 + random.below(150),
        restartInterval: 1 + random.below(8),
        compression: random.below(3) === 0 ? "deflate" : "none",
      });
      const cache = sstable.createBlockCache(random.below(10) * 4096);
      const table = sstable.openTable({ disk, path: PATH, id: ID, cache });
      const cursor = table.cursor(options);
      checkScans(cursor, versions);
      checkSeeks(cursor, versions);
      checkWalk(cursor, versions, random, 400);
    });
  });
});

test("03.8 a half-open range holds its lower bound and not its upper one", () => {
  const versions = numbered(300, (i) => String(1000 + i));
  const { disk, table } = made(sstable, versions, { blockBytes: 128 });
  const firstKeys = new Map<number, Uint8Array>();
  sstable.describeTable({ disk, path: PATH }, ({ key, blockOffset }) => {
    if (!firstKeys.has(blockOffset)) firstKeys.set(blockOffset, key);
  });
  const bounds = [...firstKeys.values(), bytesOf("0"), bytesOf("1100"), bytesOf("2")];
  const cursor = table.cursor();
  for (const from of bounds) {
    for (const before of bounds) {
      let index = indexAtOrAbove(versions, from);
      for (cursor.seek(from); cursor.valid; cursor.next()) {
        if (compareBytes(cursor.key, before) >= 0) break;
        checkAt(cursor, versions, index);
        index += 1;
      }
      const end = Math.max(indexAtOrAbove(versions, from), indexAtOrAbove(versions, before));
      expect(index).toBe(end);
    }
  }
});

test("03.8 around the ends of a table", () => {
  const { table } = made(sstable, numbered(10));
  const cursor = table.cursor();
  expect(cursor.valid).toBe(false);
  cursor.seek(bytesOf("99"));
  expect(cursor.valid).toBe(false);
  cursor.seekBefore(bytesOf("0"));
  expect(cursor.valid).toBe(false);
  cursor.seekFirst();
  cursor.prev();
  expect(cursor.valid).toBe(false);
  expect(() => cursor.next()).toThrow(InvariantError);
  expect(() => cursor.prev()).toThrow(InvariantError);
  cursor.seekLast();
  cursor.next();
  expect(cursor.valid).toBe(false);
});

test("an entry that is not asked for key and value costs no views, and they are stable", () => {
  const { table } = made(sstable, numbered(10));
  const cursor = table.cursor();
  cursor.seekFirst();
  expect(cursor.key).toBe(cursor.key);
  expect(cursor.value).toBe(cursor.value);
});

test("a long scan reads each block once, in few and large pieces", () => {
  const versions = numbered(5000, (i) => String(i).padStart(8, "0"));
  const { disk, table } = made(sstable, versions);
  const data = sstable.describeTable({ disk, path: PATH }).parts.filter((p) => p.kind === "data");
  const there = table.cursor();
  for (there.seekFirst(); there.valid; ) there.next();
  expect(table.reads.blocks).toBe(data.length);
  const back = table.cursor();
  for (back.seekLast(); back.valid; ) back.prev();
  expect(table.reads.blocks).toBe(2 * data.length);
});

test("a seek that goes on a little reads no more than the blocks it needs", () => {
  const versions = numbered(5000, (i) => String(i).padStart(8, "0"));
  const { table } = made(sstable, versions);
  const cursor = table.cursor();
  cursor.seek(versions[2500]!.key);
  expect(table.reads.blocks).toBe(1);
  for (let i = 0; i < 50; i += 1) cursor.next();
  expect(table.reads.blocks).toBeLessThanOrEqual(2);
});

test("what a cursor reads goes into the cache, unless it reads ahead or is told not to", () => {
  const versions = numbered(5000, (i) => String(i).padStart(8, "0"));
  const { disk } = made(sstable, versions);
  const cache = sstable.createBlockCache(4 * 1024 * 1024);
  const table = sstable.openTable({ disk, path: PATH, id: ID, cache });
  const scan = (options: { fillCache?: boolean; readAheadBytesMax?: number }): number => {
    const cursor = table.cursor(options);
    for (cursor.seekFirst(); cursor.valid; ) cursor.next();
    cursor.close();
    return cache.bytes / 4096;
  };
  expect(scan({ fillCache: false })).toBe(0);
  expect(scan({})).toBe(2);
  expect(scan({ readAheadBytesMax: 0 })).toBeGreaterThan(15);
  const { blocks } = table.reads;
  scan({});
  expect(table.reads.blocks).toBe(blocks);
});

test("a closed cursor holds nothing, and closing twice is closing once", () => {
  const { table } = made(sstable, numbered(10));
  const cursor = table.cursor();
  cursor.seekFirst();
  cursor.close();
  cursor.close();
  expect(cursor.valid).toBe(false);
});

test("a failed read leaves the cursor at no entry, and it can be used again", () => {
  const versions = numbered(500);
  const { disk, table } = made(sstable, versions, { blockBytes: 128 });
  const cursor = table.cursor({ readAheadBytesMax: 0 });
  cursor.seekFirst();
  disk.plan({ operation: "read", fault: "EIO", after: 3 });
  expect(() => {
    while (cursor.valid) cursor.next();
  }).toThrow(expect.objectContaining({ code: "DISK_IO" }));
  expect(cursor.valid).toBe(false);
  checkScans(cursor, versions);
});

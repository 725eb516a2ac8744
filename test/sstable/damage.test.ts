/**
 * Damaged tables: the right answer or a coded error, never a wrong answer. Method: flip every bit
 * of a small table, cut it at every length, exchange blocks, put it under another number.
 */
import { expect, test } from "vitest";
import { isCairnError } from "#base";
import * as sstable from "#sstable";
import { flipEveryBit, foreignBlock, misplaced, rightOrCorrupt, smallVersions } from "./checks.ts";
import { freshDisk, ID, made, PATH, replace } from "./lab.ts";
import { numbered } from "./model.ts";

const { openTable } = sstable;

test("03.5 every flipped bit is noticed, and none gives a wrong answer", {
  timeout: 60_000,
}, () => {
  expect(flipEveryBit(sstable)).toBeGreaterThan(5000);
});

test("03.5 a table that is cut off at any length does not open", () => {
  const { disk } = made(sstable, smallVersions(), { blockBytes: 96 });
  const content = disk.content(PATH);
  for (let length = 0; length < content.length; length += 1) {
    replace(disk, content.subarray(0, length));
    expect(() => openTable({ disk, path: PATH, id: ID }), `${length} bytes`).toThrow(/^sstable: /);
  }
});

test("03.5 a table that has grown does not open", () => {
  const { disk } = made(sstable, smallVersions());
  const content = disk.content(PATH);
  for (const more of [1, 60, 4096]) {
    const grown = new Uint8Array(content.length + more);
    grown.set(content);
    replace(disk, grown);
    expect(() => openTable({ disk, path: PATH, id: ID })).toThrow(/not a table/);
  }
});

test("03.5 exchanged blocks, and a table under another number, are noticed", () => {
  misplaced(sstable);
  foreignBlock(sstable);
});

test("03.5 a table that loses its end while it is open says so", () => {
  const versions = numbered(300);
  const { disk, table } = made(sstable, versions, { blockBytes: 256 });
  replace(disk, disk.content(PATH).subarray(0, 1000));
  expect(table.get(versions[0]!.key).kind).toBe("value");
  expect(() => table.get(versions[299]!.key)).toThrow(/has become shorter/);
  const cursor = table.cursor();
  cursor.seek(versions[250]!.key.subarray(0, 0));
  expect(() => {
    while (cursor.valid) cursor.next();
  }).toThrow(/has become shorter/);
  expect(cursor.valid).toBe(false);
});

test("03.5 the error says which file and which byte", () => {
  const versions = numbered(300);
  const { disk, table } = made(sstable, versions, { blockBytes: 256 });
  const { parts } = sstable.describeTable({ disk, path: PATH });
  const block = parts[3]!;
  disk.flipBit(PATH, block.offset + 9, 1);
  let error: unknown = null;
  try {
    const cursor = table.cursor();
    for (cursor.seekFirst(); cursor.valid; ) cursor.next();
  } catch (caught) {
    error = caught;
  }
  expect(isCairnError(error, "SSTABLE_CORRUPT") && error.details).toEqual({
    file: PATH,
    offset: block.offset,
  });
  expect(() => table.verify()).toThrow(/checksum mismatch/);
  // The other blocks still answer.
  expect(table.get(versions[0]!.key).kind).toBe("value");
});

test("a block is checked when it is read, and a damaged one never gets into the cache", () => {
  const versions = numbered(300);
  const { disk } = made(sstable, versions, { blockBytes: 256 });
  const cache = sstable.createBlockCache(1024 * 1024);
  const table = openTable({ disk, path: PATH, id: ID, cache });
  disk.flipBit(PATH, 5, 1);
  for (let round = 0; round < 3; round += 1) {
    expect(() => table.get(versions[0]!.key)).toThrow(/checksum mismatch/);
  }
  expect(cache.bytes).toBe(0);
  disk.flipBit(PATH, 5, 1);
  expect(table.get(versions[0]!.key).kind).toBe("value");
  disk.flipBit(PATH, 5, 1);
  expect(table.get(versions[0]!.key).kind).toBe("value");
});

test("03.5 damage of deflated blocks is noticed too", () => {
  const versions = numbered(60, (i) => `a key with much in common ${100 + i}`);
  const { disk } = made(sstable, versions, { compression: "deflate", blockBytes: 1024 });
  const { length } = disk.content(PATH);
  for (let bit = 0; bit < length * 8; bit += 5) {
    disk.flipBit(PATH, bit >>> 3, bit & 7);
    rightOrCorrupt(sstable, disk, versions);
    disk.flipBit(PATH, bit >>> 3, bit & 7);
  }
});

test("an empty file and a missing one are two different errors", () => {
  const disk = freshDisk();
  const open = () => openTable({ disk, path: PATH, id: ID });
  expect(open).toThrow(expect.objectContaining({ code: "DISK_NOT_FOUND" }));
  replace(disk, new Uint8Array(0));
  expect(open).toThrow(expect.objectContaining({ code: "SSTABLE_CORRUPT" }));
});

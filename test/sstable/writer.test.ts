/**
 * Writing: order, limits, ownership of bytes, and what the writer says about its work. Method:
 * small tables with one thing out of the ordinary, and random ones that `verify` reads as a whole.
 */
import { expect, test } from "vitest";
import { InvariantError } from "#base";
import { equalBytes } from "#bytes";
import * as sstable from "#sstable";
import { forEachSeed } from "../support/seeds.ts";
import { freshDisk, ID, made, PATH, write } from "./lab.ts";
import { bytesOf, numbered, randomVersions, shown, shownValue } from "./model.ts";

const { createTableWriter, openTable } = sstable;

function started(options = {}) {
  const disk = freshDisk();
  const writer = createTableWriter({ disk, path: PATH, id: ID, ...options });
  const add = (key: string, sequence: number): void =>
    writer.add(bytesOf(key), bytesOf("v"), sequence);
  return { disk, writer, add };
}

test("03.1 a key below the last one is refused, and the table goes on without it", () => {
  const { disk, writer, add } = started();
  add("b", 5);
  for (const key of ["a", "", "ab"]) expect(() => add(key, 9)).toThrow(RangeError);
  add("ba", 1);
  expect(() => add("b", 1)).toThrow(RangeError);
  writer.finish();
  const table = openTable({ disk, path: PATH, id: ID });
  expect(table.meta.entries).toBe(2);
  expect(table.get(bytesOf("a"))).toEqual({ kind: "absent" });
  table.verify();
});

test("03.1 versions of one key come newest first, each sequence once", () => {
  const { writer, add } = started();
  add("a", 5);
  expect(() => add("a", 5)).toThrow(RangeError);
  expect(() => add("a", 6)).toThrow(RangeError);
  add("a", 4);
  expect(writer.entries).toBe(2);
});

test.each([0, -1, 1.5, 2 ** 53, Number.NaN])("the sequence %d is refused", (sequence) => {
  expect(() => started().add("a", sequence)).toThrow(RangeError);
});

test.each([
  { id: 0 },
  { id: 1.5 },
  { blockBytes: 10 },
  { restartInterval: 0 },
  { filterBitsPerKey: -1 },
  { filterBitsPerKey: Number.NaN },
])("the options %o are refused before a file is made", (options) => {
  const disk = freshDisk();
  expect(() => createTableWriter({ disk, path: PATH, id: ID, ...options })).toThrow(RangeError);
  expect(disk.list("db")).toEqual([]);
});

test("a table without entries is refused and leaves nothing", () => {
  const { disk, writer } = started();
  expect(() => writer.finish()).toThrow(RangeError);
  writer.abandon();
  expect(disk.list("db")).toEqual([]);
});

test("nothing is added after finish, and nothing finishes twice", () => {
  const { disk, writer, add } = started();
  add("a", 1);
  writer.finish();
  const content = disk.content(PATH);
  expect(() => add("b", 2)).toThrow(InvariantError);
  expect(() => writer.finish()).toThrow(InvariantError);
  writer.abandon();
  expect(disk.content(PATH)).toEqual(content);
});

test("the caller may use its buffers again", () => {
  const { disk, writer } = started();
  const key = bytesOf("a");
  const value = bytesOf("1");
  writer.add(key, value, 1);
  key[0]! += 1;
  value[0]! += 1;
  writer.add(key, value, 2);
  key[0]! += 1;
  writer.finish();
  const table = openTable({ disk, path: PATH, id: ID });
  expect(shown(table.get(bytesOf("a")))).toBe(shownValue(bytesOf("1")));
  expect(shown(table.get(bytesOf("b")))).toBe(shownValue(bytesOf("2")));
});

test("03.1 a block stays within its limit, unless one version alone is larger", () => {
  const versions = numbered(200);
  versions[50] = { ...versions[50]!, value: new Uint8Array(3000).fill(9) };
  const { disk } = made(sstable, versions, { blockBytes: 256 });
  const { parts } = sstable.describeTable({ disk, path: PATH });
  const data = parts.filter(({ kind }) => kind === "data");
  expect(data.length).toBeGreaterThan(10);
  const large = data.filter(({ bytes }) => bytes > 256);
  expect(large).toHaveLength(1);
  expect(large[0]!.bytes).toBeLessThan(3100);
});

test("the writer's size of the file is the file's", () => {
  const { disk, writer } = started({ blockBytes: 256 });
  let last = 0;
  for (const { key, value, sequence } of numbered(500)) {
    writer.add(key, value, sequence);
    expect(writer.bytes).toBeGreaterThan(last);
    last = writer.bytes;
  }
  expect(writer.finish().bytes).toBe(disk.content(PATH).length);
});

test("what the writer says of a table is what opening it says", () => {
  forEachSeed(40, (_, random) => {
    const shape = { keys: 1 + random.below(100), versionsMax: 3 };
    const versions = randomVersions(random, shape);
    const { table, meta } = made(sstable, versions, {
      blockBytes: 64 + random.below(400),
      restartInterval: 1 + random.below(20),
      filterBitsPerKey: random.below(12),
      compression: random.below(2) === 0 ? "deflate" : "none",
    });
    expect(table.meta).toEqual(meta);
    expect(meta.entries).toBe(versions.length);
    expect(meta.deletions).toBe(versions.filter(({ value }) => value === null).length);
    expect(meta.smallest).toEqual(versions[0]!.key);
    expect(meta.largest).toEqual(versions[versions.length - 1]!.key);
    expect(meta.sequenceMin).toBe(Math.min(...versions.map(({ sequence }) => sequence)));
    expect(meta.sequenceMax).toBe(Math.max(...versions.map(({ sequence }) => sequence)));
    table.verify();
  });
});

test("keys of no bytes and of many, and values of megabytes, come back", () => {
  const long = new Uint8Array(70_000).fill(5);
  const versions = [
    { key: new Uint8Array(0), value: new Uint8Array(0), sequence: 3 },
    { key: long.slice(0, 69_999), value: new Uint8Array(3_000_000).fill(1), sequence: 2 },
    { key: long, value: null, sequence: 1 },
  ];
  for (const compression of ["none", "deflate"] as const) {
    const { table } = made(sstable, versions, { compression });
    expect(shown(table.get(versions[0]!.key))).toBe(shownValue(new Uint8Array(0)));
    const large = table.get(versions[1]!.key);
    expect(large.kind === "value" && equalBytes(large.value, versions[1]!.value!)).toBe(true);
    expect(table.get(long)).toEqual({ kind: "deleted" });
    table.verify();
  }
});

test("a table takes the place of an older file of its name", () => {
  const disk = freshDisk();
  write(sstable, disk, numbered(300));
  const meta = write(sstable, disk, numbered(3));
  expect(openTable({ disk, path: PATH, id: ID }).meta).toEqual(meta);
});

/**
 * How a table comes into being: whole and durable, or not at all. Method: cut the power at every
 * operation, fail every operation, and look at what is there afterwards.
 */
import { expect, test } from "vitest";
import * as sstable from "#sstable";
import { failingDisk, powerCuts } from "./checks.ts";
import { freshDisk, ID, made, PATH, replace, write } from "./lab.ts";
import { numbered } from "./model.ts";

const { createTableWriter, openTable, TEMPORARY_SUFFIX } = sstable;

test("03.7 after a power cut at any operation: a whole table, or none", { timeout: 60_000 }, () => {
  expect(powerCuts(sstable, 12)).toBeGreaterThan(100);
});

test("03.7 when an operation fails, giving up leaves neither name", () => {
  expect(failingDisk(sstable)).toBeGreaterThan(15);
});

test("03.7 content, name, directory: in this order", () => {
  const disk = freshDisk();
  write(sstable, disk, numbered(10));
  const steps = disk.trace.map(({ operation, path }) => `${operation} ${path}`);
  const temporary = PATH + TEMPORARY_SUFFIX;
  expect(steps.slice(-4)).toEqual([
    `write ${temporary}`,
    `sync ${temporary}`,
    `rename ${temporary} to ${PATH}`,
    "syncDir db",
  ]);
});

test("03.7 the remains of a crash are overwritten, however long they are", () => {
  const disk = freshDisk();
  replace(disk, new Uint8Array(100_000).fill(7), PATH + TEMPORARY_SUFFIX);
  const meta = write(sstable, disk, numbered(10));
  expect(disk.content(PATH).length).toBe(meta.bytes);
  openTable({ disk, path: PATH, id: ID }).verify();
});

test("03.7 until it is finished a table has another name, and giving up removes that", () => {
  const disk = freshDisk();
  const writer = createTableWriter({ disk, path: PATH, id: ID });
  for (const { key, value, sequence } of numbered(10)) writer.add(key, value, sequence);
  expect(disk.list("db")).toEqual([`7.sst${TEMPORARY_SUFFIX}`]);
  writer.abandon();
  writer.abandon();
  expect(disk.list("db")).toEqual([]);
});

test("giving up does not throw, even when the disk does", () => {
  const disk = freshDisk();
  const writer = createTableWriter({ disk, path: PATH, id: ID });
  disk.plan({ operation: "unlink", fault: "EIO", after: 0 });
  writer.abandon();
  expect(disk.list("db")).toHaveLength(1);
});

test("a table that fits the disk exactly is written; one byte less and it is refused", () => {
  const { meta } = made(sstable, numbered(100));
  for (const [room, fits] of [
    [meta.bytes, true],
    [meta.bytes - 1, false],
  ] as const) {
    const disk = freshDisk(room);
    const writing = (): unknown => write(sstable, disk, numbered(100));
    if (fits) writing();
    else expect(writing).toThrow(expect.objectContaining({ code: "DISK_FULL" }));
  }
});

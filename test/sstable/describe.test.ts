/**
 * Tables for people: every part of a sound file, and what is left of a damaged one. Method: damage
 * one part after another and look at what is still listed.
 */
import { expect, test } from "vitest";
import * as sstable from "#sstable";
import { freshDisk, made, PATH, replace } from "./lab.ts";
import { bytesOf, numbered, type Version } from "./model.ts";

const { describeTable } = sstable;
const KINDS = ["data", "filter", "properties", "index", "footer"] as const;

function sample() {
  const versions = numbered(100);
  const { disk, meta } = made(sstable, versions, { blockBytes: 256 });
  return { versions, disk, meta };
}

function described(disk: ReturnType<typeof freshDisk>) {
  const entries: Version[] = [];
  const description = describeTable({ disk, path: PATH }, ({ key, value, sequence }) => {
    entries.push({ key, value, sequence });
  });
  return { ...description, entries };
}

test("a sound table is its parts, one behind the other, and all of its versions", () => {
  const { versions, disk, meta } = sample();
  const { parts, problems, entries, ...rest } = described(disk);
  expect(rest.meta).toEqual(meta);
  expect(problems).toEqual([]);
  expect(entries).toEqual(versions);
  let offset = 0;
  for (const part of parts) {
    expect(part.offset).toBe(offset);
    expect(part.problem).toBeUndefined();
    offset += part.bytes;
  }
  expect(offset).toBe(meta.bytes);
  expect(new Set(parts.map(({ kind }) => kind))).toEqual(new Set(KINDS));
});

test.each(KINDS)("damage of the part %s is named, and hides nothing it need not hide", (kind) => {
  const { versions, disk, meta } = sample();
  const whole = described(disk).parts;
  const part = whole.find((one) => one.kind === kind)!;
  disk.flipBit(PATH, part.offset + 8, 3);
  const { parts, problems, entries, ...rest } = described(disk);
  const damaged = parts.filter(({ problem }) => problem !== undefined);
  expect(damaged.map((one) => [one.kind, one.offset])).toEqual([[kind, part.offset]]);
  expect(problems.length).toBeGreaterThan(0);
  expect(rest.meta).toEqual(kind === "properties" || kind === "footer" ? null : meta);
  const found = { footer: 0, index: 0, data: versions.length - 1 }[kind as string];
  if (kind === "data") expect(entries.length).toBeLessThan(versions.length);
  else expect(entries).toHaveLength(found ?? versions.length);
  if (kind !== "footer" && kind !== "index") expect(parts).toHaveLength(whole.length);
});

test("what is no table at all is described as that", () => {
  const disk = freshDisk();
  for (const content of ["", "hello", "x".repeat(500)]) {
    replace(disk, bytesOf(content));
    const { meta, parts, problems } = describeTable({ disk, path: PATH });
    expect(meta).toBeNull();
    expect(parts).toHaveLength(1);
    expect(problems[0]).toMatch(/^sstable: db\/7\.sst at byte/);
  }
});

test("a missing file is a disk error", () => {
  expect(() => describeTable({ disk: freshDisk(), path: PATH })).toThrow(
    expect.objectContaining({ code: "DISK_NOT_FOUND" }),
  );
});

test("a callback may read the table meanwhile", () => {
  const { versions, disk } = sample();
  const table = sstable.openTable({ disk, path: PATH, id: 7 });
  const seen: Uint8Array[] = [];
  describeTable({ disk, path: PATH }, ({ key }) => {
    table.get(versions[seen.length % 7]!.key);
    seen.push(key);
  });
  expect(seen).toEqual(versions.map(({ key }) => key));
});

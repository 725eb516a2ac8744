/**
 * Verification of a version's tables. Method: sound tables pass; each kind of damage is named with
 * its file, and does not hide the others.
 */
import { expect, test } from "vitest";
import { type Version, verifyTables } from "#lsm";
import { createSimulatedDisk } from "#platform";
import type { SimulatedDisk } from "#platform/types";
import { versionOf, writeTable } from "./manifest-tables.ts";

const DIR = "engine";
const path = (id: number) => `${DIR}/${String(id).padStart(6, "0")}.sst`;

function threeTables(): { disk: SimulatedDisk; version: Version } {
  const disk = createSimulatedDisk();
  const keys = ["a", "b", "c"];
  const metas = [1, 2, 3].map((id) => writeTable({ disk, dir: DIR }, id, keys));
  return { disk, version: versionOf(...metas) };
}

test("sound tables pass, and are counted", () => {
  const { disk, version } = threeTables();
  const operations = disk.operations;
  const report = verifyTables({ disk, dir: DIR }, version);
  expect(report).toMatchObject({ tables: 3, entries: 9, problems: [] });
  expect(report.bytes).toBe([1, 2, 3].reduce((sum, id) => sum + disk.content(path(id)).length, 0));
  expect(disk.operations, "looking changes nothing").toBe(operations);
});

test("any flipped bit of a table is found, and the file named", () => {
  const { disk, version } = threeTables();
  const bytes = disk.content(path(2)).length;
  for (let offset = 0; offset < bytes; offset += 1) {
    const copy = disk.kill();
    copy.flipBit(path(2), offset, offset % 8);
    const { problems } = verifyTables({ disk: copy, dir: DIR }, version);
    expect(problems, `byte ${offset}`).toHaveLength(1);
    expect(problems[0]).toContain(path(2));
    expect(problems[0]).toMatch(/at byte \d+/);
  }
});

test("each damaged table is named, whatever is wrong with it", () => {
  const { disk, version } = threeTables();
  disk.flipBit(path(1), 5, 5);
  disk.unlink(path(2));
  disk.unlink(path(3));
  writeTable({ disk, dir: DIR }, 3, ["a", "c"]);
  const { problems } = verifyTables({ disk, dir: DIR }, version);
  expect(problems).toHaveLength(3);
  for (const [i, problem] of problems.entries()) expect(problem).toContain(path(i + 1));
  expect(problems[1]).toContain("missing");
  expect(problems[2]).toContain("not the table of the manifest");
});

test("L6 tables of a run that overlap are named", () => {
  const { disk, version } = threeTables();
  const tables = version.runs.flatMap((run) => run.tables);
  const wrong = { runs: [{ level: 1, number: 1, tables }] };
  const { problems } = verifyTables({ disk, dir: DIR }, wrong);
  expect(problems.join()).toMatch(/tables 1 and 2 overlap in run 1 of level 1/);
});

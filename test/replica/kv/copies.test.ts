/**
 * Copies of the key-value store as files: damaged, in blocks, golden. Method: every kind of damage
 * to a copy must be found before anything is believed; blocks may not be exchanged; a copy that an
 * earlier version wrote must be read by every later one.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { createSimulatedDisk } from "#platform";
import type { FileHandle } from "#platform/types";
import * as replica from "#replica";
import { readCopyBlocks, readCopyHeader, writeCopy } from "#replica";
import { writeStory } from "./crash-lab.ts";
import { damages } from "./damage-checks.ts";
import { b, t } from "./model.ts";
import { apply, freshDisk, openOn, worked } from "./support.ts";

const GOLDEN = fileURLToPath(new URL("./golden/copy-v1.bin", import.meta.url));
const HEADER = { appliedIndex: 77, logTimeMs: 1_700_000_000_123 };

function fileOf(content: Uint8Array = new Uint8Array(0)): FileHandle {
  const file = createSimulatedDisk().open("copy", "create-new");
  file.write(0, content);
  return file;
}

function contentOf(file: FileHandle): Uint8Array {
  const content = new Uint8Array(file.size());
  file.read(0, content);
  return content;
}

const rowsOf = (file: FileHandle): [string, string][] =>
  [...readCopyBlocks(file, "copy")].flat().map(([key, value]) => [t(key), t(value)]);

function written(rows: readonly (readonly [string, string])[]): FileHandle {
  const file = fileOf();
  for (const _ of writeCopy(
    file,
    HEADER,
    rows.map(([key, value]) => [b(key), b(value)] as const),
  ));
  return file;
}

test("a damaged copy is refused by code and changes nothing", { timeout: 60_000 }, async () => {
  expect(await damages(replica, await writeStory(replica))).toBeGreaterThan(100);
});

test("rows come back in order, however many blocks they take, large ones and none", () => {
  for (const count of [0, 1, 1000]) {
    const rows = Array.from({ length: count }, (_, n) => {
      const value = n % 400 === 7 ? "L".repeat(600_000) : "v".repeat(n);
      return [`key ${n}`, value] as [string, string];
    });
    const file = written(rows);
    expect(readCopyHeader(file, "copy")).toEqual(HEADER);
    expect(rowsOf(file)).toEqual(rows);
  }
});

test("two blocks that are exchanged are found out, though each is sound", () => {
  const large = (letter: string): [string, string] => [letter, letter.repeat(300_000)];
  const content = contentOf(written([large("a"), large("b")]));
  const [head, block] = [32, (content.length - 32 - 8) / 2];
  const exchanged = new Uint8Array([
    ...content.subarray(0, head),
    ...content.subarray(head + block, head + 2 * block),
    ...content.subarray(head, head + block),
    ...content.subarray(head + 2 * block),
  ]);
  expect(rowsOf(fileOf(content)).map(([key]) => key)).toEqual(["a", "b"]);
  expect(() => rowsOf(fileOf(exchanged))).toThrow(
    expect.objectContaining({ code: "REPLICA_SNAPSHOT_INVALID" }),
  );
});

test("the golden copy is read, and written the same", () => {
  const rows = [
    ["\u0001a", "one"],
    ["\u0001b\0", ""],
    ["\u0002\0\0\0\0\0\0\0\u0007", "session"],
  ] as const;
  const content = contentOf(written(rows));
  if (process.env["CAIRN_UPDATE"] === "1") writeFileSync(GOLDEN, content);
  const golden = new Uint8Array(readFileSync(GOLDEN));
  expect(Buffer.from(content).equals(golden)).toBe(true);
  expect(readCopyHeader(fileOf(golden), GOLDEN)).toEqual(HEADER);
  expect(rowsOf(fileOf(golden))).toEqual(rows);
});

test("a copy replaces no file, and leaves nothing when it fails", async () => {
  const story = await writeStory(replica);
  const disk = freshDisk();
  const machine = await openOn(replica, disk);
  await apply(machine, story.entries.slice(0, 20));
  await worked(machine, machine.snapshot("copies/one"));
  await expect(machine.snapshot("copies/one")).rejects.toMatchObject({ code: "DISK_EXISTS" });
  disk.plan({ operation: "sync", fault: "ENOSPC", after: 0, path: "copies/" });
  await expect(machine.snapshot("copies/two")).rejects.toMatchObject({ code: "DISK_FULL" });
  expect(disk.list("copies")).toEqual(["one"]);
  await expect(machine.restore("copies/three", 25)).rejects.toMatchObject({
    code: "DISK_NOT_FOUND",
  });
  await machine.restore("copies/three", 20);
  expect(machine.appliedIndex()).toBe(20);
});

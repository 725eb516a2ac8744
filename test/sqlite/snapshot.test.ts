/**
 * Copies of the whole database, and such a copy in the place of another. Method: a machine is
 * copied while it goes on, and the copy is compared with what the machine was; it is then put into
 * another machine's place, damaged, wrong, twice, under readers, and under power cuts (in memory,
 * on a simulated disk) and SIGKILL (`restore-crash.test.ts`).
 */
import { existsSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { isCairnError } from "#base";
import { createSimulatedDisk, isPowerCut } from "#platform";
import type { SimulatedDisk } from "#platform/types";
import { digestDatabase, openSqliteMachine } from "#sqlite";
import type { SqliteMachine } from "#sqlite/types";
import { historyEntry } from "./crash-history.ts";
import { type Bench, entryOf, openBench } from "./machine-support.ts";

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

function applyTo(machine: SqliteMachine, last: number): void {
  for (let index = machine.appliedIndex() + 1; index <= last; index += 1) {
    machine.applyBatch([historyEntry(index)]);
  }
}

let source: Bench;
let target: Bench;
beforeEach(() => {
  source = openBench();
  target = openBench();
});
afterEach(() => {
  source.close();
  target.close();
});

describe("a copy", () => {
  test("is the state of the moment in which it was asked for", async () => {
    applyTo(source.machine, 60);
    const digest = source.hex();
    const path = `${source.path}.out`;
    const copying = source.machine.snapshot(path);
    const digesting = source.machine.digestLater();
    applyTo(source.machine, 80);
    expect(source.hex()).not.toBe(digest);
    expect(await copying).toBe(60);
    expect(hexOf(await digesting)).toBe(digest);
    expect(digestDatabase(path)).toBe(digest);
    expect(existsSync(`${path}-wal`)).toBe(false);
  });

  test("replaces no file, and leaves none when it fails", async () => {
    applyTo(source.machine, 3);
    const path = `${source.path}.out`;
    writeFileSync(path, "somebody's");
    await expect(source.machine.snapshot(path)).rejects.toSatisfy((error) =>
      isCairnError(error, "DISK_EXISTS"),
    );
    expect(readFileSync(path, "utf8")).toBe("somebody's");
    await expect(source.machine.snapshot("/nowhere/at/all")).rejects.toSatisfy((error) =>
      isCairnError(error, "SQLITE_ENGINE_FAILED"),
    );
  });

  test("and a digest end with the machine that they are made of", async () => {
    applyTo(source.machine, 40);
    const copying = source.machine.snapshot(`${source.path}.out`);
    const path = `${source.path}.out`;
    source.machine.close();
    await expect(copying).rejects.toThrow();
    expect(existsSync(path)).toBe(false);
    source.machine = openSqliteMachine({ path: source.path });
    expect(source.machine.appliedIndex()).toBe(40);
  });
});

describe("a restored copy", () => {
  async function copyAt(index: number): Promise<string> {
    applyTo(source.machine, index);
    const path = `${target.path}.in`;
    await source.machine.snapshot(path);
    return path;
  }

  test("is the database, durably, and goes on as the other one does", async () => {
    applyTo(target.machine, 7);
    const path = await copyAt(50);
    target.machine.restore(path, 50);
    expect(target.machine.appliedIndex()).toBe(50);
    expect(target.machine.durableIndex()).toBe(50);
    expect(target.hex()).toBe(source.hex());
    expect(existsSync(path)).toBe(false);
    applyTo(source.machine, 90);
    applyTo(target.machine, 90);
    expect(target.hex()).toBe(source.hex());
    target.reopen();
    expect(target.machine.appliedIndex()).toBe(90);
    expect(target.hex()).toBe(source.hex());
  });

  test("can be smaller than what was there", async () => {
    applyTo(target.machine, 120);
    const path = await copyAt(5);
    target.machine.restore(path, 5);
    expect(target.hex()).toBe(source.hex());
    const checked = new Database(target.path, { readonly: true });
    expect(checked.pragma("integrity_check", { simple: true })).toBe("ok");
    checked.close();
  });

  test("is finished by calling again after everything but the answer was done", async () => {
    const path = await copyAt(20);
    target.machine.restore(path, 20);
    target.machine.restore(path, 20);
    expect(target.hex()).toBe(source.hex());
    const again = (): void => target.machine.restore(path, 21);
    expect(again).toThrow(expect.objectContaining({ code: "DISK_NOT_FOUND" }));
  });

  test("is old for a reader that has begun, and new for one that begins", async () => {
    applyTo(target.machine, 10);
    const path = await copyAt(30);
    const reader = new Database(target.path, { readonly: true });
    const count = reader.prepare("SELECT count(*) FROM t").pluck();
    reader.exec("BEGIN");
    const before = count.get();
    target.machine.restore(path, 30);
    expect(target.machine.durableIndex()).toBe(30);
    expect(count.get()).toBe(before);
    reader.exec("COMMIT");
    expect(count.get()).toBeGreaterThan(Number(before));
    reader.close();
  });

  const DAMAGES: readonly [string, (path: string) => void][] = [
    ["cut off", (path) => truncateSync(path, 8192)],
    ["empty", (path) => truncateSync(path, 0)],
    ["no database", (path) => writeFileSync(path, "x".repeat(10_000))],
    ["with a header that was overwritten", (path) => overwrite(path, 16, [0, 0])],
    ["with a first page that was overwritten", (path) => overwrite(path, 100, [9, 9, 9, 9])],
    ["somebody else's", (path) => someoneElses(path)],
    ["still part of a write-ahead log", (path) => overwrite(path, 18, [2, 2])],
  ];

  test.each(DAMAGES)("that is %s changes nothing", async (_name, damage) => {
    applyTo(target.machine, 9);
    const before = target.hex();
    const path = await copyAt(40);
    damage(path);
    expect(() => target.machine.restore(path, 40)).toThrow(
      expect.objectContaining({ code: "SQLITE_FILE_INVALID" }),
    );
    expect(target.hex()).toBe(before);
    applyTo(target.machine, 12);
    expect(target.machine.appliedIndex()).toBe(12);
  });

  test("must be at the index that the log says", async () => {
    const path = await copyAt(40);
    for (const index of [39, 41]) {
      expect(() => target.machine.restore(path, index)).toThrow(
        expect.objectContaining({ code: "SQLITE_FILE_INVALID" }),
      );
    }
    expect(target.machine.appliedIndex()).toBe(0);
    target.machine.restore(path, 40);
    expect(target.machine.appliedIndex()).toBe(40);
  });
});

function overwrite(path: string, at: number, bytes: readonly number[]): void {
  const content = readFileSync(path);
  content.set(bytes, at);
  writeFileSync(path, content);
}

function someoneElses(path: string): void {
  writeFileSync(path, "");
  const database = new Database(path);
  database.exec("CREATE TABLE t (a); INSERT INTO t VALUES (1)");
  database.close();
}

describe("a machine in memory", () => {
  const PATH = "d/db.image";
  const COPY = "d/in-30";
  const open = (disk: SimulatedDisk): SqliteMachine =>
    openSqliteMachine({ path: PATH, memory: { disk }, checkpointBytes: 100_000 });

  /** Digest at each index of the history. */
  const digests: string[] = [];
  function digestAt(index: number): string {
    if (digests.length === 0) {
      const machine = open(freshDisk());
      for (let at = 0; at <= 40; at += 1) {
        applyTo(machine, at);
        digests.push(hexOf(machine.digest()));
      }
    }
    return digests[index] ?? "";
  }

  function freshDisk(): SimulatedDisk {
    const disk = createSimulatedDisk();
    disk.makeDir("d");
    return disk;
  }

  test("has the digest of one in a file, and comes back from its image", () => {
    applyTo(source.machine, 40);
    const disk = freshDisk();
    const machine = open(disk);
    applyTo(machine, 40);
    expect(hexOf(machine.digest())).toBe(source.hex());
    expect(machine.durableIndex()).toBeGreaterThan(0);
    expect(machine.durableIndex()).toBeLessThan(40);
    const killed = disk.kill();
    const back = open(killed);
    expect(back.appliedIndex()).toBe(machine.durableIndex());
    expect(hexOf(back.digest())).toBe(digestAt(back.appliedIndex()));
    applyTo(back, 40);
    back.close();
    expect(open(killed).appliedIndex()).toBe(40);
  });

  async function history(disk: SimulatedDisk, told: { durable: number }): Promise<void> {
    const machine = open(disk);
    applyTo(machine, 25);
    told.durable = machine.durableIndex();
    if (!disk.exists(COPY)) await copyOf(disk);
    machine.restore(COPY, 30);
    told.durable = machine.durableIndex();
    applyTo(machine, 40);
    machine.close();
  }

  async function copyOf(disk: SimulatedDisk): Promise<void> {
    const from = createSimulatedDisk();
    const copier = openSqliteMachine({ path: "x", memory: { disk: from } });
    applyTo(copier, 30);
    await copier.snapshot("copy");
    const file = disk.open(COPY, "read-write");
    file.write(0, from.content("copy"));
    file.sync();
    file.close();
    disk.syncDir("d");
  }

  test("is old or new after a power cut at any operation, and calling again finishes", async () => {
    const whole = freshDisk();
    await history(whole, { durable: 0 });
    expect(whole.operations).toBeGreaterThan(20);
    for (let operation = 1; operation < whole.operations; operation += 1) {
      const disk = freshDisk();
      disk.cutPowerAt(operation);
      const told = { durable: 0 };
      await history(disk, told).catch((error: unknown) => {
        if (!isPowerCut(error)) throw error;
      });
      for (const seed of [1, 2, 3]) {
        const where = `power cut at ${operation}, crash seed ${seed}`;
        const after = disk.crash(seed);
        after.makeDir("d");
        const machine = open(after);
        const index = machine.appliedIndex();
        expect(index, where).toBeGreaterThanOrEqual(told.durable);
        expect(hexOf(machine.digest()), where).toBe(digestAt(index));
        if (index < 30 && after.exists(COPY)) {
          try {
            machine.restore(COPY, 30);
          } catch (error) {
            // The copy itself was being written: it was not synced, and is found out.
            expect(isCairnError(error, "SQLITE_FILE_INVALID"), where).toBe(true);
            continue;
          }
          expect(hexOf(machine.digest()), where).toBe(digestAt(30));
        }
      }
    }
  });

  test("takes no files of clients", () => {
    applyTo(source.machine, 3);
    source.machine.checkpoint();
    const file = new Uint8Array(readFileSync(source.path));
    const machine = open(freshDisk());
    const load = (): unknown => machine.applyBatch([entryOf(1, { kind: "loadFile", file })]);
    expect(load).toThrow(expect.objectContaining({ code: "SQLITE_ENGINE_FAILED" }));
  });
});

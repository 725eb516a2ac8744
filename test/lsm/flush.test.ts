/**
 * Running a flush (step 04.3). Method: memtables as arrays, tables on the simulated disk; every
 * reader compared before and after, and a disk that fails at each operation.
 */
import { describe, expect, test } from "vitest";
import { createVisibleCursor, runFlush } from "#lsm";
import { createSimulatedDisk } from "#platform";
import type { DiskOperation, SimulatedDisk } from "#platform/types";
import { forEachSeed } from "../support/seeds.ts";
import { arrayCursor, type Entry, randomEntries, readAll } from "./array-cursor.ts";
import { createTestIo, DIR, finishJob, hex, NOW, SHAPE, seenIn } from "./compaction-tables.ts";

function seenInEntries(entries: readonly Entry[], at: number): string[] {
  const cursor = createVisibleCursor(arrayCursor(entries), { at });
  const lines: string[] = [];
  while (cursor.next()) lines.push(`${hex(cursor.key)}=${hex(cursor.value)}`);
  return lines;
}

const ascending = (count: number, bytes: number): Entry[] =>
  Array.from({ length: count }, (_, i) => ({
    key: Uint8Array.of(i >> 8, i & 0xff),
    value: new Uint8Array(bytes),
    sequence: i + 1,
  }));

describe("04.3 a flush", () => {
  test("04.3 no reader, at any snapshot, sees a difference", () => {
    forEachSeed(100, (_, random) => {
      const io = createTestIo(createSimulatedDisk());
      const entries = randomEntries(random, 1 + random.below(120));
      const snapshots = entries.map((_, i) => i).filter(() => random.below(9) === 0);
      const cursor = arrayCursor(entries);
      const { result } = finishJob(runFlush(cursor, snapshots, SHAPE, io));
      expect(cursor.closed).toBe(true);
      const version = { runs: [{ level: 0, number: 1, tables: result.tables }] };
      for (const at of [...snapshots, NOW]) {
        expect(seenIn(io, version, at)).toEqual(seenInEntries(entries, at));
      }
      const [table] = result.tables;
      expect(result.bytesWritten).toBe(table!.bytes);
      expect(result.bytesRead).toBe(0);
      expect(result.entriesDropped).toBe(entries.length - table!.entries);
      io.close();
    });
  });

  test("04.3 a memtable of deletions only is a table of deletions", () => {
    const io = createTestIo(createSimulatedDisk());
    const entries = ascending(50, 0).map((entry) => ({ ...entry, value: null }));
    const { result } = finishJob(runFlush(arrayCursor(entries), [], SHAPE, io));
    expect(result.tables).toHaveLength(1);
    expect(readAll(io.open(result.tables[0]!).cursor())).toEqual(entries);
  });

  test("04.3 it is one table, however large", () => {
    const io = createTestIo(createSimulatedDisk());
    const { result } = finishJob(runFlush(arrayCursor(ascending(300, 40)), [], SHAPE, io));
    expect(result.tables).toHaveLength(1);
    expect(result.tables[0]!.bytes).toBeGreaterThan(5 * SHAPE.tableBytesMax);
  });

  test("04.3 an empty memtable is no table", () => {
    const disk = createSimulatedDisk();
    const { result } = finishJob(runFlush(arrayCursor([]), [], SHAPE, createTestIo(disk)));
    expect(result).toEqual({ tables: [], bytesRead: 0, bytesWritten: 0, entriesDropped: 0 });
    expect(disk.list(DIR)).toEqual([]);
  });

  test("04.3 the table is durable before the result is there", () => {
    forEachSeed(20, (seed) => {
      const disk = createSimulatedDisk();
      const entries = ascending(50, 20);
      const { result } = finishJob(runFlush(arrayCursor(entries), [], SHAPE, createTestIo(disk)));
      const io = createTestIo(disk.crash(seed));
      expect(readAll(io.open(result.tables[0]!).cursor())).toEqual(entries);
    });
  });
});

describe("04.3 a flush that fails", () => {
  const entries = ascending(60, 30);
  const attempt = (disk: SimulatedDisk, next: number) =>
    finishJob(runFlush(arrayCursor(entries), [], SHAPE, createTestIo(disk, next)));

  test("04.3 on a full disk or a broken one, it leaves nothing, and a retry works", () => {
    const kinds: DiskOperation[] = ["open", "write", "truncate", "sync", "rename", "syncDir"];
    let failures = 0;
    for (const operation of kinds) {
      for (const fault of ["EIO", "ENOSPC"] as const) {
        const disk = createSimulatedDisk();
        disk.plan({ operation, fault, after: 0, path: DIR });
        expect(() => attempt(disk, 1)).toThrow();
        failures += 1;
        expect(disk.list(DIR)).toEqual([]);
        const { result } = attempt(disk, 2);
        const io = createTestIo(disk);
        expect(readAll(io.open(result.tables[0]!).cursor())).toEqual(entries);
      }
    }
    expect(failures).toBe(12);
  });

  test("04.3 a memtable that cannot be read ends it, and its cursor is closed", () => {
    const disk = createSimulatedDisk();
    const cursor = arrayCursor(entries, { failAtMove: 30 });
    expect(() => finishJob(runFlush(cursor, [], SHAPE, createTestIo(disk)))).toThrow("fails");
    expect(cursor.closed).toBe(true);
    expect(disk.list(DIR)).toEqual([]);
  });

  test("04.3 a cursor that cannot be closed does not hide why the flush failed", () => {
    const disk = createSimulatedDisk();
    const cursor = arrayCursor(entries, { failAtMove: 30, failAtClose: true });
    const flush = runFlush(cursor, [], SHAPE, createTestIo(disk));
    expect(() => finishJob(flush)).toThrow("move 31 fails");
  });
});

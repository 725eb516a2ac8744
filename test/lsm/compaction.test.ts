/**
 * Running a compaction (steps 04.6 and 04.7). Method: real tables on the simulated disk. What every
 * reader sees is compared before and after; then the disk fails at each operation, the power is cut
 * at each, and the job is given up at each slice.
 */
import { describe, expect, test } from "vitest";
import type { Sequence } from "#base";
import { compareBytes, equalBytes } from "#bytes";
import {
  type CompactionJob,
  checkPlan,
  lowestLevel,
  olderSpans,
  planRange,
  type Run,
  runCompaction,
  type Version,
} from "#lsm";
import { createSimulatedDisk } from "#platform";
import type { DiskOperation, Random, SimulatedDisk } from "#platform/types";
import { openTable } from "#sstable";
import { forEachSeed, scaled } from "../support/seeds.ts";
import { type Entry, randomEntries, readAll } from "./array-cursor.ts";
import {
  createTestIo,
  DIR,
  finishJob,
  NOW,
  SHAPE,
  seenIn,
  type TestIo,
  writeTable,
  writeVersion,
} from "./compaction-tables.ts";

function randomSnapshots(random: Random, sequences: number): Sequence[] {
  const all = Array.from({ length: sequences + 1 }, (_, sequence) => sequence);
  return all.filter(() => random.below(12) === 0);
}

/** The version behind a compaction, its outputs in a run of their own. */
function replaced(version: Version, job: CompactionJob, outputs: Run["tables"]): Version {
  const gone = new Set(job.plan.inputs.flatMap(({ tables }) => tables.map(({ id }) => id)));
  const { outputLevel: level } = job.plan;
  const runs = version.runs.map((run) => ({
    ...run,
    tables: run.tables.filter(({ id }) => !gone.has(id)),
  }));
  const kept: Run[] = runs.filter(({ tables }) => tables.length > 0);
  const at = kept.findIndex((run) => run.level >= level);
  const output = { level, number: 500, tables: outputs };
  kept.splice(at < 0 ? kept.length : at, 0, ...(outputs.length > 0 ? [output] : []));
  return { runs: kept };
}

function randomJob(random: Random, io: TestIo, snapshots?: readonly Sequence[]) {
  const { version, entries } = writeVersion(io, random, {
    entries: 40 + random.below(160),
    levelZeroRuns: 1 + random.below(4),
    levels: 2,
  });
  const lowest = lowestLevel(version);
  const plan = planRange(version, random.below(lowest), {}) ?? planRange(version, lowest - 1, {})!;
  const job: CompactionJob = {
    plan,
    snapshots: snapshots ?? randomSnapshots(random, entries.length),
    older: olderSpans(version, plan),
    shape: SHAPE,
  };
  return { version, entries, job };
}

function entriesOf(io: TestIo, version: Version): Entry[] {
  return version.runs.flatMap((run) =>
    run.tables.flatMap((meta) => readAll(io.open(meta).cursor())),
  );
}

describe("04.6 a compaction", () => {
  test("04.6 no reader, at any snapshot, sees a difference", () => {
    forEachSeed(150, (_, random) => {
      const io = createTestIo(createSimulatedDisk());
      const { version, job } = randomJob(random, io);
      checkPlan(version, job.plan);
      const { result } = finishJob(runCompaction(job, io));
      const after = replaced(version, job, result.tables);
      for (const at of [...job.snapshots, NOW]) {
        expect(seenIn(io, after, at)).toEqual(seenIn(io, version, at));
      }
      for (const meta of result.tables) io.open(meta).verify();
      io.close();
    });
  });

  test("04.6 outputs do not overlap, and are split at the size, between keys", () => {
    let [runs, splits] = [0, 0];
    forEachSeed(60, (_, random) => {
      const io = createTestIo(createSimulatedDisk());
      // Every sequence is a snapshot, so that nothing goes and some keys have many versions.
      const snapshots = Array.from({ length: 300 }, (_, i) => i);
      const { job } = randomJob(random, io, snapshots);
      const { result } = finishJob(runCompaction(job, io));
      const { tables } = result;
      const tail = SHAPE.blockBytes + 4096;
      for (const [i, table] of tables.entries()) {
        expect(table).toEqual(io.open(table).meta);
        const next = tables[i + 1];
        if (next === undefined) continue;
        expect(compareBytes(table.largest, next.smallest)).toBe(-1);
        expect(table.bytes).toBeGreaterThanOrEqual(SHAPE.tableBytesMax);
        expect(table.bytes).toBeLessThan(SHAPE.tableBytesMax + tail);
      }
      const inputs = job.plan.inputs.flatMap((input) => input.tables);
      const sum = (of: readonly { readonly bytes: number }[]) =>
        of.reduce((bytes, table) => bytes + table.bytes, 0);
      expect(result.bytesRead).toBe(sum(inputs));
      expect(result.bytesWritten).toBe(sum(tables));
      const count = (of: readonly { readonly entries: number }[]) =>
        of.reduce((entries, table) => entries + table.entries, 0);
      expect(result.entriesDropped).toBe(count(inputs) - count(tables));
      runs += 1;
      splits += tables.length - 1;
      io.close();
    });
    if (runs >= 10) expect(splits).toBeGreaterThan(0);
  });

  test("04.6 a key with more versions than fit is not cut in two", () => {
    const io = createTestIo(createSimulatedDisk());
    const version = (key: number, sequence: number): Entry => ({
      key: Uint8Array.of(key),
      value: new Uint8Array(100).fill(sequence),
      sequence,
    });
    const many = Array.from({ length: 200 }, (_, i) => version(2, 300 - i));
    const tables = [writeTable(io, [version(1, 1), ...many, version(3, 2)])];
    const plan = {
      ...{ reason: "", outputLevel: 1, outputRun: null },
      inputs: [{ level: 0, run: 1, tables }],
    };
    const snapshots = Array.from({ length: 400 }, (_, i) => i);
    const job = { plan, snapshots, older: [], shape: SHAPE };
    const { result } = finishJob(runCompaction(job, io));
    expect(result.tables.map(({ entries }) => entries)).toEqual([201, 1]);
    expect(equalBytes(result.tables[0]!.largest, Uint8Array.of(2))).toBe(true);
  });

  test("04.6 it works in slices", () => {
    const io = createTestIo(createSimulatedDisk());
    const entries = Array.from({ length: 6000 }, (_, i): Entry => {
      const key = Uint8Array.of(i >> 8, i & 0xff);
      return { key, value: i % 2 === 0 ? new Uint8Array(10) : null, sequence: i + 1 };
    });
    const shape = { ...SHAPE, tableBytesMax: 1 << 20 };
    const tables = [writeTable(io, entries, shape)];
    const plan = {
      ...{ reason: "", outputLevel: 1, outputRun: null },
      inputs: [{ level: 0, run: 1, tables }],
    };
    const run = runCompaction({ plan, snapshots: [], older: [], shape }, io);
    const { slices, result } = finishJob(run);
    expect(slices).toBeGreaterThan(6000 / 512);
    expect(slices).toBeLessThan(30);
    expect(result.entriesDropped).toBe(3000);
  });
});

describe("04.7 deletions in a compaction", () => {
  test("04.7 data that is all deleted leaves no entry at all", () => {
    forEachSeed(40, (_, random) => {
      const io = createTestIo(createSimulatedDisk());
      const old = randomEntries(random, 80);
      const keys = new Map(old.map((entry) => [Buffer.from(entry.key).toString("hex"), entry.key]));
      const deletions = [...keys.values()]
        .sort(compareBytes)
        .map((key, i): Entry => ({ key, value: null, sequence: 1000 + i }));
      const runs = [deletions, old].map((entries, level) => ({
        ...{ level, number: level + 1 },
        tables: [writeTable(io, entries)],
      }));
      const plan = planRange({ runs }, 0, {})!;
      const older = olderSpans({ runs }, plan);
      const job = { plan, snapshots: [], older, shape: SHAPE };
      const { result } = finishJob(runCompaction(job, io));
      expect(result.tables).toEqual([]);
      expect(result.entriesDropped).toBe(deletions.length + old.length);
      // The same with a reader who was there before: the old ones stay for him, and are hidden.
      const withReader = finishJob(runCompaction({ ...job, snapshots: [500] }, io)).result;
      const after = replaced({ runs }, job, withReader.tables);
      expect(seenIn(io, after, NOW)).toEqual([]);
      expect(seenIn(io, after, 500)).toEqual(seenIn(io, { runs }, 500));
    });
  });

  test("04.7 a deletion above an older table that may hold its key does not resurrect it", () => {
    const io = createTestIo(createSimulatedDisk());
    const key = Uint8Array.of(5);
    const put = (sequence: Sequence): Entry => ({ key, value: Uint8Array.of(1), sequence });
    const runs = [[{ key, value: null, sequence: 3 }], [put(2)], [put(1)]].map(
      (entries, level) => ({
        ...{ level, number: level + 1 },
        tables: [writeTable(io, entries)],
      }),
    );
    const plan = planRange({ runs }, 0, {})!;
    expect(plan.outputLevel).toBe(1);
    const job = { plan, snapshots: [], older: olderSpans({ runs }, plan), shape: SHAPE };
    const { result } = finishJob(runCompaction(job, io));
    expect(result.tables.map(({ entries, deletions }) => [entries, deletions])).toEqual([[1, 1]]);
    expect(seenIn(io, replaced({ runs }, job, result.tables), NOW)).toEqual([]);
  });
});

/** The same tables and the same job, each time on a new disk. */
function prepared(seed: number): { disk: SimulatedDisk; io: TestIo; job: CompactionJob } {
  const disk = createSimulatedDisk({ seed });
  const io = createTestIo(disk);
  const run = (level: number, from: number) => {
    const entries = Array.from({ length: 60 }, (_, i): Entry => {
      const value = i % 5 === 0 ? null : new Uint8Array(40).fill(i);
      return { key: Uint8Array.of(from + i), value, sequence: 1000 - 100 * level + i };
    });
    return { level, number: level + 1, tables: [writeTable(io, entries)] };
  };
  const version = { runs: [run(0, 0), run(1, 30)] };
  const plan = planRange(version, 0, {})!;
  const job = { plan, snapshots: [], older: [], shape: SHAPE };
  return { disk, io, job };
}

describe("04.6 a compaction that fails", () => {
  const KINDS: readonly DiskOperation[] = [
    ...(["open", "read", "write", "truncate", "sync", "rename", "syncDir"] as const),
  ];

  test("04.6 at whatever operation the disk fails, no file is left, and a second try works", () => {
    let failures = 0;
    for (const operation of KINDS) {
      for (let after = 0; ; after += 1) {
        const { disk, io, job } = prepared(1);
        const before = disk.list(DIR);
        disk.plan({ operation, fault: operation === "write" ? "ENOSPC" : "EIO", after });
        let failed = false;
        try {
          finishJob(runCompaction(job, io));
        } catch (error) {
          failed = true;
          expect(error).toMatchObject({ code: operation === "write" ? "DISK_FULL" : "DISK_IO" });
        }
        if (!failed) break;
        failures += 1;
        expect(disk.list(DIR), `${operation} ${after}`).toEqual(before);
        const { result } = finishJob(runCompaction(job, io));
        for (const meta of result.tables) io.open(meta).verify();
      }
    }
    expect(failures).toBeGreaterThan(15);
  });

  test("04.6 given up at any slice, it leaves no file", () => {
    for (let slices = 0; ; slices += 1) {
      const { disk, io, job } = prepared(1);
      const before = disk.list(DIR);
      const run = runCompaction(job, io);
      let isDone = false;
      for (let i = 0; i < slices && !isDone; i += 1) isDone = run.next().done === true;
      if (isDone) break;
      expect(run.return(undefined as never).done).toBe(true);
      expect(disk.list(DIR)).toEqual(before);
      expect(slices).toBeLessThan(100);
    }
  });

  test("04.6 after a power cut, inputs and outputs under their final names are whole", () => {
    const total = prepared(1);
    const from = total.disk.operations;
    finishJob(runCompaction(total.job, total.io));
    for (let at = from; at < total.disk.operations; at += 1) {
      for (let seed = 1; seed <= scaled(4); seed += 1) {
        const { disk, io, job } = prepared(seed);
        disk.cutPowerAt(at);
        expect(() => finishJob(runCompaction(job, io))).toThrow();
        const found = disk.crash(seed);
        const inputs = job.plan.inputs.flatMap((input) => input.tables);
        for (const { id } of inputs) openAndVerify(found, id);
        for (const name of found.list(DIR)) {
          const [, id] = /^(\d+)\.sst$/.exec(name) ?? [];
          if (id !== undefined) openAndVerify(found, Number(id));
        }
      }
    }
  });
});

function openAndVerify(disk: SimulatedDisk, id: number): void {
  const table = openTable({ disk, path: `${DIR}/${id}.sst`, id });
  table.verify();
  table.close();
}

test("04.6 what was written is in the order of a cursor, and nothing was made up", () => {
  forEachSeed(60, (_, random) => {
    const io = createTestIo(createSimulatedDisk());
    const { version, entries, job } = randomJob(random, io);
    const { result } = finishJob(runCompaction(job, io));
    const known = new Map(entries.map((entry) => [entry.sequence, entry]));
    const run = { level: 1, number: 1, tables: result.tables };
    for (const entry of entriesOf(io, { runs: [run] })) {
      expect(known.get(entry.sequence)).toEqual(entry);
    }
    expect(entriesOf(io, version)).toHaveLength(entries.length);
    io.close();
  });
});

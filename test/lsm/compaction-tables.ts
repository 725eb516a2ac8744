/**
 * Real tables on a simulated disk, for the tests of jobs: where they come from, and what readers
 * see in them.
 */
import type { Bytes, Sequence } from "#base";
import {
  createRunCursor,
  createVisibleCursor,
  type JobResult,
  type JobRun,
  mergeCursors,
  type Run,
  type TableIo,
  type TableShape,
  type Version,
} from "#lsm";
import type { Disk, Random } from "#platform/types";
import { createTableWriter, openTable } from "#sstable";
import type { Table, TableMeta } from "#sstable/types";
import { compareEntries, type Entry, randomEntries } from "./array-cursor.ts";
import { cutIntoTables } from "./compaction-support.ts";

export const DIR = "db";
export const NOW: Sequence = Number.MAX_SAFE_INTEGER;

/** Small blocks and small tables, so that little data has many of both. */
export const SHAPE: TableShape = {
  tableBytesMax: 400,
  blockBytes: 128,
  filterBitsPerKey: 10,
  compression: "none",
};

/** A {@link TableIo} that ends with its test. */
export interface TestIo extends TableIo {
  close(): void;
}

/** @param next - the first number to be given out. */
export function createTestIo(disk: Disk, next = 1): TestIo {
  disk.makeDir(DIR);
  const tables = new Map<number, Table>();
  let number = next;
  const pathOf = (id: number) => `${DIR}/${id}.sst`;
  return {
    disk,
    pathOf,
    allocateId: () => number++,
    open(meta) {
      const table = tables.get(meta.id) ?? openTable({ disk, path: pathOf(meta.id), id: meta.id });
      tables.set(meta.id, table);
      return table;
    },
    create: (id, { blockBytes, filterBitsPerKey, compression }) =>
      createTableWriter({
        ...{ disk, path: pathOf(id), id },
        ...{ blockBytes, filterBitsPerKey, compression },
      }),
    close() {
      for (const table of tables.values()) table.close();
      tables.clear();
    },
  };
}

/** Writes entries, in the order of a cursor, as one table. */
export function writeTable(io: TableIo, entries: readonly Entry[], shape = SHAPE): TableMeta {
  const writer = io.create(io.allocateId(), shape);
  for (const { key, value, sequence } of entries) writer.add(key, value, sequence);
  return writer.finish();
}

/** Random versions, spread over levels and runs by age: the oldest are in the last run. */
export function writeVersion(
  io: TableIo,
  random: Random,
  options: { readonly entries: number; readonly levelZeroRuns: number; readonly levels: number },
): { readonly version: Version; readonly entries: Entry[] } {
  const entries = randomEntries(random, options.entries);
  const byAge = [...entries].sort((a, b) => b.sequence - a.sequence);
  const runs: Run[] = [];
  const count = options.levelZeroRuns + options.levels;
  for (let i = 0; i < count; i += 1) {
    const isLast = i === count - 1;
    const taken = byAge.splice(0, isLast ? byAge.length : random.below(byAge.length / 2 + 1));
    if (taken.length === 0) continue;
    taken.sort(compareEntries);
    const level = Math.max(0, i - options.levelZeroRuns + 1);
    const groups = level === 0 ? [taken] : cutIntoTables(random, taken);
    const tables = groups.map((group) => writeTable(io, group));
    runs.push({ level, number: 100 - i, tables });
  }
  return { version: { runs }, entries };
}

/** What a reader at a sequence sees in the tables of a version. */
export function seenIn(io: TableIo, version: Version, at: Sequence): string[] {
  const runs = version.runs.map((run) =>
    createRunCursor(run.tables, (meta) => io.open(meta).cursor()),
  );
  const cursor = createVisibleCursor(mergeCursors(runs), { at });
  const lines: string[] = [];
  while (cursor.next()) lines.push(`${hex(cursor.key)}=${hex(cursor.value)}`);
  cursor.close();
  return lines;
}

/** Runs a job to its end. */
export function finishJob(run: JobRun): { readonly result: JobResult; readonly slices: number } {
  for (let slices = 1; ; slices += 1) {
    const step = run.next();
    if (step.done) return { result: step.value, slices };
  }
}

export function hex(bytes: Bytes): string {
  return Buffer.from(bytes).toString("hex");
}

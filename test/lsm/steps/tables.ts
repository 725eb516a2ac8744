/**
 * Real tables on a simulated disk, for the checks of chapter 04: where jobs get them, and what a
 * compaction of them makes.
 */
import { compareBytes } from "#bytes";
import type { CompactionJob, JobResult, JobRun, KeySpan, TableIo, TableShape } from "#lsm";
import type { SimulatedDisk } from "#platform/types";
import { createTableWriter, openTable } from "#sstable";
import type { Table, TableMeta } from "#sstable/types";
import type { Entry } from "../array-cursor.ts";
import type { LsmSubject } from "./subject.ts";
import { b, DIR } from "./words.ts";

/** Small blocks and small tables, so that little data has many of both. */
export const SHAPE: TableShape = {
  tableBytesMax: 1500,
  blockBytes: 256,
  filterBitsPerKey: 10,
  compression: "none",
};

/** A {@link TableIo} that ends with its check. */
export interface TestIo extends TableIo {
  readonly disk: SimulatedDisk;
  close(): void;
}

/** @param first - the first number to be given out. */
export function createTestIo(disk: SimulatedDisk, first = 1): TestIo {
  disk.makeDir(DIR);
  const open = new Map<number, Table>();
  let number = first;
  const pathOf = (id: number): string => `${DIR}/${String(id).padStart(6, "0")}.sst`;
  return {
    disk,
    pathOf,
    allocateId: () => number++,
    open({ id }) {
      const table = open.get(id) ?? openTable({ disk, path: pathOf(id), id });
      open.set(id, table);
      return table;
    },
    create: (id, shape) => {
      const { blockBytes, filterBitsPerKey, compression } = shape;
      const options = { blockBytes, filterBitsPerKey, compression };
      return createTableWriter({ disk, path: pathOf(id), id, ...options });
    },
    close() {
      for (const table of open.values()) table.close();
      open.clear();
    },
  };
}

/** `key 007`. */
export function keyText(number: number): string {
  return `key ${String(number).padStart(3, "0")}`;
}

/** So many keys with values; the first has this sequence. */
export function values(count: number, sequence: number, value = "value"): Entry[] {
  return Array.from({ length: count }, (_, at) => ({
    key: b(keyText(at)),
    value: b(`${value} ${at}`),
    sequence: sequence + at,
  }));
}

/** So many deletions; the first has this sequence. */
export function deletions(count: number, sequence: number): Entry[] {
  return values(count, sequence).map((entry) => ({ ...entry, value: null }));
}

/** Writes entries, in the order of a cursor, as one table. */
export function writeTable(io: TableIo, entries: readonly Entry[], shape = SHAPE): TableMeta {
  const writer = io.create(io.allocateId(), shape);
  for (const { key, value, sequence } of entries) writer.add(key, value, sequence);
  return writer.finish();
}

/** Every version in some tables, in the order given. */
export function entriesOf(io: TableIo, tables: readonly TableMeta[]): Entry[] {
  const entries: Entry[] = [];
  for (const table of tables) {
    const cursor = io.open(table).cursor();
    for (cursor.seekFirst(); cursor.valid; cursor.next()) {
      const value = cursor.isDeletion ? null : cursor.value.slice();
      entries.push({ key: cursor.key.slice(), value, sequence: cursor.sequence });
    }
    cursor.close();
  }
  return entries;
}

/** What readers at a sequence see in versions of any order: key and value as text. */
export function seenIn(entries: readonly Entry[], at = Number.MAX_SAFE_INTEGER): string[] {
  const sorted = entries
    .filter(({ sequence }) => sequence <= at)
    .sort((one, other) => compareBytes(one.key, other.key) || other.sequence - one.sequence);
  return sorted
    .filter(({ key }, i) => i === 0 || compareBytes(sorted[i - 1]!.key, key) !== 0)
    .filter(({ value }) => value !== null)
    .map(({ key, value }) => `${hex(key)}=${hex(value!)}`);
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

/** A job that merges these runs, newest first, into level 1. */
export function jobOf(
  newestFirst: readonly (readonly TableMeta[])[],
  job: Partial<CompactionJob> = {},
): CompactionJob {
  const inputs = newestFirst.map((tables, at) => ({ level: 0, run: 100 - at, tables }));
  const plan = { reason: "a check", inputs, outputLevel: 1, outputRun: null };
  return { plan, snapshots: [], older: [], shape: SHAPE, ...job };
}

/** Runs a job to its end. */
export function finish(run: JobRun): JobResult {
  for (;;) {
    const slice = run.next();
    if (slice.done === true) return slice.value;
  }
}

/** Compacts runs to their end. */
export function compactAll(
  subject: LsmSubject,
  io: TableIo,
  of: {
    readonly newestFirst: readonly (readonly TableMeta[])[];
    readonly older?: readonly KeySpan[];
  },
): JobResult {
  return finish(subject.runCompaction(jobOf(of.newestFirst, { older: of.older ?? [] }), io));
}

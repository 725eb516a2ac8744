/**
 * Flush: a frozen memtable becomes a table, and the log may forget (04.3).
 *
 * The order is the whole step (L3): the table and its name are durable; then the manifest that
 * names it is durable; then the log is retired. Invariant: at any moment each write is in the log
 * that would be replayed, or in a table that the manifest names.
 * Chapter: 04-lsm, step 04.3
 */
import type { Bytes, Sequence } from "#base";
import type { JobRun, TableIo, TableShape } from "#lsm/reference";
import type { TableMeta, TableWriter } from "#sstable/types";
import type { FlushTarget, ForwardCursor, FrozenMemtable } from "./types.ts";

/** Work between two yields, in bytes: below a millisecond. */
export const SLICE_BYTES: number = 64 * 1024;

/**
 * Writes everything under a cursor as one table, in slices.
 *
 * Every version is written, deletions too: any older table may hold the key (L5). So there is
 * nothing to decide, and the snapshots are not asked.
 */
export function* runFlush(
  cursor: ForwardCursor,
  _snapshots: readonly Sequence[],
  shape: TableShape,
  io: TableIo,
): JobRun {
  const outputs = createOutputs(io, shape);
  let isDone = false;
  let left = SLICE_BYTES;
  try {
    for (cursor.seekFirst(); cursor.valid; cursor.next()) {
      const value = cursor.isDeletion ? null : cursor.value;
      outputs.add(cursor.key, value, cursor.sequence);
      left -= cursor.key.length + (value?.length ?? 0) + ENTRY_BYTES;
      if (left > 0) continue;
      yield;
      left = SLICE_BYTES;
    }
    outputs.finish();
    isDone = true;
  } finally {
    if (!isDone) outputs.remove();
    cursor.close();
  }
  const bytesWritten = outputs.tables.reduce((sum, table) => sum + table.bytes, 0);
  return { tables: outputs.tables, bytesRead: 0, bytesWritten, entriesDropped: 0 };
}

/** An entry costs something besides its bytes. */
export const ENTRY_BYTES = 32;

/** Flushes a memtable: table, manifest, log, in this order. A flush that failed may be repeated. */
export function* flushMemtable(
  frozen: FrozenMemtable,
  target: FlushTarget,
): Generator<void, void, void> {
  const { io, shape, manifest, wal, numbers } = target;
  const { tables } = yield* runFlush(frozen.memtable.cursor(), [], shape, io);
  // The manifest will say "replay from here": the log must be durable up to there.
  if (wal.durableLsn < frozen.logBefore - 1) wal.sync();
  const run = numbers.take();
  manifest.apply({
    remove: [],
    add: tables.map((table) => ({ level: 0, run, table })),
    logFrom: frozen.logBefore,
    nextNumber: numbers.next,
    sequence: frozen.sequence,
  });
  wal.truncateBefore(frozen.logBefore);
}

/** The tables that a job makes, one behind the other. */
export interface Outputs {
  readonly tables: readonly TableMeta[];
  /** Of the table that is being written. */
  readonly bytes: number;
  add(key: Bytes, value: Bytes | null, sequence: Sequence): void;
  /** Completes the table that is being written, if there is one. */
  finish(): void;
  /** Removes all of it: the job has failed, and nobody will name these files. */
  remove(): void;
}

/** Nothing is written yet. */
export function createOutputs(io: TableIo, shape: TableShape): Outputs {
  const tables: TableMeta[] = [];
  const ids: number[] = [];
  let writer: TableWriter | null = null;
  const start = (): TableWriter => {
    const id = io.allocateId();
    ids.push(id);
    return io.create(id, shape);
  };
  return {
    tables,
    get bytes() {
      return writer?.bytes ?? 0;
    },
    add(key, value, sequence) {
      writer ??= start();
      writer.add(key, value, sequence);
    },
    finish() {
      if (writer === null) return;
      tables.push(writer.finish());
      writer = null;
    },
    remove() {
      writer?.abandon();
      for (const id of ids) {
        try {
          io.disk.unlink(io.pathOf(id));
        } catch {
          // Not there, or the disk does not want to. The next opening removes it.
        }
      }
    },
  };
}

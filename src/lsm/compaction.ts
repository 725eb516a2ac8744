/**
 * Running a compaction: merges the inputs, leaves out what nobody can see (L5), and writes the rest
 * as new tables.
 *
 * The inputs are only read. Until an edit in the manifest names the outputs, they belong to nobody:
 * a job that fails or is given up removes them, and after a power cut, opening does (L2, L3).
 *
 * Invariant: all versions of a key are in one output, so that outputs do not overlap (L6). Every
 * output is durable before the result is there.
 * Chapter: 04-lsm
 */
import type { Bytes, Cursor, Sequence } from "#base";
import type { TableMeta, TableWriter } from "#sstable/types";
import { createHeldBytes } from "./held-bytes.ts";
import { createKeepRule, type KeepRule, Verdict } from "./keep-rule.ts";
import { mergeCursors } from "./merge-cursor.ts";
import type { CompactionJob, JobResult, JobRun, TableIo, TableShape } from "./parts.ts";
import { createRunCursor } from "./run-cursor.ts";
import { createSupersededRule, type SupersededRule } from "./superseded.ts";

/** Work between two yields, in bytes: half a millisecond or so. */
const SLICE_BYTES = 64 * 1024;

/** What an entry counts besides its bytes: 512 empty entries are a slice. */
const ENTRY_BYTES = SLICE_BYTES / 512;

/** Compactions read from end to end: few large reads. One such buffer for each input run. */
const READ_AHEAD_BYTES_MAX = 1024 * 1024;

/** A table of this size is never full. */
const NO_LIMIT = Number.POSITIVE_INFINITY;

/**
 * Runs a compaction.
 *
 * Outputs are split at the shape's `tableBytesMax`. Tables that `io` opens are left open; cursors
 * over them are closed.
 *
 * @throws what tables and disk throw, from `next`; outputs are then removed, as after `return`.
 */
export function* runCompaction(job: CompactionJob, io: TableIo): JobRun {
  const { plan, shape, snapshots, older, superseded } = job;
  const cursors = plan.inputs.map((input) =>
    createRunCursor(input.tables, (table) =>
      io.open(table).cursor({ fillCache: false, readAheadBytesMax: READ_AHEAD_BYTES_MAX }),
    ),
  );
  let bytesRead = 0;
  for (const { tables } of plan.inputs) for (const table of tables) bytesRead += table.bytes;
  const merged = mergeCursors(cursors);
  const rule = createKeepRule(snapshots, older);
  const timestamps = superseded === undefined ? undefined : createSupersededRule(superseded);
  return yield* writeKept({ cursor: merged, rule, timestamps, shape, io, bytesRead });
}

/** What is to be written anew. */
export interface KeptOptions {
  /** Closed at the end. */
  readonly cursor: Cursor;
  readonly rule: KeepRule;
  /** What goes besides. Default: nothing. */
  readonly timestamps?: SupersededRule | undefined;
  readonly shape: TableShape;
  readonly io: TableIo;
  /** Goes into the result. */
  readonly bytesRead: number;
  /** Whether outputs are split at `tableBytesMax`. Default true. */
  readonly splits?: boolean;
}

/** Writes what the rule keeps of a cursor into new tables. As {@link runCompaction}. */
export function* writeKept(options: KeptOptions): JobRun {
  const { cursor, rule, timestamps, shape, io, bytesRead } = options;
  const tableBytesMax = options.splits === false ? NO_LIMIT : shape.tableBytesMax;
  const outputs = new Outputs(io, shape);
  const held = createHeldBytes();
  let entries = 0;
  let isDone = false;
  let left = SLICE_BYTES;
  try {
    cursor.seekFirst();
    while (cursor.valid) {
      const key = cursor.key;
      const isNewKey = !held.equals(key);
      if (isNewKey) {
        outputs.addDeletion(held.view, rule.endKey(held.view));
        if (outputs.bytes >= tableBytesMax) {
          yield;
          outputs.finish();
          left = 0;
        }
        held.set(key);
      }
      const sequence = cursor.sequence;
      const isDeletion = cursor.isDeletion;
      left -= ENTRY_BYTES + key.length;
      if (rule.judge(isNewKey, sequence, isDeletion) === Verdict.keep) {
        const value = cursor.value;
        left -= value.length;
        outputs.addDeletion(key, rule.takeWaiting());
        if (!timestamps?.mayGo(key, value)) outputs.add(key, value, sequence);
      }
      entries += 1;
      cursor.next();
      if (left <= 0) {
        yield;
        left = SLICE_BYTES;
      }
    }
    outputs.addDeletion(held.view, rule.endKey(held.view));
    outputs.finish();
    cursor.close();
    isDone = true;
    return outputs.result(entries, bytesRead);
  } finally {
    if (!isDone) giveUp(outputs, cursor);
  }
}

/** Ends a job that failed. Nothing thrown here may hide why it failed. */
function giveUp(outputs: Outputs, cursor: Cursor): void {
  outputs.remove();
  try {
    cursor.close();
  } catch {
    // Its handles are lost to this process; the error on the way out says what is wrong.
  }
}

/** The tables that a job makes, one at a time. */
class Outputs {
  readonly #io: TableIo;
  readonly #shape: TableShape;
  readonly #tables: TableMeta[] = [];
  #writer: TableWriter | null = null;
  /** Numbers of tables that may have a file under their final name. */
  readonly #ids: number[] = [];
  #entries = 0;

  constructor(io: TableIo, shape: TableShape) {
    this.#io = io;
    this.#shape = shape;
  }

  /** Of the table that is being written. */
  get bytes(): number {
    return this.#writer === null ? 0 : this.#writer.bytes;
  }

  add(key: Bytes, value: Bytes | null, sequence: Sequence): void {
    const writer = this.#writer ?? this.#start();
    writer.add(key, value, sequence);
    this.#entries += 1;
  }

  /** Sequence 0 stands for none. */
  addDeletion(key: Bytes, sequence: Sequence): void {
    if (sequence !== 0) this.add(key, null, sequence);
  }

  finish(): void {
    if (this.#writer === null) return;
    this.#tables.push(this.#writer.finish());
    this.#writer = null;
  }

  /** Removes everything, as well as it can. What stays belongs to nobody; opening removes it. */
  remove(): void {
    this.#writer?.abandon();
    this.#writer = null;
    for (const id of this.#ids) {
      try {
        this.#io.disk.unlink(this.#io.pathOf(id));
      } catch {
        // Not there, or the disk does not want to.
      }
    }
  }

  result(entriesRead: number, bytesRead: number): JobResult {
    const tables = this.#tables;
    let bytesWritten = 0;
    for (const table of tables) bytesWritten += table.bytes;
    return { tables, bytesRead, bytesWritten, entriesDropped: entriesRead - this.#entries };
  }

  #start(): TableWriter {
    const id = this.#io.allocateId();
    const writer = this.#io.create(id, this.#shape);
    this.#writer = writer;
    this.#ids.push(id);
    return writer;
  }
}

/**
 * One cursor over everything that an engine holds at one moment: memtables and runs.
 *
 * A table is opened when the cursor reaches it, and is kept open only as long as the cursor stands
 * in it. Invariant: the version is retained, and the tables under the cursor are pinned, from the
 * making to the closing (L4).
 * Chapter: 04-lsm
 */
import type { Cursor } from "#base";
import type { TableCursorOptions, TableMeta } from "#sstable/types";
import type { Memory } from "./memory.ts";
import { mergeCursors } from "./merge-cursor.ts";
import type { Run, Version } from "./parts.ts";
import { createRunCursor } from "./run-cursor.ts";
import type { TableSet } from "./table-set.ts";

/** What is looked at. */
export interface ReadViewOptions {
  readonly memory: Memory;
  readonly tables: TableSet;
  /** The current one. */
  readonly version: Version;
  readonly cursor: TableCursorOptions;
}

/** A cursor, and what keeps its tables. */
export interface ReadView {
  readonly cursor: Cursor;
  /** Lets go of version and tables; to be called after the cursor was closed. */
  release(): void;
}

/** Makes the cursor. It stands nowhere yet, and has read nothing. */
export function openReadView(options: ReadViewOptions): ReadView {
  const { memory, tables, version } = options;
  const cursors: Cursor[] = [memory.active.memtable.cursor()];
  for (let index = memory.frozen.length - 1; index >= 0; index -= 1) {
    cursors.push(memory.frozen[index]!.memtable.cursor());
  }
  tables.retain(version);
  const pins = version.runs.map((run) => new PinnedRun(tables, run, options.cursor));
  for (const { cursor } of pins) cursors.push(cursor);
  return {
    cursor: cursors.length === 1 ? cursors[0]! : mergeCursors(cursors),
    release() {
      for (const pin of pins) pin.release();
      tables.release(version);
    },
  };
}

/** A run under a cursor: the table that it stands in is pinned. */
class PinnedRun {
  readonly cursor: Cursor;
  readonly #tables: TableSet;
  #pinned: TableMeta | null = null;

  constructor(tables: TableSet, run: Run, options: TableCursorOptions) {
    this.#tables = tables;
    // The run's cursor closes the one before when it asks for another.
    this.cursor = createRunCursor(run.tables, (meta) => {
      const table = tables.pin(meta);
      this.release();
      this.#pinned = meta;
      return table.cursor(options);
    });
  }

  release(): void {
    if (this.#pinned !== null) this.#tables.unpin(this.#pinned);
    this.#pinned = null;
  }
}

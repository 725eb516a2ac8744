/**
 * One cursor over a run: its tables one behind the other, each opened when it is reached.
 *
 * Invariant: at most one table's cursor is open, the one of the current entry. Tables of a run do
 * not overlap (L6), so where a key belongs is found by their bounds alone (S8).
 * Chapter: 04-lsm
 */
import type { Bytes, Cursor, Sequence } from "#base";
import { compareBytes } from "#bytes";
import type { TableMeta } from "#sstable/types";
import { NO_BYTES } from "./held-bytes.ts";

/**
 * Makes the cursor.
 *
 * @param tables - of one run: ascending, without overlap.
 * @param open - gives a cursor over a table; this one closes it.
 */
export function createRunCursor(
  tables: readonly TableMeta[],
  open: (table: TableMeta) => Cursor,
): Cursor {
  return new RunCursor(tables, open);
}

/** How many tables of a run lie wholly below a key. */
function tablesBelow(tables: readonly TableMeta[], key: Bytes): number {
  return countWhile(tables, (table) => compareBytes(table.largest, key) < 0);
}

/** How many tables of a run begin below a key. */
function tablesFromBelow(tables: readonly TableMeta[], key: Bytes): number {
  return countWhile(tables, (table) => compareBytes(table.smallest, key) < 0);
}

/** Length of the part in front for which `holds` is true; behind it, it is false. */
function countWhile(tables: readonly TableMeta[], holds: (table: TableMeta) => boolean): number {
  let from = 0;
  let before = tables.length;
  while (from < before) {
    const middle = (from + before) >>> 1;
    if (holds(tables[middle]!)) from = middle + 1;
    else before = middle;
  }
  return from;
}

class RunCursor implements Cursor {
  readonly #tables: readonly TableMeta[];
  readonly #open: (table: TableMeta) => Cursor;
  /** Over the table `#at`; null when there is none. */
  #cursor: Cursor | null = null;
  #at = -1;

  constructor(tables: readonly TableMeta[], open: (table: TableMeta) => Cursor) {
    this.#tables = tables;
    this.#open = open;
  }

  get valid(): boolean {
    return this.#cursor?.valid === true;
  }

  get key(): Bytes {
    return this.#cursor === null ? NO_BYTES : this.#cursor.key;
  }

  get value(): Bytes {
    return this.#cursor === null ? NO_BYTES : this.#cursor.value;
  }

  get sequence(): Sequence {
    return this.#cursor === null ? 0 : this.#cursor.sequence;
  }

  get isDeletion(): boolean {
    return this.#cursor?.isDeletion === true;
  }

  seekFirst(): void {
    this.#enter(0)?.seekFirst();
    this.#goOn();
  }

  seekLast(): void {
    this.#enter(this.#tables.length - 1)?.seekLast();
    this.#goBack();
  }

  seek(key: Bytes): void {
    this.#enter(tablesBelow(this.#tables, key))?.seek(key);
    this.#goOn();
  }

  seekBefore(key: Bytes): void {
    this.#enter(tablesFromBelow(this.#tables, key) - 1)?.seekBefore(key);
    this.#goBack();
  }

  next(): void {
    const cursor = this.#cursor;
    if (cursor === null) return;
    cursor.next();
    if (!cursor.valid) this.#goOn();
  }

  prev(): void {
    const cursor = this.#cursor;
    if (cursor === null) return;
    cursor.prev();
    if (!cursor.valid) this.#goBack();
  }

  close(): void {
    this.#leave();
  }

  /** Makes the table at `at` the current one. @returns its cursor, null outside of the run. */
  #enter(at: number): Cursor | null {
    if (this.#cursor !== null && this.#at === at) return this.#cursor;
    this.#leave();
    const table = this.#tables[at];
    if (table === undefined) return null;
    this.#cursor = this.#open(table);
    this.#at = at;
    return this.#cursor;
  }

  #leave(): void {
    const cursor = this.#cursor;
    this.#cursor = null;
    cursor?.close();
  }

  /** Where the current table has nothing more, goes to the first entry behind it. */
  #goOn(): void {
    while (this.#cursor !== null && !this.#cursor.valid) this.#enter(this.#at + 1)?.seekFirst();
  }

  /** Where the current table has nothing more, goes to the last entry before it. */
  #goBack(): void {
    while (this.#cursor !== null && !this.#cursor.valid) this.#enter(this.#at - 1)?.seekLast();
  }
}

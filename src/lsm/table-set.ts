/**
 * The open tables of an engine, and which table files are still needed.
 *
 * Tables are opened when they are first asked for, and a bounded number stays open: when there are
 * more, one goes that was not asked lately (CLOCK). A table is needed as long as the current
 * version or a retained one names it (L4). Invariant: a path is handed to `onObsolete` once, after
 * the table was closed here, and never while a version in use names it.
 * Chapter: 04-lsm
 */
import { assert, isCairnError } from "#base";
import { equalBytes } from "#bytes";
import type { Disk } from "#platform/types";
import { openTable } from "#sstable";
import type { BlockCache, Table, TableMeta, TableReads } from "#sstable/types";
import { lsmCorrupt } from "./corruption.ts";
import { tablePath } from "./file-names.ts";
import type { Version } from "./parts.ts";
import { allTables } from "./version-query.ts";

/** What a table set works with. */
export interface TableSetOptions {
  readonly disk: Disk;
  /** The engine's directory. */
  readonly dir: string;
  readonly cache?: BlockCache;
  /** Tables that stay open; pinned ones stay in any case. */
  readonly openTablesMax: number;
  /**
   * Gets the files that nobody needs any more: they may be unlinked, in this order. Tables of older
   * runs come first, so that a deletion outlives what it hides: should the manifest be lost in the
   * middle of it, a repair takes every file for a live one.
   */
  readonly onObsolete: (paths: readonly string[]) => void;
}

/** See the head of this file. */
export interface TableSet {
  readonly openTables: number;
  /** Costs of all lookups and cursors since this set was made, of closed tables too. */
  readonly reads: TableReads;
  /** Memory for the indexes and filters of open tables, in bytes. */
  readonly memoryBytes: number;
  /**
   * An open table, for use before the next call of this set.
   *
   * @throws `LSM_CORRUPT` when the file is missing or is not the table that the manifest describes;
   * `SSTABLE_CORRUPT`; disk errors.
   */
  get(meta: TableMeta): Table;
  /** As `get`, for use until as many calls of `unpin`. Its version must be retained until then. */
  pin(meta: TableMeta): Table;
  unpin(meta: TableMeta): void;
  /** Puts a new version in place of the current one. Only after the edit is durable (L3). */
  setCurrent(version: Version): void;
  /** Keeps the tables of a version that is current or retained, until as many `release`. */
  retain(version: Version): void;
  release(version: Version): void;
  /** Closes every table. `release` and `unpin` may still come, and do nothing. */
  close(): void;
}

/** Starts with the version that recovery has found. */
export function createTableSet(options: TableSetOptions, version: Version): TableSet {
  return new OpenTables(options, version);
}

/** Opens the table that a manifest describes. @throws as `TableSet.get`. */
export function openDescribed(
  options: { readonly disk: Disk; readonly dir: string; readonly cache?: BlockCache },
  meta: TableMeta,
): Table {
  const { disk, dir, cache } = options;
  const path = tablePath(dir, meta.id);
  const table = openNamed({ disk, path, id: meta.id, ...(cache && { cache }) });
  const problem = differenceOf(meta, table.meta);
  if (problem === null) return table;
  table.close();
  throw lsmCorrupt({ file: path, offset: 0 }, `not the table of the manifest: ${problem}`);
}

/** In what a table differs from what is known of it; null: in nothing. */
export function differenceOf(expected: TableMeta, found: TableMeta): string | null {
  const numbers = ["id", "bytes", "entries", "deletions", "sequenceMin", "sequenceMax"] as const;
  for (const name of numbers) {
    if (expected[name] !== found[name]) return `${name} is ${found[name]}, not ${expected[name]}`;
  }
  for (const name of ["smallest", "largest"] as const) {
    if (!equalBytes(expected[name], found[name])) return `its ${name} key is another`;
  }
  return null;
}

function openNamed(options: Parameters<typeof openTable>[0]): Table {
  try {
    return openTable(options);
  } catch (error) {
    if (!isCairnError(error, "DISK_NOT_FOUND")) throw error;
    throw lsmCorrupt(
      { file: options.path, offset: 0 },
      "named by the manifest, but missing",
      error,
    );
  }
}

interface Slot {
  readonly table: Table;
  /** Asked for again since the hand of the clock last came by. */
  isRecent: boolean;
  pins: number;
}

class OpenTables implements TableSet {
  readonly #options: TableSetOptions;
  /** In the order in which the hand of the clock comes by. */
  readonly #slots = new Map<number, Slot>();
  readonly #retained = new Map<Version, number>();
  /** How many versions in use name a table. */
  readonly #uses = new Map<number, number>();
  /** Of tables that are closed. */
  readonly #closedReads = { blocks: 0, bytes: 0, filtered: 0 };
  #current: Version;
  #isClosed = false;

  constructor(options: TableSetOptions, version: Version) {
    this.#options = options;
    this.#current = version;
    this.#use(version);
  }

  get openTables(): number {
    return this.#slots.size;
  }

  get reads(): TableReads {
    const sum = { ...this.#closedReads };
    for (const { table } of this.#slots.values()) addReads(sum, table.reads);
    return sum;
  }

  get memoryBytes(): number {
    let bytes = 0;
    for (const { table } of this.#slots.values()) bytes += table.memoryBytes;
    return bytes;
  }

  get(meta: TableMeta): Table {
    const slot = this.#slots.get(meta.id);
    // Only a table that is asked for again counts as asked for lately: so one look at each of very
    // many tables does not push out those that are always needed.
    if (slot === undefined) return this.#open(meta).table;
    slot.isRecent = true;
    return slot.table;
  }

  pin(meta: TableMeta): Table {
    const slot = this.#slots.get(meta.id) ?? this.#open(meta);
    slot.pins += 1;
    return slot.table;
  }

  unpin(meta: TableMeta): void {
    if (this.#isClosed) return;
    const slot = this.#slots.get(meta.id);
    assert(slot !== undefined, `lsm: table ${meta.id} is open while it is pinned`);
    assert(slot.pins > 0, `lsm: table ${meta.id} was pinned as often as it is unpinned`);
    slot.pins -= 1;
    slot.isRecent = true;
  }

  setCurrent(version: Version): void {
    const old = this.#current;
    if (version === old) return;
    // First the new one, so that what both name is never unused.
    if (!this.#retained.has(version)) this.#use(version);
    this.#current = version;
    if (!this.#retained.has(old)) this.#drop(old);
  }

  retain(version: Version): void {
    const count = this.#retained.get(version) ?? 0;
    assert(count > 0 || version === this.#current, "lsm: only a version in use is retained");
    this.#retained.set(version, count + 1);
  }

  release(version: Version): void {
    if (this.#isClosed) return;
    const count = this.#retained.get(version);
    assert(count !== undefined, "lsm: a version is released as often as it was retained");
    if (count > 1) {
      this.#retained.set(version, count - 1);
      return;
    }
    this.#retained.delete(version);
    if (version !== this.#current) this.#drop(version);
  }

  close(): void {
    this.#isClosed = true;
    for (const id of [...this.#slots.keys()]) this.#closeTable(id);
  }

  #open(meta: TableMeta): Slot {
    assert(!this.#isClosed, "lsm: a closed set of tables opens none");
    assert(this.#uses.has(meta.id), `lsm: table ${meta.id} belongs to a version in use`);
    this.#makeRoom();
    const slot = { table: openDescribed(this.#options, meta), isRecent: false, pins: 0 };
    this.#slots.set(meta.id, slot);
    return slot;
  }

  /** Closes a table that was not asked for lately, if there are as many as may be. */
  #makeRoom(): void {
    if (this.#slots.size < this.#options.openTablesMax) return;
    // Twice around: the first round may do no more than make every table look unused.
    let left = this.#slots.size * 2;
    for (const [id, slot] of this.#slots) {
      if (left === 0) return;
      left -= 1;
      if (slot.pins === 0 && !slot.isRecent) {
        this.#closeTable(id);
        return;
      }
      slot.isRecent = false;
      // To the end of the map: the same loop comes by again.
      this.#slots.delete(id);
      this.#slots.set(id, slot);
    }
  }

  #closeTable(id: number): void {
    const slot = this.#slots.get(id);
    if (slot === undefined) return;
    this.#slots.delete(id);
    addReads(this.#closedReads, slot.table.reads);
    slot.table.close();
  }

  #use(version: Version): void {
    for (const { id } of allTables(version)) this.#uses.set(id, (this.#uses.get(id) ?? 0) + 1);
  }

  #drop(version: Version): void {
    const paths: string[] = [];
    for (const { id } of allTables(version).reverse()) {
      const uses = this.#uses.get(id);
      assert(uses !== undefined, `lsm: table ${id} of a version in use is counted`);
      if (uses > 1) {
        this.#uses.set(id, uses - 1);
        continue;
      }
      this.#uses.delete(id);
      assert((this.#slots.get(id)?.pins ?? 0) === 0, `lsm: table ${id} is not pinned`);
      this.#closeTable(id);
      paths.push(tablePath(this.#options.dir, id));
    }
    if (paths.length > 0) this.#options.onObsolete(paths);
  }
}

function addReads(
  sum: { -readonly [Name in keyof TableReads]: TableReads[Name] },
  reads: TableReads,
): void {
  sum.blocks += reads.blocks;
  sum.bytes += reads.bytes;
  sum.filtered += reads.filtered;
}

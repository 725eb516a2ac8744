/**
 * Where a job gets its tables, on whichever thread it runs.
 *
 * It opens tables of its own, without a cache: a compaction reads each block once, and would push
 * out what readers need. Invariant: every table that it has opened is closed by `close`.
 * Chapter: 04-lsm
 */
import type { Disk } from "#platform/types";
import { createTableWriter, openTable } from "#sstable";
import type { Table, TableMeta, TableWriter } from "#sstable/types";
import { tablePath } from "./file-names.ts";
import type { TableIo, TableShape } from "./parts.ts";

/** The surroundings of a job. */
export interface JobPlace {
  readonly disk: Disk;
  /** The engine's directory. */
  readonly dir: string;
  /** A number that no file has, or ever had (L7). */
  readonly allocateId: () => number;
}

/** A {@link TableIo} that ends with its job. */
export interface JobTables extends TableIo {
  /** Closes what it has opened. Twice is once. */
  close(): void;
}

/** Nothing is open yet. */
export function createJobTables(place: JobPlace): JobTables {
  return new OpenedTables(place);
}

class OpenedTables implements JobTables {
  readonly #place: JobPlace;
  readonly #open = new Map<number, Table>();
  readonly disk: Disk;

  constructor(place: JobPlace) {
    this.#place = place;
    this.disk = place.disk;
  }

  allocateId(): number {
    return this.#place.allocateId();
  }

  open(meta: TableMeta): Table {
    let table = this.#open.get(meta.id);
    if (table === undefined) {
      table = openTable({ disk: this.disk, path: this.pathOf(meta.id), id: meta.id });
      this.#open.set(meta.id, table);
    }
    return table;
  }

  create(id: number, shape: TableShape): TableWriter {
    const { blockBytes, filterBitsPerKey, compression } = shape;
    const path = this.pathOf(id);
    return createTableWriter({
      disk: this.disk,
      path,
      id,
      blockBytes,
      filterBitsPerKey,
      compression,
    });
  }

  pathOf(id: number): string {
    return tablePath(this.#place.dir, id);
  }

  close(): void {
    for (const table of this.#open.values()) table.close();
    this.#open.clear();
  }
}

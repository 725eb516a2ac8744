/**
 * The open tables of a store, and who uses them.
 *
 * `open` and `close` are given. `hold` and `retire` are step 04.6: a file may be unlinked when the
 * manifest has let go of it and nobody holds it (L4).
 * Chapter: 04-lsm, step 04.6
 */
import { type Cancel, notWritten } from "#base";
import { tablePath, type Version } from "#lsm/reference";
import type { Disk } from "#platform/types";
import { openTable } from "#sstable";
import type { Table, TableMeta } from "#sstable/types";

/** See the head of the file. */
export interface TableFiles {
  /** A table of the current version, or of one that is held. */
  open(table: TableMeta): Table;
  /** Keeps the tables of a version until the result is called; calling that twice is once. */
  hold(version: Version): Cancel;
  /** The manifest names these no more: they are unlinked as soon as nobody holds them. */
  retire(tables: readonly TableMeta[]): void;
  /** Releases all files. */
  close(): void;
}

/** No table is open yet. */
export function createTableFiles(disk: Disk, dir: string): TableFiles {
  const open = new Map<number, Table>();
  return {
    open({ id }) {
      const table = open.get(id) ?? openTable({ disk, path: tablePath(dir, id), id });
      open.set(id, table);
      return table;
    },
    hold: () => notWritten("04.6", "TableFiles.hold"),
    retire: () => notWritten("04.6", "TableFiles.retire"),
    close() {
      for (const table of open.values()) table.close();
      open.clear();
    },
  };
}

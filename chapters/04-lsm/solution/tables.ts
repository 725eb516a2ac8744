/**
 * The open tables of a store, and who uses them (04.6).
 *
 * A table is held by every version that is in use: the current one, and one for each scan under
 * way. Invariant: a file is unlinked when the manifest has let go of it and nobody holds it (L4).
 * Chapter: 04-lsm, step 04.6
 */
import type { Cancel } from "#base";
import { tablePath, type Version } from "#lsm/reference";
import type { Disk } from "#platform/types";
import { openTable } from "#sstable";
import type { Table, TableMeta } from "#sstable/types";

/** See the head of the file. */
export interface TableFiles {
  /** A table of the current version, or of one that is held. */
  open(table: TableMeta): Table;
  /** Keeps the tables of a version until the result is called. */
  hold(version: Version): Cancel;
  /** The manifest names these no more: they go as soon as nobody holds them. */
  retire(tables: readonly TableMeta[]): void;
  /** Releases all files. */
  close(): void;
}

/** No table is open yet. */
export function createTableFiles(disk: Disk, dir: string): TableFiles {
  const open = new Map<number, Table>();
  const holders = new Map<number, number>();
  const retired = new Set<number>();

  const sweep = (): void => {
    let removed = 0;
    for (const id of retired) {
      if ((holders.get(id) ?? 0) > 0) continue;
      open.get(id)?.close();
      open.delete(id);
      retired.delete(id);
      disk.unlink(tablePath(dir, id));
      removed += 1;
    }
    if (removed > 0) disk.syncDir(dir);
  };
  const count = (version: Version, by: number): void => {
    for (const { id } of version.runs.flatMap(({ tables }) => tables)) {
      holders.set(id, (holders.get(id) ?? 0) + by);
    }
  };

  return {
    open({ id }) {
      const table = open.get(id) ?? openTable({ disk, path: tablePath(dir, id), id });
      open.set(id, table);
      return table;
    },
    hold(version) {
      count(version, 1);
      let isHeld = true;
      return () => {
        if (!isHeld) return;
        isHeld = false;
        count(version, -1);
        sweep();
      };
    },
    retire(tables) {
      for (const { id } of tables) retired.add(id);
      sweep();
    },
    close() {
      for (const table of open.values()) table.close();
      open.clear();
    },
  };
}

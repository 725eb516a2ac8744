/**
 * Small real tables in a directory, and versions of them. Support for the tests.
 */

import type { Version } from "#lsm";
import type { Disk } from "#platform/types";
import { createTableWriter } from "#sstable";
import type { TableMeta } from "#sstable/types";

const encode = (text: string) => new TextEncoder().encode(text);

/** Writes a table; the value of each key is the key and the table's number. */
export function writeTable(
  place: { readonly disk: Disk; readonly dir: string },
  id: number,
  keys: readonly string[],
): TableMeta {
  place.disk.makeDir(place.dir);
  const path = `${place.dir}/${String(id).padStart(6, "0")}.sst`;
  const writer = createTableWriter({ disk: place.disk, path, id, blockBytes: 200 });
  for (const key of keys) writer.add(encode(key), encode(`${key} of ${id}`), id);
  return writer.finish();
}

/** A version with one run of level 0 for each table, the first one the newest. */
export function versionOf(...tables: readonly TableMeta[]): Version {
  const runs = tables.map((table, i) => ({ level: 0, number: tables.length - i, tables: [table] }));
  return { runs };
}

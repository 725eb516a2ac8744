/**
 * Reads every table of a version, and compares it with what the manifest says.
 *
 * Invariant: looking changes nothing, and one problem does not hide the next.
 * Chapter: 04-lsm
 */
import { errorText, isCairnError } from "#base";
import type { Disk } from "#platform/types";
import type { TableMeta } from "#sstable/types";
import type { Version } from "./parts.ts";
import { openDescribed } from "./table-set.ts";
import type { VerifyReport } from "./types.ts";
import { versionProblem } from "./version.ts";
import { allTables } from "./version-query.ts";

/** Where the tables are. */
export interface TablePlace {
  readonly disk: Disk;
  /** The engine's directory. */
  readonly dir: string;
}

/**
 * Checks every table: that it is there, that it is the one that the manifest describes, each byte
 * of it, and that the tables of each run are disjoint (L6).
 */
export function verifyTables(place: TablePlace, version: Version): VerifyReport {
  const problems: string[] = [];
  const rules = versionProblem(version);
  if (rules !== null) problems.push(`manifest: ${rules}`);
  const sums = { tables: 0, entries: 0, bytes: 0 };
  for (const meta of allTables(version)) {
    const problem = tableDamage(place, meta);
    if (problem !== null) problems.push(problem);
    sums.tables += 1;
    sums.entries += meta.entries;
    sums.bytes += meta.bytes;
  }
  return { ...sums, problems };
}

/** What is wrong with a table, with file and offset; null if nothing is. */
export function tableDamage(place: TablePlace, meta: TableMeta): string | null {
  try {
    const table = openDescribed(place, meta);
    try {
      table.verify();
    } finally {
      table.close();
    }
    return null;
  } catch (error) {
    // Our own bugs are not damage.
    if (!isCairnError(error)) throw error;
    return errorText(error);
  }
}

/**
 * Reads a table as a whole and compares everything with everything.
 *
 * Invariant: a table that passes was written by a right writer and has not changed since.
 * Chapter: 03-sstable, step 03.5
 */
import { notWritten } from "#base";
import type { TableFile } from "./table-file.ts";

/** Reads and checks everything. @throws SSTABLE_CORRUPT, disk errors. */
export function verifyTable(_file: TableFile, _id: number): void {
  notWritten("03.5", "verifyTable");
}

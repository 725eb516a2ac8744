/**
 * An open table: lookups, and reading everything.
 *
 * A lookup asks, in this order, what costs least: the bounds, the filter, the index, one block.
 * In step 03.3 write `get`, `meta`, `reads` and `close`; let `cursor` lead to `createTableCursor`
 * and `verify` to `verifyTable`, which later steps write.
 *
 * Invariant: one data block for a lookup (S7), and a second one only where older versions of the
 * key go on in it.
 * Chapter: 03-sstable, steps 03.3 to 03.5
 */
import { notWritten } from "#base";
import type { Table, TableOptions } from "#sstable/types";

/**
 * Opens a table: reads and checks everything but the data.
 *
 * @throws SSTABLE_CORRUPT, disk errors.
 */
export function openTable(_options: TableOptions): Table {
  return notWritten("03.3", "openTable");
}

/**
 * Writes a table: data blocks as they fill, then filter, properties, index and footer.
 *
 * In step 03.3 the filter block has no bytes: there is no filter yet. Step 03.4 makes one.
 *
 * Invariant: what was added is in strict order, across blocks too (S1).
 * Chapter: 03-sstable, steps 03.3 and 03.4
 */
import { notWritten } from "#base";
import type { TableWriter, TableWriterOptions } from "#sstable/types";

/** Used unless the options say otherwise. */
export const BLOCK_BYTES_DEFAULT = 4096;
export const FILTER_BITS_DEFAULT = 10;

/**
 * Starts a table. `restartInterval` and `compression` may be ignored: they are for the bonus.
 *
 * @throws disk errors.
 */
export function createTableWriter(_options: TableWriterOptions): TableWriter {
  return notWritten("03.3", "createTableWriter");
}

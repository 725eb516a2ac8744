/**
 * sstable: an immutable, sorted file of versions that notices any damage.
 *
 * Reading order: data-block.ts, trailer.ts, compression.ts, bloom.ts, separator.ts, index-block.ts,
 * properties.ts, footer.ts (the formats); options.ts, table-output.ts, writer.ts (writing);
 * corruption.ts, parts.ts, block-cache.ts, block-source.ts, block-search.ts, table.ts (lookups);
 * read-ahead.ts, cursor.ts (scans); block-walk.ts, verify.ts, describe.ts (looking at everything).
 * Chapter: 03-sstable
 */
export { createBlockCache } from "./block-cache.ts";
export { describeTable } from "./describe.ts";
export { openTable } from "./table.ts";
export type {
  BlockCache,
  BlockCompression,
  SstableModule,
  Table,
  TableCursorOptions,
  TableDescription,
  TableMeta,
  TableOptions,
  TablePart,
  TableReads,
  TableWriter,
  TableWriterOptions,
} from "./types.ts";
export { createTableWriter, TEMPORARY_SUFFIX } from "./writer.ts";

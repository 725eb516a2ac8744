/**
 * sstable: an immutable, sorted file of versions that notices any damage.
 *
 * Reading order is the order of the steps: version.ts, block-builder.ts, block-reader.ts (03.1),
 * block-seek.ts (03.2), sparse-index.ts, writer.ts, table-file.ts, table.ts (03.3), bloom.ts
 * (03.4), trailer.ts, verify.ts (03.5, and 03.6 in all that reads), output.ts (03.7), cursor.ts,
 * scan.ts (03.8). Given: damage.ts, footer.ts, properties.ts.
 * Chapter: 03-sstable
 */
export { createBlockCache, describeTable } from "#sstable/reference";
export { type BlockBuilder, createBlockBuilder } from "./block-builder.ts";
export { readBlock } from "./block-reader.ts";
export { seekInBlock } from "./block-seek.ts";
export { bitsPerKeyFor, buildFilter, type Filter, hashKey, openFilter } from "./bloom.ts";
export { TEMPORARY_SUFFIX } from "./output.ts";
export { type ScanRange, scanRange } from "./scan.ts";
export { openTable } from "./table.ts";
export { type BlockPlace, blockChecksum } from "./trailer.ts";
export { compareVersions, type Place, type Version } from "./version.ts";
export { createTableWriter } from "./writer.ts";

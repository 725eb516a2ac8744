/**
 * Contract of chapter 03: an immutable, sorted file of versions that notices any damage.
 *
 * S1 Entries come in strictly increasing order, or adding throws. S2 Nothing changes after
 * `finish`. S3 Any damage gives an error, never a wrong answer. S4 Nothing is allocated from a
 * length that was not verified. S5 A file under its final name is complete and durable. S6 The
 * filter has no false negatives. S7 A lookup reads at most one data block. S8 Bounds are exact.
 */
import type { Bytes, Cursor, Lookup, Sequence } from "#base";
import type { Disk } from "#platform/types";

/** How blocks are stored. `deflate` is for data that is read rarely: it costs most of the speed. */
export type BlockCompression = "none" | "deflate";

/** What is known of a table without opening it. Written into manifests. */
export interface TableMeta {
  /** The table's number, 1 to 2^53 - 1. */
  readonly id: number;
  /** Size of the file. */
  readonly bytes: number;
  /** Versions, deletions included. */
  readonly entries: number;
  readonly deletions: number;
  readonly smallest: Bytes;
  readonly largest: Bytes;
  readonly sequenceMin: Sequence;
  readonly sequenceMax: Sequence;
}

/** How a table is written. */
export interface TableWriterOptions {
  readonly disk: Disk;
  /**
   * The final name. A temporary file beside it, with {@link TEMPORARY_SUFFIX}, is written first.
   */
  readonly path: string;
  readonly id: number;
  /** A block is closed before it grows beyond this. Default 4096. Larger: smaller index, longer
   * reads. */
  readonly blockBytes?: number;
  /** Every this many entries a key is written whole. Default 16. Larger: smaller, slower. */
  readonly restartInterval?: number;
  /** Filter size for each distinct key. Default 10 (about 1 % false positives); 0: no filter. */
  readonly filterBitsPerKey?: number;
  /** Default `none`. */
  readonly compression?: BlockCompression;
}

/** Writes one table, once. */
export interface TableWriter {
  /** Bytes of the file so far, the open block included: for deciding when to start the next one. */
  readonly bytes: number;
  readonly entries: number;
  /**
   * Adds a version, behind all earlier ones in the order of {@link Cursor} (S1).
   *
   * @param value - null: a deletion. Key and value are copied.
   * @throws RangeError when the order is broken.
   */
  add(key: Bytes, value: Bytes | null, sequence: Sequence): void;
  /**
   * Writes the rest, makes content and name durable, in that order (S5). The writer is then done.
   *
   * @throws RangeError for a table without entries. Disk errors as they come; call `abandon` then.
   */
  finish(): TableMeta;
  /** Gives up: removes the temporary file as well as it can. Never throws. */
  abandon(): void;
}

/** Blocks in memory, shared by tables, bounded by bytes. One per engine and thread. */
export interface BlockCache {
  readonly bytesMax: number;
  /** Bytes in use; never above `bytesMax`. */
  readonly bytes: number;
  readonly hits: number;
  readonly misses: number;
}

/** How a table is opened. */
export interface TableOptions {
  readonly disk: Disk;
  readonly path: string;
  /** The number that the table must carry: a file in the wrong place is damage too. */
  readonly id: number;
  /** Default: none; every lookup reads its block from the file. */
  readonly cache?: BlockCache;
}

/** What lookups and cursors have cost so far. */
export interface TableReads {
  /** Data blocks read from the file. */
  readonly blocks: number;
  readonly bytes: number;
  /** Lookups that the filter answered. */
  readonly filtered: number;
}

/** How a cursor reads. */
export interface TableCursorOptions {
  /** Whether blocks that it reads go into the cache. Default true. */
  readonly fillCache?: boolean;
  /**
   * Most bytes read ahead at a time once a scan goes on from block to block. Default 256 KiB; 0:
   * block by block.
   */
  readonly readAheadBytesMax?: number;
}

/** An open table. Any number of readers on one thread. */
export interface Table {
  readonly meta: TableMeta;
  readonly reads: TableReads;
  /** Memory for index and filter, in bytes. */
  readonly memoryBytes: number;
  /**
   * Looks a key up: the newest version at or below `at`.
   *
   * @returns a value that is the caller's own copy.
   * @throws `SSTABLE_CORRUPT` with `details` `file` and `offset`; disk errors as they come.
   */
  get(key: Bytes, at?: Sequence, options?: { readonly fillCache?: boolean }): Lookup;
  /** A cursor over every version. @throws as `get`, from its methods. */
  cursor(options?: TableCursorOptions): Cursor;
  /** Bytes of the file that hold keys of the range: a difference of block offsets. */
  approximateBytes(from: Bytes, before: Bytes): number;
  /** Reads and checks everything, order and properties included. @throws `SSTABLE_CORRUPT` */
  verify(): void;
  /** Releases the file and the table's blocks in the cache. */
  close(): void;
}

/** A stretch of a table file, for people. */
export interface TablePart {
  readonly offset: number;
  readonly bytes: number;
  readonly kind: "data" | "filter" | "properties" | "index" | "footer";
  /** What is wrong with it; undefined if nothing is. */
  readonly problem?: string;
}

/** A table file as `cairn inspect` shows it. */
export interface TableDescription {
  readonly meta: TableMeta | null;
  readonly parts: readonly TablePart[];
  /** What is wrong with the file as a whole, first thing first. */
  readonly problems: readonly string[];
}

/** What chapter 03 exports. */
export interface SstableModule {
  /** Starts a table. @throws disk errors. */
  createTableWriter(options: TableWriterOptions): TableWriter;
  /**
   * Opens a table: reads and checks footer, properties, index and filter.
   *
   * @throws `SSTABLE_CORRUPT` with `details` `file` and `offset`; disk errors as they come.
   */
  openTable(options: TableOptions): Table;
  /** Makes an empty cache. @param bytesMax - 0 or more. 0 caches nothing. */
  createBlockCache(bytesMax: number): BlockCache;
  /**
   * Reads a table file part by part, damaged or not, and says what is there. Memory stays bounded.
   *
   * @param onEntry - called for each version of each sound data block, with the block's offset.
   */
  describeTable(
    options: { readonly disk: Disk; readonly path: string },
    onEntry?: (entry: {
      readonly key: Bytes;
      readonly value: Bytes | null;
      readonly sequence: Sequence;
      readonly blockOffset: number;
    }) => void,
  ): TableDescription;
}

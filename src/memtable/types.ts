/**
 * Contract of chapter 02: an ordered table in memory that takes every change first.
 *
 * M1 A lookup has three outcomes. M2 The newest version of a key wins; a reader at a sequence sees
 * the newest version at or below it. M3 A scan is ordered, half-open, and includes deletions. M4
 * The caller's bytes are copied. M5 The size grows with each distinct key, deletions too. M6 What
 * is frozen never changes. M7 The log comes first: that one is kept by the engine (rule L3). M8 A
 * search among n keys compares about log n of them.
 */
import type { Bytes, Cursor, Lookup, Sequence } from "#base";

/**
 * How the keys are kept in order. All behave alike; a benchmark compares them.
 *
 * `btree`: a B+ tree in flat arrays. `skiplist`: linked towers. `map`: a hash table, sorted when
 * somebody needs the order. `array`: a sorted array.
 */
export type MemtableStructure = "btree" | "skiplist" | "map" | "array";

/** How a memtable is made. */
export interface MemtableOptions {
  /** Default `btree`: the one that wins `npm run bench -- memtable`. */
  readonly structure?: MemtableStructure;
  /** Memory taken at once, in bytes. Default 64 KiB. It grows by doubling. */
  readonly bytesInitial?: number;
  /**
   * A frozen memtable that nobody reads any more, here or on another thread: its memory may be
   * taken over, and it must not be used again. Memory that was used before costs less than new
   * memory. One with an open cursor is left alone.
   */
  readonly reuse?: Memtable;
  /** Chance for the heights of the skip list: from 0 (included) to 1 (excluded). */
  readonly random?: () => number;
}

/** One version of a key. `value` null: a deletion. */
export interface MemtableEntry {
  readonly key: Bytes;
  readonly value: Bytes | null;
  readonly sequence: Sequence;
}

/** A range of keys, half-open. What is left out has no end on that side. */
export interface KeyRange {
  /** Included. */
  readonly from?: Bytes;
  /** Excluded. */
  readonly before?: Bytes;
}

/**
 * A frozen memtable in shared memory, to be posted to another thread.
 *
 * Opaque outside of this module. It holds what `scan` gives, and costs no copy of keys and values.
 */
export interface SharedMemtable {
  readonly structure: string;
  readonly [part: string]: unknown;
}

/** An open memtable. One writer; a cursor may be open while it writes. */
export interface Memtable {
  /** Versions that `scan` gives. */
  readonly entries: number;
  /** Deletions among them. */
  readonly deletions: number;
  /** Lowest sequence among them; 0 when there is none. */
  readonly sequenceMin: Sequence;
  /** Highest sequence ever put; 0 when there was none. */
  readonly sequenceMax: Sequence;
  /**
   * Records a value for a key.
   *
   * @param key - 0 bytes or more; copied, as is `value` (M4).
   * @param sequence - above every earlier one of this key.
   * @param newestReader - the highest sequence at which anybody reads or may come to read, other
   * than at the newest. An older version that is above it is seen by nobody, and is replaced rather
   * than kept. Default: every version is kept.
   * @throws InvariantError when frozen.
   */
  put(key: Bytes, value: Bytes, sequence: Sequence, newestReader?: Sequence): void;
  /**
   * As `put`, for a deletion: also of a key that was never here, since older tables may hold it.
   */
  delete(key: Bytes, sequence: Sequence, newestReader?: Sequence): void;
  /**
   * Looks a key up (M1, M2).
   *
   * @param at - the reader's sequence. Default: the newest.
   * @returns a value that is the caller's own copy.
   */
  get(key: Bytes, at?: Sequence): Lookup;
  /**
   * A cursor over every version. It may be used while the table is written: what is put meanwhile
   * may or may not appear, and nothing appears twice or out of order.
   */
  cursor(): Cursor;
  /** Every version within the range, in the order of {@link Cursor}; copies (M3). */
  scan(range?: KeyRange): IterableIterator<MemtableEntry>;
  /** Memory in use, in bytes: keys, values and what keeps them in order (M5). */
  approximateBytes(): number;
  /** Ends writing for good (M6). Costs no copy. */
  freeze(): void;
  /**
   * The frozen table for another thread, or null if this structure cannot be shared: the engine
   * then writes it out on its own thread.
   *
   * @throws InvariantError when not frozen.
   */
  share(): SharedMemtable | null;
}

/** What chapter 02 exports. */
export interface MemtableModule {
  /** Makes an empty memtable. */
  createMemtable(options?: MemtableOptions): Memtable;
  /** A cursor over what `share` gave, on any thread of this process. */
  openSharedMemtable(shared: SharedMemtable): Cursor;
}

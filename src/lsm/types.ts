/**
 * Contract of chapter 04: an ordered, crash-safe store of keys and values, made of a log, memtables
 * and tables.
 *
 * L1 A newer layer wins; a deletion ends the search. L2 The manifest is the truth. L3 Tables are
 * durable, then the manifest, then the log is retired, then inputs are unlinked. L4 A version in
 * use keeps its files. L5 A deletion may go only if nothing older can hold the key and no snapshot
 * needs it. L6 Within a run, tables do not overlap. L7 A number is never reused while a file of
 * that number may exist. L8 Level 0 is bounded. L9 Recovery can be repeated, and can itself crash.
 */
import type { Bytes, Ms, Sequence } from "#base";
import type { MemtableStructure } from "#memtable/types";
import type { Clock, Disk } from "#platform/types";
import type { BlockCompression } from "#sstable/types";
import type { Picker } from "./parts.ts";

/** How an engine is opened. Sizes in bytes. */
export interface EngineOptions {
  /** Default: the disk of this machine. */
  readonly disk?: Disk;
  /** The engine's own directory; one process at a time. */
  readonly dir: string;
  /** Make the directory if it holds no engine. Default true. */
  readonly createIfMissing?: boolean;
  /** Refuse a directory that holds an engine. Default false. */
  readonly errorIfExists?: boolean;
  /**
   * Who flushes and compacts. `thread` (the default): a worker thread of this engine, on the disk
   * of this machine. `step`: nobody but calls of `step`, so that a test owns the schedule.
   */
  readonly background?: "thread" | "step";
  /** For stalls and their times. Default: the clock of this machine. */
  readonly clock?: Clock;
  /** Freeze a memtable of this size. Default 16 MiB. Larger: less compaction, more memory, longer
   * recovery. */
  readonly memtableBytesMax?: number;
  /** Default: what `createMemtable` takes. */
  readonly memtableStructure?: MemtableStructure;
  /** Frozen memtables that may wait for their flush before writes stop. Default 2. */
  readonly frozenMemtablesMax?: number;
  /** Block cache. Default 32 MiB. */
  readonly cacheBytesMax?: number;
  /** Tables that are kept open. Default 1000. */
  readonly openTablesMax?: number;
  /** A compaction starts a new table at this size. Default 8 MiB. */
  readonly tableBytesMax?: number;
  /** Default 4096. See `TableWriterOptions`, as for the next two. */
  readonly blockBytes?: number;
  /** Default 10. */
  readonly filterBitsPerKey?: number;
  /** Default `none`. */
  readonly compression?: BlockCompression;
  /** Which tables are compacted, and when. Default `leveled`. */
  readonly picker?: "leveled" | "tiered" | Picker;
  /**
   * Size of a level against the one above (leveled), runs of a level (tiered). Default 10 and 4.
   */
  readonly levelRatio?: number;
  /** Runs in level 0 that start a compaction. Default 4. */
  readonly levelZeroCompactRuns?: number;
  /** Runs in level 0 at which each write is slowed down. Default 12. */
  readonly levelZeroSlowdownRuns?: number;
  /** Runs in level 0 at which writes stop until a compaction is through. Default 20. */
  readonly levelZeroStopRuns?: number;
  /**
   * Bytes of log after which an unasked sync starts, so that no sync has much to do. Default 1 MiB;
   * 0: never.
   */
  readonly logBytesPerSync?: number;
  /**
   * Keys that begin with this byte end in a timestamp, and a compaction leaves out those that
   * nobody at or above the horizon needs. The form of such keys is in `superseded.ts`. Default: no
   * key has a timestamp.
   */
  readonly timestampedKeys?: { readonly firstByte: number };
}

/** How a write is acknowledged. */
export interface WriteOptions {
  /**
   * True: once it survives power loss. Callers of one moment share a sync. False (the default):
   * once it survives the end of this process.
   */
  readonly sync?: boolean;
}

/** Changes that happen all together or not at all. May be used again after `clear`. */
export interface WriteBatch {
  readonly operations: number;
  /** Bytes of its encoded form. */
  readonly bytes: number;
  /** Adds a value. Key and value are copied. Later operations on a key win. */
  put(key: Bytes, value: Bytes): void;
  /** Adds a deletion. */
  delete(key: Bytes): void;
  /** Removes all operations. */
  clear(): void;
}

/** The engine as it was at one moment. Holds back garbage collection until closed. */
export interface Snapshot {
  readonly sequence: Sequence;
  /** Lets go. Twice is once. */
  close(): void;
}

/** How something is read. */
export interface ReadOptions {
  /** Default: the newest state. */
  readonly snapshot?: Snapshot;
  /** Whether blocks read go into the cache. Default true. */
  readonly fillCache?: boolean;
}

/** What an iterator goes over, and how. At most one lower and one upper bound. */
export interface IteratorOptions extends ReadOptions {
  readonly gte?: Bytes;
  readonly gt?: Bytes;
  readonly lte?: Bytes;
  readonly lt?: Bytes;
  /** From the last key to the first. Default false. */
  readonly reverse?: boolean;
}

/**
 * Goes over the keys of one snapshot, in order. Stands before the first entry when made. Writes
 * made after that are not seen. Must be closed: it keeps files and versions alive.
 */
export interface EngineIterator {
  /** Moves on. @returns false when there is nothing more; the views are then meaningless. */
  next(): boolean;
  /** A view until the next move; copy what is kept. */
  readonly key: Bytes;
  /** As `key`. */
  readonly value: Bytes;
  /**
   * Moves so that the following `next` comes to `key`, or to the nearest key behind it in the
   * direction of travel. A key outside the bounds leads to the nearest bound or to the end.
   */
  seek(key: Bytes): void;
  /** Up to `limit` entries from here on: copies that belong to the caller. Empty at the end. */
  take(limit: number): [key: Bytes, value: Bytes][];
  /** Releases. Twice is once; any other call after it throws `LSM_CLOSED`. */
  close(): void;
}

/** Why writes are held back at the moment. */
export type StallReason =
  | "level 0 is long"
  | "level 0 is full"
  | "memtables wait for their flush"
  | "the disk failed";

/** One level in the statistics. */
export interface LevelStats {
  readonly level: number;
  readonly runs: number;
  readonly tables: number;
  readonly bytes: number;
  readonly entries: number;
  readonly deletions: number;
}

/** Counters since opening, and the state now. Bytes and milliseconds. */
export interface EngineStats {
  readonly sequence: Sequence;
  readonly memtableBytes: number;
  readonly frozenMemtables: number;
  readonly logBytes: number;
  readonly levels: readonly LevelStats[];
  readonly snapshots: number;
  readonly iterators: number;
  readonly written: {
    readonly batches: number;
    readonly operations: number;
    /** Keys and values as given. */
    readonly userBytes: number;
    readonly logBytes: number;
    readonly flushBytes: number;
    readonly compactionBytes: number;
  };
  readonly read: {
    readonly lookups: number;
    /** Tables that a lookup had to ask, filters included. */
    readonly tables: number;
    readonly blocks: number;
    readonly blockBytes: number;
    /** Lookups in a table that its filter answered. */
    readonly filtered: number;
    readonly compactionBytes: number;
  };
  /** Bytes written to log and tables for one byte of the user's; 0 before the first write. */
  readonly writeAmplification: number;
  /** Blocks read for one lookup, from file or cache; 0 before the first. */
  readonly readAmplification: number;
  /** Bytes of all tables for one byte of the oldest run, which holds one version of each key. */
  readonly spaceAmplification: number;
  readonly stalls: {
    /** Why writes are held back now; null if they are not. */
    readonly reason: StallReason | null;
    readonly slowdowns: number;
    readonly slowdownMs: Ms;
    readonly stops: number;
    readonly stopMs: Ms;
  };
  readonly cache: {
    readonly bytes: number;
    readonly bytesMax: number;
    readonly hits: number;
    readonly misses: number;
  };
  readonly background: {
    readonly flushes: number;
    readonly compactions: number;
    /** Tables that went down a level without being rewritten. */
    readonly moves: number;
    readonly failures: number;
    /** The failure that holds writes or compaction back now; null if there is none. */
    readonly failure: string | null;
  };
}

/** What `verify` read. */
export interface VerifyReport {
  readonly tables: number;
  readonly entries: number;
  readonly bytes: number;
  /** What is wrong, one line each, with file and offset. Empty: nothing is. */
  readonly problems: readonly string[];
}

/** What opening found. */
export interface OpenReport {
  readonly created: boolean;
  readonly tables: number;
  /** Write groups that came back from the log. */
  readonly replayedGroups: number;
  /** Bytes of a torn end of the log that were cut off. */
  readonly droppedLogBytes: number;
  /** Files that belonged to nobody, and were removed. */
  readonly removedFiles: readonly string[];
}

/** An open engine. Reads are synchronous; any number of readers on its thread. */
export interface Engine {
  readonly dir: string;
  readonly report: OpenReport;
  /** Of the newest change. */
  readonly sequence: Sequence;
  /**
   * Looks a key up.
   *
   * @returns the value, a copy of the caller's own; undefined if there is none.
   * @throws `SSTABLE_CORRUPT`, disk errors, `LSM_CLOSED`.
   */
  get(key: Bytes, options?: ReadOptions): Bytes | undefined;
  /** As `get`, without the value. */
  has(key: Bytes, options?: ReadOptions): boolean;
  /**
   * Sets one key. Visible to readers when the promise resolves, and not later than the next turn of
   * the event loop unless writes are held back. Writes take effect in call order.
   *
   * @param key - copied before the call returns, as is `value`.
   * @throws (rejects with) `LSM_WRITE_REFUSED` when the disk fails: nothing was changed, but a
   * crash before the engine has got over it may bring back the one group that met the failure;
   * `LSM_CLOSED`; for `sync`, also `DISK_IO` or `DISK_FULL`: whether the change will survive is
   * then unknown.
   */
  put(key: Bytes, value: Bytes, options?: WriteOptions): Promise<void>;
  /** Removes one key, whether it was there or not. As `put`. */
  delete(key: Bytes, options?: WriteOptions): Promise<void>;
  /** Applies a batch, all of it or nothing, also after a crash. As `put`. */
  write(batch: WriteBatch, options?: WriteOptions): Promise<void>;
  /**
   * As `write`, done when it returns. Writes called earlier take effect first.
   *
   * @throws as `put`; `LSM_STALLED` where `write` would wait, naming the reason.
   */
  writeSync(batch: WriteBatch, options?: WriteOptions): void;
  /** Opens an iterator. @throws as `get`. */
  iterator(options?: IteratorOptions): EngineIterator;
  /** Holds the present state for later reads. */
  snapshot(): Snapshot;
  /** Bytes on disk of the tables' part between two keys. What memtables hold does not count. */
  approximateBytes(from: Bytes, before: Bytes): number;
  /** Writes all memtables out. Resolves when the tables are durable and part of the manifest. */
  flush(): Promise<void>;
  /** Flushes, and merges everything that overlaps the range into its lowest level. */
  compact(range?: { readonly from?: Bytes; readonly before?: Bytes }): Promise<void>;
  /**
   * Gives up the past: of keys with timestamps, what only readers below `timestamp` could see goes
   * in compactions from now on. Whoever calls makes sure that nobody reads there any more, also
   * after a restart. Never goes back.
   *
   * @throws RangeError without `timestampedKeys`.
   */
  setHorizon(timestamp: number): void;
  /**
   * Does one unit of background work on this thread.
   *
   * @returns whether there was any. With `background: "thread"`, nothing is done, and false is
   * returned. A unit that fails is counted in `stats` and tried again by a later call.
   */
  step(): boolean;
  /** Resolves when no flush or compaction is running or due. */
  idle(): Promise<void>;
  /** Counters since opening, and the state now. Cheap. */
  stats(): EngineStats;
  /** Reads every table, checks everything, and compares it with the manifest. */
  verify(): VerifyReport;
  /**
   * Waits for writes under way, syncs the log, and releases everything. With a memtable of more
   * than 1 MiB in thread mode, flushes it first, so that the next opening is quick.
   */
  close(): Promise<void>;
}

/** What `repairEngine` would do, or has done. */
export interface RepairReport {
  readonly dryRun: boolean;
  /** What it found, one line each. */
  readonly findings: readonly string[];
  /** Tables of the new manifest. */
  readonly tablesKept: number;
  /** Tables that are damaged: moved to `lost/`, after what can be read was written to new ones. */
  readonly tablesRebuilt: number;
  readonly entriesKept: number;
  /** Keys or blocks that could not be saved, one line each. Empty: nothing is lost. */
  readonly lost: readonly string[];
}

/** What chapter 04 exports. */
export interface LsmModule {
  /**
   * Opens or creates an engine and recovers it.
   *
   * @throws `DISK_LOCKED` naming the owner's process; `LSM_NOT_FOUND`, `LSM_EXISTS`; `LSM_CORRUPT`,
   * `WAL_CORRUPT`, `SSTABLE_CORRUPT` with `details` `file` and `offset`: nothing is changed then.
   */
  openEngine(options: EngineOptions): Engine;
  /** Makes an empty batch. */
  createWriteBatch(): WriteBatch;
  /**
   * Makes a directory whose manifest or tables are damaged usable again, with all that can be read.
   * Nothing is deleted: what is replaced goes to `lost/`.
   *
   * @param options - `dryRun`: only say what would be done.
   */
  repairEngine(options: {
    readonly disk: Disk;
    readonly dir: string;
    readonly dryRun: boolean;
  }): RepairReport;
}

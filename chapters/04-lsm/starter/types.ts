/**
 * What the parts of the small engine hand to each other. Given: nothing to write here.
 *
 * The larger shapes (`Version`, `VersionEdit`, `CompactionPlan`, `TableIo` …) come from the module
 * itself, `src/lsm/parts.ts`.
 * Chapter: 04-lsm
 */
import type { Bytes, Cursor, Ms, Sequence } from "#base";
import type {
  CompactionJob,
  JobRun,
  KeySpan,
  Manifest,
  Numbers,
  Picker,
  StallReason,
  TableIo,
  TableShape,
  Version,
} from "#lsm/reference";
import type { KeyRange, Memtable } from "#memtable/types";
import type { Clock, Disk } from "#platform/types";
import type { Table, TableMeta } from "#sstable/types";
import type { Lsn, Wal } from "#wal/types";

/** A cursor that only goes forward: all that reading, flush and compaction need. */
export type ForwardCursor = Omit<Cursor, "seekLast" | "seekBefore" | "prev">;

/** Everything that a reader looks at, as it was at one moment (04.2). */
export interface ReadView {
  /** Newest first: the active one, then the frozen ones. */
  readonly memtables: readonly Memtable[];
  readonly version: Version;
  /** The reader's sequence: what is newer is not seen. */
  readonly at: Sequence;
  /** Opens a table of the version. It stays open; nobody here closes it. */
  open(table: TableMeta): Table;
}

/** A memtable that takes no more writes, and what is to be known of it (04.3). */
export interface FrozenMemtable {
  readonly memtable: Memtable;
  /** Of the newest change in it. */
  readonly sequence: Sequence;
  /** The first record of the log that is not in it. */
  readonly logBefore: Lsn;
}

/** What a flush needs (04.3). */
export interface FlushTarget {
  readonly io: TableIo;
  readonly shape: TableShape;
  readonly manifest: StoreManifest;
  readonly wal: Wal;
  /** The counter that tables and runs take their numbers from. */
  readonly numbers: Numbers;
}

/** The manifest, as far as this chapter builds it (04.4). */
export type StoreManifest = Pick<Manifest, "state" | "apply" | "close">;

/** How a manifest is opened (04.4). */
export interface StoreManifestOptions {
  readonly disk: Disk;
  /** The engine's directory. */
  readonly dir: string;
  /** Begin a new manifest when the edits behind the snapshot have this many bytes. */
  readonly rollBytes?: number;
}

/** A manifest that was just opened (04.4). */
export interface OpenedStoreManifest {
  readonly manifest: StoreManifest;
  /** Above every number of the manifest and of any name in the directory (L7). */
  readonly numbers: Numbers;
  /** Removes manifests that count no more. @returns their names. */
  removeLeftovers(): string[];
}

/** One version of a key, without its value (04.7). */
export interface KeyVersion {
  readonly sequence: Sequence;
  readonly isDeletion: boolean;
}

/** Decides which versions of a key stay (04.7). */
export interface KeepRule {
  /**
   * @param newestFirst - all versions of the key that the job has; at least one.
   * @returns those that stay, in the same order.
   */
  survivors(key: Bytes, newestFirst: readonly KeyVersion[]): readonly KeyVersion[];
}

/** Makes the rule for one job; `older` null: any key may have older versions (04.7). */
export type CreateKeepRule = (
  snapshots: readonly Sequence[],
  older: readonly KeySpan[] | null,
) => KeepRule;

/** Runs a compaction (04.6). */
export type RunCompaction = (job: CompactionJob, io: TableIo) => JobRun;

/** How a store is opened. Sizes in bytes (04.5). */
export interface StoreOptions {
  readonly disk: Disk;
  /** The store's own directory. */
  readonly dir: string;
  /** Freeze a memtable of this size. Default 1 MiB. */
  readonly memtableBytesMax?: number;
  /** A compaction starts a new table at this size. Default 2 MiB. */
  readonly tableBytesMax?: number;
  /** Start a new segment of the log at this size. Default 16 MiB. */
  readonly logSegmentBytesMax?: number;
  /** Default: leveled. */
  readonly picker?: Picker;
  /** Frozen memtables that may wait before writes stop. Default 2 (04.9). */
  readonly frozenMemtablesMax?: number;
  /** Runs in level 0 at which writes stop. Default 20 (04.9). */
  readonly levelZeroStopRuns?: number;
  /** For stall times (04.9). Default: time stands still. */
  readonly clock?: Clock;
}

/** One change of a write. `value` null: a deletion. */
export interface Change {
  readonly key: Bytes;
  readonly value: Bytes | null;
}

/** The state of a store, in numbers. */
export interface StoreStats {
  readonly levelZeroRuns: number;
  readonly frozenMemtables: number;
  readonly tables: number;
  /** Why a write would be turned away now; null: it would not (04.9). */
  readonly reason: StallReason | null;
  /** How often writes were stopped, and for how long in all (04.9). */
  readonly stops: number;
  readonly stopMs: Ms;
}

/** A small engine. Every write is durable when it returns. */
export interface Store {
  /** Sets one key. @throws `LSM_STALLED` when writes are held back (04.9); errors of the log. */
  put(key: Bytes, value: Bytes): void;
  /** Removes one key, whether it was there or not. As `put`. */
  delete(key: Bytes): void;
  /** All changes or none, also after a crash. As `put`. */
  write(changes: readonly Change[]): void;
  /** @returns a copy of the value; undefined if there is none. */
  get(key: Bytes): Bytes | undefined;
  /** Keys and values of this moment, in order: copies. Holds files until it ends or is left. */
  scan(range?: KeyRange): IterableIterator<[Bytes, Bytes]>;
  /** Writes all memtables out as tables. */
  flush(): void;
  /** One unit of background work: a flush, or a compaction. @returns whether there was any. */
  step(): boolean;
  stats(): StoreStats;
  close(): Promise<void>;
}

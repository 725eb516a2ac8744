/**
 * Contract of chapter 06: transactions over an ordered store that keeps versions.
 *
 * T1 A transaction reads as of its timestamp, plus its own writes. T2 A commit is all or nothing,
 * also after a crash. T3 Commits are ordered by timestamp, and no timestamp is given twice, ever.
 * T4 Of two transactions that write one key at the same time, the first to commit wins. T5
 * Serializable transactions could have run one after the other. T6 Garbage collection keeps, of
 * each key, the newest version at or below the horizon and all above it. T7 Who holds the horizon
 * back can be seen.
 */
import type { Bytes, Ms } from "#base";
import type { EngineOptions } from "#lsm/types";
import type { Clock, Random } from "#platform/types";

/** The number of a commit: later commits have higher ones. 1 to 2^53 - 1; not every one is used. */
export type Timestamp = number;

/**
 * What a transaction is kept from.
 *
 * `snapshot`: everything but write skew and the read-only anomaly. `serializable`: everything,
 * among transactions that are all serializable. Source: Berenson et al., "A Critique of ANSI SQL
 * Isolation Levels" (1995), section 4.2; Fekete et al., "A Read-Only Transaction Anomaly" (2004).
 */
export type IsolationLevel = "snapshot" | "serializable";

/**
 * How versions are laid out in the engine.
 *
 * `timestamped`: one key for each version, newest first (CockroachDB). `appended`: rows that are
 * never overwritten, with the timestamps of their beginning and end, and an index (PostgreSQL).
 * `undo`: rows that are overwritten, with chains of what they were (InnoDB).
 */
export type VersionLayout = "timestamped" | "appended" | "undo";

/** How a store of transactions is opened. */
export interface MvccOptions {
  /** The directory of the engine below. One process at a time. */
  readonly dir: string;
  /**
   * Default `timestamped`: the fastest to write, to collect, and to read the past; `undo` looks up
   * the newest state faster (`npm run bench -- mvcc/layouts`). A directory keeps the one that it
   * was made with.
   */
  readonly layout?: VersionLayout;
  /** Options of the engine below; the key timestamps are set here. */
  readonly engine?: Omit<EngineOptions, "dir" | "timestampedKeys" | "clock">;
  /** For retention, alarms and back-off. Default: the clock of this machine. */
  readonly clock?: Clock;
  /** For the jitter of `run`. Default: the chance of this machine. */
  readonly random?: Random;
  /**
   * How long what was replaced stays readable, in milliseconds: `begin({ at })` reaches back so
   * far. Default 0: as long as a transaction needs it. Larger: more space. What was there before a
   * restart counts as replaced by the restart.
   */
  readonly retentionMs?: Ms;
  /**
   * Tell of a transaction that is open for so long. Default 60 s. Looked at behind a commit, once a
   * second or so: without commits nothing is held back.
   */
  readonly readerAgeMsMax?: Ms;
  /** Tell of a transaction that so many versions were written behind. Default 1,000,000. */
  readonly readerVersionsMax?: number;
  /** Who is told, once for each transaction. Must not throw. Default: nobody. */
  readonly onOldReader?: (reader: OldReader) => void;
}

/** A transaction that holds garbage back. */
export interface OldReader {
  readonly label: string;
  readonly timestamp: Timestamp;
  readonly ageMs: Ms;
  /** Versions that were written since it began. */
  readonly versionsSince: number;
}

/** How a transaction begins. */
export interface BeginOptions {
  /** Default `snapshot`. */
  readonly level?: IsolationLevel;
  /** Refuse writes. Default false; always true with `at`. */
  readonly readOnly?: boolean;
  /** Read as of this moment in the past, within the retention. */
  readonly at?: Timestamp;
  /** A name for alarms and statistics. Default: a number. */
  readonly label?: string;
}

/** A range of keys, half-open, and a direction. */
export interface ScanOptions {
  /** Included. Default: no lower end. */
  readonly from?: Bytes;
  /** Excluded. Default: no upper end. */
  readonly before?: Bytes;
  /** From the last key to the first. Default false. */
  readonly reverse?: boolean;
}

/** A place in a transaction to which its writes can be taken back. */
export interface Savepoint {
  readonly name: string;
}

/** How a commit is acknowledged. */
export interface CommitOptions {
  /** Once it survives power loss; else once it survives the end of this process. Default false. */
  readonly sync?: boolean;
}

/**
 * One transaction. It ends with `commit` or `abort`; until then it holds garbage back. Every method
 * but `abort` throws `MVCC_TRANSACTION_OVER` once one of the two was called.
 */
export interface Transaction {
  readonly label: string;
  readonly level: IsolationLevel;
  /** It sees what was committed up to here. */
  readonly readTimestamp: Timestamp;
  /** `committed` as soon as its place among the commits is certain, before `commit` resolves. */
  readonly state: "open" | "committed" | "aborted";
  /** Looks a key up. @returns a copy; undefined if there is none. */
  get(key: Bytes): Bytes | undefined;
  /**
   * Goes over keys and values of a range, in order; copies. Own writes are merged in as they are
   * when the first entry is asked for. What a scan holds that is left in its middle goes with the
   * transaction.
   */
  scan(options?: ScanOptions): IterableIterator<[key: Bytes, value: Bytes]>;
  /**
   * Sets a key, for this transaction at first. Key and value are copied.
   *
   * @throws TypeError in a transaction that was begun to read only.
   */
  put(key: Bytes, value: Bytes): void;
  /** Removes a key, whether it is there or not. As `put`. */
  delete(key: Bytes): void;
  /** Marks this place. */
  savepoint(name?: string): Savepoint;
  /** Takes back every write made since the savepoint, which stays. What was read stays read. */
  rollbackTo(savepoint: Savepoint): void;
  /**
   * Makes all writes visible and lasting, or none (T2). Whoever begins after the promise has
   * resolved sees them.
   *
   * @returns the timestamp of the commit; `readTimestamp` where nothing was written.
   * @throws `MVCC_CONFLICT` with `details` `key` (hexadecimal) and `rule`, T4 or T5: the
   * transaction is aborted, and may be tried again from its beginning. RangeError for more than
   * a record of the log takes, 64 MiB: nothing is written. Errors of the engine: whether the
   * writes will be there after a restart is then unknown.
   */
  commit(options?: CommitOptions): Promise<Timestamp>;
  /** Ends without a trace. On a transaction that has ended, nothing happens. */
  abort(): void;
}

/** Why a transaction is run again. */
export interface RetryReason {
  /** How often it was tried before: 1 or more. */
  readonly attempts: number;
  /** The conflict that ended the last try. */
  readonly conflict: Error;
}

/** How `run` tries. */
export interface RunOptions extends Omit<BeginOptions, "at">, CommitOptions {
  /** Give up after so many tries, with the last conflict. Default 10. */
  readonly attemptsMax?: number;
  /** The longest pause before the second try; doubled for each further one. Default 1. */
  readonly backoffMs?: Ms;
  /** The pause grows no longer than this. Default 100. */
  readonly backoffMsMax?: Ms;
}

/** The state now, and counters since opening. */
export interface MvccStats {
  readonly layout: VersionLayout;
  /** Of the newest commit that readers see; at first, the last that may have been given out. */
  readonly timestamp: Timestamp;
  /** What only readers below this need is garbage. */
  readonly horizon: Timestamp;
  readonly open: number;
  /** Who holds the horizon back; null: nobody is reading (T7). */
  readonly oldestReader: OldReader | null;
  readonly commits: number;
  readonly aborts: number;
  /** Commits refused by T4, and by T5. */
  readonly writeConflicts: number;
  readonly readConflicts: number;
  /** Versions written, deletions included. */
  readonly versions: number;
}

/** What a collection has found. */
export interface CollectReport {
  readonly horizon: Timestamp;
  /** Versions that were there before and after; deletions are versions. */
  readonly versionsBefore: number;
  readonly versionsAfter: number;
}

/** An open store of transactions. */
export interface Mvcc {
  /**
   * Begins a transaction.
   *
   * @throws `MVCC_SNAPSHOT_TOO_OLD` for an `at` below the retention; RangeError for one that is yet
   * to come; `LSM_CLOSED`.
   */
  begin(options?: BeginOptions): Transaction;
  /**
   * Runs `body` in a transaction and commits it; after a conflict again, with a pause of random
   * length, in a new transaction.
   *
   * @param body - must do nothing that cannot be done twice. It is told why it runs again.
   * @returns what `body` returned.
   * @throws what `body` throws, after aborting; `MVCC_CONFLICT` of the last try; `LSM_CLOSED` if
   * the store was closed before the end of `body`: nothing was written.
   */
  run<T>(
    body: (transaction: Transaction, reason: RetryReason | null) => T | Promise<T>,
    options?: RunOptions,
  ): Promise<T>;
  /** The oldest timestamp at which anybody reads, or may come to read. */
  readonly horizon: Timestamp;
  /**
   * Removes everything that nobody can see any more, now. What compaction does by itself, it does
   * bit by bit. Others may go on reading and committing.
   */
  collect(): Promise<CollectReport>;
  /** The state now, and counters since opening. Cheap. */
  stats(): MvccStats;
  /** As `Engine.step` of the engine below, for who opened it with `background: "step"`. */
  step(): boolean;
  /**
   * Aborts what is open, and releases everything. Commits under way are carried out, or rejected
   * with `LSM_CLOSED`. Twice is once.
   */
  close(): Promise<void>;
}

/** What chapter 06 exports. */
export interface MvccModule {
  /**
   * Opens or creates a store.
   *
   * @throws `MVCC_LAYOUT_MISMATCH` for a directory that was made with another layout; RangeError
   * for an option out of its range; what `openEngine` throws.
   */
  openMvcc(options: MvccOptions): Promise<Mvcc>;
  /**
   * The bytes under which a version lies: in their order, keys ascend, and of one key later
   * timestamps come first, whatever bytes the keys are made of.
   */
  encodeVersion(key: Bytes, timestamp: Timestamp): Bytes;
  /** What `encodeVersion` was given. @throws `BYTES_MALFORMED` for other bytes. */
  decodeVersion(bytes: Bytes): { readonly key: Bytes; readonly timestamp: Timestamp };
}

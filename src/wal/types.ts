/**
 * Contract of chapter 01: a log of records on disk that survives power loss.
 *
 * W1 LSNs are dense and ordered, from 1. W2 `sync` returned: all earlier appends survive power
 * loss. W3 open yields a prefix that holds all acknowledged records. W4 nothing is invented. W5 a
 * record is valid if its type is known and non-zero, its length bounded and inside the file, its
 * checksum over header *and* payload right, and its LSN the expected one. W6 an invalid record at
 * the unsynced end is cut off, and the cut is synced; an invalid record inside known-synced data is
 * an error, not a cut. W7 after a failed sync nothing is acknowledged until reopened. W8 recovery
 * is repeatable and may itself crash. W9 making and removing segments is made durable with the
 * directory; removal happens only below the given LSN, oldest first.
 */
import type { Bytes } from "#base";
import type { Disk } from "#platform/types";

/** The number of a record: 1 for the first, then +1 each, up to 2^53 - 1. */
export type Lsn = number;

/**
 * One record. The payload may be a view into a larger array; it is the receiver's to keep, not to
 * change.
 */
export interface WalRecord {
  readonly lsn: Lsn;
  readonly payload: Bytes;
}

/** What recovery found. */
export interface RecoveryReport {
  /** Records handed out, from `firstLsn` on. */
  readonly records: number;
  readonly firstLsn: Lsn;
  readonly nextLsn: Lsn;
  /** Bytes of a torn tail that were cut off. Preallocated zeros do not count. */
  readonly droppedBytes: number;
  readonly reason: "clean" | "torn-tail";
  readonly segments: number;
}

/** How a log is opened. */
export interface WalOptions {
  readonly disk: Disk;
  /** The log's own directory; made if missing. */
  readonly dir: string;
  /**
   * Start a new segment when the current one has this many bytes. Default 16 MiB. Larger: fewer
   * files, coarser removal. A record larger than this gets a segment of its own.
   */
  readonly segmentBytesMax?: number;
  /**
   * Zero-fill this far ahead, so that a sync need not write file metadata. Default 1 MiB; 0: never.
   * Larger: fewer stalls, each longer.
   */
  readonly preallocateBytes?: number;
  /** Refuse payloads above this, and lengths above it on reading. Default 128 MiB. */
  readonly payloadBytesMax?: number;
}

/** An open log. One writer. */
export interface Wal {
  /** Oldest record still kept; equals `nextLsn` in an empty log. */
  readonly firstLsn: Lsn;
  /** The number that the next record gets. */
  readonly nextLsn: Lsn;
  /** Every record up to here survives power loss. 0: none. */
  readonly durableLsn: Lsn;
  /**
   * Adds a record to the end; not durable yet. The payload is copied before the call returns.
   *
   * @returns its LSN.
   * @throws RangeError for a payload above the limit; `WAL_POISONED`, `WAL_CLOSED`; `DISK_FULL`,
   * after which the log is poisoned, because any part of the record may have reached the file.
   */
  append(payload: Bytes): Lsn;
  /**
   * Hands every earlier append to the operating system: from then on it survives the end of this
   * process, though not power loss.
   *
   * @throws as `append`.
   */
  flush(): void;
  /**
   * Makes every earlier append durable (W2).
   *
   * @throws as `append`; a failed sync poisons the log (W7).
   */
  sync(): void;
  /**
   * Makes every append made before this call durable, without blocking the thread. Calls that come
   * while a sync is under way share the next one (group commit without linger), and resolve in
   * order.
   *
   * @returns the LSN up to which the log is durable.
   * @throws as `sync`; all waiters are rejected.
   */
  syncAsync(): Promise<Lsn>;
  /** `append`, then `syncAsync`: resolves with the record's LSN once it is durable. */
  commit(payload: Bytes): Promise<Lsn>;
  /**
   * Reads records, from `from` (included) to `before` (excluded), in order, durable or not.
   * Stop by returning `false`.
   *
   * @throws `WAL_NOT_RETAINED` if `from` is below `firstLsn`; `WAL_CORRUPT` if a record is damaged.
   */
  // biome-ignore lint/suspicious/noConfusingVoidType: most callers return nothing, and need not.
  read(range: { from: Lsn; before: Lsn }, onRecord: (record: WalRecord) => boolean | void): void;
  /**
   * Forgets whole segments whose records are all below `lsn` (W9). Keeps everything from `lsn` on.
   *
   * @throws RangeError when `lsn` is above `durableLsn + 1`.
   */
  truncateBefore(lsn: Lsn): void;
  /**
   * As `truncateBefore`, but leaves the files to the caller, who may remove them on another thread.
   * What stays comes back when the log is opened again, as if nothing had been forgotten.
   *
   * @returns paths to unlink, in this order, each followed by a `syncDir` of the log's directory
   * (W9); none while there is nothing to forget.
   * @throws as `truncateBefore`.
   */
  detachBefore(lsn: Lsn): readonly string[];
  /**
   * Removes every record above `lsn`, durably before it returns; the next append gets `lsn + 1`.
   *
   * @throws RangeError when `lsn` is below `firstLsn - 1`.
   */
  truncateAfter(lsn: Lsn): void;
  /** Bytes on disk, preallocation included. */
  sizeBytes(): number;
  /**
   * Syncs what is unsynced unless poisoned, and releases the files. Pending waiters are settled
   * first.
   */
  close(): Promise<void>;
}

/** A frame of a segment file, for people. */
export interface DescribedFrame {
  readonly offset: number;
  /** Of the whole frame. */
  readonly bytes: number;
  /** A mark holds no record: it only says what was durable. */
  readonly kind: "record" | "mark";
  /** Of this record; of the next one in a mark. */
  readonly lsn: Lsn;
  /** Every record up to here was durable when this frame was written. */
  readonly watermark: Lsn;
  /** A view into a larger array; the receiver's to keep, not to change. Empty in a mark. */
  readonly payload: Bytes;
}

/** A segment file as `cairn inspect` shows it. */
export interface SegmentDescription {
  /** Size of the file. */
  readonly bytes: number;
  /** From the header; null if that cannot be trusted. */
  readonly number: number | null;
  readonly firstLsn: Lsn | null;
  readonly records: number;
  readonly marks: number;
  /** Where the last whole frame ends. */
  readonly endOffset: number;
  /** The record that would come next. */
  readonly nextLsn: Lsn;
  /** Up to here the records are known to have been durable; 0: none is. */
  readonly durableLsn: Lsn;
  /** Bytes behind the last whole frame that are not room made ahead, which is zeros. */
  readonly droppedBytes: number;
  /**
   * `torn`: what a crash leaves, if this is the last segment of its log. `damaged`: something that
   * was durable cannot be read. As far as one file can tell: damage to the last synced records of a
   * log that was not closed looks torn.
   */
  readonly verdict: "sound" | "torn" | "damaged";
  /** The first thing that is wrong; null if nothing is. */
  readonly problem: { readonly offset: number; readonly text: string } | null;
  /** Where a frame starts that says that what is wrong was durable; null if there is none. */
  readonly witnessOffset: number | null;
}

/** What chapter 01 exports. */
export interface WalModule {
  /**
   * Opens or creates a log, recovers it, and hands out every record, oldest first, before it
   * returns: writing before recovering cannot be expressed.
   *
   * @throws `WAL_CORRUPT` with `details` `file`, `segment` and `offset`, when a record that must
   * have been durable is damaged or missing; nothing is changed then. Disk errors as they come.
   */
  openWal(
    options: WalOptions,
    onRecord: (record: WalRecord) => void,
  ): { wal: Wal; report: RecoveryReport };
}

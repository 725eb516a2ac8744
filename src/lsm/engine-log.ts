/**
 * The engine's log: what it is told of each group, and what happens when it fails.
 *
 * A log that has failed is never written again (W7), and what it holds beyond the last sync is
 * unknown. So the engine takes no writes until every memtable is in a table and the manifest names
 * a new log. Until then a crash replays the old one. It may then bring back the one group that met
 * the failure, although its callers were told that it was refused: any part of it may have reached
 * the file. Nothing comes after that group in the old log, and its sequences are given out again
 * only in a log that begins when the old one is retired; so no sequence ever has two meanings.
 *
 * Invariant: `before` is the first record that is not in a memtable or table.
 * Chapter: 04-lsm, "When the log fails"
 */
import { type Bytes, CairnError, errorText, isCairnError } from "#base";
import type { Lsn } from "#wal/types";
import type { EngineWal } from "./lazy-log.ts";

/** How the log is written. */
export interface EngineLogOptions {
  readonly wal: EngineWal;
  /** The number of its directory. */
  readonly number: number;
  /** See `EngineOptions`. */
  readonly logBytesPerSync: number;
  /** The log has failed just now. */
  readonly onFailure: () => void;
}

/** The log of one engine. */
export type EngineLog = WrittenLog;

/** Takes over a log that recovery has read. */
export function createEngineLog(options: EngineLogOptions): EngineLog {
  return new WrittenLog(options);
}

class WrittenLog {
  readonly #logBytesPerSync: number;
  readonly #onFailure: () => void;
  #wal: EngineWal;
  #unsyncedBytes = 0;
  number: number;
  before: Lsn;
  /** Why nothing can be written; null as long as all is well. */
  failure: { readonly error: unknown } | null = null;

  constructor({ wal, number, logBytesPerSync, onFailure }: EngineLogOptions) {
    this.#wal = wal;
    this.number = number;
    this.before = wal.nextLsn;
    this.#logBytesPerSync = logBytesPerSync;
    this.#onFailure = onFailure;
  }

  /**
   * Adds a group. It survives the end of this process when this returns.
   *
   * @throws `LSM_WRITE_REFUSED`, `cause` being what the disk said.
   */
  append(group: Bytes): void {
    if (this.failure !== null) throw refused(this.failure.error);
    const wal = this.#wal;
    try {
      const lsn = wal.append(group);
      wal.flush();
      this.before = lsn + 1;
    } catch (error) {
      this.#fail(error);
      // Our own bugs, and a dead machine, are not dressed up.
      throw isCairnError(error) ? refused(error) : error;
    }
    if (this.#logBytesPerSync === 0) return;
    this.#unsyncedBytes += group.length;
    if (this.#unsyncedBytes >= this.#logBytesPerSync) void this.#syncUnasked();
  }

  /** Makes everything appended durable, on this thread. @throws disk errors. */
  sync(): void {
    try {
      this.#wal.sync();
      this.#unsyncedBytes = 0;
    } catch (error) {
      throw this.#syncFailed(this.#wal, error);
    }
  }

  /** As `sync`, without blocking. Callers of one moment share a sync. */
  async syncAsync(): Promise<void> {
    const wal = this.#wal;
    this.#unsyncedBytes = 0;
    try {
      await wal.syncAsync();
    } catch (error) {
      throw this.#syncFailed(wal, error);
    }
  }

  /**
   * Forgets records that are in tables (L3).
   *
   * @returns files to remove, in this order, each with a sync of the directory behind it: a gap in
   * the log would be damage. What stays is removed by a later opening.
   */
  retire(before: Lsn): readonly string[] {
    return this.failure === null ? this.#wal.detachBefore(before) : [];
  }

  /** Goes on in a new, empty log. @returns the old one, still to be closed. */
  replace(wal: EngineWal, number: number): EngineWal {
    const old = this.#wal;
    this.#wal = wal;
    this.number = number;
    this.before = wal.nextLsn;
    this.#unsyncedBytes = 0;
    this.failure = null;
    return old;
  }

  sizeBytes(): number {
    return this.#wal.sizeBytes();
  }

  close(): Promise<void> {
    return this.#wal.close();
  }

  /** Never rejects: whoever waits for a sync of his own hears of the failure there. */
  async #syncUnasked(): Promise<void> {
    try {
      await this.syncAsync();
    } catch (error) {
      this.failure ??= { error };
    }
  }

  /** Notes a failed sync. @returns what the disk said, also to those who came after it. */
  #syncFailed(wal: EngineWal, error: unknown): unknown {
    const said = isCairnError(error, "WAL_POISONED") ? (error.cause ?? error) : error;
    // A log that was replaced meanwhile has nothing to say about the new one.
    if (wal === this.#wal) this.#fail(said);
    return said;
  }

  #fail(error: unknown): void {
    if (this.failure !== null) return;
    this.failure = { error };
    this.#onFailure();
  }
}

/** What a write gets that the disk does not take. */
export function refused(cause: unknown): CairnError {
  const details = { reason: "the disk failed" };
  const message = `lsm: write refused, the disk failed: ${errorText(cause)}`;
  return new CairnError("LSM_WRITE_REFUSED", message, { cause, details });
}

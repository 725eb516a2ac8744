/**
 * A log of the engine, opened for writing only when something is written.
 *
 * Opening a log reads it, and most openings of an engine never write. The manifest has been read
 * before its log is opened, to refuse a damaged engine before anything is changed; the log of the
 * writes is most often empty. Invariant: it is used only for a log that was closed properly and is
 * one file: opening has nothing to repair, nothing to sync, and leaves no file behind.
 * Chapter: 04-lsm
 */
import type { Bytes } from "#base";
import type { Lsn, Wal } from "#wal/types";

/** What an engine asks of a log that was recovered. */
export type EngineWal = Pick<
  Wal,
  | "firstLsn"
  | "nextLsn"
  | "append"
  | "flush"
  | "sync"
  | "syncAsync"
  | "commit"
  | "detachBefore"
  | "sizeBytes"
  | "close"
>;

/** What is known of a log that is not open. */
export interface KnownLog {
  readonly firstLsn: Lsn;
  readonly nextLsn: Lsn;
  readonly bytes: number;
}

/** @param open - opens the log; called at most once. */
export function lazyLog(open: () => Wal, known: KnownLog): EngineWal {
  return new LazyLog(open, known);
}

class LazyLog implements EngineWal {
  readonly #open: () => Wal;
  readonly #known: KnownLog;
  #log: Wal | null = null;

  constructor(open: () => Wal, known: KnownLog) {
    this.#open = open;
    this.#known = known;
  }

  get firstLsn(): Lsn {
    return this.#log?.firstLsn ?? this.#known.firstLsn;
  }

  get nextLsn(): Lsn {
    return this.#log?.nextLsn ?? this.#known.nextLsn;
  }

  append(payload: Bytes): Lsn {
    return this.#opened().append(payload);
  }

  flush(): void {
    this.#log?.flush();
  }

  sync(): void {
    this.#log?.sync();
  }

  async syncAsync(): Promise<Lsn> {
    return this.#log === null ? this.#known.nextLsn - 1 : this.#log.syncAsync();
  }

  async commit(payload: Bytes): Promise<Lsn> {
    return this.#opened().commit(payload);
  }

  detachBefore(lsn: Lsn): readonly string[] {
    return this.#log?.detachBefore(lsn) ?? [];
  }

  sizeBytes(): number {
    return this.#log?.sizeBytes() ?? this.#known.bytes;
  }

  async close(): Promise<void> {
    await this.#log?.close();
  }

  #opened(): Wal {
    this.#log ??= this.#open();
    return this.#log;
  }
}

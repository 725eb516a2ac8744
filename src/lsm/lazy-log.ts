/**
 * The manifest's log, opened for writing only when something is written.
 *
 * Opening a log reads it. The manifest has been read by then, to refuse a damaged engine before
 * anything is changed, and most openings of an engine never write it. Invariant: it is used only
 * for a log that was closed properly, where opening has nothing to repair and nothing to sync.
 * Chapter: 04-lsm
 */
import type { Bytes } from "#base";
import type { Lsn, Wal } from "#wal/types";

/** What the manifest asks of its log. */
export type ManifestLog = Pick<Wal, "append" | "sync" | "commit" | "close" | "sizeBytes"> & {
  /** Records in it. */
  readonly records: number;
};

/** @param log - an open one. */
export function openedLog(log: Wal): ManifestLog {
  return new LazyLog(() => log, { records: 0, bytes: 0 }, log);
}

/**
 * @param open - opens the log; called at most once.
 * @param known - what it holds.
 */
export function lazyLog(
  open: () => Wal,
  known: { readonly records: number; readonly bytes: number },
): ManifestLog {
  return new LazyLog(open, known, null);
}

class LazyLog implements ManifestLog {
  readonly #open: () => Wal;
  readonly #known: { readonly records: number; readonly bytes: number };
  #log: Wal | null;

  constructor(
    open: () => Wal,
    known: { readonly records: number; readonly bytes: number },
    log: Wal | null,
  ) {
    this.#open = open;
    this.#known = known;
    this.#log = log;
  }

  get records(): number {
    const log = this.#log;
    return log === null ? this.#known.records : log.nextLsn - log.firstLsn;
  }

  append(payload: Bytes): Lsn {
    return this.#opened().append(payload);
  }

  sync(): void {
    this.#opened().sync();
  }

  async commit(payload: Bytes): Promise<Lsn> {
    return this.#opened().commit(payload);
  }

  async close(): Promise<void> {
    await this.#log?.close();
  }

  sizeBytes(): number {
    return this.#log?.sizeBytes() ?? this.#known.bytes;
  }

  #opened(): Wal {
    this.#log ??= this.#open();
    return this.#log;
  }
}

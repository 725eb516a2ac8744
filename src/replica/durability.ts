/**
 * Makes what was written durable: one sync at a time, whatever was written meanwhile shares the
 * next.
 *
 * A healthy disk answers in a fraction of a millisecond, less than the way to another thread and
 * back costs; then the sync is made on this thread, after everything that waits has been read, so
 * that it is shared. Once a sync was slow, the next ones leave the thread, and heartbeats go on
 * meanwhile. A disk that hangs on this thread stops the heartbeats with it, which is what the
 * others need to see.
 *
 * Invariant: `onDurable(seq)` is called only when everything written up to `seq` is on disk.
 * Chapter: 08-replica.
 */
import type { Ms } from "#base";
import type { Clock } from "#platform/types";
import type { PersistSeq } from "#raft/types";
import type { RaftLog } from "./types.ts";

/** A sync that took longer is slow: a heartbeat should not wait for many of them. */
const SLOW_MS: Ms = 5;
/** So many syncs leave the thread after a slow one, before this thread is tried again. */
const CAUTIOUS_SYNCS = 256;

/** See the file's header. */
export interface Durability {
  readonly persistedSeq: PersistSeq;
  /** Something was written that a sync must cover. */
  wrote(seq: PersistSeq): void;
  /** Starts a sync if something waits for one and none is under way. */
  start(): void;
  stop(): void;
}

export interface DurabilityOptions {
  readonly log: RaftLog;
  readonly clock: Clock;
  /** `adaptive`: as the file's header says. `async`: never on this thread. */
  readonly mode: "adaptive" | "async";
  readonly onDurable: (seq: PersistSeq) => void;
  readonly onError: (error: unknown) => void;
}

class SharedSyncs implements Durability {
  readonly #options: DurabilityOptions;
  #writtenSeq: PersistSeq = 0;
  #isSyncing = false;
  #isStopped = false;
  #cautious: number;
  persistedSeq: PersistSeq = 0;

  constructor(options: DurabilityOptions) {
    this.#options = options;
    this.#cautious = options.mode === "async" ? Number.POSITIVE_INFINITY : 0;
  }

  wrote(seq: PersistSeq): void {
    this.#writtenSeq = seq;
  }

  start(): void {
    if (this.#isSyncing || this.#isStopped || this.#writtenSeq === this.persistedSeq) return;
    this.#isSyncing = true;
    if (this.#cautious > 0) this.#syncElsewhere();
    else this.#options.clock.whenIdle(() => this.#syncHere());
  }

  stop(): void {
    this.#isStopped = true;
  }

  #syncHere(): void {
    if (this.#isStopped) return;
    const { log, clock, onError } = this.#options;
    const seq = this.#writtenSeq;
    const startedAt = clock.now();
    try {
      log.syncNow();
    } catch (error) {
      onError(error);
      return;
    }
    if (clock.now() - startedAt > SLOW_MS) this.#cautious = CAUTIOUS_SYNCS;
    this.#done(seq);
  }

  #syncElsewhere(): void {
    const seq = this.#writtenSeq;
    this.#cautious -= 1;
    this.#options.log.sync().then(
      () => this.#done(seq),
      (error: unknown) => this.#options.onError(error),
    );
  }

  #done(seq: PersistSeq): void {
    this.#isSyncing = false;
    if (this.#isStopped) return;
    this.persistedSeq = seq;
    this.#options.onDurable(seq);
  }
}

/** Makes the durability of one log. */
export function createDurability(options: DurabilityOptions): Durability {
  return new SharedSyncs(options);
}

/**
 * When the log may be shortened, and how far.
 *
 * Invariant: an entry is forgotten only when every member has a copy and this node's database has
 * made its effects durable. Only the leader knows what every member has; it tells the others with
 * its appends (`compactTo`). Chapter: 08-replica.
 */
import type { Ms } from "#base";
import type { Index, RaftCore } from "#raft/types";
import type { RaftLog } from "./types.ts";

/**
 * Shortening is worth its sync when so many entries could go, or when the log has so many bytes.
 */
const ENTRIES_MIN = 8192;
const LOG_BYTES_MIN = 32 * 1024 * 1024;

/** How often to look: it costs a copy of the core's status. */
const CHECK_MS = 500;

/** See the file's header. */
export interface Compaction {
  /** Up to here every member has a copy, as far as this node knows. */
  readonly compactTo: Index;
  /** Takes the leader's advice. */
  advise(compactTo: Index): void;
  /**
   * Shortens the log if it is time and worth it.
   *
   * @returns the last forgotten index, or undefined.
   */
  consider(now: Ms, durable: Index): Promise<Index | undefined>;
}

class LogCompaction implements Compaction {
  readonly #core: RaftCore;
  readonly #log: RaftLog;
  #lastCheckAt: Ms = Number.NEGATIVE_INFINITY;
  #isRunning = false;
  compactTo: Index = 0;

  constructor(core: RaftCore, log: RaftLog) {
    this.#core = core;
    this.#log = log;
  }

  advise(compactTo: Index): void {
    this.compactTo = Math.max(this.compactTo, compactTo);
  }

  async consider(now: Ms, durable: Index): Promise<Index | undefined> {
    if (this.#isRunning || now - this.#lastCheckAt < CHECK_MS) return undefined;
    this.#lastCheckAt = now;
    const status = this.#core.status();
    if (status.role === "leader") {
      this.advise(Math.min(status.commitIndex, ...status.peers.map((peer) => peer.match)));
    }
    const upTo = Math.min(this.compactTo, durable);
    const isLarge = this.#log.sizeBytes > LOG_BYTES_MIN && upTo > status.firstIndex;
    if (!isLarge && upTo - status.firstIndex < ENTRIES_MIN) return undefined;
    this.#isRunning = true;
    try {
      return await this.#log.compact(upTo);
    } finally {
      this.#isRunning = false;
    }
  }
}

/** Makes the policy for one log. */
export function createCompaction(core: RaftCore, log: RaftLog): Compaction {
  return new LogCompaction(core, log);
}

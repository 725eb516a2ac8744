/**
 * When the log may be shortened, and how far.
 *
 * Invariants: an entry is forgotten only when this node's database has made its effects durable.
 * It is kept while a member may still need it; a member that is away, or too slow, keeps no more
 * than `keepBytesMax` of log from being forgotten, and gets a snapshot later. Only the leader knows
 * what the members have; it tells the others with its appends (`compactTo`). Chapter: 08-replica.
 */
import type { Ms } from "#base";
import type { Index, NodeId, RaftCore, RaftStatus } from "#raft/types";
import type { RaftLog } from "./types.ts";

/**
 * Shortening is worth its sync when so many entries could go, or when the log has so many bytes.
 */
const ENTRIES_MIN = 8192;
const LOG_BYTES_MIN = 32 * 1024 * 1024;

/** How often to look: it costs a copy of the core's status. */
const CHECK_MS = 500;

/** Such a multiple of what is kept for members that are away is kept for slow ones. */
const SLOW_FACTOR = 2;

const NOBODY: ReadonlySet<NodeId> = new Set();

/** See the file's header. */
export interface Compaction {
  /** Up to here nobody needs the log, as far as this node knows. */
  readonly compactTo: Index;
  /** Takes the leader's advice. */
  advise(compactTo: Index): void;
  /** Shortens the log if it is time and worth it. */
  consider(now: Ms, durable: Index): Promise<void>;
}

export interface CompactionParts {
  readonly core: RaftCore;
  readonly log: RaftLog;
  readonly keepBytesMax: number;
  /** A member that has not answered for so long is away. */
  readonly awayMs: Ms;
  /**
   * Where the oldest copy that is made or sent ends: its receiver goes on from there. What is on
   * its way to nobody but these does not count.
   */
  readonly snapshotIndexMin: (away: ReadonlySet<NodeId>) => Index;
  /** Told in the moment in which entries up to here are gone. */
  readonly onForgotten: (upTo: Index) => void;
}

class LogCompaction implements Compaction {
  readonly #parts: CompactionParts;
  #lastCheckAt: Ms = Number.NEGATIVE_INFINITY;
  #isRunning = false;
  compactTo: Index = 0;

  constructor(parts: CompactionParts) {
    this.#parts = parts;
  }

  advise(compactTo: Index): void {
    this.compactTo = Math.max(this.compactTo, compactTo);
  }

  async consider(now: Ms, durable: Index): Promise<void> {
    if (this.#isRunning || now - this.#lastCheckAt < CHECK_MS) return;
    this.#lastCheckAt = now;
    const { core, log, keepBytesMax, snapshotIndexMin, onForgotten } = this.#parts;
    const status = core.status();
    // Each keeps as much as one that is away may keep, copies included, and no more.
    const isOverLimit = log.sizeBytes > keepBytesMax;
    const away = isOverLimit ? this.#awayAt(status, now) : NOBODY;
    const copiedUpTo = snapshotIndexMin(away);
    if (status.role === "leader") this.advise(this.#neededBehind(status, away, copiedUpTo));
    const upTo = Math.min(this.compactTo, durable, copiedUpTo);
    const isLarge = log.sizeBytes > Math.min(LOG_BYTES_MIN, keepBytesMax);
    const entries = upTo - status.firstIndex;
    if (entries <= 0 || (!isLarge && entries < ENTRIES_MIN)) return;
    this.#isRunning = true;
    try {
      await log.compact(upTo, () => onForgotten(log.compactedIndex));
    } finally {
      this.#isRunning = false;
    }
  }

  #awayAt({ peers }: RaftStatus, now: Ms): ReadonlySet<NodeId> {
    const away = peers.filter(({ lastReplyAt }) => now - lastReplyAt > this.#parts.awayMs);
    return new Set(away.map(({ peer }) => peer));
  }

  /** Everything behind this index may still be asked for by a member. */
  #neededBehind(
    { commitIndex, peers }: RaftStatus,
    away: ReadonlySet<NodeId>,
    copiedUpTo: Index,
  ): Index {
    const { log, keepBytesMax } = this.#parts;
    const isFarOverLimit = log.sizeBytes > keepBytesMax * SLOW_FACTOR;
    let needed = Math.min(commitIndex, copiedUpTo);
    for (const { peer, match, state } of peers) {
      // Whoever gets a snapshot needs what is behind the copy, and that is kept for the copy.
      if (state === "snapshot" || away.has(peer) || isFarOverLimit) continue;
      needed = Math.min(needed, match);
    }
    return needed;
  }
}

/** Makes the policy for one log. */
export function createCompaction(parts: CompactionParts): Compaction {
  return new LogCompaction(parts);
}

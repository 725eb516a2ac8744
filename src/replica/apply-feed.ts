/**
 * Hands committed entries to the state machine, in order, not more than a few megabytes ahead.
 *
 * Invariant: each index is handed out once, and nothing before it is committed and durable here: so
 * the database can never be ahead of the log beside it. Chapter: 08-replica.
 */
import { assert, type Cancel, type Ms } from "#base";
import type { Clock } from "#platform/types";
import type { Index } from "#raft/types";
import { decodeEntry } from "./entry.ts";
import type { Proposals } from "./proposals.ts";
import type { Applier, CommittedEntry, LogEntry, RaftLog } from "./types.ts";

/** Keeps memory flat while a long log is replayed. */
const AHEAD_BYTES_MAX = 4 * 1024 * 1024;
const BATCH_ENTRIES_MAX = 256;
/** Far below what a reader of a follower can notice. */
const LAZY_MS: Ms = 4;

/** See the file's header. */
export interface ApplyFeed {
  readonly applied: Index;
  /**
   * Entries up to here may be applied: at once where somebody waits for the result, else within
   * LAZY_MS, so that a follower answers its leader first and applies several entries in one go.
   */
  ready(index: Index, isAwaited: boolean): void;
  /** The state machine has applied up to here. */
  noteApplied(index: Index): void;
  /**
   * A snapshot at `index` takes the state's place: what was not handed out up to there never will
   * be. Until it has, nothing is.
   */
  skipTo(index: Index): void;
  /** Hands out nothing more. @returns when all that was handed out has been applied. */
  stop(): Promise<void>;
}

class LogApplyFeed implements ApplyFeed {
  readonly #log: RaftLog;
  readonly #applier: Applier;
  readonly #clock: Clock;
  readonly #guard: (work: () => void) => void;
  #cancelLazy: Cancel | undefined;
  readonly #proposals: Proposals;
  readonly #onSubmit: (entries: readonly LogEntry[]) => void;
  /** Sizes of the entries handed out and not applied yet, oldest first. */
  readonly #ahead: number[] = [];
  #aheadBytes = 0;
  #submitted: Index;
  #ready: Index;
  /** Whoever waits until nothing is under way. */
  #idle: () => void = () => undefined;
  applied: Index;

  constructor(parts: ApplyFeedParts) {
    this.#log = parts.log;
    this.#clock = parts.clock;
    this.#guard = parts.guard;
    this.#applier = parts.applier;
    this.#proposals = parts.proposals;
    this.#onSubmit = parts.onSubmit ?? (() => undefined);
    this.applied = parts.applied;
    this.#submitted = parts.applied;
    this.#ready = parts.applied;
  }

  ready(index: Index, isAwaited: boolean): void {
    this.#ready = index;
    if (isAwaited) this.#submit();
    else {
      this.#cancelLazy ??= this.#clock.after(LAZY_MS, () => this.#guard(() => this.#submit()));
    }
  }

  stop(): Promise<void> {
    this.#cancelLazy?.();
    this.#ready = this.#submitted;
    return new Promise((resolve) => {
      this.#idle = resolve;
      this.#endIfIdle();
    });
  }

  #endIfIdle(): void {
    if (this.applied >= this.#submitted) this.#idle();
  }

  noteApplied(index: Index): void {
    assert(index >= this.applied, `replica: applied index fell from ${this.applied} to ${index}`);
    for (const bytes of this.#ahead.splice(0, index - this.applied)) this.#aheadBytes -= bytes;
    this.applied = index;
    this.#proposals.applied(index);
    this.#submit();
    this.#endIfIdle();
  }

  skipTo(index: Index): void {
    this.#cancelLazy?.();
    this.#cancelLazy = undefined;
    this.#ahead.length = 0;
    this.#aheadBytes = 0;
    this.#submitted = index;
    this.#ready = index;
    this.#proposals.forget(index);
  }

  #submit(): void {
    this.#cancelLazy?.();
    this.#cancelLazy = undefined;
    while (this.#submitted < this.#ready && this.#aheadBytes < AHEAD_BYTES_MAX) {
      const from = this.#submitted + 1;
      const before = Math.min(this.#ready, this.#submitted + BATCH_ENTRIES_MAX) + 1;
      const entries = this.#log.read(from, before, AHEAD_BYTES_MAX - this.#aheadBytes);
      for (const { bytes } of entries) {
        this.#ahead.push(bytes.length);
        this.#aheadBytes += bytes.length;
      }
      this.#submitted += entries.length;
      this.#onSubmit(entries);
      this.#applier.submit(entries.map((entry) => this.#committed(entry)));
    }
  }

  #committed(entry: LogEntry): CommittedEntry {
    const { kind, timeMs, seed, payload } = decodeEntry(entry.bytes);
    // Below 0 are proposals of the replica itself: nobody waits for a result.
    const proposalId = Math.max(0, this.#proposals.committed(entry.index, entry.term));
    return { index: entry.index, term: entry.term, kind, timeMs, seed, payload, proposalId };
  }
}

/** What the feed is made of. */
export interface ApplyFeedParts {
  readonly log: RaftLog;
  readonly applier: Applier;
  readonly proposals: Proposals;
  readonly clock: Clock;
  /** Runs what nobody called for, and deals with what it throws: the log may be unreadable. */
  readonly guard: (work: () => void) => void;
  /** What the state machine had applied when it was opened. */
  readonly applied: Index;
  /** Told of entries just before the state machine gets them. */
  readonly onSubmit?: (entries: readonly LogEntry[]) => void;
}

/** Makes the feed of one replica. */
export function createApplyFeed(parts: ApplyFeedParts): ApplyFeed {
  return new LogApplyFeed(parts);
}

/**
 * What one core says to another. Part of the contract of chapter 07; types only.
 *
 * Messages carry positions, terms and sizes, never bytes of entries: the driver adds those.
 */
import type { ConfigurationRecord, Index, Term, TermRun } from "./types.ts";

/** Asks for a vote, or (`pre`) whether a vote would be given. */
export interface VoteMessage {
  readonly kind: "vote";
  /** The candidate's term; for `pre`, the term it would start. */
  readonly term: Term;
  readonly lastIndex: Index;
  readonly lastTerm: Term;
  readonly pre: boolean;
  /** The leader itself asked for this candidacy: no voter needs to protect it. Never with `pre`. */
  readonly transfer: boolean;
  /** Number of this candidacy at this node; replies to older ones are ignored. */
  readonly attempt: number;
}

/** Answers a {@link VoteMessage}; `attempt` and `pre` come back as they were asked. */
export interface VoteReplyMessage {
  readonly kind: "voteReply";
  /** For a granted pre-vote, the term asked for; otherwise the voter's term. */
  readonly term: Term;
  readonly granted: boolean;
  readonly pre: boolean;
  readonly attempt: number;
  /**
   * Index of the voter's committed configuration if the candidate does not vote in it, else 0. A
   * candidate that votes in no newer one learns from it that it was removed or made a learner.
   */
  readonly removedAt: Index;
}

/** Entries behind `prevIndex`; none at all is a heartbeat. One code path for both. */
export interface AppendMessage {
  readonly kind: "append";
  readonly term: Term;
  readonly prevIndex: Index;
  readonly prevTerm: Term;
  /** Payload bytes of each entry, from `prevIndex + 1` on. */
  readonly sizes: readonly number[];
  /** Terms of the entries; empty when there are none. */
  readonly runs: readonly TermRun[];
  /** Those entries that are configurations, ascending. The driver finds them in the bytes. */
  readonly configurations: readonly ConfigurationRecord[];
  /**
   * The leader's commit index. The follower trusts it only up to the last entry that this request
   * verified.
   */
  readonly commit: Index;
  /** Under which the leader knows this peer: the entry that made it a member. Comes back. */
  readonly session: Index;
  /** Made by the leader, growing within its term; comes back in the reply. */
  readonly round: number;
}

/** Answers an {@link AppendMessage}: what matches, or where the logs might meet. */
export interface AppendReplyMessage {
  readonly kind: "appendReply";
  readonly term: Term;
  readonly ok: boolean;
  /** When ok: the highest index known to match and to be durable here. */
  readonly match: Index;
  /** When not ok: the `prevIndex` that was refused. */
  readonly rejected: Index;
  /** When not ok: largest index that could match, and the term there (two-sided hint). */
  readonly hintIndex: Index;
  readonly hintTerm: Term;
  readonly session: Index;
  readonly round: number;
  /** Bytes that this node would take before its state machine is too far behind. */
  readonly freeBytes: number;
}

/** The leader asks its most advanced voter to campaign at once. */
export interface TimeoutNowMessage {
  readonly kind: "timeoutNow";
  readonly term: Term;
}

/** One chunk of a snapshot: `bytes` bytes at `offset` of `totalBytes`. */
export interface SnapshotMessage {
  readonly kind: "snapshot";
  readonly term: Term;
  readonly session: Index;
  /** Last entry that is inside, and its term. */
  readonly index: Index;
  readonly indexTerm: Term;
  /** The committed configuration at `index`, with the index of its entry. */
  readonly configuration: ConfigurationRecord;
  /** Names this very copy: two copies of one index may differ in their bytes. */
  readonly copy: number;
  readonly offset: number;
  readonly bytes: number;
  readonly totalBytes: number;
}

/** Answers a {@link SnapshotMessage}: what is wanted next. An `appendReply` ends the transfer. */
export interface SnapshotReplyMessage {
  readonly kind: "snapshotReply";
  readonly term: Term;
  readonly session: Index;
  readonly index: Index;
  readonly copy: number;
  /** Everything before it is stored; `totalBytes` when all is there and being installed. */
  readonly nextOffset: number;
}

/** A follower or learner asks the leader for an index that is safe to read at. */
export interface ReadMessage {
  readonly kind: "read";
  readonly term: Term;
  /** Never repeats, across restarts either (a random start, then + 1). */
  readonly request: number;
}

/** Answers a {@link ReadMessage}. */
export interface ReadReplyMessage {
  readonly kind: "readReply";
  readonly term: Term;
  readonly request: number;
  /** The read index; 0: this node could not confirm that it leads. */
  readonly index: Index;
}

/** Everything that one core says to another. */
export type Message =
  | VoteMessage
  | VoteReplyMessage
  | AppendMessage
  | AppendReplyMessage
  | TimeoutNowMessage
  | SnapshotMessage
  | SnapshotReplyMessage
  | ReadMessage
  | ReadReplyMessage;

/**
 * Contract of chapter 07: the pure core of Raft.
 *
 * `step(now, input, outputs)` over plain data. No clock, no disk, no network, no chance, no
 * promises. Time arrives with each input; the core tells its next deadline. The core is
 * payload-free: it knows terms, positions and sizes of entries, never their bytes. Durability is
 * explicit: it emits `persist` with a sequence number and messages that may leave only `after` that
 * number is persisted. Source: Ongaro, "Consensus: bridging theory and practice" (2014), chapters 3
 * and 9.
 */
import type { Ms } from "#base";

/** A member's number, 1 and up. 0 stands for nobody. */
export type NodeId = number;
/** A period with at most one leader, numbered upwards from 1. 0 stands for "before the first". */
export type Term = number;
/** Position in the log: 1 for the first entry. 0 stands for "before the log". */
export type Index = number;
/** Number of a `persist` output: 1 for the first of this process, then +1 each. */
export type PersistSeq = number;

/** What must be on disk before anything that depends on it leaves. Always written as one record. */
export interface HardState {
  readonly term: Term;
  /** Who got our vote in this term; 0: nobody. */
  readonly vote: NodeId;
}

/** Entries from `first` on have this term, up to the next run. */
export interface TermRun {
  readonly first: Index;
  readonly term: Term;
}

/** Asks for a vote, or (`pre`) whether a vote would be given. */
export interface VoteMessage {
  readonly kind: "vote";
  /** The candidate's term; for `pre`, the term it would start. */
  readonly term: Term;
  readonly lastIndex: Index;
  readonly lastTerm: Term;
  readonly pre: boolean;
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
  /**
   * The leader's commit index. The follower trusts it only up to the last entry that this request
   * verified.
   */
  readonly commit: Index;
  /** Made by the leader, growing; comes back in the reply. */
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
  readonly round: number;
}

/** Everything that one core says to another. */
export type Message = VoteMessage | VoteReplyMessage | AppendMessage | AppendReplyMessage;

/** Everything that can go into a core. */
export type Input =
  /** Time has come to the deadline, or may have. */
  | { readonly kind: "tick" }
  /**
   * The runtime was stalled: what it believes about silence is worthless. Restarts the election
   * timeout.
   */
  | { readonly kind: "stalled" }
  | { readonly kind: "message"; readonly from: NodeId; readonly message: Message }
  /** One batch of entries to replicate. `id` is echoed. `sizes` has at least one element. */
  | { readonly kind: "propose"; readonly id: number; readonly sizes: readonly number[] }
  /** Everything up to this `persist` is on disk. */
  | { readonly kind: "persisted"; readonly seq: PersistSeq }
  /** The state machine has applied up to here. */
  | { readonly kind: "applied"; readonly index: Index }
  /** Frames to this peer were lost or its connection broke. */
  | { readonly kind: "unreachable"; readonly peer: NodeId }
  /** The driver has forgotten entries up to here; never above the applied index. */
  | { readonly kind: "compacted"; readonly upTo: Index };

/** Why a batch was not taken: this node does not lead, or too much is uncommitted already. */
export type RefuseReason = "not-leader" | "uncommitted-limit";

/** Everything that can come out of a core. The driver carries outputs out in order. */
export type Output =
  /** `after`: hold it back until that persist is on disk; send at once when there is none. */
  | {
      readonly kind: "send";
      readonly to: NodeId;
      readonly message: Message;
      readonly after?: PersistSeq;
    }
  /**
   * Write, in this order and as one unit of durability: the hard state, the cut, the entries.
   * `source` says where the bytes of the entries are: in the proposal or message being handled, or
   * in a no-op that the driver makes itself.
   */
  | {
      readonly kind: "persist";
      readonly seq: PersistSeq;
      readonly hardState?: HardState;
      readonly truncateFrom?: Index;
      readonly append?: {
        readonly from: Index;
        readonly count: number;
        readonly runs: readonly TermRun[];
        readonly source: "proposal" | "message" | "noop";
      };
    }
  /** These entries are committed and durable here: apply them, in order. Each index comes once. */
  | { readonly kind: "apply"; readonly from: Index; readonly to: Index }
  /** The batch got the indexes from `from` on. It is not committed yet. */
  | {
      readonly kind: "accepted";
      readonly id: number;
      readonly from: Index;
      readonly count: number;
      readonly term: Term;
    }
  /** The batch was not taken and never will be. */
  | { readonly kind: "refused"; readonly id: number; readonly reason: RefuseReason }
  /**
   * Entries from here on were removed from this log. What was accepted there is lost only once
   * another entry is committed in its place: a third node may still hold it, win, and commit it.
   */
  | { readonly kind: "truncated"; readonly from: Index }
  | { readonly kind: "role"; readonly role: Role; readonly term: Term; readonly leader: NodeId }
  /** This peer needs entries that are compacted away. */
  | { readonly kind: "behind"; readonly peer: NodeId; readonly needs: Index };

/** What a node is in its term. A pre-candidate only asks whether it would be voted for. */
export type Role = "follower" | "pre-candidate" | "candidate" | "leader";

/** A leader's view of one peer. */
export interface PeerStatus {
  readonly peer: NodeId;
  readonly match: Index;
  readonly next: Index;
  readonly state: "probe" | "replicate";
  readonly inFlight: number;
  readonly lastReplyAt: Ms;
}

/** The core's state at one moment, for people, tests and `/status`. */
export interface RaftStatus {
  readonly self: NodeId;
  readonly role: Role;
  readonly term: Term;
  readonly vote: NodeId;
  readonly leader: NodeId;
  readonly commitIndex: Index;
  readonly appliedIndex: Index;
  /** Last index that is on disk here. */
  readonly stableIndex: Index;
  readonly firstIndex: Index;
  readonly lastIndex: Index;
  readonly lastTerm: Term;
  /** When a leader was last heard; -1 if never. */
  readonly leaderHeardAt: Ms;
  /** Empty unless leader. */
  readonly peers: readonly PeerStatus[];
}

/** How a core is made. Every limit has its default here. */
export interface RaftOptions {
  readonly self: NodeId;
  /** All voters, with `self`. */
  readonly voters: readonly NodeId[];
  /**
   * Silence after which a follower campaigns: drawn from [electionTimeoutMs, 2 x
   * electionTimeoutMs). A candidate tries again after half of such a draw. Default 1000.
   */
  readonly electionTimeoutMs?: Ms;
  /** Default 100. Well below the election timeout. */
  readonly heartbeatMs?: Ms;
  /** A number from 0 to below 1, for election timeouts. */
  readonly random: () => number;
  /** Soft limit of one append message. Default 1 MiB; a larger entry goes alone. */
  readonly appendBytesMax?: number;
  /** Default 1024. */
  readonly appendEntriesMax?: number;
  /** Appends under way to one peer. Default 64. */
  readonly inFlightMax?: number;
  /** Bytes under way to one peer, soft. Default 4 MiB. */
  readonly inFlightBytesMax?: number;
  /**
   * Proposals are refused while this many bytes are uncommitted, unless nothing is. Default 256
   * MiB.
   */
  readonly uncommittedBytesMax?: number;
}

/** What the disk knows at start. */
export interface RaftBootState {
  readonly hardState: HardState;
  /** Last entry that was compacted away, and its term; 0 and 0 if none was. */
  readonly compactedIndex: Index;
  readonly compactedTerm: Term;
  /** Terms of the entries behind it. */
  readonly runs: readonly TermRun[];
  readonly sizes: readonly number[];
  /** What the state machine holds durably or not: certainly committed. At most the last index. */
  readonly appliedIndex: Index;
}

/** One node's share in consensus: a state machine over {@link Input} and {@link Output}. */
export interface RaftCore {
  /**
   * Handles one input at time `now` and appends what follows to `outputs`.
   *
   * @param now - never smaller than before.
   * @throws InvariantError when an invariant breaks: the process must stop.
   */
  step(now: Ms, input: Input, outputs: Output[]): void;
  /** When `tick` must come at the latest. Always finite. */
  readonly deadline: Ms;
  readonly role: Role;
  readonly commitIndex: Index;
  /** The term of an entry in the log or of the compacted one; undefined elsewhere. */
  termAt(index: Index): Term | undefined;
  /** A copy for people. */
  status(): RaftStatus;
}

/** What chapter 07 exports. */
export interface RaftModule {
  /**
   * @throws RangeError for options that make no sense (self not a voter, heartbeat above election
   * timeout); InvariantError for a boot state that contradicts itself (applied index above the last
   * entry).
   */
  createRaftCore(options: RaftOptions, boot: RaftBootState, now: Ms): RaftCore;
}

/**
 * Contract of chapter 07: the pure core of Raft.
 *
 * `step(now, input, outputs)` over plain data. No clock, no disk, no network, no chance, no
 * promises. Time arrives with each input; the core tells its next deadline. The core is
 * payload-free: it knows terms, positions, sizes and configurations, never the bytes of entries or
 * snapshots. Durability is explicit: it emits `persist` with a sequence number and messages that
 * may leave only `after` that number is persisted. Source: Ongaro, "Consensus: bridging theory and
 * practice" (2014), chapters 3, 4, 6 and 9.
 */
import type { Ms } from "#base";
import type { Message } from "./messages.ts";

export type * from "./messages.ts";

/** A member's number, 1 and up, never given twice. 0 stands for nobody. */
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

/**
 * Who takes part. In force at a node from the moment its entry is in that node's log.
 *
 * While `outgoing` is not empty the configuration is joint: elections and commits need a majority
 * of `voters` and a majority of `outgoing`. All lists ascend. Source: Ongaro 2014, 4.3.
 */
export interface VoterSets {
  readonly voters: readonly NodeId[];
  /** The voters before the change; empty unless joint. */
  readonly outgoing: readonly NodeId[];
  /**
   * They get the log and answer, and count for nothing. In neither of the other two; but a voter
   * that is being made a learner is in `outgoing` as well, and counts there while that lasts.
   */
  readonly learners: readonly NodeId[];
}

/** A configuration and the entry that holds it; index 0: the one the node was made with. */
export interface ConfigurationRecord {
  readonly index: Index;
  readonly sets: VoterSets;
}

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
  /**
   * Asks for another configuration: these voters and learners, and nobody else. The core goes
   * there through a joint configuration if the voters change, and leaves it by itself. A new voter
   * must be a learner that has caught up. The same sets again are a simple entry: what the driver
   * keeps with it (addresses) changes.
   */
  | {
      readonly kind: "change";
      readonly id: number;
      readonly voters: readonly NodeId[];
      readonly learners: readonly NodeId[];
    }
  /** A read that must see every write acknowledged before now. On any node. */
  | { readonly kind: "read"; readonly id: number; readonly via: "index" | "lease" }
  /** Hands leadership to a voter; 0: to the most advanced one. */
  | { readonly kind: "transfer"; readonly to: NodeId }
  /** Everything up to this `persist` is on disk. */
  | { readonly kind: "persisted"; readonly seq: PersistSeq }
  /** The state machine has applied up to here; after an `install`, its snapshot's index. */
  | { readonly kind: "applied"; readonly index: Index }
  /** Frames to this peer were lost or its connection broke. */
  | {
      readonly kind: "unreachable";
      readonly peer: NodeId;
      /**
       * Its own connection is closed as well: most likely its process is dead. Who follows it asks
       * soon whether others think so too.
       */
      readonly isGone?: true;
    }
  /** The driver has forgotten entries up to here; never above the applied index. */
  | { readonly kind: "compacted"; readonly upTo: Index }
  /**
   * Answers `makeSnapshot`: a copy of the state machine as it was at `index` is ready to be sent.
   * `copy` is the driver's name for it, one that no other copy of any node has. 0 bytes: none could
   * be made; the core asks again later.
   */
  | {
      readonly kind: "snapshotReady";
      readonly to: NodeId;
      readonly index: Index;
      readonly copy: number;
      readonly totalBytes: number;
    }
  /**
   * Answers `storeChunk`: everything of this copy before `nextOffset` is stored and checked. Less
   * than was handed out: the chunk was bad, or the file is gone; it is asked for again from there.
   */
  | {
      readonly kind: "chunkStored";
      readonly index: Index;
      readonly copy: number;
      readonly nextOffset: number;
    };

/** Why a batch, a change, a read or a transfer was not taken. It never will be. */
export type RefuseReason =
  | "not-leader"
  /** Too many bytes are accepted and not committed. */
  | "uncommitted-limit"
  /** Too many bytes are committed and not applied here. */
  | "unapplied-limit"
  /** Leadership is being handed over. */
  | "transferring"
  /** Another change is not committed yet, or the configuration is joint. */
  | "change-in-progress"
  /** This leader has committed nothing in its term yet; it cannot tell what is in force. */
  | "own-term-pending"
  /** A new voter is no learner, or lags. */
  | "not-caught-up"
  /** The sets make no sense: no voter, or one number in two sets. */
  | "invalid-configuration"
  /** For a transfer: to itself, or to somebody who is no voter. */
  | "invalid-target"
  /** For a lease read: leases are off, or the lease is over. Read by index instead. */
  | "no-lease";

/** Why a read that was taken got no index. It may be asked again. */
export type ReadFailure = "leadership-lost" | "no-leader" | "timeout";

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
   * Write, in this order and as one unit of durability: the hard state, the reset, the cut, the
   * entries. `source` says where the bytes of the entries are: in the proposal, change or message
   * being handled, or in a no-op or a configuration that the driver makes itself.
   */
  | {
      readonly kind: "persist";
      readonly seq: PersistSeq;
      readonly hardState?: HardState;
      /**
       * A snapshot takes the log's place: it begins anew behind `index`. The snapshot's file is
       * durable already; once this is, its installation is finished even after a crash.
       */
      readonly reset?: {
        readonly index: Index;
        readonly term: Term;
        readonly configuration: ConfigurationRecord;
        readonly copy: number;
      };
      readonly truncateFrom?: Index;
      readonly append?: {
        readonly from: Index;
        readonly count: number;
        readonly runs: readonly TermRun[];
        readonly source: "proposal" | "message" | "noop" | "configuration";
        /**
         * For source `configuration`: the sets of the one entry. In the step of a `change` it is
         * that change, and nothing else.
         */
        readonly sets?: VoterSets;
      };
    }
  /** These entries are committed and durable here: apply them, in order. Each index comes once. */
  | { readonly kind: "apply"; readonly from: Index; readonly to: Index }
  /** The batch or change got the indexes from `from` on. It is not committed yet. */
  | {
      readonly kind: "accepted";
      readonly id: number;
      readonly from: Index;
      readonly count: number;
      readonly term: Term;
    }
  /** The batch, change, read (with its id) or transfer (id 0) was not taken and never will be. */
  | { readonly kind: "refused"; readonly id: number; readonly reason: RefuseReason }
  /**
   * Entries from here on were removed from this log. What was accepted there is lost only once
   * another entry is committed in its place: a third node may still hold it, win, and commit it.
   */
  | { readonly kind: "truncated"; readonly from: Index }
  | { readonly kind: "role"; readonly role: Role; readonly term: Term; readonly leader: NodeId }
  /** The configuration in force changed, or was committed. */
  | {
      readonly kind: "configuration";
      readonly configuration: ConfigurationRecord;
      readonly committed: boolean;
    }
  /** The read may run once the state machine has applied up to `index`. */
  | {
      readonly kind: "readReady";
      readonly id: number;
      readonly index: Index;
      /**
       * Lease reads: take the state machine's snapshot first, then check that the clock is before
       * this moment, or the result must not be used.
       */
      readonly leaseUntil?: Ms;
    }
  | { readonly kind: "readFailed"; readonly id: number; readonly reason: ReadFailure }
  /** How the last transfer that was taken came out. `replaced`: another one took its place. */
  | {
      readonly kind: "transferEnded";
      readonly to: NodeId;
      readonly outcome: "done" | "timeout" | "replaced" | "gone";
    }
  /**
   * This peer, which answers, needs entries that are compacted away: make a copy of at least
   * `atLeast`. Asked for again after an election timeout without `snapshotReady`.
   */
  | { readonly kind: "makeSnapshot"; readonly to: NodeId; readonly atLeast: Index }
  /** Nobody needs this copy any more. */
  | { readonly kind: "dropSnapshot"; readonly to: NodeId; readonly copy: number }
  /**
   * Store and check the chunk of the message being handled, then say `chunkStored`. It starts at
   * `nextOffset`, or behind chunks handed out before; after a loss the same one may come again.
   */
  | { readonly kind: "storeChunk"; readonly from: NodeId }
  /**
   * The stored copy takes the state machine's place, once persist `after` is on disk. Say
   * `applied` with its index then. Until then nothing is handed out to be applied.
   */
  | {
      readonly kind: "install";
      readonly index: Index;
      readonly copy: number;
      readonly after: PersistSeq;
    };

/** What a node is in its term. A pre-candidate only asks whether it would be voted for. */
export type Role = "follower" | "pre-candidate" | "candidate" | "leader";

/** A leader's view of one peer. */
export interface PeerStatus {
  readonly peer: NodeId;
  readonly voter: boolean;
  readonly match: Index;
  readonly next: Index;
  readonly state: "probe" | "replicate" | "snapshot";
  readonly inFlight: number;
  readonly lastReplyAt: Ms;
  /** Close enough behind to become a voter. */
  readonly caughtUp: boolean;
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
  /** In force: the last one in the log. */
  readonly configuration: ConfigurationRecord;
  /** The last one that is committed. */
  readonly committedConfiguration: ConfigurationRecord;
  /** Told by a voter: in a newer, committed configuration it does not vote. Does not campaign. */
  readonly removed: boolean;
  /** Who leadership is being handed to; 0: nobody. */
  readonly transferringTo: NodeId;
  readonly pendingReads: number;
  readonly uncommittedBytes: number;
  readonly unappliedBytes: number;
  /** Empty unless leader. */
  readonly peers: readonly PeerStatus[];
}

/** How a core is made. Every limit has its default here. */
export interface RaftOptions {
  readonly self: NodeId;
  /**
   * Silence after which a follower campaigns: drawn from [electionTimeoutMs, 2 x
   * electionTimeoutMs). A candidate tries again after half of such a draw. Default 1000.
   */
  readonly electionTimeoutMs?: Ms;
  /** Default 100. Well below the election timeout. */
  readonly heartbeatMs?: Ms;
  /** Multiplies this node's draws; 1 and up. A larger one leads less often. Default 1. */
  readonly electionTimeoutScale?: number;
  /** A number from 0 to below 1, for election timeouts and the start of read requests. */
  readonly random: () => number;
  /** Ask before campaigning. Off only to show what it is for. Default true. */
  readonly preVote?: boolean;
  /** Soft limit of one append message. Default 1 MiB; a larger entry goes alone. */
  readonly appendBytesMax?: number;
  /** Default 1024. */
  readonly appendEntriesMax?: number;
  /** Appends under way to one peer. Default 64. */
  readonly inFlightMax?: number;
  /** Bytes under way to one peer, soft. Default 4 MiB. */
  readonly inFlightBytesMax?: number;
  /** Bytes of one chunk of a snapshot. Default 1 MiB. */
  readonly snapshotChunkBytesMax?: number;
  /**
   * Proposals are refused while this many bytes are uncommitted, unless nothing is. Default 256
   * MiB.
   */
  readonly uncommittedBytesMax?: number;
  /** Proposals are refused while this many bytes are committed and not applied. Default 256 MiB. */
  readonly unappliedBytesMax?: number;
  /** Handed out by `apply` and not yet applied, soft. Default 16 MiB. */
  readonly applyAheadBytesMax?: number;
  /**
   * How long a committed entry is a lease; 0: no leases. All nodes need the same. Default 0.
   * Source: LeaseGuard (2025): the log is the lease.
   */
  readonly leaseMs?: Ms;
  /** By which part two clocks may run apart, e.g. 0.05. For leases only. Default 0.05. */
  readonly clockDriftMax?: number;
}

/** What the disk knows at start. */
export interface RaftBootState {
  readonly hardState: HardState;
  /** Last entry that was compacted away, and its term; 0 and 0 if none was. */
  readonly compactedIndex: Index;
  readonly compactedTerm: Term;
  /** In force at the compacted index; at 0, what the cluster was made with, or nobody at all. */
  readonly configuration: ConfigurationRecord;
  /** Those in the log behind it, ascending. */
  readonly configurations: readonly ConfigurationRecord[];
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
  readonly term: Term;
  readonly leader: NodeId;
  readonly commitIndex: Index;
  readonly lastIndex: Index;
  /** In force: the last one in the log. */
  readonly configuration: ConfigurationRecord;
  /** The term of an entry in the log or of the compacted one; undefined elsewhere. */
  termAt(index: Index): Term | undefined;
  /** A copy for people. */
  status(): RaftStatus;
}

/** What chapter 07 exports. */
export interface RaftModule {
  /**
   * @throws RangeError for options that make no sense (heartbeat above election timeout);
   * InvariantError for a boot state that contradicts itself (applied index above the last entry).
   */
  createRaftCore(options: RaftOptions, boot: RaftBootState, now: Ms): RaftCore;
}

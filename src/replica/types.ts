/**
 * Contract of chapter 08: where the pure core meets disk, network and a state machine.
 *
 * R9 persist before speak. R8 apply in order, once. K2 a timeout means unknown. K4 the applied
 * index is atomic with the effects. K5 all decisions of replicas come from the log.
 */
import type { Bytes, Ms } from "#base";
import type { Clock, Net, Random } from "#platform/types";
import type { HardState, Index, NodeId, Role, Term, TermRun } from "#raft/types";

/** Stored in the log: never renumber. */
export type EntryKind = "noop" | "configuration" | "command";

/** One committed entry on its way into the state machine. */
export interface CommittedEntry {
  readonly index: Index;
  readonly term: Term;
  readonly kind: EntryKind;
  /**
   * Milliseconds since 1970 on the leader that accepted it: the only clock a state machine has
   * (K5). 0 unless a command.
   */
  readonly timeMs: number;
  /** 64 random bits from that leader: the only chance a state machine has. */
  readonly seed: bigint;
  /** For a command, what the proposer gave; empty for a no-op. */
  readonly payload: Bytes;
  /** 0, or the number of the proposal of this node that waits for the result. */
  readonly proposalId: number;
}

/** What is replicated. Deterministic: the same entries give the same state and the same results. */
export interface StateMachine {
  /**
   * Applies entries in order, and the last one's index with them, atomically: after a crash either
   * all of a batch is there or a prefix of it that ends between two entries.
   *
   * @returns one result an entry; null where `proposalId` is 0.
   * @throws only when the engine itself fails: the process must stop.
   */
  applyBatch(entries: readonly CommittedEntry[]): readonly (Bytes | null)[];
  /** Index of the last entry whose effects readers see. 0 at first. */
  appliedIndex(): Index;
  /** Index up to which the effects survive power loss; the log below it is no longer needed. */
  durableIndex(): Index;
  /** Equal digests mean equal states. */
  digest(): Bytes;
}

/** Takes committed entries, on this thread or another, and says what has been applied. */
export interface Applier {
  /** Queues entries; order is kept. */
  submit(entries: readonly CommittedEntry[]): void;
  /** Sets the listener. Called after each batch, in order. */
  onApplied(f: (appliedIndex: Index, durableIndex: Index) => void): void;
}

/** One member of the cluster. */
export interface Member {
  readonly number: NodeId;
  /** The name that its operator gave (`-node-id`). */
  readonly id: string;
  /** Where its peers reach it, `host:port`. */
  readonly address: string;
  /** Random, made with its data directory: a wiped node is another node. Hex, 16 digits. */
  readonly incarnation: string;
}

/** The first entry of every log: who the cluster is. */
export interface Configuration {
  /** Hex, 32 digits; derived from the members, so that all who bootstrap agree. */
  readonly clusterId: string;
  readonly members: readonly Member[];
}

/** Who this data directory belongs to. */
export interface Identity {
  readonly nodeId: string;
  readonly incarnation: string;
}

/** What the Raft log knows after recovery. */
export interface RaftLogState {
  readonly hardState: HardState;
  readonly compactedIndex: Index;
  readonly compactedTerm: Term;
  readonly runs: readonly TermRun[];
  readonly sizes: readonly number[];
  readonly configuration: Configuration | undefined;
}

/** An entry as stored and sent: opaque bytes of `entry.ts`. */
export interface LogEntry {
  readonly index: Index;
  readonly term: Term;
  readonly bytes: Bytes;
}

/** The Raft log on our WAL: term, vote, entries and truncation in one stream. */
export interface RaftLog {
  readonly state: RaftLogState;
  readonly lastIndex: Index;
  readonly sizeBytes: number;
  /** Hard state, cut and entries of one persist, in that order; not durable yet. */
  write(change: {
    readonly hardState?: HardState;
    readonly truncateFrom?: Index;
    readonly entries?: readonly LogEntry[];
  }): void;
  /** Everything written before the call is durable. @throws as the WAL. */
  sync(): Promise<void>;
  /** The same, blocking this thread. @throws as the WAL. */
  syncNow(): void;
  /**
   * Entries from `from` to before `before`, from memory or disk; fewer, but at least one, if they
   * have more than `bytesMax` bytes. @throws `WAL_NOT_RETAINED`
   */
  read(from: Index, before: Index, bytesMax?: number): readonly LogEntry[];
  /**
   * Forgets entries up to `upTo`, in whole segments; may keep more. @returns the last forgotten
   * index.
   */
  compact(upTo: Index): Promise<Index>;
  close(): Promise<void>;
}

/** What one replica is made of. */
export interface ReplicaOptions {
  readonly self: NodeId;
  readonly configuration: Configuration;
  readonly log: RaftLog;
  readonly net: Net;
  readonly clock: Clock;
  readonly random: Random;
  readonly applier: Applier;
  /** What the state machine had applied when it was opened. */
  readonly appliedIndex: Index;
  readonly electionTimeoutMs?: Ms;
  readonly heartbeatMs?: Ms;
  /**
   * Bytes that are accepted and not yet applied, before proposals are refused as busy. Default 256
   * MiB.
   */
  readonly pendingBytesMax?: number;
  /** Whether syncs may be made on this thread while the disk is quick. Default `async`: never. */
  readonly syncMode?: "adaptive" | "async";
  /** Called when the replica cannot go on: a poisoned log, a broken invariant. */
  readonly onFatal: (error: Error) => void;
  /**
   * Told when a peer needs entries that every member was believed to have: its disk went back in
   * time.
   */
  readonly onBehind?: (peer: NodeId, needs: Index) => void;
  /** Told of a frame that is no message of this version; it counts as lost. */
  readonly onBadFrame?: (peer: NodeId, error: Error) => void;
}

/** Facts for `/status` and for forwarding. */
export interface ReplicaStatus {
  readonly self: NodeId;
  readonly role: Role;
  readonly term: Term;
  readonly leader: NodeId;
  readonly commitIndex: Index;
  readonly appliedIndex: Index;
  readonly durableIndex: Index;
  readonly firstIndex: Index;
  readonly lastIndex: Index;
  readonly lastTerm: Term;
  readonly logBytes: number;
  /** Milliseconds since the leader was heard; 0 on the leader; -1 if never. */
  readonly leaderSilenceMs: Ms;
  /** What this leader knows of its followers. */
  readonly peers: readonly { readonly peer: NodeId; readonly match: Index }[];
}

/** How a proposal ended. A success arrives through the applier, with the result. */
export type ProposalFailure =
  /** Definitely not in the log, now or ever. */
  | "not-leader"
  | "busy"
  /** Accepted once, then overwritten by another leader: definitely not applied. */
  | "leadership-lost";

/** A running replica. All calls on one thread. */
export interface Replica {
  /**
   * Proposes one entry (bytes made by `encodeEntry`). The result comes from the applier under
   * `proposalId`.
   */
  propose(proposalId: number, entry: Bytes): void;
  onFailure(f: (proposalId: number, failure: ProposalFailure) => void): void;
  /** Called when role, term or leader change. */
  onRole(f: (status: ReplicaStatus) => void): void;
  /** Facts, fresh. */
  status(): ReplicaStatus;
  /** Tells that frames to a peer were lost or its connection broke. */
  unreachable(peer: NodeId): void;
  /** Stops timers and the net's delivery; closes the log. */
  close(): Promise<void>;
}

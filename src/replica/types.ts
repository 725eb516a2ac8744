/**
 * Contract of chapter 08: where the pure core meets disk, network and a state machine.
 *
 * R9 persist before speak. R8 apply in order, once. K2 a timeout means unknown. K4 the applied
 * index is atomic with the effects. K5 all decisions of replicas come from the log. K6 a number is
 * one data directory. K7 a snapshot is in place, or it is not. K8 the log is kept within a limit.
 * K9 whoever is too slow is told. K10 states that differ are found. K11 recovery has no way back.
 */
import type { Bytes, Ms } from "#base";
import type { Clock, Disk, Net, Random } from "#platform/types";
import type {
  ConfigurationRecord,
  Index,
  NodeId,
  PeerStatus,
  ReadFailure,
  RefuseReason,
  Role,
  Term,
} from "#raft/types";
import type { Configuration, MembershipChange, RaftLog, StoredConfiguration } from "./log-types.ts";

export type * from "./log-types.ts";

/** Stored in the log: never renumber. A `digest` changes nothing: replicas compare states there. */
export type EntryKind = "noop" | "configuration" | "command" | "digest";

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
  /** The digest of the state as it is now; computed while applying goes on. */
  digestLater(): Promise<Bytes>;
  /**
   * Writes a complete, synced copy of the state as it is now to `path`, a new file, while applying
   * goes on. @returns the index that the copy has. @throws `DISK_EXISTS`, `DISK_FULL`; no file is
   * left then.
   */
  snapshot(path: string): Promise<Index>;
  /**
   * Such a copy takes the state's place; applied and durable index become `index`. Under a crash
   * the state is the old one or the new one, and calling it again finishes. The file is gone
   * afterwards.
   *
   * @throws with nothing changed if the file is no copy at `index`.
   */
  restore(path: string, index: Index): void;
}

/** Takes committed entries, on this thread or another, and says what has been applied. */
export interface Applier {
  /** Queues entries; order is kept. */
  submit(entries: readonly CommittedEntry[]): void;
  /** Sets the listener. Called after each batch, in order. */
  onApplied(f: (appliedIndex: Index, durableIndex: Index) => void): void;
  /**
   * Writes a complete, synced copy of the state at some index from `atLeast` on to `path`, a new
   * file. Applying goes on meanwhile. @throws `DISK_FULL` and what else the machine's copy throws.
   */
  makeSnapshot(path: string, atLeast: Index): Promise<{ readonly index: Index }>;
  /**
   * The file takes the state's place, behind everything submitted before; `onApplied` is told
   * `(index, index)` before the promise resolves. Under a crash: old or new, and then it is called
   * again. The file may be moved or removed by it.
   */
  install(path: string, index: Index): Promise<void>;
  /**
   * The digest of the state exactly at `index`, an entry that is submitted later or under way.
   * Applying goes on meanwhile. Undefined if the index was passed already.
   */
  digestAt(index: Index): Promise<Bytes | undefined>;
}

/** Frames with a hint; a net with one lane leaves the hint out of account. */
export interface ReplicaNet extends Omit<Net, "send"> {
  /** As `Net.send`. What is on the bulk lane may be overtaken by what is not. */
  send(to: NodeId, parts: readonly Bytes[], lane?: "main" | "bulk"): void;
}

/**
 * What one replica is made of. Everything that touches the world comes in here: under a simulated
 * clock, disk and net, on one thread and with an applier on that thread, `createReplica` is the
 * real driver of a deterministic simulation. `finishInstall` comes before it, `openRaftLog` before
 * that.
 */
export interface ReplicaOptions {
  readonly self: NodeId;
  /** Who is known before the log says anything; the log's own configuration wins. */
  readonly configuration: Configuration;
  readonly log: RaftLog;
  readonly net: ReplicaNet;
  readonly clock: Clock;
  readonly random: Random;
  readonly applier: Applier;
  /** What the state machine had applied when it was opened. */
  readonly appliedIndex: Index;
  /** Where snapshots are kept: `disk` and the directory, the replica's own. */
  readonly disk: Disk;
  readonly snapshotDir: string;
  readonly electionTimeoutMs?: Ms;
  readonly heartbeatMs?: Ms;
  /**
   * Bytes that are accepted and not yet applied, before proposals are refused as busy. Default 256
   * MiB.
   */
  readonly pendingBytesMax?: number;
  /** How much log is kept for a member that is away; then it needs a snapshot. Default 256 MiB. */
  readonly logKeepBytesMax?: number;
  /** How fast snapshots are sent, to all members together; 0: as fast as it goes. Default 0. */
  readonly snapshotBytesPerSecond?: number;
  /** Bytes of one chunk of a snapshot. Default 1 MiB. */
  readonly snapshotChunkBytesMax?: number;
  /** How often a leader compares the states of all replicas; 0: when asked. Default 0. */
  readonly digestEveryMs?: Ms;
  /** For lease reads; all nodes need the same. 0: none. Default 0. */
  readonly leaseMs?: Ms;
  /** A larger one leads less often; 1 and up. Default 1. */
  readonly electionTimeoutScale?: number;
  /** Whether syncs may be made on this thread while the disk is quick. Default `async`: never. */
  readonly syncMode?: "adaptive" | "async";
  /** Called when the replica cannot go on: a poisoned log, a broken invariant. */
  readonly onFatal: (error: Error) => void;
  /** Told of a frame that is no message of this version; it counts as lost. */
  readonly onBadFrame?: (peer: NodeId, error: Error) => void;
  /** Something worth a line in the log. */
  readonly onNotice?: (text: string) => void;
}

/** One peer as a leader sees it. */
export interface PeerFacts extends PeerStatus {
  /** Milliseconds since its last answer; -1: none in this term. */
  readonly silenceMs: Ms;
}

/** A snapshot on its way from here or to here. */
export interface SnapshotTransfer {
  readonly peer: NodeId;
  readonly direction: "sending" | "receiving";
  readonly index: Index;
  readonly copy: number;
  readonly storedBytes: number;
  readonly totalBytes: number;
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
  readonly peers: readonly PeerFacts[];
  readonly epoch: number;
  /** In force, and the last one that is committed. */
  readonly configuration: ConfigurationRecord;
  readonly committedConfiguration: ConfigurationRecord;
  /** A committed configuration without this node is known: it serves nobody any more. */
  readonly removed: boolean;
  /** Who leadership is being handed to; 0: nobody. */
  readonly transferringTo: NodeId;
  /** Proposed here and not yet applied here. */
  readonly pendingBytes: number;
  readonly uncommittedBytes: number;
  readonly unappliedBytes: number;
  readonly pendingReads: number;
  readonly snapshots: readonly SnapshotTransfer[];
  /** The last comparison of states that this node knows the outcome of. */
  readonly lastDigest: DigestReport | undefined;
}

/** How a proposal ended. A success arrives through the applier, with the result. */
export type ProposalFailure =
  /** Definitely not in the log, now or ever. */
  | "not-leader"
  | "busy"
  /** Leadership is being handed over; definitely not in the log. */
  | "transferring"
  /** Accepted once, then overwritten by another leader: definitely not applied. */
  | "leadership-lost";

/** How a read came out. Reads with an index may run on this node's state machine at once. */
export type ReadOutcome =
  | {
      readonly ok: true;
      /** The state machine here has applied at least this. */
      readonly index: Index;
      /** Lease reads: take the snapshot first, then check that the clock is before this. */
      readonly leaseUntil?: Ms;
    }
  | { readonly ok: false; readonly reason: RefuseReason | ReadFailure };

/** What a comparison of states came to. */
export interface DigestReport {
  readonly index: Index;
  /** Hex; undefined if no majority of voters agreed. */
  readonly digest: string | undefined;
  /** Members whose state differs. */
  readonly differing: readonly NodeId[];
  /** Members that gave no digest in time. */
  readonly silent: readonly NodeId[];
}

/** A running replica. All calls on one thread. */
export interface Replica {
  /** In force: the last one in the log, or what was known before. */
  readonly configuration: Configuration;
  /**
   * Proposes one entry (bytes made by `encodeEntry`). The result comes from the applier under
   * `proposalId`.
   */
  propose(proposalId: number, entry: Bytes): void;
  onFailure(f: (proposalId: number, failure: ProposalFailure) => void): void;
  /**
   * Asks, on any node, for a read that sees every write acknowledged before now. Ends in one
   * outcome under `readId`, when this node's state machine is far enough.
   */
  read(readId: number, via: "index" | "lease"): void;
  onRead(f: (readId: number, outcome: ReadOutcome) => void): void;
  /**
   * Changes the members, at the leader. Resolves with the configuration once it is committed and
   * no longer joint. A learner that is to become a voter does so later, by itself.
   *
   * @throws `REPLICA_NOT_LEADER`, `REPLICA_CHANGE_REFUSED` (later), `REPLICA_CHANGE_INVALID`,
   * `REPLICA_LEADERSHIP_LOST`, after which its outcome is unknown.
   */
  change(change: MembershipChange): Promise<Configuration>;
  /**
   * Hands leadership to a voter; 0: to the most advanced one. Resolves when another node leads.
   *
   * @throws `REPLICA_NOT_LEADER`, `REPLICA_CHANGE_INVALID`, `REPLICA_TRANSFER_FAILED`
   */
  transfer(to: NodeId): Promise<void>;
  /**
   * Compares the states of all replicas at one index. @throws `REPLICA_NOT_LEADER`,
   * `REPLICA_BUSY`, `REPLICA_LEADERSHIP_LOST`
   */
  checkDigest(): Promise<DigestReport>;
  /** Called when this replica's state is found to differ: it must serve nobody, and reinstall. */
  onDiverged(f: (report: DigestReport) => void): void;
  /** Called when the configuration in force changes, or is committed. */
  onConfiguration(f: (configuration: Configuration, isCommitted: boolean) => void): void;
  /** Called when role, term or leader change. */
  onRole(f: (status: ReplicaStatus) => void): void;
  /** Facts, fresh. */
  status(): ReplicaStatus;
  /** Makes a copy of the state for another node, outside of replication. See `SnapshotOffer`. */
  offerSnapshot(): Promise<SnapshotOffer>;
  /** Bytes of an offered copy, and their CRC-32C. @throws `REPLICA_SNAPSHOT_MISSING` */
  readSnapshot(copy: number, offset: number, bytes: number): Bytes;
  /**
   * Tells that frames to a peer were lost or its connection broke; `isGone`: that its own is closed
   * as well.
   */
  unreachable(peer: NodeId, isGone?: boolean): void;
  /** The last inputs of the core, for a post-mortem: `decodeInputs` reads them. */
  recordedInputs(): Bytes;
  /**
   * Stops timers and the net's delivery; closes the log, or, told to keep it, waits until the state
   * machine has applied what it was given. A leader tries to hand over first, for at most
   * `transferMs`.
   */
  close(options?: { readonly transferMs?: Ms; readonly keepLog?: boolean }): Promise<void>;
}

/** A copy of the state that can be fetched. Dropped when nobody has read it for a while. */
export interface SnapshotOffer {
  readonly index: Index;
  readonly term: Term;
  readonly copy: number;
  readonly totalBytes: number;
  /** CRC-32C of the whole file. */
  readonly checksum: number;
  readonly configuration: StoredConfiguration;
}

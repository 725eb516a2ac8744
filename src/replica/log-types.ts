/**
 * Contract of chapter 08, second part: who the cluster is, and the log that holds it; types only.
 *
 * Invariant: a configuration counts from the moment its entry is in a node's log, and no longer
 * than that entry is there. Chapter: 08-replica.
 */
import type { Bytes } from "#base";
import type { HardState, Index, NodeId, Term, TermRun, VoterSets } from "#raft/types";

/** One member of the cluster. */
export interface Member {
  readonly number: NodeId;
  /** The name that its operator gave (`-node-id`). */
  readonly id: string;
  /** Where its peers reach it, `host:port`. */
  readonly address: string;
  /** Random, made with its data directory: a wiped node is another node. Hex, 16 digits. */
  readonly incarnation: string;
  /** A learner that becomes a voter as soon as it has caught up. */
  readonly becomesVoter?: true;
}

/**
 * Who the cluster is: the first entry of every log, and one for each change. In force from the
 * moment it is in the log.
 */
export interface Configuration {
  /** Hex, 32 digits; derived from the first members, so that all who bootstrap agree. */
  readonly clusterId: string;
  /** How often the cluster was recovered by force: nodes of another epoch are refused. */
  readonly epoch: number;
  /** Everybody in any of the sets, by number. */
  readonly members: readonly Member[];
  readonly sets: VoterSets;
  /** What the next new member gets. Numbers are never given twice. */
  readonly nextNumber: NodeId;
}

/** A configuration and the entry that holds it; index 0: no entry does. */
export interface StoredConfiguration {
  readonly index: Index;
  readonly configuration: Configuration;
}

/**
 * What can be asked of a leader about its members, named as their operators named them.
 *
 * `add` of a member that is there, with the same data directory, changes its address and part only;
 * with another data directory, the new one takes the old one's place.
 */
export type MembershipChange =
  | {
      readonly kind: "add";
      readonly member: Pick<Member, "id" | "address" | "incarnation">;
      /** Joins as a learner in any case, and becomes a voter by itself once it has caught up. */
      readonly voter: boolean;
    }
  | { readonly kind: "remove"; readonly id: string }
  | { readonly kind: "setRole"; readonly id: string; readonly role: "voter" | "learner" }
  | { readonly kind: "setAddress"; readonly id: string; readonly address: string };

/** What this data directory was told of its cluster before its log knew: `membership.json`. */
export interface Membership {
  readonly number: NodeId;
  readonly configuration: Configuration;
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
  /** In force at the compacted index; undefined: nothing is compacted and nobody recovered. */
  readonly base: StoredConfiguration | undefined;
  /** Those in the entries behind it, ascending. */
  readonly configurations: readonly StoredConfiguration[];
  /** In force: the last of all. Undefined until this node belongs to a cluster. */
  readonly configuration: Configuration | undefined;
  /** The snapshot with which the log began anew at the compacted index; 0: it was compacted. */
  readonly resetCopy: number;
}

/** An entry as stored and sent: opaque bytes of `entry.ts`. */
export interface LogEntry {
  readonly index: Index;
  readonly term: Term;
  readonly bytes: Bytes;
}

/** What one persist writes. */
export interface LogChange {
  readonly hardState?: HardState;
  /** A snapshot takes the log's place. */
  readonly reset?: LogReset;
  readonly truncateFrom?: Index;
  readonly entries?: readonly LogEntry[];
  /**
   * Forced recovery: this configuration counts from the compacted index on, whatever older epochs
   * say in the entries behind it.
   */
  readonly recovered?: Configuration;
}

/** The log begins anew behind `index`. */
export interface LogReset {
  readonly index: Index;
  readonly term: Term;
  readonly configuration: StoredConfiguration;
  /** The copy whose file takes the state machine's place. */
  readonly copy: number;
}

/** The Raft log on our WAL: term, vote, entries and truncation in one stream. */
export interface RaftLog {
  readonly state: RaftLogState;
  readonly compactedIndex: Index;
  readonly lastIndex: Index;
  readonly sizeBytes: number;
  /** In force: the last one in the log. */
  readonly inForce: StoredConfiguration | undefined;
  /** Configurations of older epochs do not count. */
  readonly epoch: number;
  /** This node was told of a cluster that was recovered so often: its log may not know yet. */
  expectEpoch(epoch: number): void;
  /** In force at an index, as far back as the compacted one. */
  configurationAt(index: Index): StoredConfiguration | undefined;
  /** Hard state, reset, cut and entries of one persist, in that order; not durable yet. */
  write(change: LogChange): void;
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
   * Forgets entries up to `upTo`, in whole segments; may keep more. `onForgotten` is called in the
   * very moment in which they cannot be read any more.
   *
   * @returns the last forgotten index.
   */
  compact(upTo: Index, onForgotten?: () => void): Promise<Index>;
  close(): Promise<void>;
}

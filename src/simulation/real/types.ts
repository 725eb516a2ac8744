/**
 * The real tier: what a run is made of, what it is asked, and what it came to.
 *
 * Invariant: a plan is data and a function of its seed; together with the parts it decides the run.
 * Chapter: 11-simulation.
 */
import type { Ms } from "#base";
import type * as replica from "#replica";
import type * as sqlite from "#sqlite";

/** The modules under test, handed in: so that a copy with a mistake can take their place. */
export interface RealParts {
  readonly replica: Pick<
    typeof replica,
    | "createConfiguration"
    | "createLocalApplier"
    | "createReplica"
    | "encodeConfiguration"
    | "encodeEntry"
    | "finishInstall"
    | "openRaftLog"
  >;
  readonly sqlite: Pick<typeof sqlite, "encodeCommand" | "openSqliteMachine">;
}

/** What may be asked for. */
export interface RealRequest {
  readonly seed: number;
  /** Voters at the start. Default: from the seed, 3 to 5. */
  readonly nodes?: number;
}

/** What the whole run has in common. */
export interface RealOptions {
  readonly seed: number;
  readonly nodes: number;
  readonly clients: number;
  /** How long faults and clients go on. */
  readonly safetyMs: Ms;
  readonly electionTimeoutMs: Ms;
  readonly heartbeatMs: Ms;
  /** 0: no lease reads. */
  readonly leaseMs: Ms;
  readonly logKeepBytesMax: number;
  readonly snapshotChunkBytesMax: number;
  /** How much is applied before the database's image is written anew. */
  readonly checkpointBytes: number;
  readonly syncMode: "adaptive" | "async";
  /** How long each sync takes; 0: no time, and then syncs may hang. */
  readonly syncDelayMs: Ms;
  /** How long entries wait for the state machine. */
  readonly applyDelayMs: Ms;
  readonly clientTimeoutMs: Ms;
  readonly thinkMs: Ms;
  /** Extra bytes of a write, so that logs grow beyond what is kept of them. */
  readonly padBytes: number;
}

/** What goes wrong, or what an operator does. */
export type RealFaultKind =
  /** The power of one node fails: unsynced sectors and names are kept, lost or torn. */
  | "power"
  /** The power fails at a disk operation to come: `amount` says at which. */
  | "cut"
  /** The process dies, the machine goes on. */
  | "kill"
  /** The process ends in good order, after an attempt to hand over. */
  | "stop"
  /** All nodes lose power at once. */
  | "blackout"
  /** The process stands still; frames and timers wait. */
  | "pause"
  /** A node reaches nobody, and nobody reaches it. */
  | "isolate"
  /** A node hears nobody, or nobody hears it: `amount` says which. */
  | "one-way"
  /** Frames are lost, repeated and late, in proportion to `amount`. */
  | "network"
  /** A sync fails. */
  | "sync-error"
  /** A write fails. */
  | "write-error"
  /** A write finds the disk full, with a part of it written. */
  | "disk-full"
  /** Syncs hang, or take as long as `amount` says. */
  | "hang"
  | "slow"
  | "transfer"
  | "add"
  | "remove"
  | "demote"
  | "promote"
  /** The leader compares the states of all. */
  | "digest";

/** One fault. */
export interface RealFault {
  readonly kind: RealFaultKind;
  /** Milliseconds after the bad times have begun. */
  readonly at: Ms;
  /** Whom it meets: the leader of that moment, or a place among the nodes. */
  readonly target: "leader" | number;
  /** How long until it is undone, or until the node starts again. */
  readonly forMs: Ms;
  /** 0 to 999, its meaning by kind. */
  readonly amount: number;
}

/** All that is decided before the run. */
export interface RealPlan {
  readonly options: RealOptions;
  readonly faults: readonly RealFault[];
}

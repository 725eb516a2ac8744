/**
 * The plan of a run: options, faults and operations. With the code under test it decides
 * everything; a plan is JSON and can be kept, shrunk and replayed.
 *
 * Times are milliseconds of virtual time from the end of the boot phase, unless they say otherwise.
 * Chapter: 11-simulation.
 */
import type { Ms } from "#base";
import type { NodeId, RaftOptions } from "#raft/types";
import type { Value } from "../process/index.ts";

/**
 * How much is simulated. `micro`: 3 nodes, 5 virtual seconds, no clients. `standard`: 3 to 7 nodes,
 * 60 virtual seconds.
 */
export type Tier = "micro" | "standard";

/** How packets travel: each for itself, or in order and lost together when a connection breaks. */
export type Personality = "datagram" | "stream";

/** Limits and switches of the cores; all nodes have the same. */
export type CoreSettings = Omit<RaftOptions, "self" | "random">;

/** What the network does when nothing is wrong, and what it does all the time that is wrong. */
export interface NetSettings {
  readonly personality: Personality;
  readonly delayMinMs: Ms;
  readonly delayMeanMs: Ms;
  /** Of a hundred packets; for a stream, of ten thousand, and the connection breaks. */
  readonly lossPercent: number;
  readonly doublePercent: number;
  readonly latePercent: number;
  /** A late packet is late by up to so much. */
  readonly lateMs: Ms;
  /** Of a hundred chunks of snapshots. */
  readonly damagePercent: number;
}

/** Options of a run. Drawn from the seed, or written by hand. */
export interface RunOptions {
  readonly seed: number;
  readonly tier: Tier;
  /** Voters at the start, numbered from 1. */
  readonly nodes: number;
  /** Nodes that wait to be added, numbered behind the voters. */
  readonly spares: number;
  readonly clients: number;
  /** Keys that the clients use. */
  readonly keys: number;
  readonly safetyMs: Ms;
  readonly core: CoreSettings & { readonly electionTimeoutMs: Ms; readonly heartbeatMs: Ms };
  readonly net: NetSettings;
  readonly syncMinMs: Ms;
  readonly syncMeanMs: Ms;
  /** How long a machine waits before it applies; 0: at once. */
  readonly applyMeanMs: Ms;
  /** Entries between two checkpoints of a machine. */
  readonly checkpointEntries: number;
  /** Part by which clocks differ from true time, each way. */
  readonly driftMax: number;
  /** Commands carry sessions, and clients repeat what they got no answer to. */
  readonly sessions: boolean;
  /** Times are whole milliseconds, and what happens at the same time does so in random order. */
  readonly shuffleTies: boolean;
  /** Nodes that stay dead after healing; 0: everybody lives. */
  readonly lostForGood: number;
}

/** Shapes of a partition. `leader`: whoever leads when it begins is alone. */
export type PartitionShape =
  | "isolate"
  | "leader"
  | "split"
  | "one-way"
  | "ring"
  | "bridge"
  | "random";

/** Something goes wrong. `at`: when; `forMs`: how long; `node`: 0 is whoever leads at that time. */
export type Fault =
  /** Dead for so long; `kept`: the part, 0 to 1, of what was not synced that survives. */
  | {
      readonly kind: "crash";
      readonly at: Ms;
      readonly node: NodeId;
      readonly forMs: Ms;
      readonly kept: number;
    }
  /** The process stands still. On waking, its timers run before what has arrived, or after. */
  | {
      readonly kind: "pause";
      readonly at: Ms;
      readonly node: NodeId;
      readonly forMs: Ms;
      readonly timersFirst: boolean;
      /** The runtime notices that it was stalled. */
      readonly noticed: boolean;
      /** Its connections are gone when it wakes, and what its peers sent meanwhile with them. */
      readonly losesMail: boolean;
    }
  /** The data directory is gone for good. Left out where it could lose what is committed. */
  | { readonly kind: "wipe"; readonly at: Ms; readonly node: NodeId }
  | {
      readonly kind: "partition";
      readonly at: Ms;
      readonly forMs: Ms;
      readonly shape: PartitionShape;
      /** Decides who is on which side. */
      readonly choice: number;
    }
  /** A link carries nothing and loses nothing; then all at once. */
  | {
      readonly kind: "clog";
      readonly at: Ms;
      readonly forMs: Ms;
      readonly from: NodeId;
      readonly to: NodeId;
    }
  /** For a while the network is worse, in these parts. */
  | {
      readonly kind: "weather";
      readonly at: Ms;
      readonly forMs: Ms;
      readonly lossPercent: number;
      readonly doublePercent: number;
      readonly latePercent: number;
      readonly lateMs: Ms;
    }
  /** Connections of a node break, and it notices. */
  | { readonly kind: "break"; readonly at: Ms; readonly node: NodeId }
  | {
      readonly kind: "slow-disk";
      readonly at: Ms;
      readonly forMs: Ms;
      readonly node: NodeId;
      readonly syncMs: Ms;
    }
  /** No sync ends. */
  | { readonly kind: "hang-disk"; readonly at: Ms; readonly forMs: Ms; readonly node: NodeId }
  /** A sync fails: the process ends at once, and is started again. */
  | {
      readonly kind: "fail-sync";
      readonly at: Ms;
      readonly node: NodeId;
      readonly forMs: Ms;
      readonly kept: number;
    }
  /** The state machine stands still. */
  | { readonly kind: "slow-apply"; readonly at: Ms; readonly forMs: Ms; readonly node: NodeId };

/** Kinds of faults. */
export type FaultKind = Fault["kind"];

/** What somebody asks of the cluster. */
export type PlannedOperation = OperatorAction | ClientAction | ProposerAction;

/** What an operator does. `at`: when he begins to try. */
export interface OperatorAction {
  readonly by: "operator";
  readonly at: Ms;
  readonly kind:
    | "add-learner"
    | "promote"
    | "demote"
    | "remove"
    /** Adds, promotes, and removes another. */
    | "replace"
    | "transfer"
    /** Asks for the sets that are in force: an address changes. */
    | "touch"
    /** This node forgets all that its machine holds durably. */
    | "compact"
    /** A machine makes everything durable, and its node forgets it. */
    | "compact-to-tip";
  /** Which node, among those for whom it makes sense. */
  readonly choice: number;
}

/** What a client does once its action before has ended. */
export interface ClientAction {
  readonly by: "client";
  /** Unique in the plan. */
  readonly id: number;
  readonly client: number;
  /** Rest before it. */
  readonly thinkMs: Ms;
  readonly kind: "put" | "cas" | "get";
  readonly via: "index" | "lease";
  readonly key: string;
  readonly value: Value;
  readonly bytes: number;
  /** Which node, if no leader is known or any will do. */
  readonly choice: number;
  /** A get goes to any node rather than to the leader. */
  readonly anywhere: boolean;
}

/** Entries without a client, for the smallest tier: at whoever leads. */
export interface ProposerAction {
  readonly by: "proposer";
  readonly at: Ms;
  readonly id: number;
  readonly count: number;
  readonly bytes: number;
}

/** See the file's header. */
export interface Plan {
  readonly options: RunOptions;
  readonly faults: readonly Fault[];
  readonly operations: readonly PlannedOperation[];
}

/**
 * What a simulated node is made of: entries with their bytes reduced to a hash, packets, copies of
 * the state machine, and what a node tells its surroundings.
 *
 * Invariant: everything that lies on a wire or in a copy is never changed. Chapter: 11-simulation.
 */
import type { Ms } from "#base";
import type {
  ConfigurationRecord,
  Index,
  Input,
  Message,
  NodeId,
  Output,
  RaftCore,
  RaftModule,
  RaftOptions,
  ReadFailure,
  Term,
  VoterSets,
} from "#raft/types";
import type { ModelNode } from "./node.ts";

/** What a key of the model machine holds; null before the first write. */
export type Value = string | number | null;

/** What clients ask of the model machine. Carried by an entry. */
export interface Command {
  /** Unique in a run: the write's name in histories. */
  readonly id: number;
  readonly kind: "put" | "cas";
  readonly key: string;
  readonly value: Value;
  /** For `cas`: writes only if the key holds this. */
  readonly expected?: Value;
  /** The client's session; 0: none, and the command runs as often as it is in the log. */
  readonly client: number;
  /** Growing within the session: a repeated one gives the first result and runs once. */
  readonly serial: number;
}

/** What running a command brought. */
export interface CommandResult {
  /** False for a `cas` that found another value. */
  readonly written: boolean;
  /** What the key held before. */
  readonly previous: Value;
  /** The session had run this serial before: the first result again. */
  readonly repeated: boolean;
  /** Where it ran: this entry's index, or the first one's if it is repeated. */
  readonly ranAt: Index;
}

/** An entry of a model log. */
export interface ModelEntry {
  readonly term: Term;
  /** Bytes, as the core is told. */
  readonly size: number;
  /** Undefined for no-ops and configurations. */
  readonly command: Command | undefined;
  /** For a configuration. */
  readonly sets: VoterSets | undefined;
  /** Stands for the content of this entry alone. */
  readonly hash: number;
  /** The chain of the entry before. */
  readonly before: number;
  /** Stands for this entry and everything before it. */
  readonly chain: number;
}

/** Where a log begins: what was compacted away or came as a snapshot. */
export interface LogBase {
  readonly index: Index;
  readonly term: Term;
  readonly chain: number;
  readonly configuration: ConfigurationRecord;
  /** The copy that took the log's place; 0 if none did. */
  readonly copy: number;
}

/** The state machine's whole state at one index. */
export interface MachineState {
  readonly index: Index;
  /** Stands for every command that ran, in order. */
  readonly digest: number;
  readonly values: ReadonlyMap<string, Value>;
  readonly sessions: ReadonlyMap<
    number,
    { readonly serial: number; readonly result: CommandResult }
  >;
}

/** A copy of the state machine, as it is sent to a peer. */
export interface ModelCopy {
  /** Names this very copy; never given twice in a run. */
  readonly copy: number;
  readonly totalBytes: number;
  readonly state: MachineState;
  /** Of the entry at the state's index. */
  readonly chain: number;
}

/** A message on the wire, with the bytes that the driver adds. */
export interface Packet {
  readonly from: NodeId;
  readonly to: NodeId;
  readonly message: Message;
  /** For an append, the entries of it. */
  readonly entries: readonly ModelEntry[];
  /** For a chunk, the copy that it is a part of. */
  readonly copy: ModelCopy | undefined;
  /** A chunk whose bytes were damaged on their way. */
  readonly damaged?: boolean;
}

/** A read that a client waits for. */
export interface ReadRequest {
  readonly id: number;
  readonly via: "index" | "lease";
  readonly key: string;
}

/** How a read came out. */
export type ReadOutcome =
  | { readonly kind: "value"; readonly index: Index; readonly value: Value }
  /** The lease was over when the value was there: it must not be used. */
  | { readonly kind: "lease-over" }
  | { readonly kind: "failed"; readonly reason: ReadFailure };

/** What a node needs from its surroundings, and tells them. Nothing here may step a node. */
export interface Surroundings {
  /** The core under test. */
  readonly createRaftCore: RaftModule["createRaftCore"];
  /** Sees every step; see the invariants. */
  readonly observer: Observer;
  /** A packet leaves. */
  post(packet: Packet): void;
  /** Every output that is neither `send`, `persist` nor `apply`. */
  told(node: ModelNode, output: Output): void;
  /** An entry was applied here; `result` for a command. */
  applied(node: ModelNode, index: Index, entry: ModelEntry, result?: CommandResult): void;
  /** A read that {@link ModelNode.read} was asked for has ended. */
  readEnded(node: ModelNode, read: ReadRequest, outcome: ReadOutcome): void;
  /** The core broke an assertion: the process has stopped, and its disk is as it is. */
  halted(node: ModelNode, error: unknown): void;
}

/** How a node is made. */
export interface ModelNodeOptions {
  readonly raft: RaftOptions;
  /** What the cluster is made with; absent: the node waits to be added. */
  readonly sets?: VoterSets;
  readonly surroundings: Surroundings;
}

/** What a crash leaves. */
export interface CrashRemains {
  /** Waiting writes that became durable all the same, oldest first. Default 0. */
  readonly writesKept?: number;
  /** Applied entries that became durable all the same. Default 0. */
  readonly appliedKept?: number;
}

/** What an observer may look at and must not change. Called at the moment that each name says. */
export interface Observer {
  /** Before the first step of a life. `core` is new. */
  started(node: ModelNode, core: RaftCore): void;
  /** A process ended, by a crash or by an assertion. */
  stopped(node: ModelNode): void;
  /** Before the core sees an input. */
  steps(node: ModelNode, core: RaftCore, input: Input): void;
  /** After the core has taken an input, before its outputs are carried out. */
  stepped(node: ModelNode, core: RaftCore, input: Input, outputs: readonly Output[]): void;
  /** After the outputs of a step were carried out. */
  carriedOut(node: ModelNode, core: RaftCore, now: Ms): void;
  /** An entry was added to the log of a node, not durable yet. */
  appended(node: ModelNode, index: Index, entry: ModelEntry): void;
  /** The log is about to lose what is at `from` and behind. */
  truncates(node: ModelNode, from: Index): void;
  /** A packet leaves, now. `chain`: of the entry that it acknowledges, when it was made. */
  leaves(node: ModelNode, packet: Packet, chain: number): void;
  /** A record became durable. */
  persisted(node: ModelNode): void;
  /** Entries are handed out to be applied. */
  handedOut(node: ModelNode, from: Index, to: Index): void;
  /** The state machine ran an entry. */
  applied(node: ModelNode, index: Index, entry: ModelEntry): void;
  /** A copy was made, or takes the state machine's place. */
  copied(node: ModelNode, copy: ModelCopy, moment: "made" | "installed"): void;
  /** A lease read is about to be answered at this node's time. */
  servesByLease(node: ModelNode, index: Index, leaseUntil: Ms): void;
}

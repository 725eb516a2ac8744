/**
 * What the checks remember of each node, beside what the node itself knows.
 *
 * Invariant: what concerns the past of a node (spoken terms, votes) survives its crashes here.
 * Chapter: 11-simulation.
 */
import type { Ms } from "#base";
import type { ConfigurationRecord, Index, NodeId, PeerStatus, Role, Term } from "#raft/types";

/** See the file's header. */
export interface NodeView {
  /** The highest term that this node has spoken in. */
  sentTerm: Term;
  /** Whom it voted for, by term. */
  readonly votes: Map<Term, NodeId>;
  /** Term and vote that were last found on its disk. */
  durableTerm: Term;
  durableVote: NodeId;
  // Of this life.
  term: Term;
  role: Role;
  /** Role and term before the step in hand. */
  roleBefore: Role;
  commit: Index;
  handedTo: Index;
  applied: Index;
  configuration: ConfigurationRecord | undefined;
  /** Steps without a tick that brought the deadline forward. */
  idleTicks: number;
  steps: number;
  /** Sessions under which a leader last wrote to its peers. */
  readonly sessions: Map<NodeId, Index>;
  /** Peers as they were before a step that must not change them. */
  peersBefore: readonly PeerStatus[] | undefined;
  /** What matched at the last look, which must never fall within a session. */
  readonly matchSeen: Map<NodeId, { readonly session: Index; readonly match: Index }>;
  /** When a leader appended what it has not committed, and before it what it committed last. */
  readonly appends: { readonly index: Index; readonly at: Ms }[];
  /** The last lease that was used. */
  lease: { readonly term: Term; readonly until: Ms } | undefined;
}

/** A node that has not lived yet. */
export function createView(): NodeView {
  return {
    sentTerm: 0,
    votes: new Map(),
    durableTerm: 0,
    durableVote: 0,
    term: 0,
    role: "follower",
    roleBefore: "follower",
    commit: 0,
    handedTo: 0,
    applied: 0,
    configuration: undefined,
    idleTicks: 0,
    steps: 0,
    sessions: new Map(),
    peersBefore: undefined,
    matchSeen: new Map(),
    appends: [],
    lease: undefined,
  };
}

/**
 * Who may lead and what a leader may commit: G1, G3, G6, G7, G12, L12.
 *
 * Chapter: 11-simulation.
 */
import type { Ms } from "#base";
import type { Index, NodeId, RaftCore, Term, VoterSets } from "#raft/types";
import type { ModelNode } from "../process/index.ts";
import { fail } from "./broken.ts";
import type { Ledger } from "./ledger.ts";
import { isQuorum, setsText } from "./quorums.ts";
import type { NodeView } from "./views.ts";

/** What these checks look at. */
export interface Cluster {
  readonly ledger: Ledger;
  readonly nodes: ReadonlyMap<NodeId, ModelNode>;
  /** Who led in which term. */
  readonly leaderOf: Map<Term, NodeId>;
  viewOf(node: NodeId): NodeView;
  /** What a node's clock says now. */
  localTimeOf(node: NodeId): Ms;
  /** How long leases last; undefined: nobody has any. */
  readonly leaseMs: Ms | undefined;
}

/** G1 and G3, when a node begins to lead. */
export function checkElected(cluster: Cluster, node: ModelNode, core: RaftCore): void {
  const { term } = core;
  const before = cluster.leaderOf.get(term);
  if (before !== undefined && before !== node.id) {
    fail("G1", 0, `nodes ${before} and ${node.id} both lead in term ${term}`);
  }
  cluster.leaderOf.set(term, node.id);
  const { ledger } = cluster;
  const last = ledger.lastBefore(term);
  // Before the log's beginning lies what this node has applied, and that is checked there.
  if (last < node.log.base.index) return;
  if (node.log.chainAt(last) !== ledger.chainAt(last)) {
    fail("G3", node.id, `leads in term ${term} without entry ${last}, which is committed`);
  }
}

/**
 * L12: who is no voter does not campaign, and a removed leader ends with its removal.
 *
 * As long as its removal is not committed, a node may be the one whose vote and log are needed, so
 * it may win and lead. Source: Ongaro 2014, 4.2.2.
 */
export function checkRole(node: ModelNode, core: RaftCore): void {
  if (core.role === "follower") return;
  const { index, sets } = core.configuration;
  if (isVoter(sets, node.id)) return;
  if (index > core.commitIndex && mayBeNeeded(node, core)) return;
  if (core.role !== "leader") {
    fail("L12", node.id, `is a ${core.role} and no voter in ${index} (${setsText(sets)})`);
  }
  if (index <= core.commitIndex) {
    fail("L12", node.id, `leads on although ${index} (${setsText(sets)}) is committed`);
  }
}

/** Is it a voter in any configuration that may still turn out to be the one in force? */
function mayBeNeeded({ id, log }: ModelNode, core: RaftCore): boolean {
  const committed = log.configurationAt(Math.max(core.commitIndex, log.base.index));
  const later = log.configurations.filter((record) => record.index > committed.index);
  return [committed, ...later].some(({ sets }) => isVoter(sets, id));
}

function isVoter({ voters, outgoing }: VoterSets, node: NodeId): boolean {
  return voters.includes(node) || outgoing.includes(node);
}

/** G6 and G7, when a leader's commit index has grown. */
export function checkLeaderCommit(
  cluster: Cluster,
  node: ModelNode,
  core: RaftCore,
  index: Index,
): void {
  const entry = node.log.entryAt(index);
  if (entry?.term !== core.term) {
    fail("G7", node.id, `leads in term ${core.term} and commits ${index} of term ${entry?.term}`);
  }
  const { chain } = entry;
  const has = (id: NodeId): boolean => {
    const log = cluster.nodes.get(id)?.disk.log;
    if (log === undefined) return false;
    return log.base.index > index || log.chainAt(index) === chain;
  };
  if (!isQuorum(core.configuration.sets, has)) {
    const holders = [...cluster.nodes.keys()].filter(has);
    fail(
      "G6",
      node.id,
      `commits ${index}, which is on the disks of ${holders.join() || "nobody"} ` +
        `(${setsText(core.configuration.sets)})`,
    );
  }
  checkNoLease(cluster, node, core.term);
}

/** G12: nothing is committed while an older leader's lease is valid. */
function checkNoLease(cluster: Cluster, leader: ModelNode, term: Term): void {
  for (const other of cluster.nodes.values()) {
    if (other === leader || other.core?.role !== "leader" || other.core.term >= term) continue;
    const { lease } = cluster.viewOf(other.id);
    if (lease === undefined || lease.term !== other.core.term) continue;
    const now = cluster.localTimeOf(other.id);
    if (now < lease.until) {
      fail(
        "G12",
        leader.id,
        `commits in term ${term} while node ${other.id} has a lease of term ${lease.term} ` +
          `until ${lease.until}, and its clock says ${now}`,
      );
    }
  }
}

/** G12: who answers by its lease is not overtaken, and a lease counts from an append. */
export function checkLeaseRead(
  cluster: Cluster,
  node: ModelNode,
  core: RaftCore,
  leaseUntil: Ms,
): void {
  const { newestTerm } = cluster.ledger;
  if (newestTerm > core.term) {
    fail(
      "G12",
      node.id,
      `answers by its lease of term ${core.term}, term ${newestTerm} has committed`,
    );
  }
  const view = cluster.viewOf(node.id);
  const [newest] = view.appends;
  const { leaseMs } = cluster;
  if (newest !== undefined && leaseMs !== undefined && leaseUntil > newest.at + leaseMs) {
    fail(
      "G12",
      node.id,
      `has a lease of ${leaseMs} ms until ${leaseUntil}, by what it appended at ${newest.at}`,
    );
  }
  view.lease = { term: core.term, until: leaseUntil };
}

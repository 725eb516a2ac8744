/**
 * Watches every step of every node and stops the run at the first broken invariant.
 *
 * Only the node that stepped is looked at, and only where it changed; {@link Invariants.sweep}
 * compares everything with everything.
 * Invariant: the checks read nodes and never change them; a run with checks and one without are
 * the same. Chapter: 11-simulation.
 */
import type { Ms } from "#base";
import type { Index, Input, NodeId, Output, RaftCore, VoterSets } from "#raft/types";
import type { ModelCopy, ModelEntry, ModelNode, Observer, Packet } from "../process/index.ts";
import { fail } from "./broken.ts";
import {
  type Cluster,
  checkElected,
  checkLeaderCommit,
  checkLeaseRead,
  checkRole,
} from "./leadership.ts";
import { Ledger } from "./ledger.ts";
import { checkForeignReply, checkProgress, noteForeignReply } from "./progress-checks.ts";
import { badSuccessor, sameSets, setsText } from "./quorums.ts";
import { checkSpeech, notedVote } from "./speech.ts";
import { createView, type NodeView } from "./views.ts";

/** Outputs of one step, beside full windows to all peers and all waiting reads. */
const OUTPUTS_MAX = 2000;
/** Ticks in a row at one moment: more, and the deadline is never reached. */
const IDLE_TICKS_MAX = 8;

/** How the checks are made. */
export interface InvariantsOptions {
  /** All nodes, up or down; the caller adds to it. */
  readonly nodes: ReadonlyMap<NodeId, ModelNode>;
  /** What the cluster is made with. */
  readonly sets: VoterSets;
  /** A node's clock, for leases. */
  readonly localTimeOf: (node: NodeId) => Ms;
  /** How long leases last, for G12. Default: there are none. */
  readonly leaseMs?: Ms;
  /** L8 looks at one leader's step in so many. Default 1. */
  readonly progressEvery?: number;
  /** Appends under way to one peer, for L8. Default 64. */
  readonly inFlightMax?: number;
}

/** See the file's header. */
export interface Invariants extends Observer {
  readonly ledger: Ledger;
  /** Who led in which term. */
  readonly leaderOf: ReadonlyMap<number, NodeId>;
  /** Compares all logs, disks and states. Now and then, and at the end. */
  sweep(): void;
}

/** Makes the checks of one run. */
export function createInvariants(options: InvariantsOptions): Invariants {
  return new Checks(options);
}

class Checks implements Invariants, Cluster {
  readonly ledger: Ledger;
  readonly leaderOf = new Map<number, NodeId>();
  readonly nodes: ReadonlyMap<NodeId, ModelNode>;
  readonly localTimeOf: (node: NodeId) => Ms;
  readonly leaseMs: Ms | undefined;
  readonly #views: (NodeView | undefined)[] = [];
  readonly #progressEvery: number;
  readonly #inFlightMax: number;

  constructor(options: InvariantsOptions) {
    this.ledger = new Ledger(options.sets);
    this.nodes = options.nodes;
    this.localTimeOf = options.localTimeOf;
    this.leaseMs = options.leaseMs;
    this.#progressEvery = options.progressEvery ?? 1;
    this.#inFlightMax = options.inFlightMax ?? 64;
  }

  viewOf(id: NodeId): NodeView {
    let view = this.#views[id];
    if (view === undefined) {
      view = createView();
      this.#views[id] = view;
    }
    return view;
  }

  started(node: ModelNode, core: RaftCore): void {
    const view = this.viewOf(node.id);
    if (core.term < view.sentTerm) {
      fail("L1", node.id, `restarts in term ${core.term}, it has spoken in ${view.sentTerm}`);
    }
    view.term = core.term;
    view.role = core.role;
    view.roleBefore = core.role;
    view.handedTo = node.machine.index;
    view.applied = node.machine.index;
    view.idleTicks = 0;
    view.commit = 0;
    view.configuration = undefined;
    this.#checkConfiguration(node, view, core);
    this.#commitTo(node, view, core);
  }

  stopped(node: ModelNode): void {
    const view = this.viewOf(node.id);
    view.role = "follower";
    this.#endLeadership(view);
  }

  steps(node: ModelNode, core: RaftCore, input: Input): void {
    const view = this.viewOf(node.id);
    view.roleBefore = core.role;
    if (core.role === "leader") noteForeignReply(view, core, input);
  }

  stepped(node: ModelNode, core: RaftCore, input: Input, outputs: readonly Output[]): void {
    if (outputs.length > OUTPUTS_MAX) {
      fail("L14", node.id, `has ${outputs.length} outputs in one step`);
    }
    const { deadline } = core;
    if (!Number.isFinite(deadline)) fail("L13", node.id, `has the deadline ${deadline}`);
    const view = this.viewOf(node.id);
    if (view.peersBefore !== undefined) checkForeignReply(node, view, core);
    if (input.kind === "compacted") this.#checkForgotten(node);
    if (input.kind !== "tick") return;
    view.idleTicks = outputs.length === 0 ? view.idleTicks + 1 : 0;
  }

  carriedOut(node: ModelNode, core: RaftCore, now: Ms): void {
    const view = this.viewOf(node.id);
    const { term, role } = core;
    if (core.deadline > now) view.idleTicks = 0;
    else if (view.idleTicks > IDLE_TICKS_MAX) {
      fail("L13", node.id, `ticks at ${now} and wants to tick again at ${core.deadline}`);
    }
    if (term < view.term) fail("L1", node.id, `falls from term ${view.term} to ${term}`);
    const isNew = role !== view.role || term !== view.term;
    view.term = term;
    view.role = role;
    if (isNew) {
      if (role === "leader") checkElected(this, node, core);
      this.#endLeadership(view);
    }
    if (core.configuration !== view.configuration) this.#checkConfiguration(node, view, core);
    if (core.commitIndex !== view.commit) this.#commitTo(node, view, core);
    if (role !== "follower") checkRole(node, core);
    if (core.lastIndex !== node.log.lastIndex) {
      fail("L4", node.id, `has a log up to ${core.lastIndex}, its driver to ${node.log.lastIndex}`);
    }
    view.steps += 1;
    if (role === "leader" && view.steps % this.#progressEvery === 0) {
      checkProgress(node, view, core, this.#inFlightMax);
    }
  }

  appended(node: ModelNode, index: Index, entry: ModelEntry): void {
    const { log } = node;
    const before = log.termAt(index - 1);
    if (before !== undefined && entry.term < before) {
      fail("L5", node.id, `has entry ${index} of term ${entry.term} behind one of ${before}`);
    }
    if (node.core !== undefined && entry.term > node.core.term) {
      fail("L5", node.id, `is in term ${node.core.term} and has an entry of ${entry.term}`);
    }
    this.ledger.seen(node.id, index, entry);
    if (this.leaseMs !== undefined && node.core?.role === "leader") {
      this.viewOf(node.id).appends.push({ index, at: this.localTimeOf(node.id) });
    }
    if (entry.sets !== undefined) this.#checkSuccessor(node, index, entry.sets);
  }

  truncates(node: ModelNode, from: Index): void {
    const view = this.viewOf(node.id);
    const kept = Math.max(view.commit, node.machine.index, node.log.base.index);
    if (from <= kept) fail("L6", node.id, `cuts its log at ${from}; ${kept} is committed`);
    if (view.roleBefore === "leader" && node.core?.role === "leader") {
      fail("L7", node.id, `leads and cuts its log at ${from}`);
    }
  }

  leaves(node: ModelNode, packet: Packet, chain: number): void {
    checkSpeech(node, this.viewOf(node.id), this.ledger, packet, chain);
  }

  persisted(node: ModelNode): void {
    const { term, vote } = node.disk.hardState;
    const view = this.viewOf(node.id);
    if (term === view.durableTerm && vote === view.durableVote) return;
    if (term < view.durableTerm) {
      fail("L1", node.id, `has term ${term} on disk after ${view.durableTerm}`);
    }
    if (term === view.durableTerm && vote === 0) {
      fail("L2", node.id, `takes its vote for ${view.durableVote} in term ${term} back`);
    }
    view.durableTerm = term;
    view.durableVote = vote;
    if (vote !== 0) notedVote(node, view, term, vote);
  }

  handedOut(node: ModelNode, from: Index, to: Index): void {
    const view = this.viewOf(node.id);
    if (from !== view.handedTo + 1) {
      fail("L10", node.id, `hands out ${from} to be applied after ${view.handedTo}`);
    }
    view.handedTo = to;
    const core = node.running;
    if (to > core.commitIndex) {
      fail("L4", node.id, `hands out ${to} to be applied, committed is ${core.commitIndex}`);
    }
    const chain = node.log.chainAt(to);
    if (chain === undefined || node.disk.log.chainAt(to) !== chain) {
      fail("L4", node.id, `hands out ${to} to be applied, its disk does not have it`);
    }
  }

  applied(node: ModelNode, index: Index, entry: ModelEntry): void {
    const view = this.viewOf(node.id);
    if (index !== view.applied + 1) fail("L10", node.id, `applies ${index} after ${view.applied}`);
    view.applied = index;
    this.ledger.applied(node.id, index, entry, node.machine.digest);
  }

  copied(node: ModelNode, { state, chain }: ModelCopy, moment: "made" | "installed"): void {
    const { index, digest } = state;
    this.ledger.copied(node.id, { index, chain, digest });
    if (moment === "made") return;
    const view = this.viewOf(node.id);
    view.handedTo = index;
    view.applied = index;
  }

  servesByLease(node: ModelNode, _index: Index, leaseUntil: Ms): void {
    checkLeaseRead(this, node, node.running, leaseUntil);
  }

  sweep(): void {
    for (const node of this.nodes.values()) {
      this.#sweepLog(node, node.log);
      if (node.disk.log !== node.log) this.#sweepLog(node, node.disk.log);
      if (node.core !== undefined) this.#sweepCore(node, node.core);
    }
  }

  #sweepLog(node: ModelNode, log: ModelNode["log"]): void {
    const { ledger } = this;
    let before = log.base.chain;
    for (const [place, entry] of log.entries.entries()) {
      const index = log.base.index + 1 + place;
      if (entry.before !== before) fail("L5", node.id, `has a gap in its log before ${index}`);
      before = entry.chain;
      ledger.seen(node.id, index, entry);
    }
    const { base } = log;
    if (base.index > 0 && ledger.chainAt(base.index) !== base.chain) {
      fail(
        "G5",
        node.id,
        `has a log that begins behind another entry ${base.index} than committed`,
      );
    }
    const records = log.entries.flatMap(({ sets }, place) =>
      sets === undefined ? [] : [base.index + 1 + place],
    );
    if (records.join() !== log.configurations.map(({ index }) => index).join()) {
      fail("L11", node.id, `has configurations at ${records.join()} and knows of others`);
    }
  }

  #sweepCore(node: ModelNode, core: RaftCore): void {
    const view = this.viewOf(node.id);
    this.#checkConfiguration(node, view, core);
    const { firstIndex, appliedIndex, commitIndex, stableIndex, lastIndex } = core.status();
    // Between the log's reset and the machine's, the log begins behind what is applied.
    const isInstalling = node.log.base.index > node.machine.index;
    const compacted = isInstalling ? appliedIndex : firstIndex - 1;
    const chain = [compacted, appliedIndex, Math.min(commitIndex, stableIndex), lastIndex];
    if (chain.some((index, place) => place > 0 && index < chain[place - 1]!)) {
      fail("L4", node.id, `has compacted, applied, committed and last entries ${chain.join()}`);
    }
    this.#checkForgotten(node);
  }

  /** L4: what the machine could still lose is in the log. */
  #checkForgotten({ id, log, machine, disk }: ModelNode): void {
    if (log.base.index <= machine.durableIndex) return;
    // A snapshot that is being installed is the one exception; its file is on this disk.
    if (!disk.files.has(log.base.copy)) {
      fail("L4", id, `forgets up to ${log.base.index}, durable is ${machine.durableIndex}`);
    }
  }

  #commitTo(node: ModelNode, view: NodeView, core: RaftCore): void {
    const { commitIndex, role, term } = core;
    if (commitIndex < view.commit) {
      fail("L6", node.id, `takes its commit index back from ${view.commit} to ${commitIndex}`);
    }
    if (commitIndex > core.lastIndex) {
      fail("L4", node.id, `commits ${commitIndex}, its log ends at ${core.lastIndex}`);
    }
    if (role === "leader") checkLeaderCommit(this, node, core, commitIndex);
    const { log } = node;
    const { base } = log;
    if (commitIndex >= base.index && this.ledger.lastIndex >= base.index && base.index > 0) {
      if (this.ledger.chainAt(base.index) !== base.chain) {
        fail("G5", node.id, `begins behind another entry ${base.index} than was committed`);
      }
    }
    for (let i = Math.max(view.commit, base.index) + 1; i <= commitIndex; i += 1) {
      this.ledger.committed(node.id, term, i, log.entryAt(i)!);
    }
    view.commit = commitIndex;
    const { appends } = view;
    while (appends.length > 1 && appends[1]!.index <= commitIndex) appends.shift();
  }

  #endLeadership(view: NodeView): void {
    view.sessions.clear();
    view.matchSeen.clear();
    // A new leader has appended in the step that made it one.
    if (view.role !== "leader") view.appends.length = 0;
    view.lease = undefined;
  }

  /** L11: in force is the last one in the log. */
  #checkConfiguration(node: ModelNode, view: NodeView, core: RaftCore): void {
    const { configuration } = core;
    const truth = node.log.configuration;
    if (configuration.index !== truth.index || !sameSets(configuration.sets, truth.sets)) {
      fail(
        "L11",
        node.id,
        `follows configuration ${configuration.index} (${setsText(configuration.sets)}); ` +
          `the last in its log is ${truth.index} (${setsText(truth.sets)})`,
      );
    }
    view.configuration = configuration;
  }

  #checkSuccessor(node: ModelNode, index: Index, sets: VoterSets): void {
    const { configuration } = node.core ?? {};
    const before = node.log.configurationAt(index - 1);
    const bad = badSuccessor(before.sets, sets);
    if (bad !== undefined) {
      fail("L11", node.id, `has a configuration at ${index} that ${bad}: ${setsText(sets)}`);
    }
    if (configuration === undefined || node.core?.role !== "leader") return;
    if (before.index > node.core.commitIndex) {
      fail("L11", node.id, `leads and changes the members while ${before.index} is uncommitted`);
    }
  }
}

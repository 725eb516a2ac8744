/**
 * The world of a scenario: nodes, the wire between them, and what is said about them. Nothing in
 * it moves unless a command says so.
 *
 * Invariant: every step of a core is seen by the checker and told to the trace, in the order in
 * which it happened. Chapter: 11-simulation.
 */
import { errorText, type Ms } from "#base";
import type { Input, NodeId, Output, RaftModule, RaftOptions, VoterSets } from "#raft/types";
import { createInvariants, type Invariants } from "../invariants/index.ts";
import {
  createModelNode,
  type ModelEntry,
  type ModelNode,
  type Observer,
  type Packet,
  type ReadOutcome,
  type ReadRequest,
  type Surroundings,
} from "../process/index.ts";
import { Member } from "./member.ts";
import { EntryNames } from "./names.ts";
import { Requests } from "./requests.ts";
import { span, Trace } from "./trace.ts";
import { Wire } from "./wire.ts";

/** What a world is made of. */
export interface WorldOptions {
  readonly createRaftCore: RaftModule["createRaftCore"];
  readonly voters: readonly NodeId[];
  readonly learners: readonly NodeId[];
  /** Nodes that no configuration names. */
  readonly outside: readonly NodeId[];
  /** Who asks before campaigning; undefined: all. */
  readonly preVoters: readonly NodeId[] | undefined;
  readonly raft: Partial<RaftOptions>;
}

/** Times that scenarios are written for. */
const ELECTION_TIMEOUT_MS = 1000;
const HEARTBEAT_MS = 100;

/** Outputs that come before what a step commits, as one tells it. */
const EARLY: ReadonlySet<Output["kind"]> = new Set([
  "truncated",
  "persist",
  "role",
  "accepted",
  "refused",
]);

/** More steps than any scenario needs: two nodes answer each other without end. */
const STEPS_MAX = 400_000;

export class World {
  now: Ms = 0;
  readonly members: Member[] = [];
  readonly wire = new Wire();
  readonly names = new EntryNames();
  readonly requests = new Requests();
  readonly trace: Trace;
  readonly draws = new Map<NodeId, number[]>();
  /** Called after each thing that was done with a node: for those who crash it at every step. */
  onActed: ((member: Member) => void) | undefined;
  readonly #checker: Invariants;
  readonly #outputs: Output[] = [];
  readonly #posted: { readonly packet: Packet; readonly fate: string }[] = [];
  readonly #ended: string[] = [];
  #inStep = false;
  #steps = 0;
  #isStarted = false;
  /** Entries that one node has applied one after the other, not told yet. */
  #applied: { readonly node: NodeId; from: number; readonly names: string[] } | undefined;

  constructor(options: WorldOptions) {
    this.trace = new Trace({
      entry: (node, index) => this.entryName(node, index),
      carried: (packet) => packet.entries.map((entry) => this.names.nameOf(entry)),
      request: (id) => this.requests.nameOf(id),
    });
    const { voters, learners, outside, raft: chosen } = options;
    const sets: VoterSets = { voters, outgoing: [], learners };
    const nodes = new Map<NodeId, ModelNode>();
    this.#checker = createInvariants({
      nodes,
      sets,
      localTimeOf: (id) => this.member(id)!.localTime(this.now),
      ...(chosen.inFlightMax === undefined ? {} : { inFlightMax: chosen.inFlightMax }),
    });
    const all = [...voters, ...learners, ...outside].sort((a, b) => a - b);
    for (const self of all) {
      let drawn = 0;
      const random = (): number => {
        const draws = this.draws.get(self) ?? [(self - 1) / (all.length + 1)];
        drawn += 1;
        return draws[(drawn - 1) % draws.length]!;
      };
      const times = { electionTimeoutMs: ELECTION_TIMEOUT_MS, heartbeatMs: HEARTBEAT_MS };
      const preVote = options.preVoters?.includes(self) ?? true;
      const raft = { ...times, preVote, ...options.raft, self, random };
      const isMember = !outside.includes(self);
      const surroundings = this.#surroundings(options.createRaftCore);
      const node = createModelNode({ raft, surroundings, ...(isMember ? { sets } : {}) });
      nodes.set(self, node);
      this.members.push(new Member(node));
    }
  }

  get ids(): NodeId[] {
    return this.members.map(({ id }) => id);
  }

  get isStarted(): boolean {
    return this.#isStarted;
  }

  /** Compares everything with everything, once the scenario is over. */
  finish(): void {
    this.#checker.sweep();
  }

  /** Starts every node, once. */
  begin(): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    for (const member of this.members) this.start(member);
  }

  member(id: NodeId): Member | undefined {
    return this.members.find((member) => member.id === id);
  }

  /** Those that run and lead. */
  leaders(): Member[] {
    return this.members.filter(({ node }) => node.core?.role === "leader");
  }

  start(member: Member): void {
    member.haltedWith = undefined;
    member.underWay = undefined;
    member.node.start(member.localTime(this.now));
    member.commitSeen = member.node.core?.commitIndex ?? 0;
    this.#settleMember(member);
  }

  step(member: Member, input: Input): void {
    this.act(member, (now) => member.node.step(now, input));
  }

  /** Does something with a node that runs, and then what it does by itself. */
  act(member: Member, action: (now: Ms) => void): void {
    this.#steps += 1;
    if (this.#steps > STEPS_MAX) throw new Error(`more than ${STEPS_MAX} steps: no end in sight`);
    action(member.localTime(this.now));
    this.#flushApplied();
    this.#settleMember(member);
    this.onActed?.(member);
  }

  /** Hands a packet over. A node that is down loses it, one that is paused finds it later. */
  hand(packet: Packet): void {
    const member = this.member(packet.to);
    if (member === undefined || !member.isUp) return;
    if (member.isPaused) {
      member.inbox.push(packet);
      return;
    }
    this.act(member, (now) => member.node.receive(now, packet));
  }

  /** Makes a node's oldest waiting writes durable; a disk that fails stops the node. */
  sync(member: Member, count?: number): void {
    if (!member.isUp) return;
    if (member.diskState === "fail") {
      if (member.node.disk.pending.length > 0) this.#stopByDisk(member);
      return;
    }
    this.trace.write(`${member.id} syncs`);
    this.act(member, (now) => member.node.sync(now, count));
  }

  /** The process ends, as the driver ends it when a sync has failed. Nothing of it is durable. */
  #stopByDisk(member: Member): void {
    member.node.crash();
    member.haltedWith = "disk: a sync failed";
    this.trace.event(`${member.id} halts: ${member.haltedWith}`);
  }

  crash(member: Member, writesKept: number, appliedKept: number): void {
    member.node.crash({ writesKept, appliedKept });
    member.haltedWith = undefined;
    member.inbox = [];
    member.isPaused = false;
    member.underWay = undefined;
  }

  entryName(id: NodeId, index: number): string {
    const entry = this.member(id)?.node.log.entryAt(index);
    return entry === undefined ? "?" : this.names.nameOf(entry);
  }

  /** What a node does without being told: its disk if it is instant, its machine, its copies. */
  #settleMember(member: Member): void {
    const { node } = member;
    while (member.isAwake) {
      const now = member.localTime(this.now);
      if (member.habits.apply && node.hasWork) node.work(now);
      else if (member.habits.copy && node.copies.requests.length > 0) {
        node.makeCopy(now, node.copies.requests[0]!.to);
      } else if (member.diskState === "instant" && node.disk.pending.length > 0) {
        node.sync(now);
      } else break;
      this.#flushApplied();
    }
  }

  #surroundings(createRaftCore: RaftModule["createRaftCore"]): Surroundings {
    return {
      createRaftCore,
      observer: this.#observer(),
      post: (packet) => this.#post(packet),
      told: (_node, output) => this.requests.note(output),
      applied: (node, index, entry) => this.#noteApplied(node.id, index, entry),
      readEnded: (node, read, outcome) => this.#readEnded(node.id, read, outcome),
      halted: (node, error) => this.#halted(node.id, error),
    };
  }

  /** The checker, with the trace behind it. */
  #observer(): Observer {
    const checker = this.#checker;
    return {
      started: (node, core) => checker.started(node, core),
      stopped: (node) => checker.stopped(node),
      steps: (node, core, input) => {
        this.#inStep = true;
        this.#outputs.length = 0;
        checker.steps(node, core, input);
      },
      stepped: (node, core, input, outputs) => {
        this.#outputs.push(...outputs);
        checker.stepped(node, core, input, outputs);
      },
      carriedOut: (node, core, now) => {
        checker.carriedOut(node, core, now);
        this.#tellStep(node.id);
      },
      appended: (node, index, entry) => checker.appended(node, index, entry),
      truncates: (node, from) => checker.truncates(node, from),
      leaves: (node, packet, chain) => checker.leaves(node, packet, chain),
      persisted: (node) => checker.persisted(node),
      handedOut: (node, from, to) => checker.handedOut(node, from, to),
      applied: (node, index, entry) => checker.applied(node, index, entry),
      copied: (node, copy, moment) => checker.copied(node, copy, moment),
      servesByLease: (node, index, until) => checker.servesByLease(node, index, until),
    };
  }

  /** A step is over: its outputs, what is committed, then what was sent. */
  #tellStep(id: NodeId): void {
    this.#inStep = false;
    const member = this.member(id)!;
    const isEarly = ({ kind }: Output): boolean => EARLY.has(kind);
    for (const output of this.#outputs.filter(isEarly)) this.trace.output(id, output);
    const commit = member.node.core?.commitIndex ?? 0;
    if (commit > member.commitSeen) {
      this.trace.event(`${id} commits ${span(member.commitSeen + 1, commit)}`);
      member.commitSeen = commit;
    }
    for (const output of this.#outputs) {
      // What is applied at once is told when it is done.
      const isTold = isEarly(output) || (output.kind === "apply" && member.habits.apply);
      if (!isTold) this.trace.output(id, output);
    }
    for (const line of this.#ended.splice(0)) this.trace.event(line);
    for (const { packet, fate } of this.#posted.splice(0)) this.trace.packet(packet, fate);
  }

  #post(packet: Packet): void {
    const fate = this.wire.post(packet, this.now) === "lost" ? "lost" : "";
    if (this.#inStep) this.#posted.push({ packet, fate });
    else this.trace.packet(packet, fate);
  }

  #noteApplied(node: NodeId, index: number, entry: ModelEntry): void {
    if (this.#applied?.node !== node) this.#flushApplied();
    this.#applied ??= { node, from: index, names: [] };
    this.#applied.names.push(this.names.nameOf(entry));
  }

  #flushApplied(): void {
    if (this.#applied === undefined) return;
    const { node, from, names } = this.#applied;
    this.#applied = undefined;
    const text = names.length > 6 ? `${names[0]} .. ${names.at(-1)}` : names.join(" ");
    this.trace.event(`${node} applies ${span(from, from + names.length - 1)}: ${text}`);
  }

  #readEnded(node: NodeId, { id }: ReadRequest, outcome: ReadOutcome): void {
    this.#flushApplied();
    if (outcome.kind === "failed") return;
    const name = this.requests.nameOf(id);
    if (outcome.kind === "lease-over") {
      this.requests.ended(id, { is: "failed", reason: "lease-over" });
      this.#later(`${node} read ${name}: its lease was over when it had the value`);
      return;
    }
    const value = outcome.value === null ? "nothing" : `${outcome.value}`;
    this.requests.ended(id, { is: "value", index: outcome.index, value });
    this.#later(`${node} read ${name}: ${value}, at ${outcome.index}`);
  }

  /** What a step's output led to at once is told behind that output. */
  #later(line: string): void {
    if (this.#inStep) this.#ended.push(line);
    else this.trace.event(line);
  }

  #halted(id: NodeId, error: unknown): void {
    this.#inStep = false;
    this.#posted.length = 0;
    const text = errorText(error);
    const member = this.member(id);
    if (member !== undefined) member.haltedWith = text;
    this.trace.event(`${id} halts: ${text}`);
  }
}

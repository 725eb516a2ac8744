/**
 * The world of one run: a clock, a network, the nodes, and what is noticed of them.
 *
 * Invariant: time goes from one callback to the next, and promises settle in between; so a run is
 * a function of its plan. The first broken promise ends it.
 * Chapter: 11-simulation.
 */
import type { Bytes, Ms } from "#base";
import { createNodeClock, createSimulatedClock, createSimulatedNetwork } from "#platform";
import type { SimulatedClock, SimulatedNetwork } from "#platform/types";
import type { Configuration, ProposalFailure, ReadOutcome, ReplicaStatus } from "#replica/types";
import type { BrokenInvariant } from "../invariants/index.ts";
import { RealLedger } from "./ledger.ts";
import { type NodeParts, RealNode } from "./node.ts";
import { RealTrace } from "./trace.ts";
import type { RealOptions, RealParts } from "./types.ts";

/** Who waits for what becomes of proposals and reads. */
export interface Answers {
  onResult(node: RealNode, id: number, index: number, result: Bytes): void;
  onFailure(node: RealNode, id: number, failure: ProposalFailure): void;
  onRead(node: RealNode, id: number, outcome: ReadOutcome): void;
}

/** How often the harness looks whether a member of the cluster has no node yet. */
const JOIN_EVERY_MS = 50;

/** Lets whatever waits on this thread go on. */
const thread = createNodeClock();
const turn = (): Promise<void> => new Promise((resolve) => void thread.whenIdle(resolve));

/** See the file's header. */
export class RealCluster {
  readonly options: RealOptions;
  readonly parts: RealParts;
  readonly clock: SimulatedClock = createSimulatedClock();
  readonly network: SimulatedNetwork;
  readonly trace: RealTrace = new RealTrace();
  readonly ledger: RealLedger;
  readonly nodes: RealNode[] = [];
  answers: Answers | undefined;
  broken: BrokenInvariant | undefined;
  /** While times are bad, whoever dies comes back after a while. */
  restartMs: Ms = 500;
  copiesInstalled = 0;
  readonly #nodeParts: NodeParts;

  constructor(options: RealOptions, parts: RealParts) {
    this.options = options;
    this.parts = parts;
    const { clock } = this;
    this.network = createSimulatedNetwork({ clock, seed: options.seed });
    this.ledger = new RealLedger((broken) => this.fail(broken));
    this.#nodeParts = { parts, options, clock, network: this.network, events: this.#events() };
    const members = Array.from({ length: options.nodes }, (_, n) => ({
      id: `n${n + 1}`,
      address: `h:${n + 1}`,
      incarnation: `${n + 1}`,
    }));
    const configuration = parts.replica.createConfiguration(members);
    for (const { number } of configuration.members) this.addNode(number, configuration, true);
    this.#watchForNewcomers();
  }

  get now(): Ms {
    return this.clock.now();
  }

  note(text: string): void {
    this.trace.note(this.now, text);
  }

  /** Remembers the first thing that is wrong; the run ends at the next moment. */
  fail(broken: BrokenInvariant): void {
    if (this.broken !== undefined) return;
    this.broken = broken;
    this.note(`BROKEN ${broken.message}`);
  }

  /** @throws BrokenInvariant when something was broken meanwhile. */
  async run(ms: Ms): Promise<void> {
    await this.runUntil(() => false, ms);
  }

  /** Runs until it is so. @returns whether it is. @throws BrokenInvariant as `run`. */
  async runUntil(condition: () => boolean, limitMs: Ms): Promise<boolean> {
    const { clock } = this;
    const until = clock.now() + limitMs;
    for (;;) {
      await turn();
      if (this.broken !== undefined) throw this.broken;
      for (const node of this.nodes) node.noticePowerCut();
      if (condition()) return true;
      if (clock.nextDue() > until) break;
      clock.advanceToNext();
    }
    clock.advance(until - clock.now());
    await turn();
    return condition();
  }

  /** The leader of the highest term. */
  leader(): RealNode | undefined {
    let found: RealNode | undefined;
    let term = 0;
    for (const node of this.nodes) {
      const status = node.status();
      if (status?.role !== "leader" || status.term <= term) continue;
      found = node;
      term = status.term;
    }
    return found;
  }

  node(number: number): RealNode | undefined {
    return this.nodes.find((node) => node.number === number);
  }

  addNode(number: number, configuration: Configuration, isFounder: boolean): RealNode {
    const node = new RealNode(this.#nodeParts, { number, configuration, isFounder });
    this.nodes.push(node);
    return node;
  }

  /** The last configuration that is known to be committed. */
  configuration(): ReplicaStatus["committedConfiguration"] | undefined {
    let last: ReplicaStatus["committedConfiguration"] | undefined;
    for (const node of this.nodes) {
      const known = node.status()?.committedConfiguration;
      if (known !== undefined && known.index >= (last?.index ?? 0)) last = known;
    }
    return last;
  }

  /** Whoever was added gets a node with an empty disk, as soon as that is committed. */
  #watchForNewcomers(): void {
    this.clock.after(JOIN_EVERY_MS, () => {
      for (const { replica } of [...this.nodes]) {
        if (replica === undefined) continue;
        const { configuration } = replica;
        const { committedConfiguration } = replica.status();
        for (const { number } of configuration.members) {
          const { voters, learners } = committedConfiguration.sets;
          const isCommitted = voters.includes(number) || learners.includes(number);
          if (!isCommitted || this.node(number) !== undefined) continue;
          this.note(`node ${number} is made, its disk is empty`);
          this.addNode(number, configuration, false).start();
        }
      }
      this.#watchForNewcomers();
    });
  }

  #events(): NodeParts["events"] {
    return {
      onFrame: (from, to, frame) => this.trace.frame(this.now, from, to, frame),
      onApplied: (node, entry) => this.ledger.applied(node.number, entry),
      onResult: (node, id, index, result) => this.answers?.onResult(node, id, index, result),
      onFailure: (node, id, failure) => this.answers?.onFailure(node, id, failure),
      onRead: (node, id, outcome) => this.answers?.onRead(node, id, outcome),
      onRole: (node, { role, term, leader }) => {
        this.note(`node ${node.number} is ${role} in term ${term}, its leader is ${leader}`);
        if (role === "leader") this.ledger.leads(node.number, term);
      },
      onInstalled: () => {
        this.copiesInstalled += 1;
      },
      onDied: (node) => void this.clock.after(this.restartMs, () => node.start()),
      onNote: (text) => this.note(text),
      onBroken: (broken) => this.fail(broken),
    };
  }
}

/**
 * An operator and readers for the simulation: members come and go, leadership is handed over,
 * reads are asked for everywhere, logs are compacted as far as a node may. What reads and leases
 * promise is checked against the ledger, which sees more than any node does (G11, G12).
 */
import type { Random } from "#platform";
import type { NodeId, Output, Term } from "#raft";
import { type Checker, Violation } from "./checker.ts";
import type { TestNode } from "./node.ts";

/** What it needs of the simulation. */
export interface Stage {
  readonly random: Random;
  readonly nodes: readonly TestNode[];
  readonly checker: Checker;
  readonly now: () => number;
  /** Does something at a node, if it is up and when it is awake. */
  readonly at: (node: TestNode, run: () => void) => void;
}

export class Churn {
  readonly #stage: Stage;
  /** For each read, what was committed anywhere when it was asked. */
  readonly #committedAtRead = new Map<number, number>();
  readonly #leaseUntil = new Map<Term, number>();
  #reads = 0;
  /** Answered reads, and changes that were taken. */
  readonly tally = { reads: 0, leaseReads: 0, changes: 0, transfers: 0, installs: 0 };

  constructor(stage: Stage) {
    this.#stage = stage;
    stage.checker.onLeaderCommit = (node, before) => this.#leaseIsOver(node, before);
  }

  /** One thing, at random. */
  trouble(): void {
    const { random, nodes, at, now } = this.#stage;
    const node = nodes[random.below(nodes.length)]!;
    const kind = random.below(10);
    if (kind < 2) {
      at(node, () => node.step(now(), { kind: "transfer", to: random.below(nodes.length + 1) }));
    } else if (kind < 5) this.#change();
    else if (kind < 6) this.#compact(node);
    else this.#read(node);
  }

  /** Looks at what nodes have said since. */
  watch(): void {
    for (const node of this.#stage.nodes) {
      for (const output of node.takeEvents()) this.#see(node, output);
    }
  }

  #see(node: TestNode, output: Output): void {
    if (output.kind === "accepted" && output.id < 0) this.tally.changes += 1;
    if (output.kind === "transferEnded" && output.outcome === "done") this.tally.transfers += 1;
    if (output.kind === "install") this.tally.installs += 1;
    if (output.kind !== "readReady") return;
    const { id, index, leaseUntil } = output;
    const needed = this.#committedAtRead.get(id) ?? 0;
    this.tally.reads += 1;
    if (index < needed) {
      const text = `node ${node.id} reads at ${index}, but ${needed} was committed before`;
      throw new Violation("G11", text);
    }
    if (leaseUntil === undefined) return;
    this.tally.leaseReads += 1;
    const known = this.#leaseUntil.get(node.term) ?? 0;
    this.#leaseUntil.set(node.term, Math.max(known, leaseUntil));
  }

  /** G12: nobody commits in a newer term while a lease of an older one is good. */
  #leaseIsOver(node: TestNode, index: number): void {
    for (const [term, until] of this.#leaseUntil) {
      if (term < node.term && this.#stage.now() < until) {
        const text = `leader ${node.id} of ${node.term} commits ${index} during a lease of ${term}`;
        throw new Violation("G12", text);
      }
    }
  }

  #read(node: TestNode): void {
    const { random, at, now, checker } = this.#stage;
    this.#reads += 1;
    const id = this.#reads;
    const via = random.below(3) === 0 ? "lease" : "index";
    at(node, () => {
      this.#committedAtRead.set(id, checker.committed.length);
      node.step(now(), { kind: "read", id, via });
      this.watch();
    });
  }

  /** Some members, drawn anew; who cannot become a voter at once becomes a learner. */
  #change(): void {
    const { random, nodes, at, now } = this.#stage;
    const leader = nodes.find(({ core }) => core?.role === "leader");
    if (leader === undefined) return;
    const sets = leader.running.configuration.sets;
    const ready = new Set(sets.voters);
    for (const { peer, caughtUp } of leader.running.status().peers) if (caughtUp) ready.add(peer);
    const voters: NodeId[] = [];
    const learners: NodeId[] = [];
    for (const { id } of nodes) {
      const draw = random.below(4);
      if (draw < 2 && ready.has(id)) voters.push(id);
      else if (draw < 3) learners.push(id);
    }
    at(leader, () => leader.step(now(), { kind: "change", id: -1, voters, learners }));
  }

  #compact(node: TestNode): void {
    const { random, at, now } = this.#stage;
    at(node, () => {
      const upTo = node.running.status().appliedIndex - random.below(5);
      if (upTo > node.disk.compactedIndex) node.compact(now(), upTo);
    });
  }
}

/**
 * A cluster in a bad world, from a seed: messages are lost, doubled, late and out of order, links
 * break one way or both, nodes crash and lose what is not on disk, disks are slow, processes
 * pause. The checker watches every step. Then the world heals, and the cluster must recover.
 *
 * Times are milliseconds of virtual time.
 */
import { mixSeeds, type Random, seededRandom } from "#platform";
import type { createRaftCore, NodeId, RaftOptions } from "#raft";
import { Checker, Violation } from "./checker.ts";
import { Churn } from "./churn.ts";
import { EventQueue } from "./event-queue.ts";
import { type Packet, TestNode, type World } from "./node.ts";

const ELECTION_TIMEOUT_MS = 100;
const HEARTBEAT_MS = 20;
const LEASE_MS = 80;
/** The bounds of V1 and V2. */
const LEADER_WITHIN_MS = 10 * ELECTION_TIMEOUT_MS;
const AGREEMENT_WITHIN_MS = 30 * ELECTION_TIMEOUT_MS;
/** Longer than any message is late and any disk is slow. */
const AFTERMATH_MS = 400;
/** For so long after agreement, nothing may change: V3. */
const CALM_MS = 5 * ELECTION_TIMEOUT_MS;

export interface SimulationOptions {
  readonly seed: number;
  readonly nodes: number;
  /** How long the bad times last. Default 3000. */
  readonly chaosMs?: number;
  readonly createRaftCore: typeof createRaftCore;
  /** Members come and go, logs are compacted beyond what others have, and everybody reads. */
  readonly churn?: boolean;
}

export interface SimulationReport {
  readonly events: number;
  readonly committed: number;
  readonly terms: number;
  readonly crashes: number;
  readonly tally: Churn["tally"] | undefined;
}

/** Runs one seed. @throws Violation or InvariantError. */
export function simulate(options: SimulationOptions): SimulationReport {
  return new Simulation(options).run();
}

/** Each seed has some troubles and not others: with all of them at once, calm is never tested. */
interface Troubles {
  readonly lossPercent: number;
  readonly doublePercent: number;
  readonly latePercent: number;
  readonly partitions: boolean;
  readonly crashes: boolean;
  readonly pauses: boolean;
  readonly slowDisks: boolean;
}

class Simulation {
  readonly #queue = new EventQueue();
  readonly #random: Random;
  readonly #troubles: Troubles;
  readonly #nodes: TestNode[] = [];
  readonly #checker: Checker;
  readonly #chaosMs: number;
  /** `from/to` of links that carry nothing. */
  readonly #cut = new Set<string>();
  /** What waits for a paused node. */
  readonly #paused = new Map<NodeId, (() => void)[]>();
  /** Grows with each crash: events of an earlier life are void. */
  readonly #lives = new Map<NodeId, number>();
  readonly #syncing = new Set<NodeId>();
  readonly #tickAt = new Map<NodeId, number>();
  #churn: Churn | undefined;
  #calm = false;
  #payloads = 0;
  #events = 0;
  #crashes = 0;

  constructor(options: SimulationOptions) {
    const { seed, nodes } = options;
    this.#random = seededRandom(mixSeeds(seed, nodes));
    this.#chaosMs = options.chaosMs ?? 3000;
    this.#troubles = this.#drawTroubles();
    this.#checker = new Checker(this.#nodes);
    const world: World = {
      createRaftCore: options.createRaftCore,
      checker: this.#checker,
      post: (packet) => this.#post(packet),
    };
    const all = Array.from({ length: nodes }, (_, i) => i + 1);
    const founders = options.churn ? all.slice(0, 3) : all;
    const narrow = this.#random.below(3) === 0;
    const sometimes = (): boolean => options.churn === true && this.#random.below(2) === 0;
    const leaseMs = sometimes() ? LEASE_MS : 0;
    const preVote = !sometimes() || !sometimes();
    const little = sometimes() ? { unappliedBytesMax: 300, applyAheadBytesMax: 100 } : {};
    if (options.churn) {
      this.#churn = new Churn({
        random: this.#random,
        nodes: this.#nodes,
        checker: this.#checker,
        now: () => this.#queue.now,
        at: (node, run) => this.#at(node, run),
      });
    }
    for (const self of all) {
      const random = seededRandom(mixSeeds(seed, nodes, self));
      const raftOptions: RaftOptions = {
        self,
        electionTimeoutMs: ELECTION_TIMEOUT_MS,
        heartbeatMs: HEARTBEAT_MS,
        random: () => random.fraction(),
        leaseMs,
        preVote,
        ...little,
        snapshotChunkBytesMax: 20,
        ...(narrow ? { appendEntriesMax: 2, inFlightMax: 2, uncommittedBytesMax: 500 } : {}),
      };
      const voters = founders.includes(self) ? founders : [];
      this.#nodes.push(new TestNode(world, raftOptions, voters));
    }
  }

  run(): SimulationReport {
    for (const node of this.#nodes) this.#start(node);
    this.#queue.after(0, () => this.#proposeAndRepeat());
    this.#queue.after(0, () => this.#troubleAndRepeat());
    this.#queue.runUntil(this.#chaosMs);
    this.#heal();
    const healedAt = this.#queue.now;
    this.#wait("V1", healedAt + LEADER_WITHIN_MS, () =>
      this.#leaders().length > 0 ? undefined : "no leader after healing",
    );
    const goal = this.#checker.committed.length + 1;
    this.#wait("V2", healedAt + AGREEMENT_WITHIN_MS, () => this.#disagreement(goal));
    // What was late or slow when the world healed may still unseat a leader, but not for long.
    this.#queue.runUntil(Math.max(this.#queue.now, healedAt + AFTERMATH_MS));
    this.#wait("V1", this.#queue.now + LEADER_WITHIN_MS, () =>
      this.#leaders().length > 0 ? undefined : "no leader long after healing",
    );
    this.#queue.runUntil(this.#queue.now + HEARTBEAT_MS);
    const before = this.#reign();
    this.#queue.runUntil(this.#queue.now + CALM_MS);
    if (this.#reign() !== before) throw new Violation("V3", `${before}, then ${this.#reign()}`);
    return {
      events: this.#events,
      committed: this.#checker.committed.length,
      terms: Math.max(...this.#nodes.map((node) => node.term)),
      crashes: this.#crashes,
      tally: this.#churn?.tally,
    };
  }

  #drawTroubles(): Troubles {
    const random = this.#random;
    const some = (percentMax: number) => (random.below(2) === 0 ? 0 : random.below(percentMax));
    return {
      lossPercent: some(30),
      doublePercent: some(30),
      latePercent: some(30),
      partitions: random.below(3) > 0,
      crashes: random.below(3) > 0,
      pauses: random.below(3) === 0,
      slowDisks: random.below(3) === 0,
    };
  }

  #leaders(): TestNode[] {
    return this.#nodes.filter(({ core }) => core?.role === "leader");
  }

  /** Does something at a node: now, when its pause ends, or never if it crashes before. */
  #at(node: TestNode, run: () => void): void {
    const life = this.#lives.get(node.id);
    const act = (): void => {
      if (this.#lives.get(node.id) !== life || node.core === undefined) return;
      const waiting = this.#paused.get(node.id);
      if (waiting !== undefined) {
        waiting.push(act);
        return;
      }
      this.#events += 1;
      run();
      this.#follow(node);
    };
    act();
  }

  /** After a step: its writes are synced some time later, and its timer is set. */
  #follow(node: TestNode): void {
    const { id } = node;
    const life = this.#lives.get(id);
    if (node.writes.length > 0 && !this.#syncing.has(id)) {
      this.#syncing.add(id);
      const count = node.writes.length;
      this.#queue.after(this.#syncMs(), () => {
        if (this.#lives.get(id) !== life) return;
        this.#syncing.delete(id);
        this.#at(node, () => node.sync(this.#queue.now, count));
      });
    }
    const deadline = node.running.deadline;
    if (this.#tickAt.get(id) === deadline) return;
    this.#tickAt.set(id, deadline);
    this.#queue.at(deadline, () => {
      if (this.#lives.get(id) !== life || this.#tickAt.get(id) !== deadline) return;
      this.#tickAt.delete(id);
      this.#at(node, () => node.step(this.#queue.now, { kind: "tick" }));
    });
  }

  #syncMs(): number {
    const slow = this.#troubles.slowDisks && !this.#calm && this.#random.below(20) === 0;
    return slow ? this.#random.below(300) : 0.2 + 4 * this.#random.fraction();
  }

  #post(packet: Packet): void {
    const { lossPercent, doublePercent } = this.#troubles;
    if (!this.#calm && this.#random.below(100) < lossPercent) return;
    this.#carry(packet);
    if (!this.#calm && this.#random.below(100) < doublePercent) this.#carry(packet);
  }

  #carry(packet: Packet): void {
    const link = `${packet.from}/${packet.to}`;
    if (this.#cut.has(link)) return;
    const late = !this.#calm && this.#random.below(100) < this.#troubles.latePercent;
    const delay = 0.5 + 4 * this.#random.fraction() + (late ? this.#random.below(250) : 0);
    const node = this.#nodes[packet.to - 1]!;
    this.#queue.after(delay, () => {
      if (this.#cut.has(link)) return;
      this.#at(node, () => node.receive(this.#queue.now, packet));
    });
  }

  #start(node: TestNode): void {
    const { disk } = node;
    // The state machine may have lost what it had not synced: everything behind its last sync.
    const kept = disk.compactedIndex;
    const lost = this.#random.below(Math.max(0, node.appliedIndex - kept) + 1);
    this.#lives.set(node.id, (this.#lives.get(node.id) ?? 0) + 1);
    this.#syncing.delete(node.id);
    this.#tickAt.delete(node.id);
    node.start(this.#queue.now, Math.max(kept, node.appliedIndex - lost));
    this.#follow(node);
  }

  #proposeAndRepeat(): void {
    for (const node of this.#leaders()) {
      const count = 1 + this.#random.below(3);
      const payloads = Array.from({ length: count }, () => {
        this.#payloads += 1;
        return { size: this.#random.below(100), payload: this.#payloads };
      });
      const sizes = payloads.map(({ size }) => size);
      const id = this.#payloads;
      this.#at(node, () => node.step(this.#queue.now, { kind: "propose", id, sizes }, payloads));
    }
    const delay = 1 + this.#random.below(this.#calm ? 50 : 30);
    this.#queue.after(delay, () => this.#proposeAndRepeat());
  }

  #troubleAndRepeat(): void {
    if (this.#calm) return;
    this.#churn?.watch();
    if (this.#random.below(this.#churn === undefined ? 1 : 4) > 0) {
      this.#churn?.trouble();
      this.#queue.after(this.#random.below(20), () => this.#troubleAndRepeat());
      return;
    }
    const { crashes, partitions, pauses } = this.#troubles;
    const node = this.#nodes[this.#random.below(this.#nodes.length)]!;
    const kind = this.#random.below(8);
    if (kind === 0 && crashes) this.#crash(node);
    else if (kind === 1 && partitions) this.#isolate(node);
    else if (kind === 2 && partitions) this.#split();
    else if (kind === 3 && partitions) this.#cut.clear();
    else if (kind === 4 && pauses) this.#pause(node);
    else if (kind === 5) this.#breakConnections(node);
    else if (kind === 6) this.#compact(node);
    this.#queue.after(5 + this.#random.below(80), () => this.#troubleAndRepeat());
  }

  #crash(node: TestNode): void {
    if (node.core === undefined) return;
    this.#crashes += 1;
    node.crash(this.#random.below(node.writes.length + 1));
    this.#paused.delete(node.id);
    const life = this.#lives.get(node.id);
    const delay = this.#random.below(2) === 0 ? 1 : this.#random.below(500);
    this.#queue.after(delay, () => {
      if (node.core === undefined && this.#lives.get(node.id) === life) this.#start(node);
    });
  }

  /** Cuts all links of a node: those to it, those from it, or both. */
  #isolate(node: TestNode): void {
    const ways = 1 + this.#random.below(3);
    for (const { id } of this.#nodes) {
      if (id === node.id) continue;
      if ((ways & 1) > 0) this.#cut.add(`${node.id}/${id}`);
      if ((ways & 2) > 0) this.#cut.add(`${id}/${node.id}`);
    }
  }

  #split(): void {
    const side = this.#nodes.map(() => this.#random.below(2));
    for (const a of this.#nodes) {
      for (const b of this.#nodes) {
        if (side[a.id - 1] !== side[b.id - 1]) this.#cut.add(`${a.id}/${b.id}`);
      }
    }
  }

  #pause(node: TestNode): void {
    if (this.#paused.has(node.id)) return;
    this.#paused.set(node.id, []);
    this.#queue.after(this.#random.below(400), () => this.#resume(node));
  }

  /** Wakes a node: it may or may not notice that it slept. */
  #resume(node: TestNode): void {
    const waiting = this.#paused.get(node.id) ?? [];
    this.#paused.delete(node.id);
    if (this.#random.below(2) === 0) {
      this.#at(node, () => node.step(this.#queue.now, { kind: "stalled" }));
    }
    for (const act of waiting) act();
  }

  #breakConnections(node: TestNode): void {
    for (const { id: peer } of this.#nodes) {
      if (peer === node.id || this.#random.below(2) === 0) continue;
      this.#at(node, () => node.step(this.#queue.now, { kind: "unreachable", peer }));
    }
  }

  /** Without snapshots, only what every node has applied may go. */
  #compact(node: TestNode): void {
    if (this.#churn !== undefined) return;
    const everywhere = Math.min(...this.#nodes.map(({ appliedIndex }) => appliedIndex));
    const upTo = everywhere - this.#random.below(5);
    if (upTo <= node.disk.compactedIndex) return;
    this.#at(node, () => node.compact(this.#queue.now, upTo));
  }

  #heal(): void {
    this.#calm = true;
    this.#cut.clear();
    for (const node of this.#nodes) {
      if (this.#paused.has(node.id)) this.#resume(node);
      if (node.core === undefined) this.#start(node);
    }
  }

  /** Who leads, and who is in which term. */
  #reign(): string {
    const leaders = this.#leaders().map(({ id }) => id);
    return `leaders ${leaders.join()} in terms ${this.#nodes.map(({ term }) => term).join()}`;
  }

  /** Lets time pass until the complaint is gone. @throws Violation if it is still there then. */
  #wait(id: string, until: number, complaint: () => string | undefined): void {
    for (;;) {
      const text = complaint();
      if (text === undefined) return;
      if (this.#queue.now >= until) throw new Violation(id, text);
      this.#queue.runUntil(Math.min(until, this.#queue.now + HEARTBEAT_MS));
    }
  }

  /** V2: everybody is to apply the goal, which was not even proposed when the world healed. */
  #disagreement(goal: number): string | undefined {
    const leader = this.#leaders()[0];
    if (leader === undefined) return "nobody leads";
    const { voters, outgoing, learners } = leader.running.configuration.sets;
    if (outgoing.length > 0) return "a joint configuration is not left";
    for (const { id, appliedIndex } of this.#nodes) {
      if (!voters.includes(id) && !learners.includes(id)) continue;
      if (appliedIndex < goal) return `node ${id} has applied ${appliedIndex} of ${goal}`;
    }
    return undefined;
  }
}

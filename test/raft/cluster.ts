/**
 * A cluster in which nothing happens unless the test says so: no message arrives, no write
 * reaches a disk and no time passes by itself. The checker watches every step.
 */
import type { Ms } from "#base";
import {
  createRaftCore,
  type Message,
  type NodeId,
  type Output,
  type RaftOptions,
  type Term,
} from "#raft";
import { Checker } from "./checker.ts";
import {
  chainOf,
  type Packet,
  type Payload,
  type TestEntry,
  TestNode,
  type World,
} from "./node.ts";

export const ELECTION_TIMEOUT_MS = 1000;
export const HEARTBEAT_MS = 100;

export interface ClusterOptions {
  readonly nodes: number;
  readonly createRaftCore?: typeof createRaftCore;
  /** For each node; others get the defaults. */
  readonly options?: Partial<RaftOptions>;
  /** Who a node's disk says are the voters at the start; by default all nodes. */
  readonly voters?: (id: NodeId) => readonly NodeId[];
  /** Draws of a node; by default node n of many times out later than node n - 1. */
  readonly random?: (id: NodeId) => () => number;
  /** Terms of the entries on each disk at the start. */
  readonly logs?: Readonly<Record<NodeId, readonly Term[]>>;
  /** Terms of the disks at the start, if above the last entry's. */
  readonly terms?: Readonly<Record<NodeId, Term>>;
}

export type PacketFilter = (packet: Packet) => boolean;

export class Cluster {
  now: Ms = 0;
  readonly nodes: TestNode[] = [];
  readonly checker: Checker;
  /** On the wire, in the order sent. */
  packets: Packet[] = [];
  /** Everything that was ever sent, by anyone. */
  readonly sent: Packet[] = [];
  #payloads = 0;

  constructor(options: ClusterOptions) {
    this.checker = new Checker(this.nodes);
    const world: World = {
      createRaftCore: options.createRaftCore ?? createRaftCore,
      checker: this.checker,
      post: (packet) => {
        this.packets.push(packet);
        this.sent.push(packet);
      },
    };
    const all = Array.from({ length: options.nodes }, (_, i) => i + 1);
    for (const self of all) {
      const voters = options.voters?.(self) ?? all;
      const random = options.random?.(self) ?? (() => (self - 1) / (options.nodes + 1));
      const raftOptions: RaftOptions = {
        self,
        electionTimeoutMs: ELECTION_TIMEOUT_MS,
        heartbeatMs: HEARTBEAT_MS,
        ...options.options,
        random,
      };
      const node = new TestNode(world, raftOptions, voters);
      this.nodes.push(node);
      const terms = options.logs?.[self] ?? [];
      node.disk.entries = entriesOf(terms);
      for (const [i, entry] of node.disk.entries.entries()) {
        this.checker.appended(node, i + 1, entry);
      }
      const term = Math.max(options.terms?.[self] ?? 0, terms.at(-1) ?? 0);
      node.disk.hardState = { term, vote: 0 };
      node.start(this.now);
    }
  }

  node(id: NodeId): TestNode {
    const node = this.nodes[id - 1];
    if (node === undefined) throw new Error(`no node ${id}`);
    return node;
  }

  leaders(): TestNode[] {
    return this.nodes.filter(({ core }) => core?.role === "leader");
  }

  /** The one leader. */
  get leader(): TestNode {
    const leaders = this.leaders();
    if (leaders.length !== 1) throw new Error(`${leaders.length} leaders`);
    return leaders[0]!;
  }

  /** Lets a node's election timer run out, and nobody else's. */
  timeOut(id: NodeId): Output[] {
    const node = this.node(id);
    this.now = Math.max(this.now, node.running.deadline);
    return node.step(this.now, { kind: "tick" });
  }

  /** Lets time pass for the given nodes, tick by tick, without delivering anything. */
  pass(ms: Ms, ids: readonly NodeId[] = this.nodes.map(({ id }) => id)): void {
    const until = this.now + ms;
    for (;;) {
      const due = ids
        .map((id) => this.node(id))
        .filter((node) => node.core !== undefined && node.core.deadline <= until)
        .sort((a, b) => a.running.deadline - b.running.deadline)[0];
      if (due === undefined) break;
      this.now = Math.max(this.now, due.running.deadline);
      due.step(this.now, { kind: "tick" });
    }
    this.now = until;
  }

  /** Delivers what is on the wire now and passes the filter. Returns how much that was. */
  deliver(filter: PacketFilter = () => true): number {
    const chosen = this.packets.filter(filter);
    this.packets = this.packets.filter((packet) => !chosen.includes(packet));
    for (const packet of chosen) this.hand(packet);
    return chosen.length;
  }

  /** Delivers one packet, whether it is on the wire or was long ago. */
  hand(packet: Packet): Output[] {
    const node = this.node(packet.to);
    return node.core === undefined ? [] : node.receive(this.now, packet);
  }

  /** Forges a message. */
  inject(from: NodeId, to: NodeId, message: Message, payloads: readonly Payload[] = []): Output[] {
    return this.hand({ from, to, message, payloads });
  }

  drop(filter: PacketFilter = () => true): Packet[] {
    const dropped = this.packets.filter(filter);
    this.packets = this.packets.filter((packet) => !dropped.includes(packet));
    return dropped;
  }

  sync(ids: readonly NodeId[] = this.nodes.map(({ id }) => id)): void {
    for (const id of ids) if (this.node(id).core !== undefined) this.node(id).sync(this.now);
  }

  /** Delivers and syncs among the given nodes until all is quiet; drops what goes elsewhere. */
  settle(ids: readonly NodeId[] = this.nodes.map(({ id }) => id)): void {
    for (;;) {
      this.drop(({ from, to }) => !ids.includes(from) || !ids.includes(to));
      const busy = ids.some((id) => this.node(id).writes.length > 0);
      if (!busy && this.packets.length === 0) return;
      this.sync(ids);
      this.deliver();
    }
  }

  /** Lets time pass with everything delivered and synced at once, among the given nodes. */
  run(ms: Ms, ids: readonly NodeId[] = this.nodes.map(({ id }) => id)): void {
    const until = this.now + ms;
    this.settle(ids);
    for (;;) {
      const next = Math.min(...ids.map((id) => this.node(id).core?.deadline ?? until));
      if (next >= until) break;
      this.pass(Math.max(0, next - this.now), ids);
      this.settle(ids);
    }
    this.now = until;
  }

  /** Makes a node leader with the votes of the given ones, and settles among them. */
  elect(id: NodeId, among: readonly NodeId[] = this.nodes.map((node) => node.id)): TestNode {
    // Voters that still believe in a leader would not listen.
    this.now += 2 * ELECTION_TIMEOUT_MS;
    this.timeOut(id);
    this.settle(among);
    const node = this.node(id);
    if (node.running.role !== "leader") throw new Error(`node ${id} was not elected`);
    return node;
  }

  /** Proposes entries of the given sizes at a node. */
  propose(id: NodeId, sizes: readonly number[] = [10]): Output[] {
    const payloads = sizes.map((size) => {
      this.#payloads += 1;
      return { size, payload: this.#payloads };
    });
    return this.node(id).step(this.now, { kind: "propose", id: this.#payloads, sizes }, payloads);
  }

  /** Asks a node for other voters and learners. */
  change(id: NodeId, voters: readonly NodeId[], learners: readonly NodeId[] = []): Output[] {
    return this.node(id).step(this.now, { kind: "change", id: 1, voters, learners });
  }

  crash(id: NodeId, writesKept = 0): void {
    this.node(id).crash(writesKept);
  }

  restart(id: NodeId): void {
    this.node(id).start(this.now);
  }

  /** Terms of a node's log. */
  terms(id: NodeId): Term[] {
    return this.node(id).log.map(({ term }) => term);
  }
}

/** Entries of the given terms. The payload is the place, so equal beginnings are equal. */
function entriesOf(terms: readonly Term[]): TestEntry[] {
  const entries: TestEntry[] = [];
  for (const [i, term] of terms.entries()) {
    const chain = chainOf(entries.at(-1)?.chain ?? 0, term, i);
    entries.push({ term, size: 10, payload: i, chain });
  }
  return entries;
}

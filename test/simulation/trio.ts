/**
 * Three model nodes in one test, with the invariants watching: packets arrive and writes become
 * durable when the test says so.
 */
import { createRaftCore, type NodeId, type RaftOptions } from "#raft";
import {
  type Command,
  createInvariants,
  createModelNode,
  type Invariants,
  type ModelNode,
  type Packet,
  type ReadOutcome,
  type Surroundings,
} from "#simulation";

export const ELECTION_TIMEOUT_MS = 1000;
const VOTERS: readonly NodeId[] = [1, 2, 3];

export interface TrioOptions {
  readonly createRaftCore?: typeof createRaftCore;
  /** Members that wait to be added, beside the three. */
  readonly spares?: readonly NodeId[];
  readonly raft?: Partial<RaftOptions>;
}

/** A put of `value` to `key`, without a session. */
export function put(id: number, key = "x", value: number = id): Command {
  return { id, kind: "put", key, value, client: 0, serial: 0 };
}

export class Trio {
  now = 0;
  readonly nodes = new Map<NodeId, ModelNode>();
  readonly invariants: Invariants;
  packets: Packet[] = [];
  readonly reads = new Map<number, ReadOutcome>();
  readonly told: string[] = [];
  readonly halted: unknown[] = [];

  constructor(options: TrioOptions = {}) {
    const sets = { voters: VOTERS, outgoing: [], learners: [] };
    this.invariants = createInvariants({ nodes: this.nodes, sets, localTimeOf: () => this.now });
    const surroundings: Surroundings = {
      createRaftCore: options.createRaftCore ?? createRaftCore,
      observer: this.invariants,
      post: (packet) => this.packets.push(packet),
      told: (node, output) => this.told.push(`${node.id} ${output.kind}`),
      applied: () => undefined,
      readEnded: (_node, read, outcome) => this.reads.set(read.id, outcome),
      halted: (_node, error) => this.halted.push(error),
    };
    for (const self of [...VOTERS, ...(options.spares ?? [])]) {
      const random = () => self / 10;
      const raft = { electionTimeoutMs: ELECTION_TIMEOUT_MS, ...options.raft, self, random };
      const isVoter = VOTERS.includes(self);
      const node = createModelNode({ raft, surroundings, ...(isVoter ? { sets } : {}) });
      this.nodes.set(self, node);
      node.start(this.now);
    }
  }

  node(id: NodeId): ModelNode {
    return this.nodes.get(id)!;
  }

  /** Delivers, syncs and applies among the given nodes until all is quiet; loses the rest. */
  settle(among: readonly NodeId[] = [...this.nodes.keys()]): void {
    for (;;) {
      let busy = false;
      for (const id of among) {
        const node = this.node(id);
        if (node.core === undefined) continue;
        if (node.disk.pending.length > 0 || node.hasWork) busy = true;
        node.sync(this.now);
        node.work(this.now);
        for (const { to } of [...node.copies.requests]) node.makeCopy(this.now, to);
      }
      const packets = this.packets.splice(0);
      for (const packet of packets) {
        const target = among.includes(packet.from) ? this.node(packet.to) : undefined;
        if (target?.core === undefined || !among.includes(packet.to)) continue;
        busy = true;
        target.receive(this.now, packet);
      }
      if (!busy && packets.length === 0) return;
    }
  }

  elect(id: NodeId, among?: readonly NodeId[]): ModelNode {
    this.now += 2 * ELECTION_TIMEOUT_MS;
    const node = this.node(id);
    this.now = Math.max(this.now, node.running.deadline);
    node.step(this.now, { kind: "tick" });
    this.settle(among);
    if (node.core?.role !== "leader") throw new Error(`node ${id} was not elected`);
    return node;
  }
}

/**
 * Random histories of a whole cluster: crashes, power cuts, partitions, losses, slow disks, and
 * what clients were told in the end.
 */
import { expect } from "vitest";
import { seededRandom } from "#platform";
import type { Random } from "#platform/types";
import type { ReplicaOptions } from "#replica/types";
import { type ReplicaParts, SimulatedCluster, type SimulatedNode } from "./simulated-cluster.ts";

export const texts = (node: SimulatedNode): string[] =>
  node.applier.commands.map(({ text }) => text);

/** Runs until one leader has committed its whole log and everybody has applied it. */
export async function settle(cluster: SimulatedCluster): Promise<void> {
  const settled = (): boolean => {
    const target = cluster.leader()?.replica?.status();
    if (target === undefined || target.commitIndex !== target.lastIndex) return false;
    return cluster.nodes.every((node) => {
      const status = node.replica?.status();
      return status?.term === target.term && status.appliedIndex === target.lastIndex;
    });
  };
  await cluster.runUntil(settled, 20_000, "all nodes applied the leader's whole log");
}

/** Runs one history and checks it. Throws what breaks a promise. */
export async function runHistory(seed: number, parts?: ReplicaParts): Promise<void> {
  const random = seededRandom(seed);
  const cluster = new SimulatedCluster({
    size: random.below(3) === 0 ? 5 : 3,
    seed,
    syncDelayMs: random.below(60),
    syncMode: random.below(3) === 0 ? "adaptive" : "async",
    ...(parts === undefined ? {} : { parts }),
    // Half of them keep so little log that whoever is away needs a snapshot.
    options: random.below(2) === 0 ? {} : smallLog(1000 + random.below(4000)),
  });
  await cluster.startAll();
  const written = new Map<number, string>();
  const reads = new ReadChecks(cluster);
  cluster.network.setBehaviour({ lossChance: random.fraction() * 0.1, ordered: true });
  for (let round = 0; round < 16; round += 1) {
    await disturb(cluster, random.below(7), random.below(cluster.nodes.length));
    for (const node of cluster.nodes.filter((candidate) => candidate.isUp)) {
      const text = `${seed}-${round}-${node.number}`;
      written.set(cluster.propose(node, text), text);
      reads.ask(node, random.below(1000));
    }
    operate(cluster, random);
    // Half of the time the next disturbance comes while syncs and messages are under way.
    await cluster.run(random.below(2) === 0 ? random.below(80) : 50 + random.below(1200), 10);
    reads.check();
  }
  cluster.network.heal();
  cluster.network.setBehaviour({ lossChance: 0 });
  for (const node of cluster.nodes) if (!node.isUp) await cluster.start(node);
  await settle(cluster);
  reads.check();
  check(cluster, written);
}

const smallLog = (logKeepBytesMax: number): Partial<ReplicaOptions> => ({
  logKeepBytesMax,
  snapshotChunkBytesMax: 512,
});

/** What an operator does: hands leadership on, turns voters into learners and back, moves nodes. */
function operate(cluster: SimulatedCluster, random: Random): void {
  const leader = cluster.leader()?.replica;
  const node = cluster.nodes[random.below(cluster.nodes.length)];
  const id = `n${node?.number}`;
  const ignore = (): undefined => undefined;
  const choice = random.below(8);
  if (choice === 0) leader?.transfer(0).catch(ignore);
  else if (choice === 1) leader?.change({ kind: "setRole", id, role: "learner" }).catch(ignore);
  else if (choice === 2) leader?.change({ kind: "setRole", id, role: "voter" }).catch(ignore);
  else if (choice === 3) {
    leader?.change({ kind: "setAddress", id, address: `x:${random.below(1e6)}` }).catch(ignore);
  } else if (choice === 4) leader?.checkDigest().catch(ignore);
}

/** What a read promises: it sees every write that was acknowledged before it was asked for. */
class ReadChecks {
  readonly #cluster: SimulatedCluster;
  readonly #open: { node: SimulatedNode; id: number; acknowledged: number }[] = [];
  #nextId = 1;

  constructor(cluster: SimulatedCluster) {
    this.#cluster = cluster;
  }

  ask(node: SimulatedNode, chance: number): void {
    if (chance < 500) return;
    const id = this.#nextId;
    this.#nextId += 1;
    this.#open.push({ node, id, acknowledged: this.#cluster.highestAcknowledged });
    node.replica?.read(id, "index");
  }

  /** Looks at the answers that have come. */
  check(): void {
    for (const { node, id, acknowledged } of this.#open.splice(0)) {
      const outcome = node.reads.get(id);
      if (outcome?.ok) expect(outcome.index, `read ${id}`).toBeGreaterThanOrEqual(acknowledged);
    }
  }
}

async function disturb(cluster: SimulatedCluster, choice: number, pick: number): Promise<void> {
  const node = cluster.nodes[pick] as SimulatedNode;
  if (choice === 0 && node.isUp) cluster.crash(node, "power");
  else if (choice === 1 && node.isUp) cluster.crash(node, "kill");
  else if (choice === 2) {
    const others = cluster.nodes.filter((other) => other !== node).map((other) => other.number);
    cluster.network.partition([[node.number], others]);
  } else if (choice === 3) cluster.network.heal();
  else if (choice === 4) {
    // The whole room: what was only in caches is on none of them.
    for (const up of cluster.nodes) if (up.isUp) cluster.crash(up, "power");
    for (const down of cluster.nodes) await cluster.start(down);
  } else {
    for (const down of cluster.nodes) if (!down.isUp) await cluster.start(down);
  }
}

function check(cluster: SimulatedCluster, written: ReadonlyMap<number, string>): void {
  const logs = cluster.nodes.map((node) => texts(node));
  for (const log of logs) expect(log).toEqual(logs[0]);
  const log = logs[0] ?? [];
  expect(new Set(log).size, "no command is applied twice").toBe(log.length);
  for (const [id, text] of written) {
    const fate = cluster.fates.get(id);
    if (fate === "acknowledged") expect(log).toContain(text);
    if (fate !== "acknowledged" && fate !== "open") expect(log).not.toContain(text);
  }
}

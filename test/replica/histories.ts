/**
 * Random histories of a whole cluster: crashes, power cuts, partitions, losses, slow disks, and
 * what clients were told in the end.
 */
import { expect } from "vitest";
import { seededRandom } from "#platform";
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
  });
  await cluster.startAll();
  const written = new Map<number, string>();
  cluster.network.setBehaviour({ lossChance: random.fraction() * 0.1, ordered: true });
  for (let round = 0; round < 12; round += 1) {
    await disturb(cluster, random.below(6), random.below(cluster.nodes.length));
    for (const node of cluster.nodes.filter((candidate) => candidate.isUp)) {
      const text = `${seed}-${round}-${node.number}`;
      written.set(cluster.propose(node, text), text);
    }
    await cluster.run(50 + random.below(1200), 10);
  }
  cluster.network.heal();
  cluster.network.setBehaviour({ lossChance: 0 });
  for (const node of cluster.nodes) if (!node.isUp) await cluster.start(node);
  await settle(cluster);
  check(cluster, written);
}

async function disturb(cluster: SimulatedCluster, choice: number, pick: number): Promise<void> {
  const node = cluster.nodes[pick] as SimulatedNode;
  if (choice === 0 && node.isUp) cluster.crash(node, "power");
  else if (choice === 1 && node.isUp) cluster.crash(node, "kill");
  else if (choice === 2) {
    const others = cluster.nodes.filter((other) => other !== node).map((other) => other.number);
    cluster.network.partition([[node.number], others]);
  } else if (choice === 3) cluster.network.heal();
  else {
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

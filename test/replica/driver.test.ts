/**
 * The driver: real log, real codec, simulated disk, net and clock.
 *
 * Method: directed scenarios (named by their ids), then random histories of crashes and partitions from
 * seeds, checked against what clients were told.
 */
import { describe, expect, test } from "vitest";
import { seededRandom } from "#platform";
import { runSeeds } from "../support/seeds.ts";
import { SimulatedCluster, type SimulatedNode } from "./simulated-cluster.ts";

async function startedCluster(size: number, seed = 1, syncDelayMs = 0): Promise<SimulatedCluster> {
  const cluster = new SimulatedCluster({ size, seed, syncDelayMs });
  await cluster.startAll();
  await cluster.runUntil(() => cluster.leader() !== undefined, 10_000, "a leader");
  return cluster;
}

function leaderOf(cluster: SimulatedCluster): SimulatedNode {
  const leader = cluster.leader();
  if (leader === undefined) throw new Error("no leader");
  return leader;
}

const texts = (node: SimulatedNode): string[] => node.applier.commands.map(({ text }) => text);

/** Runs until one leader has committed its whole log and everybody has applied it. */
async function settle(cluster: SimulatedCluster): Promise<void> {
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

describe("the driver", () => {
  test("E01 a cluster of one elects itself and commits alone", async () => {
    const cluster = await startedCluster(1);
    const id = cluster.propose(leaderOf(cluster), "alone");
    await cluster.runUntil(() => cluster.fates.get(id) === "acknowledged", 1000, "the write");
    expect(texts(leaderOf(cluster))).toEqual(["alone"]);
  });

  test("R01 proposals are applied once, in one order, on every node", async () => {
    const cluster = await startedCluster(3);
    const ids = Array.from({ length: 40 }, (_, n) => cluster.propose(leaderOf(cluster), `w${n}`));
    await settle(cluster);
    expect(ids.map((id) => cluster.fates.get(id))).toEqual(ids.map(() => "acknowledged"));
    const expected = ids.map((_, n) => `w${n}`);
    for (const node of cluster.nodes) expect(texts(node)).toEqual(expected);
  });

  test("R07 a proposal at a follower is refused at once, and definitely", async () => {
    const cluster = await startedCluster(3);
    const follower = cluster.nodes.find((node) => node !== cluster.leader()) as SimulatedNode;
    const id = cluster.propose(follower, "misplaced");
    expect(cluster.fates.get(id)).toBe("not-leader");
    await settle(cluster);
    for (const node of cluster.nodes) expect(texts(node)).not.toContain("misplaced");
  });

  test("R03 what a partitioned leader accepted is lost for certain only when another entry is committed there", async () => {
    const cluster = await startedCluster(3);
    const old = leaderOf(cluster);
    cluster.network.partition([
      [old.number],
      cluster.nodes.filter((node) => node !== old).map((node) => node.number),
    ]);
    const lost = cluster.propose(old, "in the minority");
    await cluster.run(20);
    expect(cluster.fates.get(lost)).toBe("open");
    const replaced = (): boolean => ![undefined, old].includes(cluster.leader());
    await cluster.runUntil(replaced, 10_000, "another leader");
    const kept = cluster.propose(leaderOf(cluster), "in the majority");
    await cluster.runUntil(() => cluster.fates.get(kept) === "acknowledged", 5000, "the write");
    expect(cluster.fates.get(lost)).toBe("open");
    cluster.network.heal();
    await settle(cluster);
    expect(cluster.fates.get(lost)).toBe("leadership-lost");
    for (const node of cluster.nodes) expect(texts(node)).toEqual(["in the majority"]);
  });

  test("P01 all nodes lose their power at once, and every acknowledged write is there afterwards", async () => {
    const cluster = await startedCluster(3);
    const ids = Array.from({ length: 30 }, (_, n) => cluster.propose(leaderOf(cluster), `w${n}`));
    await cluster.run(60);
    const acknowledged = ids.filter((id) => cluster.fates.get(id) === "acknowledged").length;
    for (const node of cluster.nodes) cluster.crash(node, "power");
    await cluster.startAll();
    await settle(cluster);
    for (const node of cluster.nodes) {
      expect(texts(node).slice(0, acknowledged)).toEqual(
        Array.from({ length: acknowledged }, (_, n) => `w${n}`),
      );
    }
  });

  test("V12 after a stall a follower drains its inbox before it campaigns", async () => {
    const cluster = await startedCluster(3);
    const before = leaderOf(cluster).replica?.status();
    // One jump over three election timeouts: every timer is late and every heartbeat is still on the way.
    cluster.clock.advance(3000);
    await cluster.run(3000);
    expect(leaderOf(cluster).replica?.status()).toMatchObject({ term: before?.term });
  });

  test("K09 a failed sync stops the node; nothing of that batch is acknowledged", async () => {
    const cluster = await startedCluster(1);
    const node = leaderOf(cluster);
    node.disk.plan({ operation: "sync", fault: "EIO", after: 0 });
    const id = cluster.propose(node, "never durable");
    await expect(cluster.run(500)).rejects.toThrowError(/EIO|sync|poison/i);
    expect(cluster.fates.get(id)).toBe("open");
    expect(texts(node)).toEqual([]);
  });

  test("K03 an acknowledged write survives although followers lose everything unsynced", async () => {
    const cluster = await startedCluster(3);
    const id = cluster.propose(leaderOf(cluster), "kept");
    await cluster.runUntil(() => cluster.fates.get(id) === "acknowledged", 1000, "the write");
    for (const node of cluster.nodes) cluster.crash(node, "power");
    await cluster.startAll();
    await settle(cluster);
    for (const node of cluster.nodes) expect(texts(node)).toEqual(["kept"]);
  });
});

describe("random histories", () => {
  test("acknowledged writes are there exactly once, refused ones never, whatever crashes and parts", async () => {
    const name = "acknowledged writes are there exactly once, refused ones never";
    await runSeeds({ count: 150, name }, async (seed) => {
      const random = seededRandom(seed);
      const cluster = await startedCluster(random.below(3) === 0 ? 5 : 3, seed, random.below(60));
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
    });
  });
});

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

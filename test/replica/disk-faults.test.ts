/**
 * Disks that fill up, fail or hang under one node of a living cluster.
 *
 * Method: faults planned on that node's simulated disk; the others must go on, nothing of the
 * failed batch may be acknowledged by it, and the node must come back once its disk is sound.
 */
import { describe, expect, test } from "vitest";
import { settle, texts } from "./histories.ts";
import { SimulatedCluster, type SimulatedNode } from "./simulated-cluster.ts";

async function started(syncMode: "adaptive" | "async"): Promise<SimulatedCluster> {
  const cluster = new SimulatedCluster({ size: 3, seed: 5, syncMode });
  await cluster.startAll();
  await cluster.runUntil(() => cluster.leader() !== undefined, 10_000, "a leader");
  return cluster;
}

/** Runs on although one node has died of its disk; every other death is a failure. */
async function runWithout(
  cluster: SimulatedCluster,
  dead: SimulatedNode,
  ms: number,
): Promise<void> {
  for (let passed = 0; passed < ms; passed += 5) {
    await cluster.run(5).catch((error: unknown) => {
      if (error !== dead.fatal) throw error;
      cluster.crash(dead, "kill");
      dead.fatal = undefined;
    });
  }
}

describe.each(["adaptive", "async"] as const)("with %s syncs", (syncMode) => {
  test.each([
    ["K08 a full disk", "write", "ENOSPC", "DISK_FULL"],
    ["K09 a failed sync", "sync", "EIO", "WAL_POISONED"],
  ] as const)(
    "%s on the leader stops it, and the others go on",
    async (_, operation, fault, code) => {
      const cluster = await started(syncMode);
      const leader = cluster.leader() as SimulatedNode;
      const before = cluster.propose(leader, "before");
      await cluster.runUntil(() => cluster.fates.get(before) === "acknowledged", 2000, "before");
      leader.disk.plan({ operation, fault, after: 0 });
      const during = cluster.propose(leader, "during");
      await cluster.run(20).catch(() => undefined);
      expect(leader.fatal).toMatchObject({ code: expect.stringMatching(`${code}|DISK_IO`) });
      expect(cluster.fates.get(during), "nobody knows yet").toBe("open");
      cluster.crash(leader, "kill");
      leader.fatal = undefined;
      await runWithout(cluster, leader, 4000);
      const next = cluster.leader() as SimulatedNode;
      expect(next).not.toBe(leader);
      const after = cluster.propose(next, "after");
      await cluster.runUntil(() => cluster.fates.get(after) === "acknowledged", 3000, "after");
      await cluster.start(leader);
      await settle(cluster);
      for (const node of cluster.nodes) {
        expect(texts(node).filter((text) => text !== "during")).toEqual(["before", "after"]);
        expect(texts(node)).toEqual(texts(next));
      }
    },
  );
});

test("K12 a leader whose disk hangs is replaced, and cannot acknowledge", async () => {
  const cluster = await started("async");
  const leader = cluster.leader() as SimulatedNode;
  const times = Number.MAX_SAFE_INTEGER;
  leader.disk.plan({ operation: "sync", fault: "hang", after: 0, times });
  const others = cluster.nodes.filter((node) => node !== leader);
  cluster.propose(leader, "hanging");
  const isReplaced = (): boolean => others.some((node) => node.replica?.status().role === "leader");
  await cluster.runUntil(isReplaced, 6000, "another leader");
  const next = cluster.leader() as SimulatedNode;
  const id = cluster.propose(next, "next");
  await cluster.runUntil(() => cluster.fates.get(id) === "acknowledged", 3000, "the next write");
});

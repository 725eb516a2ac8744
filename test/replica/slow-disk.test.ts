/**
 * One node's disk is slow, or fails while nobody waits for it.
 *
 * Method: directed scenarios on simulated disks, net and clock.
 */
import { expect, test } from "vitest";
import { SimulatedCluster, type SimulatedNode } from "./simulated-cluster.ts";

async function startedCluster(): Promise<SimulatedCluster> {
  const cluster = new SimulatedCluster({ size: 3, seed: 1 });
  await cluster.startAll();
  await cluster.runUntil(() => cluster.leader() !== undefined, 10_000, "a leader");
  await cluster.run(300);
  return cluster;
}

function leaderOf(cluster: SimulatedCluster): SimulatedNode {
  const leader = cluster.leader();
  if (leader === undefined) throw new Error("no leader");
  return leader;
}

function followerOf(cluster: SimulatedCluster): SimulatedNode {
  const follower = cluster.nodes.find((node) => node !== cluster.leader());
  if (follower === undefined) throw new Error("no follower");
  return follower;
}

/** From now on each sync that does not block takes so long. */
function slowDown({ disk }: SimulatedNode, delayMs: number): void {
  disk.plan({ operation: "sync", fault: "slow", delayMs, after: 0, times: 1_000_000 });
}

const silenceOf = (node: SimulatedNode): number => node.replica?.status().leaderSilenceMs ?? 0;

test("a follower with a slow disk hears its leader, however fast the others commit", async () => {
  const cluster = await startedCluster();
  const leader = leaderOf(cluster);
  const slow = followerOf(cluster);
  slowDown(slow, 5000);
  // A commit a millisecond: once as many appends are under way to the slow one as may be, only
  // commit notices and heartbeats are left for it.
  const flood = (): void => {
    cluster.propose(leader, "flood");
    cluster.clock.after(1, flood);
  };
  flood();
  let silenceMs = 0;
  for (let passed = 0; passed < 3000; passed += 50) {
    await cluster.run(50, 1);
    silenceMs = Math.max(silenceMs, silenceOf(slow));
  }
  expect(silenceMs).toBeLessThan(200);
});

test("a follower that cannot read its log says so and stops", async () => {
  const cluster = await startedCluster();
  const leader = leaderOf(cluster);
  const follower = followerOf(cluster);
  for (let n = 0; n < 20; n += 1) cluster.propose(leader, `w${n}`);
  await cluster.run(200);
  // It starts again with entries in its log that its state machine has lost.
  cluster.crash(follower, "power");
  const { lastIndex = 0 } = leader.replica?.status() ?? {};
  expect(follower.applier.appliedIndex).toBeLessThan(lastIndex);
  await cluster.start(follower);
  follower.disk.plan({ operation: "read", fault: "EIO", after: 0, times: 1000 });
  await expect(cluster.run(3000)).rejects.toThrowError(/read: input\/output error/);
  expect(follower.fatal).toMatchObject({ code: "DISK_IO" });
});

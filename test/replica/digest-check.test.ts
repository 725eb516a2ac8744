/**
 * Replicas compare their states. Method: real replicas with a machine whose memory is changed by
 * hand, as a bit that flips or a hand in a file would.
 */
import { expect, test } from "vitest";
import type { DigestReport, ReplicaOptions } from "#replica/types";
import { SimulatedCluster, type SimulatedNode } from "./simulated-cluster.ts";

async function started(options: Partial<ReplicaOptions> = {}): Promise<SimulatedCluster> {
  const cluster = new SimulatedCluster({ size: 3, seed: 3, options });
  await cluster.startAll();
  await cluster.runUntil(() => cluster.leader() !== undefined, 10_000, "a leader");
  await cluster.write(10, 20);
  await cluster.run(100);
  return cluster;
}

function check(cluster: SimulatedCluster): Promise<DigestReport> {
  const { replica } = cluster.mustLead();
  return cluster.settled(replica?.checkDigest() ?? Promise.reject(new Error("down")), 60_000);
}

/** The state loses a command, and nobody is told. */
function spoil({ applier }: SimulatedNode): void {
  applier.commands = applier.commands.slice(1);
}

function watch(cluster: SimulatedCluster): number[] {
  const diverged: number[] = [];
  for (const node of cluster.nodes) {
    node.replica?.onDiverged(({ differing }) => {
      expect(differing).toContain(node.number);
      diverged.push(node.number);
    });
  }
  return diverged;
}

test("equal states are found equal, while writes go on", async () => {
  const cluster = await started();
  const diverged = watch(cluster);
  const checking = check(cluster);
  const report = await checking;
  expect(report).toMatchObject({ differing: [], silent: [] });
  expect(report.digest).toBeDefined();
  expect(diverged).toEqual([]);
  expect(cluster.mustLead().replica?.status().lastDigest).toEqual(report);
});

test("a follower that differs is told so, and nobody else is", async () => {
  const cluster = await started();
  const [follower] = cluster.followers();
  if (follower === undefined) throw new Error("no follower");
  const diverged = watch(cluster);
  spoil(follower);
  expect(await check(cluster)).toMatchObject({ differing: [follower.number], silent: [] });
  await cluster.run(50);
  expect(diverged).toEqual([follower.number]);
});

test("a leader that differs hands over before it says so", async () => {
  const cluster = await started();
  const leader = cluster.mustLead();
  let leaderWhenTold = leader.number;
  leader.replica?.onDiverged(() => {
    leaderWhenTold = leader.replica?.status().leader ?? 0;
  });
  spoil(leader);
  expect(await check(cluster)).toMatchObject({ differing: [leader.number] });
  await cluster.runUntil(() => leaderWhenTold !== leader.number, 5000, "it hands over");
  expect(cluster.mustLead()).not.toBe(leader);
});

test("where no majority agrees nobody is told to throw its state away", async () => {
  const cluster = await started();
  const diverged = watch(cluster);
  const [one, other] = cluster.nodes;
  if (one !== undefined) spoil(one);
  if (other !== undefined) other.applier.commands = [];
  const report = await check(cluster);
  expect(report).toMatchObject({ digest: undefined, differing: [] });
  await cluster.run(200);
  expect(diverged).toEqual([]);
});

test("whoever is away is named as silent, and the others are compared", async () => {
  const cluster = await started();
  const [away] = cluster.followers();
  if (away === undefined) throw new Error("no follower");
  cluster.isolate(away);
  const report = await check(cluster);
  expect(report).toMatchObject({ differing: [], silent: [away.number] });
  expect(report.digest).toBeDefined();
});

test("on a schedule, without being asked", async () => {
  const cluster = await started({ digestEveryMs: 2000 });
  const [follower] = cluster.followers();
  if (follower === undefined) throw new Error("no follower");
  const diverged = watch(cluster);
  spoil(follower);
  await cluster.runUntil(() => diverged.length > 0, 10_000, "it is found");
  expect(diverged).toEqual([follower.number]);
});

test("a follower cannot compare, and a leader that loses its place says so", async () => {
  const cluster = await started();
  const [follower] = cluster.followers();
  await expect(follower?.replica?.checkDigest()).rejects.toMatchObject({
    code: "REPLICA_NOT_LEADER",
  });
  const leader = cluster.mustLead();
  cluster.isolate(leader);
  const attempt = leader.replica?.checkDigest() ?? Promise.reject(new Error("down"));
  await expect(cluster.settled(attempt)).rejects.toMatchObject({
    code: "REPLICA_LEADERSHIP_LOST",
  });
});

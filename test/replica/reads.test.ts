/**
 * Reads by index and by lease, on leaders and followers.
 *
 * Method: real replicas under a simulated clock and net; what a read may see is compared with what
 * was acknowledged before it was asked for.
 */
import { describe, expect, test } from "vitest";
import type { ReadOutcome, ReplicaOptions } from "#replica/types";
import { SimulatedCluster, type SimulatedNode } from "./simulated-cluster.ts";

async function started(options: Partial<ReplicaOptions> = {}): Promise<SimulatedCluster> {
  const cluster = new SimulatedCluster({ size: 3, seed: 1, options });
  await cluster.startAll();
  await cluster.runUntil(() => cluster.leader() !== undefined, 10_000, "a leader");
  await cluster.write(10, 20);
  return cluster;
}

let nextRead = 1;

async function read(
  cluster: SimulatedCluster,
  node: SimulatedNode,
  via: "index" | "lease" = "index",
): Promise<ReadOutcome> {
  const id = nextRead;
  nextRead += 1;
  node.replica?.read(id, via);
  await cluster.runUntil(() => node.reads.has(id), 10_000, "the read ends");
  return node.reads.get(id) as ReadOutcome;
}

describe("reads by index", () => {
  test("on every node see what was acknowledged before, and are applied there", async () => {
    const cluster = await started();
    await cluster.write(1);
    const committed = cluster.mustLead().replica?.status().commitIndex ?? 0;
    for (const node of cluster.nodes) {
      const outcome = await read(cluster, node);
      expect(outcome).toMatchObject({ ok: true });
      expect(node.applier.appliedIndex).toBeGreaterThanOrEqual(committed);
    }
  });

  test("D01 a leader in the minority never answers one", async () => {
    const cluster = await started();
    const old = cluster.mustLead();
    cluster.isolate(old);
    const outcome = await read(cluster, old);
    expect(outcome).toEqual({ ok: false, reason: "leadership-lost" });
    await cluster.runUntil(() => cluster.leader() !== undefined, 10_000, "another leader");
    expect(await read(cluster, cluster.mustLead())).toMatchObject({ ok: true });
  });

  test("a follower without a leader says so at once, one without an answer in time", async () => {
    const cluster = await started();
    const [follower] = cluster.followers();
    if (follower === undefined) throw new Error("no follower");
    cluster.isolate(follower);
    const outcome = await read(cluster, follower);
    expect(outcome.ok).toBe(false);
    await cluster.run(5000);
    expect(await read(cluster, follower)).toEqual({ ok: false, reason: "no-leader" });
  });

  test("D08 one behind a no-op or a configuration waits for no command", async () => {
    const cluster = await started();
    const { replica } = cluster.mustLead();
    await cluster.settled(
      replica?.change({ kind: "setAddress", id: "n1", address: "x:1" }) ?? Promise.reject(),
    );
    for (const node of cluster.nodes) {
      expect(await read(cluster, node)).toMatchObject({ ok: true });
    }
  });

  test("every read ends when the replica is closed", async () => {
    const cluster = await started();
    const [follower] = cluster.followers();
    if (follower === undefined) throw new Error("no follower");
    cluster.isolate(follower);
    follower.replica?.read(7777, "index");
    await follower.replica?.close();
    expect(follower.reads.get(7777)).toMatchObject({ ok: false });
    follower.replica?.read(7778, "index");
    expect(follower.reads.get(7778)).toMatchObject({ ok: false });
  });
});

describe("reads by lease", () => {
  test("a leader answers without asking anybody, until a moment that it names", async () => {
    const cluster = await started({ leaseMs: 500 });
    await cluster.run(1500);
    await cluster.write(1);
    const leader = cluster.mustLead();
    cluster.isolate(leader);
    leader.replica?.read(9001, "lease");
    const outcome = leader.reads.get(9001);
    expect(outcome, "at once, with nobody reachable").toMatchObject({ ok: true });
    const { leaseUntil = 0 } = outcome as { leaseUntil?: number };
    expect(leaseUntil).toBeGreaterThan(cluster.clock.now());
    expect(leaseUntil).toBeLessThanOrEqual(cluster.clock.now() + 500);
  });

  test("without leases the same question is answered by index", async () => {
    const cluster = await started();
    const outcome = await read(cluster, cluster.mustLead(), "lease");
    expect(outcome).toMatchObject({ ok: true });
    expect(outcome).not.toHaveProperty("leaseUntil");
  });
});

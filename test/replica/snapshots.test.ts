/**
 * Snapshots: who has missed more than the log keeps gets a copy of the state, and then the log.
 *
 * Method: real replicas on simulated disks and nets, with a log that keeps little; transfers are
 * cut, damaged, killed and starved of room, and power fails at every disk operation of one.
 */
import { describe, expect, test } from "vitest";
import { isPowerCut } from "#platform";
import type { ReplicaOptions } from "#replica/types";
import { settle, texts } from "./histories.ts";
import { SimulatedCluster, type SimulatedNode } from "./simulated-cluster.ts";

const SMALL: Partial<ReplicaOptions> = {
  logKeepBytesMax: 8 * 1024,
  snapshotChunkBytesMax: 4 * 1024,
};

async function started(options: Partial<ReplicaOptions> = {}, seed = 1): Promise<SimulatedCluster> {
  const cluster = new SimulatedCluster({ size: 3, seed, options: { ...SMALL, ...options } });
  await cluster.startAll();
  await cluster.runUntil(() => cluster.leader() !== undefined, 10_000, "a leader");
  return cluster;
}

const followerOf = (cluster: SimulatedCluster): SimulatedNode => {
  const [follower] = cluster.followers();
  if (follower === undefined) throw new Error("no follower");
  return follower;
};

const firstIndexOf = (node: SimulatedNode): number => node.replica?.status().firstIndex ?? 0;
const lastIndexOf = (node: SimulatedNode): number => node.replica?.status().lastIndex ?? 0;
const transfersOf = (node: SimulatedNode) => node.replica?.status().snapshots ?? [];

/** Writes while a node is away, until the leader has forgotten what it would need. */
async function outrun(cluster: SimulatedCluster, away: SimulatedNode): Promise<void> {
  const lastOfAway = lastIndexOf(away);
  for (let round = 0; round < 40; round += 1) {
    await cluster.write(20);
    await cluster.run(600);
    if (firstIndexOf(cluster.mustLead()) > lastOfAway + 1) return;
  }
  throw new Error(`the log still begins at ${firstIndexOf(cluster.mustLead())}`);
}

async function isolated(cluster: SimulatedCluster): Promise<SimulatedNode> {
  await cluster.write(8, 20);
  await settle(cluster);
  const away = followerOf(cluster);
  cluster.isolate(away);
  await outrun(cluster, away);
  return away;
}

describe("a follower that has missed more than the log keeps", () => {
  test("S01 gets a snapshot and then the log, while writes go on", async () => {
    const cluster = await started();
    const away = await isolated(cluster);
    cluster.network.heal();
    await cluster.write(50);
    await settle(cluster);
    expect(firstIndexOf(away)).toBeGreaterThan(2);
    expect(texts(away)).toEqual(texts(cluster.mustLead()));
  });

  test("S12 nothing is forgotten that the state machine could lose in a power cut", async () => {
    const cluster = await started();
    const away = await isolated(cluster);
    for (const node of cluster.nodes) {
      const { firstIndex = 0, durableIndex = 0 } = node.replica?.status() ?? {};
      if (node !== away) expect(firstIndex).toBeLessThanOrEqual(durableIndex + 1);
    }
  });

  test("S03 killed in the middle of the transfer, it begins anew and gets there", async () => {
    const cluster = await started({ snapshotBytesPerSecond: 64 * 1024 });
    const away = await isolated(cluster);
    cluster.network.heal();
    const isHalfway = (): boolean => transfersOf(away).some(({ storedBytes }) => storedBytes > 0);
    await cluster.runUntil(isHalfway, 10_000, "a transfer under way");
    cluster.crash(away, "kill");
    expect(away.disk.list("/snapshots").some((name) => name.startsWith("in-"))).toBe(true);
    await cluster.start(away);
    expect(away.disk.list("/snapshots"), "what was left is removed").toEqual([]);
    await settle(cluster);
    expect(texts(away)).toEqual(texts(cluster.mustLead()));
  });

  test("S02 cut off in the middle, it goes on where it was, without an election", async () => {
    const cluster = await started({ snapshotBytesPerSecond: 64 * 1024 });
    const away = await isolated(cluster);
    const { term } = cluster.mustLead().replica?.status() ?? {};
    cluster.network.heal();
    const stored = (): number => transfersOf(away)[0]?.storedBytes ?? 0;
    await cluster.runUntil(() => stored() > 8 * 1024, 10_000, "a transfer under way");
    const before = stored();
    cluster.isolate(away);
    await cluster.run(400);
    cluster.network.heal();
    await cluster.run(200);
    expect(stored()).toBeGreaterThanOrEqual(before);
    await settle(cluster);
    expect(cluster.mustLead().replica?.status().term).toBe(term);
    expect(texts(away)).toEqual(texts(cluster.mustLead()));
  });

  test("K08 short of room, it tries again, and gets there once there is some", async () => {
    const cluster = await started();
    const away = await isolated(cluster);
    const fault = { operation: "write", fault: "ENOSPC", path: "in-" } as const;
    away.disk.plan({ ...fault, after: 1, times: 3 });
    cluster.network.heal();
    await settle(cluster);
    expect(away.notices.join("\n")).toMatch(/cannot be stored/);
    expect(texts(away)).toEqual(texts(cluster.mustLead()));
  });

  test("S13 a copy that is damaged is asked for again, and never installed", async () => {
    const cluster = await started({ snapshotBytesPerSecond: 64 * 1024 });
    const away = await isolated(cluster);
    // The leader's own file rots between its checksum and its sending.
    const leader = cluster.mustLead();
    cluster.network.heal();
    await cluster.runUntil(
      () => leader.disk.list("/snapshots").length > 0,
      5000,
      "a copy on the leader's disk",
    );
    await cluster.runUntil(() => transfersOf(away).length > 0, 5000, "the first chunk");
    const [name = ""] = leader.disk.list("/snapshots");
    const bytes = leader.disk.content(`/snapshots/${name}`).length;
    leader.disk.flipBit(`/snapshots/${name}`, bytes - 1, 0);
    await cluster.run(3000);
    expect(away.notices.join("\n")).toMatch(/damaged/);
    expect(texts(away)).not.toEqual(texts(leader));
    leader.disk.flipBit(`/snapshots/${name}`, bytes - 1, 0);
    await settle(cluster);
    expect(texts(away)).toEqual(texts(leader));
  });

  test("a copy that cannot be made is made later", async () => {
    const cluster = await started();
    const away = await isolated(cluster);
    const leader = cluster.mustLead();
    leader.disk.plan({ operation: "write", fault: "ENOSPC", after: 0, times: 2, path: "out-" });
    cluster.network.heal();
    await settle(cluster);
    expect(leader.notices.join("\n")).toMatch(/no snapshot/);
    expect(texts(away)).toEqual(texts(leader));
  });

  test("V06 a copy that takes long is not outrun by the log, whatever is written", async () => {
    const cluster = await started();
    const away = await isolated(cluster);
    const leader = cluster.mustLead();
    let copies = 0;
    leader.applier.holdCopy = (done) => {
      copies += 1;
      cluster.clock.after(3000, done);
    };
    cluster.network.heal();
    const isThere = (): boolean => firstIndexOf(away) > 2;
    for (let round = 0; round < 30 && !isThere(); round += 1) {
      await cluster.write(20);
      await cluster.run(300);
    }
    expect(isThere(), "the copy is in place while writes go on").toBe(true);
    expect(copies).toBe(1);
    await settle(cluster);
    expect(texts(away)).toEqual(texts(leader));
  });

  test("K08 who dies in the middle of a transfer keeps no log from being forgotten", async () => {
    const cluster = await started({ snapshotBytesPerSecond: 64 * 1024 });
    const away = await isolated(cluster);
    cluster.network.heal();
    const isHalfway = (): boolean => transfersOf(away).some(({ storedBytes }) => storedBytes > 0);
    await cluster.runUntil(isHalfway, 10_000, "a transfer under way");
    cluster.crash(away, "kill");
    const leader = cluster.mustLead();
    for (let round = 0; round < 40; round += 1) {
      await cluster.write(20);
      await cluster.run(600);
    }
    for (const node of [leader, ...cluster.followers()]) {
      expect(node.replica?.status().logBytes).toBeLessThan(4 * 8 * 1024);
    }
    expect(transfersOf(leader), "no copy is made for the dead").toEqual([]);
    await cluster.start(away);
    await settle(cluster);
    expect(texts(away)).toEqual(texts(leader));
  });

  test("nothing is left of a copy when nobody needs it any more", async () => {
    const cluster = await started();
    await isolated(cluster);
    cluster.network.heal();
    await settle(cluster);
    await cluster.run(1000);
    for (const node of cluster.nodes) expect(node.disk.list("/snapshots")).toEqual([]);
  });
});

describe("P07 S14 power fails at any disk operation of an installation", () => {
  test("the state is the old or the new one, and the node catches up", async () => {
    let point = 0;
    for (let isOver = false; !isOver; point += 1) {
      const cluster = await started({}, 7);
      const away = await isolated(cluster);
      const start = away.disk.operations;
      away.disk.cutPowerAt(start + point);
      cluster.network.heal();
      await cluster.run(2500).catch((error: unknown) => {
        if (!isPowerCut(error)) throw error;
      });
      isOver = away.disk.operations < start + point;
      cluster.crash(away, "power");
      away.fatal = undefined;
      await cluster.start(away);
      const found = texts(away);
      const whole = texts(cluster.mustLead());
      expect(whole.slice(0, found.length), `point ${point}: a prefix`).toEqual(found);
      const base = firstIndexOf(away) - 1;
      expect(away.applier.appliedIndex, `point ${point}: not below the log`).toBeGreaterThanOrEqual(
        base,
      );
      await settle(cluster);
      expect(texts(away), `point ${point}`).toEqual(texts(cluster.mustLead()));
    }
    expect(point, "operations of one installation").toBeGreaterThan(10);
  }, 120_000);
});

/**
 * Forced recovery: a majority is lost for good, and an operator says who the cluster is.
 *
 * Method: whole hosts on simulated disks and sockets; power fails at every disk operation of a
 * recovery.
 */
import { describe, expect, test } from "vitest";
import { isPowerCut, seededRandom } from "#platform";
import type { SimulatedDisk } from "#platform/types";
import { describeRecovery, openIdentity, openRaftLog, previewRecovery } from "#replica";
import { HostCluster, type SimulatedHost } from "./host-cluster.ts";

function putPeers(disk: SimulatedDisk, peers: unknown): void {
  disk.makeDir("/data/raft");
  const file = disk.open("/data/raft/peers.json", "read-write");
  file.write(0, new TextEncoder().encode(JSON.stringify(peers)));
  file.sync();
  file.close();
  disk.syncDir("/data/raft");
}

/** Three nodes with some writes, of which only those named live on. */
async function remains(count: number): Promise<{ cluster: HostCluster; left: SimulatedHost[] }> {
  const cluster = new HostCluster();
  await cluster.found("a", "b", "c");
  await cluster.write("1", "2", "3");
  await cluster.settle();
  for (const host of cluster.hosts) await cluster.kill(host);
  const left = cluster.hosts.splice(0, count);
  cluster.hosts.splice(0, cluster.hosts.length, ...left);
  return { cluster, left };
}

const peer = (id: string): object => ({ id, address: `${id}:1`, non_voter: false });

describe("with peers.json in its data directory", () => {
  test("the last node left of three goes on alone, with everything it had", async () => {
    const { cluster, left } = await remains(1);
    const [node] = left as [SimulatedHost];
    putPeers(node.disk, [peer("a")]);
    await cluster.start(node);
    await cluster.runUntil(() => cluster.leader() === node, 10_000, "it leads alone");
    await cluster.write("4");
    expect(node.texts).toEqual(["1", "2", "3", "4"]);
    expect(node.disk.exists("/data/raft/peers.json")).toBe(false);
    expect(node.disk.exists("/data/raft/peers.info")).toBe(true);
    expect(node.notices.join("\n")).toMatch(/gone for good: b at b:1, c at c:1/);
    await cluster.kill(node);
    await cluster.start(node);
    await cluster.runUntil(() => cluster.leader() === node, 10_000, "and after a restart");
    expect(node.host?.configuration).toMatchObject({ epoch: 1, sets: { voters: [1] } });
  });

  test("two of three at other addresses find each other, and a third can join", async () => {
    const { cluster, left } = await remains(2);
    const peers = left.map(({ id }) => ({ id, address: `new-${id}:2` }));
    for (const node of left) {
      putPeers(node.disk, peers);
      await cluster.start(node, `new-${node.id}:2`);
    }
    await cluster.runUntil(() => cluster.leader() !== undefined, 10_000, "a leader");
    await cluster.write("4");
    const third = cluster.add("d");
    await cluster.start(third);
    expect(await cluster.join(third)).toBe(4);
    await cluster.settle();
    for (const node of [...left, third]) expect(node.texts).toEqual(["1", "2", "3", "4"]);
    // The log still holds the configuration of the older epoch: it must count nowhere.
    for (const { host } of cluster.hosts) expect(host?.configuration?.epoch).toBe(1);
    for (const node of cluster.hosts) await cluster.kill(node);
    for (const node of cluster.hosts) {
      await cluster.start(node, node === third ? "d:1" : `new-${node.id}:2`);
    }
    await cluster.settle();
    expect(third.host?.configuration?.members.map(({ id }) => id)).toEqual(["a", "b", "d"]);
  });

  test("a node of the older epoch is refused, and says nothing that counts", async () => {
    const cluster = new HostCluster();
    await cluster.found("a", "b", "c");
    await cluster.write("1");
    await cluster.settle();
    for (const node of cluster.hosts) await cluster.kill(node);
    const [a, b, c] = cluster.hosts as [SimulatedHost, SimulatedHost, SimulatedHost];
    for (const node of [a, b]) {
      putPeers(node.disk, [peer("a"), peer("b")]);
      await cluster.start(node);
    }
    await cluster.start(c);
    await cluster.runUntil(() => cluster.leader() !== undefined, 10_000, "a leader");
    await cluster.write("2");
    await cluster.run(3000);
    expect(cluster.mustLead()).not.toBe(c);
    expect(c.texts).toEqual(["1"]);
    expect(a.notices.join("\n")).toMatch(/epoch 0, this is 1/);
  });

  test("a learner of it gets the log and does not vote", async () => {
    const { cluster, left } = await remains(2);
    const peers = [peer("a"), { id: "b", address: "b:1", non_voter: true }];
    for (const node of left) {
      putPeers(node.disk, peers);
      await cluster.start(node);
    }
    await cluster.runUntil(() => cluster.leader() === left[0], 10_000, "a leads");
    await cluster.write("4");
    await cluster.settle();
    expect(left[1]?.texts).toEqual(["1", "2", "3", "4"]);
    expect(left[1]?.host?.configuration?.sets).toMatchObject({ voters: [1], learners: [2] });
  });

  test("power fails at any operation of it: one epoch further, never two", async () => {
    let point = 0;
    for (let isOver = false; !isOver; point += 1) {
      const { cluster, left } = await remains(1);
      const [node] = left as [SimulatedHost];
      putPeers(node.disk, [peer("a")]);
      const start = node.disk.operations;
      node.disk.cutPowerAt(start + point);
      try {
        await cluster.start(node);
        await cluster.run(200);
      } catch (error) {
        if (!isPowerCut(error)) throw error;
      }
      isOver = node.disk.operations < start + point;
      const kept = node.applier;
      await node.host?.close().catch(() => undefined);
      node.disk = node.disk.crash(point);
      node.applier = kept.on(node.disk);
      await cluster.start(node, "again:1");
      await cluster.runUntil(() => cluster.leader() === node, 10_000, `point ${point}: it leads`);
      expect(node.host?.configuration?.epoch, `point ${point}`).toBe(1);
      expect(node.texts, `point ${point}`).toEqual(["1", "2", "3"]);
    }
    expect(point).toBeGreaterThan(5);
  }, 60_000);
});

describe("before anything is changed", () => {
  test("a preview says what would be lost and kept", async () => {
    const { left } = await remains(1);
    const [node] = left as [SimulatedHost];
    putPeers(node.disk, [peer("a")]);
    const { disk } = node;
    const { log } = openRaftLog({ disk, dir: "/data/raft-log" });
    const identity = openIdentity({ disk, dir: "/data", nodeId: "a", random: seededRandom(1) });
    const { lastIndex } = log;
    const options = { disk, dataDir: "/data", identity, log, appliedIndex: lastIndex - 2 };
    const preview = previewRecovery(options);
    if (preview === undefined) throw new Error("no preview");
    expect(preview).toMatchObject({ lastIndex, openEntries: 2, after: { epoch: 1 } });
    expect(preview.lost.map(({ id }) => id)).toEqual(["b", "c"]);
    expect(describeRecovery(preview).join("\n")).toMatch(/2 entries may not have been committed/);
    expect(disk.exists("/data/raft/peers.json")).toBe(true);
  });

  test.each([
    ["no JSON", "peers", /list of members/],
    ["an entry without an address", [{ id: "a" }], /list of members/],
    ["a member twice", [peer("a"), peer("a")], /share the id a/],
    ["others only", [peer("b")], /this node, a, is not in it/],
    ["a stranger", [peer("a"), peer("x")], /x was no member/],
    ["nobody who votes", [{ ...peer("a"), non_voter: true }], /nobody in it votes/],
  ])("a file with %s is refused", async (_, peers, problem) => {
    const { cluster, left } = await remains(1);
    const [node] = left as [SimulatedHost];
    putPeers(node.disk, peers);
    const attempt = cluster.start(node);
    await expect(attempt).rejects.toMatchObject({ code: "REPLICA_RECOVERY_INVALID" });
    await expect(attempt).rejects.toThrowError(problem);
    expect(node.disk.exists("/data/raft/peers.json")).toBe(true);
  });
});

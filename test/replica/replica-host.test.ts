/**
 * A node over its whole life: founding, joining, leaving, moving, a state that is fetched anew.
 *
 * Method: whole hosts on simulated disks and sockets, restarted between the steps.
 */
import { describe, expect, test } from "vitest";
import { decodeInputs, readMembership } from "#replica";
import { HostCluster } from "./host-cluster.ts";

describe("joining", () => {
  test("a fresh node waits, is added, catches up, and votes", async () => {
    const cluster = new HostCluster();
    await cluster.found("a", "b", "c");
    await cluster.write("1", "2");
    const fourth = cluster.add("d");
    const host = await cluster.start(fourth);
    await cluster.run(3000);
    expect(host.replica, "it belongs to nobody yet").toBeUndefined();
    expect(await cluster.join(fourth)).toBe(4);
    const isVoter = (): boolean =>
      cluster.mustLead().host?.configuration?.sets.voters.includes(4) ?? false;
    await cluster.runUntil(isVoter, 20_000, "d votes");
    await cluster.write("3");
    await cluster.settle();
    expect(fourth.texts).toEqual(["1", "2", "3"]);
  });

  test("what it was told survives a crash before the leader has reached it", async () => {
    const cluster = new HostCluster();
    const configuration = await cluster.found("a");
    await cluster.write("1");
    const second = cluster.add("b");
    await cluster.start(second);
    await cluster.join(second, false);
    await cluster.kill(second);
    expect(readMembership(second.disk, "/data")?.number).toBe(2);
    await cluster.start(second);
    await cluster.settle();
    expect(second.texts).toEqual(["1"]);
    expect(second.host?.configuration?.clusterId).toBe(configuration.clusterId);
  });

  test("a node of one cluster does not join another", async () => {
    const [one, other] = [new HostCluster(), new HostCluster()];
    const configuration = await one.found("a");
    await other.found("z");
    const { host } = other.mustLead();
    for (const attempt of [
      host?.join({ number: 2, configuration }),
      host?.bootstrap(configuration),
    ]) {
      await expect(attempt).rejects.toMatchObject({ code: "REPLICA_IDENTITY_MISMATCH" });
    }
  });

  test("a cluster that has changed since is not founded again", async () => {
    const cluster = new HostCluster();
    await cluster.found("a");
    const second = cluster.add("b");
    const host = await cluster.start(second);
    await cluster.join(second, false);
    await cluster.settle();
    const changed = cluster.mustLead().host?.configuration;
    if (changed === undefined) throw new Error("no configuration");
    const third = cluster.add("c");
    const fresh = await cluster.start(third);
    await expect(fresh.bootstrap(changed)).rejects.toMatchObject({
      code: "REPLICA_IDENTITY_MISMATCH",
    });
    expect(host.replica?.status().self).toBe(2);
  });

  test("a removed node that is added again goes on under another number", async () => {
    const cluster = new HostCluster();
    await cluster.found("a", "b", "c");
    await cluster.write("1");
    const leaving = cluster.hosts.find((host) => host !== cluster.leader());
    if (leaving === undefined) throw new Error("no follower");
    const remove = { kind: "remove", id: leaving.id } as const;
    await cluster.settled(cluster.mustLead().host?.replica?.change(remove) ?? Promise.reject());
    await cluster.write("2");
    await cluster.kill(leaving);
    await cluster.start(leaving);
    await cluster.run(5000);
    expect(leaving.host?.replica?.status().role).toBe("follower");
    expect(await cluster.join(leaving)).toBe(4);
    await cluster.settle();
    expect(leaving.host?.replica?.status().self).toBe(4);
    expect(leaving.texts).toEqual(["1", "2"]);
    await cluster.kill(leaving);
    await cluster.start(leaving);
    await cluster.settle();
    expect(leaving.host?.replica?.status().self).toBe(4);
  });

  test("who joins under another number first applies what it was given before", async () => {
    const cluster = new HostCluster();
    await cluster.found("a", "b", "c");
    const slow = cluster.hosts.find((host) => host !== cluster.leader());
    if (slow === undefined) throw new Error("no follower");
    await cluster.settle();
    slow.applyMs = 3000;
    await cluster.write("1", "2", "3");
    await cluster.run(500);
    const remove = { kind: "remove", id: slow.id } as const;
    await cluster.settled(cluster.mustLead().host?.replica?.change(remove) ?? Promise.reject());
    expect(slow.texts, "it is still at work").toEqual([]);
    await cluster.join(slow);
    slow.applyMs = 0;
    await cluster.run(5000);
    await cluster.settle();
    expect(slow.host?.replica?.status().self).toBe(4);
    expect(slow.texts).toEqual(["1", "2", "3"]);
  });

  test("two that tell it of the same membership start one replica", async () => {
    const cluster = new HostCluster();
    const configuration = await cluster.found("a");
    const second = cluster.add("b");
    const host = await cluster.start(second);
    const { incarnation } = host.identity;
    const member = { id: "b", address: "b:1", incarnation };
    const add = { kind: "add", member, voter: false } as const;
    const joined = await cluster.settled(
      cluster.mustLead().host?.replica?.change(add) ?? Promise.reject(new Error("down")),
    );
    expect(joined.clusterId).toBe(configuration.clusterId);
    const membership = { number: 2, configuration: joined };
    const [one, other] = [host.join(membership), host.join(membership)];
    await cluster.settled(Promise.all([one, other]));
    await cluster.write("1");
    await cluster.settle();
    expect(second.texts).toEqual(["1"]);
  });

  test("a host that is closed answers whoever asks it for a change", async () => {
    const cluster = new HostCluster();
    await cluster.found("a");
    const replica = cluster.mustLead().host?.replica;
    if (replica === undefined) throw new Error("no replica");
    await cluster.settled(replica.close());
    const remove = { kind: "remove", id: "b" } as const;
    await expect(replica.change(remove)).rejects.toMatchObject({ code: "REPLICA_STOPPED" });
    await expect(replica.transfer(0)).rejects.toMatchObject({ code: "REPLICA_STOPPED" });
  });

  test("a member that moves is found at its new address", async () => {
    const cluster = new HostCluster();
    await cluster.found("a", "b", "c");
    const moving = cluster.hosts.find((host) => host !== cluster.leader());
    if (moving === undefined) throw new Error("no follower");
    await cluster.kill(moving);
    const move = { kind: "setAddress", id: moving.id, address: "moved:9" } as const;
    await cluster.settled(cluster.mustLead().host?.replica?.change(move) ?? Promise.reject());
    await cluster.start(moving, "moved:9");
    await cluster.write("after");
    await cluster.settle();
    expect(moving.texts).toEqual(["after"]);
  });
});

describe("a state that differs", () => {
  async function spoilt(): Promise<HostCluster> {
    const cluster = new HostCluster();
    await cluster.found("a", "b", "c");
    await cluster.write("1", "2", "3", "4", "5", "6", "7", "8");
    await cluster.settle();
    return cluster;
  }

  test("is fetched anew from the leader, and serves nobody meanwhile", async () => {
    const cluster = await spoilt();
    const bad = cluster.hosts.find((host) => host !== cluster.leader());
    if (bad === undefined) throw new Error("no follower");
    bad.applier.commands = [];
    const report = await cluster.settled(
      cluster.mustLead().host?.replica?.checkDigest() ?? Promise.reject(),
    );
    expect(report.differing).toHaveLength(1);
    await cluster.runUntil(() => !bad.isSound, 1000, "it is told");
    expect(bad.host?.replica, "it neither votes nor answers").toBeUndefined();
    await cluster.runUntil(() => bad.isSound, 10_000, "it has fetched the state");
    await cluster.write("9");
    await cluster.settle();
    expect(bad.texts).toEqual(["1", "2", "3", "4", "5", "6", "7", "8", "9"]);
    expect(bad.disk.exists("/data/reinstall.json")).toBe(false);
    expect(bad.disk.list("/data/snapshots")).toEqual([]);
  });

  test("is still fetched after a crash in the middle of it", async () => {
    const cluster = await spoilt();
    const bad = cluster.hosts.find((host) => host !== cluster.leader());
    if (bad === undefined) throw new Error("no follower");
    bad.applier.commands = [];
    await cluster.settled(cluster.mustLead().host?.replica?.checkDigest() ?? Promise.reject());
    await cluster.runUntil(() => !bad.isSound, 1000, "it is told");
    await cluster.kill(bad);
    expect(bad.disk.exists("/data/reinstall.json")).toBe(true);
    await cluster.start(bad);
    await cluster.runUntil(() => bad.isSound, 10_000, "it has fetched the state");
    await cluster.settle();
    expect(bad.texts).toEqual(["1", "2", "3", "4", "5", "6", "7", "8"]);
  });

  test("a leader's is fetched anew as well, once another one leads", async () => {
    const cluster = await spoilt();
    const bad = cluster.mustLead();
    bad.applier.commands = [];
    await cluster.settled(bad.host?.replica?.checkDigest() ?? Promise.reject());
    await cluster.runUntil(() => !bad.isSound, 5000, "it is told");
    expect(cluster.mustLead()).not.toBe(bad);
    await cluster.runUntil(() => bad.isSound, 10_000, "it has fetched the state");
    await cluster.settle();
    expect(bad.texts).toHaveLength(8);
  });
});

test("what happened before a fatal error is left on disk", async () => {
  const cluster = new HostCluster();
  await cluster.found("a");
  const node = cluster.mustLead();
  node.disk.plan({ operation: "sync", fault: "EIO", after: 0, path: ".wal" });
  await cluster.write("never").catch(() => undefined);
  const text = node.disk.content("/data/postmortem.json");
  expect(decodeInputs(text).inputs.length).toBeGreaterThan(0);
});

/**
 * Members come, go, move, and take over; leadership is handed on.
 *
 * Method: real replicas under a simulated clock, net and disk; plans of changes alone, too.
 */
import { describe, expect, test } from "vitest";
import { createConfiguration, planChange } from "#replica";
import type { Configuration, MembershipChange } from "#replica/types";
import { settle, texts } from "./histories.ts";
import { SimulatedCluster, type SimulatedNode } from "./simulated-cluster.ts";

async function started(size: number, seed = 1): Promise<SimulatedCluster> {
  const options = { logKeepBytesMax: 8 * 1024, snapshotChunkBytesMax: 4 * 1024 };
  const cluster = new SimulatedCluster({ size, seed, options });
  await cluster.startAll();
  await cluster.runUntil(() => cluster.leader() !== undefined, 10_000, "a leader");
  await cluster.write(10, 20);
  return cluster;
}

const newcomer = (id: string, incarnation = "new") => ({
  id,
  address: `h:${id}`,
  incarnation,
});

const change = (cluster: SimulatedCluster, wanted: MembershipChange): Promise<Configuration> => {
  const { replica } = cluster.mustLead();
  if (replica === undefined) throw new Error("no leader");
  return cluster.settled(replica.change(wanted));
};

const votersOf = (node: SimulatedNode): readonly number[] =>
  node.replica?.status().committedConfiguration.sets.voters ?? [];

async function addVoter(cluster: SimulatedCluster, id: string): Promise<SimulatedNode> {
  const configuration = await change(cluster, {
    ...{ kind: "add", member: newcomer(id), voter: true },
  });
  const number = configuration.members.find((member) => member.id === id)?.number ?? 0;
  const node = await cluster.join(number);
  const isVoter = (): boolean => votersOf(cluster.mustLead()).includes(number);
  await cluster.runUntil(isVoter, 20_000, `${id} becomes a voter`);
  return node;
}

describe("members", () => {
  test("a new one is a learner first, catches up, and then votes", async () => {
    const cluster = await started(3);
    await cluster.write(200);
    const fourth = await addVoter(cluster, "n4");
    expect(fourth.number).toBe(4);
    await cluster.write(5);
    await settle(cluster);
    expect(texts(fourth)).toEqual(texts(cluster.mustLead()));
    expect(votersOf(fourth)).toEqual([1, 2, 3, 4]);
    for (const node of cluster.nodes) {
      const ids = node.replica?.configuration.members.map(({ id }) => id);
      expect(ids).toEqual(["n1", "n2", "n3", "n4"]);
    }
  });

  test("one that never answers stays a learner, and costs no vote", async () => {
    const cluster = await started(3);
    await change(cluster, { kind: "add", member: newcomer("n4"), voter: true });
    await cluster.run(5000);
    expect(votersOf(cluster.mustLead())).toEqual([1, 2, 3]);
    await cluster.write(5);
  });

  test("the wish to vote outlives the leader that was told of it", async () => {
    const cluster = await started(3);
    await change(cluster, { kind: "add", member: newcomer("n4"), voter: true });
    const old = cluster.mustLead();
    await cluster.settled(old.replica?.transfer(0) ?? Promise.reject(new Error("down")));
    expect(cluster.mustLead()).not.toBe(old);
    await cluster.join(4);
    const isVoter = (): boolean => votersOf(cluster.mustLead()).includes(4);
    await cluster.runUntil(isVoter, 20_000, "n4 becomes a voter");
  });

  test("M08 a leader that is removed hands over and stands no more", async () => {
    const cluster = await started(3);
    const leader = cluster.mustLead();
    await change(cluster, { kind: "remove", id: `n${leader.number}` });
    const isReplaced = (): boolean => ![undefined, leader].includes(cluster.leader());
    await cluster.runUntil(isReplaced, 10_000, "another leader");
    await cluster.write(5);
    await cluster.run(5000);
    expect(leader.replica?.status().role).toBe("follower");
    expect(votersOf(cluster.mustLead())).not.toContain(leader.number);
  });

  test("P10 a wiped node comes back under another number, in the old one's place", async () => {
    const cluster = await started(3);
    const [wiped] = cluster.followers();
    if (wiped === undefined) throw new Error("no follower");
    cluster.crash(wiped, "kill");
    cluster.nodes.splice(cluster.nodes.indexOf(wiped), 1);
    const id = `n${wiped.number}`;
    const configuration = await change(cluster, {
      ...{ kind: "add", member: newcomer(id, "another"), voter: true },
    });
    expect(configuration.members.filter((member) => member.id === id)).toMatchObject([
      { number: 4, incarnation: "another", becomesVoter: true },
    ]);
    expect(configuration.sets.voters).not.toContain(wiped.number);
    const back = await cluster.join(4);
    const isVoter = (): boolean => votersOf(cluster.mustLead()).includes(4);
    await cluster.runUntil(isVoter, 20_000, "it votes again");
    await settle(cluster);
    expect(texts(back)).toEqual(texts(cluster.mustLead()));
    expect(cluster.mustLead().replica?.configuration.members).toHaveLength(3);
  });

  test("M14 another address is a change without a joint phase", async () => {
    const cluster = await started(3);
    const { replica } = cluster.mustLead();
    const joint: number[] = [];
    replica?.onConfiguration(({ sets }) => joint.push(sets.outgoing.length));
    await change(cluster, { kind: "setAddress", id: "n2", address: "elsewhere:2" });
    expect(joint.length).toBeGreaterThan(0);
    expect(joint.every((outgoing) => outgoing === 0)).toBe(true);
    await settle(cluster);
    for (const node of cluster.nodes) {
      expect(node.replica?.configuration.members[1]?.address).toBe("elsewhere:2");
    }
  });

  test("a voter that becomes a learner no longer counts, and can vote again", async () => {
    const cluster = await started(3);
    const [follower] = cluster.followers();
    const id = `n${follower?.number}`;
    const demoted = await change(cluster, { kind: "setRole", id, role: "learner" });
    expect(demoted.sets.learners).toEqual([follower?.number]);
    await change(cluster, { kind: "setRole", id, role: "voter" });
    await cluster.runUntil(() => votersOf(cluster.mustLead()).length === 3, 20_000, "it votes");
  });

  test("a change at a follower, and a second one at once, are refused by code", async () => {
    const cluster = await started(3);
    const [follower] = cluster.followers();
    await expect(follower?.replica?.change({ kind: "remove", id: "n1" })).rejects.toMatchObject({
      code: "REPLICA_NOT_LEADER",
    });
    const { replica } = cluster.mustLead();
    const first = replica?.change({ kind: "add", member: newcomer("n4"), voter: false });
    await expect(replica?.change({ kind: "remove", id: "n4" })).rejects.toMatchObject({
      code: "REPLICA_CHANGE_REFUSED",
    });
    await cluster.settled(first ?? Promise.reject(new Error("down")));
  });

  test("M13 a change that its leader could not commit is rolled back with its entry", async () => {
    const cluster = await started(3);
    const leader = cluster.mustLead();
    cluster.isolate(leader);
    const lost = leader.replica?.change({ kind: "add", member: newcomer("n4"), voter: false });
    const outcome = expect(lost).rejects.toMatchObject({ code: "REPLICA_TIMEOUT" });
    expect(leader.replica?.configuration.members).toHaveLength(4);
    const isReplaced = (): boolean => ![undefined, leader].includes(cluster.leader());
    await cluster.runUntil(isReplaced, 10_000, "another leader");
    await cluster.write(3);
    cluster.network.heal();
    await settle(cluster);
    await outcome;
    expect(leader.replica?.configuration.members).toHaveLength(3);
    cluster.crash(leader, "power");
    await cluster.start(leader);
    expect(leader.replica?.configuration.members).toHaveLength(3);
  });
});

describe("leadership is handed on", () => {
  test("T01 to a named voter, and nothing acknowledged is lost", async () => {
    const cluster = await started(3);
    const leader = cluster.mustLead();
    const [target] = cluster.followers();
    await cluster.settled(leader.replica?.transfer(target?.number ?? 0) ?? Promise.reject());
    expect(cluster.mustLead()).toBe(target);
    await cluster.write(3);
    await settle(cluster);
  });

  test("T02 to itself or to a learner is refused", async () => {
    const cluster = await started(3);
    await change(cluster, { kind: "add", member: newcomer("n4"), voter: false });
    const { replica, number } = cluster.mustLead();
    for (const to of [number, 4, 99]) {
      await expect(replica?.transfer(to)).rejects.toMatchObject({ code: "REPLICA_CHANGE_INVALID" });
    }
  });

  test("T03 to one that does not answer fails, and service goes on", async () => {
    const cluster = await started(3);
    const [target] = cluster.followers();
    if (target === undefined) throw new Error("no follower");
    cluster.isolate(target);
    const { replica } = cluster.mustLead();
    const attempt = replica?.transfer(target.number) ?? Promise.reject(new Error("down"));
    await expect(cluster.settled(attempt)).rejects.toMatchObject({
      code: "REPLICA_TRANSFER_FAILED",
    });
    await cluster.write(3);
  });

  test("a leader that is closed hands over first: nobody waits for an election", async () => {
    const cluster = await started(3);
    const leader = cluster.mustLead();
    const { term = 0 } = leader.replica?.status() ?? {};
    const startedAt = cluster.clock.now();
    await cluster.settled(leader.replica?.close({ transferMs: 1000 }) ?? Promise.reject());
    expect(cluster.clock.now() - startedAt, "shorter than a silence").toBeLessThan(500);
    leader.replica = undefined;
    expect(cluster.leader()?.replica?.status().term).toBe(term + 1);
    await cluster.write(3);
  });

  test("one that finds nobody to hand over to closes all the same", async () => {
    const cluster = await started(3);
    const leader = cluster.mustLead();
    cluster.isolate(leader);
    await cluster.settled(leader.replica?.close({ transferMs: 300 }) ?? Promise.reject());
  });
});

describe("plans of changes", () => {
  const present = createConfiguration(
    ["a", "b", "c"].map((id) => ({ id, address: `${id}:1`, incarnation: id })),
  );
  const plan = (wanted: MembershipChange, from = present): Configuration | undefined =>
    planChange(from, wanted, 1);

  test("numbers are never given twice, not even after a removal", () => {
    const added = plan({ kind: "add", member: newcomer("d"), voter: false });
    expect(added?.members.at(-1)).toMatchObject({ number: 4, id: "d" });
    const removed = planChange(added ?? present, { kind: "remove", id: "d" }, 1);
    expect(removed?.members.map(({ number }) => number)).toEqual([1, 2, 3]);
    const again = planChange(
      removed ?? present,
      { kind: "add", member: newcomer("d"), voter: false },
      1,
    );
    expect(again?.members.at(-1)?.number).toBe(5);
  });

  test("what is there already is no change", () => {
    const known = { id: "b", address: "b:1", incarnation: "b" };
    expect(plan({ kind: "add", member: known, voter: true })).toBeUndefined();
    expect(plan({ kind: "remove", id: "nobody" })).toBeUndefined();
    expect(plan({ kind: "setRole", id: "b", role: "voter" })).toBeUndefined();
  });

  test("the same member at another address is the same number", () => {
    const moved = { id: "b", address: "b:2", incarnation: "b" };
    const planned = plan({ kind: "add", member: moved, voter: true });
    expect(planned?.members[1]).toEqual({ number: 2, ...moved });
    expect(planned?.sets).toEqual(present.sets);
  });

  test("whoever comes at a member's address takes its place", () => {
    const planned = plan({
      ...{ kind: "add", voter: true },
      member: { id: "d", address: "c:1", incarnation: "d" },
    });
    expect(planned?.members.map(({ id }) => id)).toEqual(["a", "b", "d"]);
    expect(planned?.sets).toEqual({ voters: [1, 2], outgoing: [], learners: [4] });
  });

  test("the leader is not replaced, and addresses are not shared", () => {
    const wiped = { id: "a", address: "a:1", incarnation: "other" };
    for (const wanted of [
      { kind: "add", member: wiped, voter: true },
      { kind: "setAddress", id: "b", address: "c:1" },
      { kind: "setRole", id: "nobody", role: "learner" },
    ] as const) {
      expect(() => plan(wanted)).toThrowError(
        expect.objectContaining({ code: "REPLICA_CHANGE_INVALID" }),
      );
    }
  });
});

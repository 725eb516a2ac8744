/**
 * Handing leadership over, and the limits of what a leader takes. Method: clusters by hand under
 * the checker; the ids are those of the project's list of Raft scenarios (T and F).
 */
import { describe, expect, test } from "vitest";
import type { NodeId, Output } from "#raft";
import { Cluster, ELECTION_TIMEOUT_MS, HEARTBEAT_MS } from "./cluster.ts";

function lead(nodes = 3): Cluster {
  const cluster = new Cluster({ nodes });
  cluster.elect(1);
  return cluster;
}

function transfer(cluster: Cluster, to: NodeId): Output[] {
  const id = cluster.leader.id;
  return cluster.node(id).step(cluster.now, { kind: "transfer", to });
}

const ended = (cluster: Cluster, id: NodeId) =>
  cluster
    .node(id)
    .takeEvents()
    .filter(({ kind }) => kind === "transferEnded");

const refusal = (outputs: readonly Output[]) =>
  outputs.filter((output) => output.kind === "refused").map(({ reason }) => reason);

const told = (cluster: Cluster) =>
  cluster.sent.filter(({ message }) => message.kind === "timeoutNow").length;

describe("transfer", () => {
  test("T01: to a voter that has everything, in one round, whatever its timer says", () => {
    const cluster = lead();
    const before = cluster.now;
    transfer(cluster, 3);
    cluster.settle();
    expect(cluster.leader.id).toBe(3);
    expect(cluster.now).toBe(before);
    expect(ended(cluster, 1)).toEqual([{ kind: "transferEnded", to: 3, outcome: "done" }]);
  });

  test("T01: to one that lags, which catches up first; 0 is the most advanced", () => {
    const cluster = lead();
    cluster.propose(1, [1, 1]);
    cluster.settle([1, 2]);
    transfer(cluster, 3);
    expect(told(cluster)).toBe(0);
    expect(cluster.leader.running.status().transferringTo).toBe(3);
    cluster.run(3 * HEARTBEAT_MS);
    expect(cluster.leader.id).toBe(3);
    cluster.propose(3);
    cluster.settle([3, 1]);
    transfer(cluster, 0);
    cluster.settle();
    expect(cluster.leader.id).toBe(1);
  });

  test("T02: not to itself, to a stranger, to a learner, nor by a follower", () => {
    const voters = (id: NodeId) => (id <= 3 ? [1, 2, 3] : []);
    const cluster = new Cluster({ nodes: 4, voters });
    cluster.elect(1, [1, 2, 3]);
    cluster.change(1, [1, 2, 3], [4]);
    cluster.run(2 * HEARTBEAT_MS);
    for (const to of [1, 4, 9]) expect(refusal(transfer(cluster, to))).toEqual(["invalid-target"]);
    const asked = cluster.node(2).step(cluster.now, { kind: "transfer", to: 3 });
    expect(refusal(asked)).toEqual(["not-leader"]);
  });

  test("T02: nobody answers: there is no most advanced one", () => {
    const cluster = lead();
    cluster.now += ELECTION_TIMEOUT_MS;
    expect(refusal(transfer(cluster, 0))).toEqual(["invalid-target"]);
  });

  test("T03: after an election timeout it is given up, and work goes on here", () => {
    const cluster = lead();
    transfer(cluster, 3);
    expect(refusal(cluster.propose(1))).toEqual(["transferring"]);
    expect(refusal(cluster.change(1, [1, 2]))).toEqual(["transferring"]);
    cluster.run(ELECTION_TIMEOUT_MS - 1, [1, 2]);
    expect(refusal(cluster.propose(1))).toEqual(["transferring"]);
    cluster.run(2, [1, 2]);
    expect(ended(cluster, 1)).toEqual([{ kind: "transferEnded", to: 3, outcome: "timeout" }]);
    expect(refusal(cluster.propose(1))).toEqual([]);
    // Once, and again with each heartbeat.
    expect(told(cluster)).toBeGreaterThan(5);
    expect(told(cluster)).toBeLessThan(12);
  });

  test("T04: another target takes the place of the first; the same one changes nothing", () => {
    const cluster = lead();
    transfer(cluster, 3);
    cluster.drop();
    transfer(cluster, 3);
    expect(ended(cluster, 1)).toEqual([]);
    transfer(cluster, 2);
    expect(ended(cluster, 1)).toEqual([{ kind: "transferEnded", to: 3, outcome: "replaced" }]);
    cluster.settle();
    expect(cluster.leader.id).toBe(2);
  });

  test("T06: voters listen although their leader lives, and no pre-vote comes before", () => {
    const cluster = lead();
    const sent = cluster.sent.length;
    transfer(cluster, 2);
    cluster.settle();
    const votes = cluster.sent
      .slice(sent)
      .map(({ message }) => message)
      .filter((message) => message.kind === "vote");
    expect(votes).toHaveLength(2);
    for (const vote of votes) expect(vote).toMatchObject({ transfer: true, pre: false, term: 2 });
  });

  test("T07: of an old term, of another node, or to a learner, the request is ignored", () => {
    const voters = (id: NodeId) => (id <= 3 ? [1, 2, 3] : []);
    const cluster = new Cluster({ nodes: 4, voters });
    cluster.elect(1, [1, 2, 3]);
    cluster.change(1, [1, 2, 3], [4]);
    cluster.run(2 * HEARTBEAT_MS);
    cluster.inject(1, 2, { kind: "timeoutNow", term: 0 });
    cluster.inject(3, 2, { kind: "timeoutNow", term: 1 });
    cluster.inject(1, 4, { kind: "timeoutNow", term: 1 });
    for (const id of [2, 4]) expect(cluster.node(id).running.role).toBe("follower");
    cluster.inject(1, 2, { kind: "timeoutNow", term: 1 });
    expect(cluster.node(2).running.role).toBe("candidate");
  });
});

describe("limits", () => {
  test("F03: nothing more is taken while too much is committed and not applied", () => {
    const options = { unappliedBytesMax: 100, applyAheadBytesMax: 1000 };
    const cluster = new Cluster({ nodes: 1, options });
    cluster.elect(1);
    const core = cluster.node(1).running;
    const outputs: Output[] = [];
    const feed = (input: Parameters<typeof core.step>[1]) => core.step(cluster.now, input, outputs);
    feed({ kind: "propose", id: 1, sizes: [90] });
    feed({ kind: "propose", id: 2, sizes: [90] });
    feed({ kind: "persisted", seq: 4 });
    expect(core.status()).toMatchObject({ commitIndex: 3, unappliedBytes: 180 });
    outputs.length = 0;
    feed({ kind: "propose", id: 3, sizes: [1] });
    expect(outputs).toEqual([{ kind: "refused", id: 3, reason: "unapplied-limit" }]);
    feed({ kind: "applied", index: 2 });
    outputs.length = 0;
    feed({ kind: "propose", id: 4, sizes: [1] });
    expect(outputs).toContainEqual({ kind: "accepted", id: 4, from: 4, count: 1, term: 1 });
  });

  test("F04: what is committed is handed out in pages; a larger entry goes alone", () => {
    const options = { applyAheadBytesMax: 100 };
    const cluster = new Cluster({ nodes: 1, options });
    cluster.elect(1);
    const core = cluster.node(1).running;
    const pages: Output[] = [];
    const feed = (input: Parameters<typeof core.step>[1]): void => {
      const outputs: Output[] = [];
      core.step(cluster.now, input, outputs);
      pages.push(...outputs.filter(({ kind }) => kind === "apply"));
    };
    feed({ kind: "propose", id: 1, sizes: [40, 40, 40, 300, 10] });
    feed({ kind: "persisted", seq: 3 });
    feed({ kind: "applied", index: 2 });
    feed({ kind: "applied", index: 4 });
    feed({ kind: "applied", index: 5 });
    expect(pages).toEqual([
      { kind: "apply", from: 2, to: 3 },
      { kind: "apply", from: 4, to: 4 },
      { kind: "apply", from: 5, to: 5 },
      { kind: "apply", from: 6, to: 6 },
    ]);
  });

  test("a follower tells how much it takes, and gets one message where there is no room", () => {
    const options = { unappliedBytesMax: 50, applyAheadBytesMax: 10, appendEntriesMax: 1 };
    const cluster = new Cluster({ nodes: 3, options });
    cluster.elect(1);
    const reply = {
      kind: "appendReply",
      term: 1,
      ok: true,
      match: 1,
      rejected: 0,
      hintIndex: 0,
      hintTerm: 0,
      session: 0,
      round: 9,
    } as const;
    cluster.inject(2, 1, { ...reply, freeBytes: 0 });
    cluster.inject(3, 1, { ...reply, freeBytes: 25 });
    cluster.propose(1, [10, 10, 10, 10, 10]);
    const to = (id: NodeId) => cluster.packets.filter((packet) => packet.to === id).length;
    expect([to(2), to(3)]).toEqual([1, 3]);
  });

  test("a leader that a quorum has left alone takes nothing more", () => {
    const cluster = lead();
    cluster.now += ELECTION_TIMEOUT_MS;
    expect(refusal(cluster.propose(1))).toEqual(["not-leader"]);
    expect(cluster.leaders()).toEqual([]);
  });

  test("a node of a larger scale takes longer to campaign, and never outvotes a longer log", () => {
    const options = { electionTimeoutScale: 3 };
    const cluster = new Cluster({ nodes: 1, options, random: () => () => 0.5 });
    const three = new Cluster({ nodes: 3, options, random: () => () => 0.5 });
    expect(cluster.node(1).running.deadline).toBe(0);
    expect(three.node(1).running.deadline).toBe(4.5 * ELECTION_TIMEOUT_MS);
  });

  test("without pre-votes a node campaigns at once", () => {
    const cluster = new Cluster({ nodes: 3, options: { preVote: false } });
    cluster.timeOut(1);
    expect(cluster.node(1).running.status()).toMatchObject({ role: "candidate", term: 1 });
    cluster.settle();
    expect(cluster.leader.id).toBe(1);
  });
});

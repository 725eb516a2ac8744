/**
 * Pre-vote, check-quorum, stickiness, stalls and limits: what keeps a good leader in place and
 * removes a bad one. Method: partitions by hand under virtual time; ids as in the project's list.
 */
import { describe, expect, test } from "vitest";
import { createRaftCore } from "#raft";
import { Cluster, ELECTION_TIMEOUT_MS, HEARTBEAT_MS } from "./cluster.ts";
import { deadDisk } from "./member-scenarios.ts";
import { Mesh } from "./mesh.ts";
import {
  preVoteUnderLivingLeader,
  requestVote,
  stuckInNewerTerm,
  voteReplies,
} from "./scenarios.ts";

describe("pre-vote, check-quorum and stickiness", () => {
  test("V01: a node that was cut off for long comes back and disturbs nobody", () => {
    const cluster = new Cluster({ nodes: 3 });
    cluster.elect(1);
    const mesh = new Mesh(cluster);
    mesh.isolate(3);
    mesh.run(20 * ELECTION_TIMEOUT_MS);
    expect(cluster.node(3).running.role).toBe("pre-candidate");
    mesh.heal();
    mesh.run(20 * ELECTION_TIMEOUT_MS);
    expect(cluster.nodes.map(({ term }) => term)).toEqual([1, 1, 1]);
    expect(cluster.leader.id).toBe(1);
  });

  test("V02: a node in a newer term is set free by one election, and then all is stable", () => {
    const cluster = stuckInNewerTerm(createRaftCore);
    const { term } = cluster.leader;
    expect(term).toBe(6);
    cluster.run(20 * ELECTION_TIMEOUT_MS);
    expect(cluster.nodes.map((node) => node.term)).toEqual([term, term, term]);
  });

  test("V03: votes are refused under a living leader, and given when it is lost", () => {
    const cluster = preVoteUnderLivingLeader(createRaftCore);
    cluster.crash(1);
    cluster.now += ELECTION_TIMEOUT_MS;
    requestVote(cluster, { from: 2, to: 3, term: 2, pre: true });
    expect(voteReplies(cluster).at(-1)).toMatchObject({ granted: true, pre: true, term: 2 });
  });

  test("an ignored request resets no timer and changes no term", () => {
    const cluster = new Cluster({ nodes: 3 });
    cluster.elect(1);
    const before = cluster.node(3).running.deadline;
    cluster.now += HEARTBEAT_MS;
    requestVote(cluster, { from: 2, to: 3, term: 9 });
    expect(cluster.node(3).running.deadline).toBe(before);
    expect(cluster.node(3).term).toBe(1);
  });

  test("a leader whose connections are closed is followed by another within half a timeout", () => {
    const cluster = new Cluster({ nodes: 3 });
    cluster.elect(1);
    cluster.crash(1);
    const crashedAt = cluster.now;
    for (const id of [2, 3]) {
      cluster.node(id).step(cluster.now, { kind: "unreachable", peer: 1, isGone: true });
      expect(cluster.node(id).running.leader).toBe(0);
    }
    cluster.run(ELECTION_TIMEOUT_MS / 2, [2, 3]);
    expect(cluster.leader.id).not.toBe(1);
    expect(cluster.leader.term).toBeGreaterThan(1);
    expect(cluster.now - crashedAt).toBeLessThanOrEqual(ELECTION_TIMEOUT_MS / 2);
  });

  test("who takes a living leader for dead is heard by nobody, and follows it again", () => {
    const cluster = new Cluster({ nodes: 3 });
    cluster.elect(1);
    cluster.node(3).step(cluster.now, { kind: "unreachable", peer: 1, isGone: true });
    cluster.node(2).step(cluster.now, { kind: "unreachable", peer: 3, isGone: true });
    expect(cluster.node(2).running.leader, "no leader was lost").toBe(1);
    cluster.run(3 * ELECTION_TIMEOUT_MS);
    expect(cluster.nodes.map(({ term }) => term)).toEqual([1, 1, 1]);
    expect(cluster.node(3).running.leader).toBe(1);
  });

  test("a granted pre-vote changes and writes nothing; a granted vote resets the timer", () => {
    const cluster = new Cluster({ nodes: 3 });
    const node = cluster.node(3);
    const before = node.running.status();
    const { deadline } = node.running;
    cluster.now += HEARTBEAT_MS;
    requestVote(cluster, { from: 2, to: 3, term: 1, pre: true });
    expect(voteReplies(cluster)).toMatchObject([{ granted: true, pre: true }]);
    expect(node.running.status()).toEqual(before);
    expect(node.running.deadline).toBe(deadline);
    expect(node.writes).toEqual([]);
    requestVote(cluster, { from: 2, to: 3, term: 1 });
    expect(node.running.deadline).toBe(deadline + HEARTBEAT_MS);
  });

  test("V04: two pre-candidates may both go on; the tie ends", () => {
    const cluster = new Cluster({ nodes: 4 });
    cluster.timeOut(1);
    cluster.timeOut(2);
    cluster.settle();
    cluster.run(10 * ELECTION_TIMEOUT_MS);
    expect(cluster.leaders()).toHaveLength(1);
  });

  test("V06: a leader without a quorum steps down; with exactly a quorum it stays", () => {
    const cluster = new Cluster({ nodes: 5 });
    cluster.elect(1);
    const mesh = new Mesh(cluster);
    mesh.isolate(4);
    mesh.isolate(5);
    mesh.run(10 * ELECTION_TIMEOUT_MS);
    expect(cluster.leader.id).toBe(1);
    mesh.isolate(3);
    mesh.run(ELECTION_TIMEOUT_MS + HEARTBEAT_MS);
    expect(cluster.leaders()).toEqual([]);
    expect(cluster.node(1).term).toBe(1);
    expect(cluster.propose(1)).toMatchObject([{ reason: "not-leader" }]);
  });

  test.each(["send", "receive"] as const)("V07: a leader that can only %s is replaced", (way) => {
    const cluster = new Cluster({ nodes: 3 });
    cluster.elect(1);
    const mesh = new Mesh(cluster);
    for (const id of [2, 3]) {
      if (way === "send") mesh.cut(id, 1);
      else mesh.cut(1, id);
    }
    mesh.run(5 * ELECTION_TIMEOUT_MS);
    expect(cluster.leaders()).toHaveLength(1);
    expect(cluster.leader.id).not.toBe(1);
    const { term } = cluster.leader;
    mesh.run(20 * ELECTION_TIMEOUT_MS);
    expect(cluster.leader.term).toBe(term);
  });

  test("V08: in a partial mesh the nodes in the middle keep one leader", () => {
    const cluster = new Cluster({ nodes: 5 });
    cluster.elect(1);
    const mesh = new Mesh(cluster);
    // Node 4 sees only node 2, node 5 sees only node 3.
    for (const [edge, friend] of [
      [4, 2],
      [5, 3],
    ] as const) {
      for (const other of [1, 2, 3, 4, 5]) {
        if (other !== edge && other !== friend) mesh.cutBoth(edge, other);
      }
    }
    mesh.run(30 * ELECTION_TIMEOUT_MS);
    expect(cluster.leader.id).toBe(1);
    expect(cluster.leader.term).toBe(1);
  });

  test("V3: a node that can speak but not hear, for ever, disturbs nobody", () => {
    const cluster = new Cluster({ nodes: 3 });
    cluster.elect(1);
    const mesh = new Mesh(cluster);
    mesh.cut(1, 3);
    mesh.cut(2, 3);
    mesh.run(30 * ELECTION_TIMEOUT_MS);
    expect(cluster.leader.id).toBe(1);
    expect(cluster.nodes.map(({ term }) => term)).toEqual([1, 1, 1]);
  });

  test("V10: a crash between pre-vote and vote leaves no trace", () => {
    const cluster = new Cluster({ nodes: 3 });
    cluster.timeOut(1);
    cluster.deliver();
    cluster.crash(1);
    cluster.restart(1);
    cluster.deliver();
    expect(cluster.nodes.map(({ term }) => term)).toEqual([0, 0, 0]);
    cluster.run(5 * ELECTION_TIMEOUT_MS);
    expect(cluster.leader.term).toBe(1);
  });

  test("V11: pre-votes of an older term do not count", () => {
    const cluster = new Cluster({ nodes: 3 });
    cluster.timeOut(1);
    cluster.deliver();
    const old = cluster.drop(({ to }) => to === 1);
    cluster.inject(3, 1, {
      kind: "voteReply",
      term: 4,
      granted: false,
      pre: true,
      attempt: 1,
      removedAt: 0,
    });
    expect(cluster.node(1).term).toBe(4);
    cluster.sync();
    cluster.timeOut(1);
    for (const packet of old) cluster.hand(packet);
    expect(cluster.node(1).running.role).toBe("pre-candidate");
  });

  test("V12: a node that wakes from a stall with heartbeats in its inbox does not campaign", () => {
    const cluster = new Cluster({ nodes: 3 });
    cluster.elect(1);
    // Node 3 sleeps for three timeouts; the others go on.
    const inbox = [];
    for (let i = 0; i < 30; i += 1) {
      cluster.pass(HEARTBEAT_MS, [1, 2]);
      inbox.push(...cluster.drop(({ to }) => to === 3));
      cluster.settle([1, 2]);
    }
    const node = cluster.node(3);
    expect(node.running.deadline).toBeLessThan(cluster.now);
    node.step(cluster.now, { kind: "stalled" });
    node.step(cluster.now, { kind: "tick" });
    expect(node.running.role).toBe("follower");
    for (const packet of inbox) cluster.hand(packet);
    expect(node.running.status()).toMatchObject({ role: "follower", leader: 1, term: 1 });
  });

  test("a leader that wakes from a stall gives its peers time to answer", () => {
    const cluster = new Cluster({ nodes: 3 });
    cluster.elect(1);
    cluster.now += 3 * ELECTION_TIMEOUT_MS;
    cluster.leader.step(cluster.now, { kind: "stalled" });
    cluster.leader.step(cluster.now, { kind: "tick" });
    expect(cluster.leader.id).toBe(1);
  });

  test("V5: a leader whose disk does not answer hands over or steps down; a slow one stays", () => {
    const cluster = new Cluster({ nodes: 3 });
    cluster.elect(1);
    for (let i = 0; i < 20; i += 1) {
      cluster.propose(1);
      cluster.run(HEARTBEAT_MS, [2, 3]);
      for (let beat = 0; beat < 3; beat += 1) {
        cluster.pass(HEARTBEAT_MS, [1]);
        cluster.deliver();
        cluster.sync([2, 3]);
        cluster.deliver();
      }
      cluster.node(1).sync(cluster.now, 1);
    }
    expect(cluster.leader.id).toBe(1);
    cluster.propose(1);
    const before = cluster.now;
    while ((cluster.leaders()[0]?.id ?? 1) === 1) {
      cluster.pass(HEARTBEAT_MS, [1]);
      cluster.deliver();
      cluster.sync([2, 3]);
    }
    expect(cluster.now - before).toBeLessThan(ELECTION_TIMEOUT_MS);
    expect(cluster.node(1).takeEvents()).toContainEqual({
      kind: "transferEnded",
      to: cluster.leader.id,
      outcome: "done",
    });
  });

  test("V5: with nobody to hand over to, a leader with a dead disk leaves after a timeout", () => {
    const cluster = deadDisk(createRaftCore);
    cluster.run(5 * ELECTION_TIMEOUT_MS, [2, 3]);
    expect(cluster.leader.id).not.toBe(1);
  });
});

describe("slow disks", () => {
  test("a candidate whose disk is slow waits, and does not run up the terms", () => {
    const cluster = new Cluster({ nodes: 3 });
    cluster.timeOut(1);
    cluster.deliver();
    cluster.deliver();
    cluster.pass(20 * ELECTION_TIMEOUT_MS, [1]);
    expect(cluster.node(1).running.status()).toMatchObject({ role: "candidate", term: 1 });
    cluster.settle();
    expect(cluster.leader.term).toBe(1);
  });
});

describe("limits", () => {
  test("V7: an idle leader sends one message to each peer per heartbeat", () => {
    const cluster = new Cluster({ nodes: 3 });
    cluster.elect(1);
    const before = cluster.sent.length;
    cluster.run(10 * HEARTBEAT_MS);
    expect(cluster.sent.length - before).toBeLessThanOrEqual(11 * 4);
  });

  test("V8: proposals are refused while too much is uncommitted, unless nothing is", () => {
    const cluster = new Cluster({ nodes: 3, options: { uncommittedBytesMax: 100 } });
    cluster.elect(1);
    expect(cluster.propose(1, [500])).toContainEqual(expect.objectContaining({ kind: "accepted" }));
    const refused = { kind: "refused", reason: "uncommitted-limit" };
    expect(cluster.propose(1, [1])).toMatchObject([refused]);
    cluster.settle();
    expect(cluster.propose(1, [60])).toContainEqual(expect.objectContaining({ kind: "accepted" }));
    expect(cluster.propose(1, [60])).toMatchObject([refused]);
  });

  test("a peer that never answers holds no more than its window", () => {
    const cluster = new Cluster({ nodes: 3, options: { inFlightMax: 8 } });
    cluster.elect(1);
    for (let i = 0; i < 1000; i += 1) {
      cluster.propose(1);
      cluster.drop(({ to }) => to === 3);
      cluster.settle([1, 2]);
    }
    expect(cluster.leader.running.commitIndex).toBe(1001);
    const peer = cluster.leader.running.status().peers.find((status) => status.peer === 3)!;
    expect(peer.inFlight).toBe(8);
  });
});

/**
 * Reads by index and by lease. Method: clusters by hand under the checker; the ids are those of the
 * project's list of Raft scenarios (D).
 */
import { describe, expect, test } from "vitest";
import { createRaftCore, type NodeId, type RaftOptions } from "#raft";
import { Cluster, ELECTION_TIMEOUT_MS, HEARTBEAT_MS } from "./cluster.ts";
import type { Packet } from "./node.ts";
import { answers, earlyAnswers, leaseFromAppend } from "./read-scenarios.ts";
import { oneEach } from "./scenarios.ts";

function lead(nodes: number, options?: Partial<RaftOptions>): Cluster {
  const cluster = new Cluster({ nodes, ...(options && { options }) });
  cluster.elect(1);
  return cluster;
}

function read(cluster: Cluster, id: NodeId, number = 1, via: "index" | "lease" = "index") {
  return answers(cluster.node(id).step(cluster.now, { kind: "read", id: number, via }));
}

const heard = (cluster: Cluster, id: NodeId) => answers(cluster.node(id).takeEvents());

const isReply = ({ message }: Packet): boolean => message.kind === "appendReply";

describe("at the leader", () => {
  test("a read waits for a quorum, and no longer", () => {
    const cluster = lead(5);
    expect(read(cluster, 1)).toEqual([]);
    cluster.deliver(({ to }) => to === 2);
    cluster.deliver(isReply);
    expect(heard(cluster, 1)).toEqual([]);
    cluster.deliver(({ to }) => to === 3);
    cluster.deliver(isReply);
    expect(heard(cluster, 1)).toEqual([{ kind: "readReady", id: 1, index: 1 }]);
  });

  test("alone, a leader is its own quorum, once it has committed in its term", () => {
    const cluster = new Cluster({ nodes: 1 });
    cluster.timeOut(1);
    cluster.sync();
    expect(read(cluster, 1)).toEqual([]);
    cluster.sync();
    expect(heard(cluster, 1)).toEqual([{ kind: "readReady", id: 1, index: 1 }]);
    expect(read(cluster, 1, 2)).toEqual([{ kind: "readReady", id: 2, index: 1 }]);
  });

  test("D01: a leader that was replaced and does not know it answers no read", () => {
    const cluster = lead(3);
    cluster.elect(2, [2, 3]);
    cluster.node(1).takeEvents();
    expect(read(cluster, 1)).toEqual([]);
    cluster.drop();
    cluster.run(2 * ELECTION_TIMEOUT_MS, [1]);
    expect(heard(cluster, 1)).toEqual([{ kind: "readFailed", id: 1, reason: "leadership-lost" }]);
  });

  test("D02: a new leader's read waits for an entry of its own term", () => {
    const cluster = lead(3);
    cluster.propose(1);
    cluster.settle([1, 2]);
    cluster.crash(1);
    cluster.now += 2 * ELECTION_TIMEOUT_MS;
    cluster.timeOut(2);
    oneEach(cluster, [2, 3]);
    expect(read(cluster, 2)).toEqual([]);
    // Its round is confirmed, but the disks are slow.
    cluster.deliver();
    cluster.pass(HEARTBEAT_MS, [2]);
    cluster.deliver();
    expect(heard(cluster, 2)).toEqual([]);
    cluster.settle([2, 3]);
    expect(heard(cluster, 2)).toEqual([{ kind: "readReady", id: 1, index: 3 }]);
  });

  test("D03: an answer to an append that left before the read confirms nothing", () => {
    const cluster = earlyAnswers(createRaftCore);
    cluster.settle();
    expect(heard(cluster, 1)).toHaveLength(1);
  });

  test("D04: replayed answers to an earlier read do not confirm a later one of the same id", () => {
    const cluster = lead(3);
    read(cluster, 1, 7);
    cluster.deliver();
    const replies = cluster.packets.filter(isReply);
    cluster.deliver();
    expect(heard(cluster, 1)).toHaveLength(1);
    read(cluster, 1, 7);
    for (const packet of [...replies, ...replies]) cluster.hand(packet);
    expect(heard(cluster, 1)).toEqual([]);
  });

  test("D05: a lost confirmation is made good by the next heartbeat, in order", () => {
    const cluster = lead(3);
    read(cluster, 1, 1);
    read(cluster, 1, 2);
    cluster.drop();
    cluster.run(2 * HEARTBEAT_MS);
    expect(heard(cluster, 1)).toMatchObject([{ id: 1 }, { id: 2 }]);
  });

  test("D07: a smaller quorum lets go what it has confirmed already", () => {
    const cluster = lead(3);
    cluster.change(1, [1]);
    cluster.settle([1, 2]);
    // The old half needs one of the two, the new one only the leader.
    read(cluster, 1);
    cluster.drop();
    cluster.run(2 * HEARTBEAT_MS, [1, 2]);
    expect(heard(cluster, 1)).toMatchObject([{ kind: "readReady" }]);
    read(cluster, 1, 2);
    expect(heard(cluster, 1)).toMatchObject([{ kind: "readReady", id: 2 }]);
  });

  test("reads cost one message a voter and step, and none to learners", () => {
    const voters = (id: NodeId) => (id <= 3 ? [1, 2, 3] : []);
    const cluster = new Cluster({ nodes: 4, voters });
    cluster.elect(1, [1, 2, 3]);
    cluster.change(1, [1, 2, 3], [4]);
    cluster.settle();
    read(cluster, 1);
    expect(cluster.packets.map(({ to }) => to)).toEqual([2, 3]);
  });
});

describe("elsewhere", () => {
  test("a follower asks the leader, and may read what was committed before", () => {
    const cluster = lead(3);
    cluster.propose(1);
    cluster.settle();
    expect(read(cluster, 2)).toEqual([]);
    cluster.settle();
    expect(heard(cluster, 2)).toEqual([{ kind: "readReady", id: 1, index: 2 }]);
    expect(heard(cluster, 1)).toEqual([]);
  });

  test("D12: so does a learner", () => {
    const voters = (id: NodeId) => (id <= 2 ? [1, 2] : []);
    const cluster = new Cluster({ nodes: 3, voters });
    cluster.elect(1, [1, 2]);
    cluster.change(1, [1, 2], [3]);
    cluster.run(2 * HEARTBEAT_MS);
    read(cluster, 3);
    cluster.settle();
    expect(heard(cluster, 3)).toMatchObject([{ kind: "readReady" }]);
  });

  test("one request is out at a time; what comes meanwhile shares the next", () => {
    const cluster = lead(3);
    for (const number of [1, 2, 3]) read(cluster, 2, number);
    const requests = () => cluster.packets.filter(({ message }) => message.kind === "read").length;
    expect(requests()).toBe(1);
    expect(cluster.node(2).running.status().pendingReads).toBe(3);
    cluster.settle();
    expect(heard(cluster, 2)).toMatchObject([{ id: 1 }, { id: 2 }, { id: 3 }]);
    expect(cluster.sent.filter(({ message }) => message.kind === "read")).toHaveLength(2);
  });

  test("a lost request is sent again; with no answer at all, the read fails", () => {
    const cluster = lead(3);
    read(cluster, 2);
    cluster.drop();
    cluster.run(3 * HEARTBEAT_MS);
    expect(heard(cluster, 2)).toMatchObject([{ kind: "readReady" }]);
    read(cluster, 2);
    cluster.drop();
    // It goes on hearing the leader, which does not hear it.
    for (let beat = 0; beat < 12; beat += 1) {
      cluster.pass(HEARTBEAT_MS);
      cluster.drop(({ from }) => from === 2);
      cluster.deliver();
    }
    expect(heard(cluster, 2)).toEqual([{ kind: "readFailed", id: 1, reason: "timeout" }]);
  });

  test("L13: at its deadline a request is sent again, whatever fractions the clock has", () => {
    const options = { electionTimeoutMs: 100.7, heartbeatMs: 10.1 };
    for (let start = 0; start < 50; start += 1) {
      const cluster = lead(3, options);
      cluster.now += start * 0.3;
      cluster.pass(0);
      read(cluster, 2);
      const { running } = cluster.node(2);
      cluster.drop();
      cluster.now = running.deadline;
      cluster.node(2).step(cluster.now, { kind: "tick" });
      expect(running.deadline).toBeGreaterThan(cluster.now);
    }
  });

  test("without a leader, or when it changes, a read fails at once", () => {
    const cluster = new Cluster({ nodes: 3 });
    expect(read(cluster, 2)).toEqual([{ kind: "readFailed", id: 1, reason: "no-leader" }]);
    cluster.elect(1);
    read(cluster, 3);
    cluster.drop();
    cluster.leader.step(cluster.now, { kind: "transfer", to: 2 });
    cluster.settle();
    expect(heard(cluster, 3)).toEqual([{ kind: "readFailed", id: 1, reason: "leadership-lost" }]);
  });

  test("an answer to another request, or of another node, answers nothing", () => {
    const cluster = lead(3);
    read(cluster, 2);
    const asked = cluster.packets.at(-1)!.message;
    if (asked.kind !== "read") throw new Error("no request");
    const reply = { kind: "readReply", term: 1, request: asked.request, index: 1 } as const;
    cluster.inject(3, 2, reply);
    cluster.inject(1, 2, { ...reply, request: asked.request - 1 });
    expect(heard(cluster, 2)).toEqual([]);
    cluster.inject(1, 2, { ...reply, index: 0 });
    expect(heard(cluster, 2)).toMatchObject([{ kind: "readFailed" }]);
  });

  test("a request sent again is one read at the leader; a newer one takes its place", () => {
    const cluster = lead(3);
    const request = { kind: "read", term: 1, request: 9 } as const;
    cluster.inject(2, 1, request);
    cluster.inject(2, 1, request);
    cluster.inject(2, 1, { ...request, request: 10 });
    expect(cluster.leader.running.status().pendingReads).toBe(1);
    cluster.inject(8, 1, request);
    expect(cluster.leader.running.status().pendingReads).toBe(1);
  });
});

describe("leases", () => {
  const LEASE = { leaseMs: 800, clockDriftMax: 0.05 } as const;

  test("a committed entry of the own term is a lease, from the moment of its append", () => {
    const cluster = lead(3, LEASE);
    const appendedAt = cluster.now;
    cluster.now += 500;
    expect(read(cluster, 1, 1, "lease")).toEqual([
      { kind: "readReady", id: 1, index: 1, leaseUntil: appendedAt + 760 },
    ]);
    cluster.now += 260;
    expect(read(cluster, 1, 2, "lease")).toEqual([{ kind: "refused", id: 2, reason: "no-lease" }]);
  });

  test("a lease runs from the append, however long the commit took", () => {
    leaseFromAppend(createRaftCore);
  });

  test("no lease: off, elsewhere, with nothing committed, or during a hand-over", () => {
    const refused = [{ kind: "refused", id: 1, reason: "no-lease" }];
    expect(read(lead(3), 1, 1, "lease")).toEqual(refused);
    const cluster = lead(3, LEASE);
    expect(read(cluster, 2, 1, "lease")).toEqual(refused);
    cluster.leader.step(cluster.now, { kind: "transfer", to: 2 });
    expect(read(cluster, 1, 1, "lease")).toEqual(refused);
    cluster.settle();
    expect(cluster.leader.id).toBe(2);
    expect(cluster.leader.running.commitIndex).toBe(1);
    expect(read(cluster, 2, 1, "lease")).toEqual(refused);
  });

  test("D10: a new leader replicates at once, and commits when the old lease is over", () => {
    const cluster = lead(3, LEASE);
    cluster.propose(1);
    cluster.settle();
    const storedAt = cluster.now;
    cluster.leader.step(cluster.now, { kind: "transfer", to: 2 });
    cluster.settle();
    const { leader } = cluster;
    expect(leader.id).toBe(2);
    cluster.propose(2);
    cluster.settle();
    expect(cluster.node(3).log).toHaveLength(4);
    expect(leader.running.commitIndex).toBe(2);
    cluster.run(storedAt + 839 - cluster.now);
    expect(leader.running.commitIndex).toBe(2);
    cluster.run(2);
    expect(leader.running.commitIndex).toBe(4);
  });

  test("D10: after a restart nothing is known, so the gate is a whole lease long", () => {
    const cluster = lead(1, LEASE);
    cluster.crash(1);
    cluster.now += 100_000;
    cluster.restart(1);
    cluster.run(800);
    expect(cluster.leader.running.commitIndex).toBe(0);
    cluster.run(100);
    expect(cluster.leader.running.commitIndex).toBe(2);
  });

  test("an idle leader renews a lease that is used, and lets one go that is not", () => {
    const cluster = lead(3, LEASE);
    for (let n = 0; n < 20; n += 1) {
      cluster.run(200);
      expect(read(cluster, 1, n, "lease")).toMatchObject([{ kind: "readReady" }]);
    }
    const used = cluster.leader.log.length;
    expect(used).toBeGreaterThan(3);
    cluster.run(20 * ELECTION_TIMEOUT_MS);
    expect(cluster.leader.log.length).toBeLessThan(used + 3);
    // Its end is no end for ever: who asks again gets one again.
    expect(read(cluster, 1, 1, "lease")).toMatchObject([{ kind: "refused" }]);
    cluster.settle();
    expect(read(cluster, 1, 1, "lease")).toMatchObject([{ kind: "readReady" }]);
  });

  test("a lease that is wanted comes back in the very step that ends a hand-over", () => {
    const cluster = lead(3, LEASE);
    cluster.leader.step(cluster.now, { kind: "transfer", to: 2 });
    cluster.drop();
    read(cluster, 1, 1, "lease");
    const { running } = cluster.leader;
    for (let beat = 0; beat < 11; beat += 1) {
      cluster.pass(HEARTBEAT_MS, [1]);
      cluster.drop(({ message }) => message.kind === "timeoutNow");
      cluster.deliver();
      cluster.deliver();
    }
    expect(running.status().transferringTo).toBe(0);
    cluster.settle();
    expect(read(cluster, 1, 2, "lease")).toMatchObject([{ kind: "readReady" }]);
  });

  test("a leader with a dead disk and no followers cannot renew", () => {
    const cluster = lead(3, LEASE);
    read(cluster, 1, 1, "lease");
    cluster.pass(700, [1]);
    cluster.drop();
    cluster.now += 100;
    expect(read(cluster, 1, 2, "lease")).toMatchObject([{ kind: "refused" }]);
  });
});

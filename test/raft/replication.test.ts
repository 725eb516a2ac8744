/**
 * Replication, the commit rule and durability. Method: scenarios by hand, message by message and
 * write by write; the ids are those of the project's list of Raft scenarios.
 */
import { describe, expect, test } from "vitest";
import { InvariantError } from "#base";
import { type AppendMessage, createRaftCore } from "#raft";
import { Cluster, ELECTION_TIMEOUT_MS, HEARTBEAT_MS } from "./cluster.ts";
import { bootOf } from "./node.ts";
import { appends, figure8, oneEach, reorderedReplies } from "./scenarios.ts";

describe("replication", () => {
  test("R01: proposals are applied once, everywhere, in one order", () => {
    const cluster = new Cluster({ nodes: 3 });
    cluster.elect(1);
    for (let i = 0; i < 10; i += 1) {
      cluster.propose(1, [10, 20]);
      if (i % 3 === 0) cluster.settle();
    }
    cluster.settle();
    expect(cluster.nodes.map(({ appliedIndex }) => appliedIndex)).toEqual([21, 21, 21]);
    const chains = cluster.nodes.map(({ log }) => log.at(-1)?.chain);
    expect(new Set(chains).size).toBe(1);
  });

  test("R02: without a quorum nothing commits, and the minority's entries are replaced", () => {
    const cluster = new Cluster({ nodes: 5 });
    cluster.elect(1);
    cluster.propose(1);
    cluster.settle([1, 2]);
    expect(cluster.leader.running.commitIndex).toBe(1);
    cluster.elect(3, [3, 4, 5]);
    cluster.propose(3);
    cluster.settle();
    cluster.run(2 * HEARTBEAT_MS);
    expect(cluster.leader.id).toBe(3);
    expect(cluster.nodes.map(({ id }) => cluster.terms(id))).toEqual(Array(5).fill([1, 2, 2]));
  });

  test("R03: a deposed leader cuts what it never committed, and says so", () => {
    const cluster = new Cluster({ nodes: 3 });
    cluster.elect(1);
    cluster.propose(1, [1, 2]);
    cluster.settle([1]);
    cluster.elect(2, [2, 3]);
    cluster.node(1).takeEvents();
    cluster.run(2 * HEARTBEAT_MS);
    expect(cluster.node(1).takeEvents()).toContainEqual({ kind: "truncated", from: 2 });
    expect(cluster.terms(1)).toEqual([1, 2]);
  });

  test("R04: proposals follow each other without waiting, and no entry is sent twice", () => {
    const cluster = new Cluster({ nodes: 3 });
    cluster.elect(1);
    for (let i = 0; i < 3; i += 1) cluster.propose(1);
    const sent = appends(cluster, 2);
    expect(sent.map(({ prevIndex, sizes }) => [prevIndex, sizes.length])).toEqual([
      [1, 1],
      [2, 1],
      [3, 1],
    ]);
  });

  test("an append leaves in the step that starts the leader's own write", () => {
    const cluster = new Cluster({ nodes: 3 });
    cluster.elect(1);
    const kinds = cluster.propose(1).map(({ kind }) => kind);
    expect(kinds).toEqual(["persist", "accepted", "send", "send"]);
    expect(cluster.packets).toHaveLength(2);
  });

  test.each([1, 3])("R05: %i lost appends are found out by a heartbeat", (count) => {
    const cluster = new Cluster({ nodes: 3 });
    cluster.elect(1);
    for (let i = 0; i < count; i += 1) cluster.propose(1);
    cluster.drop(({ to }) => to === 2);
    cluster.settle([1, 3]);
    expect(cluster.node(2).log).toHaveLength(1);
    cluster.run(2 * HEARTBEAT_MS);
    expect(cluster.node(2).log).toHaveLength(1 + count);
    expect(cluster.node(2).appliedIndex).toBe(1 + count);
  });

  test("R06: the commit index reaches an idle follower at once, and once", () => {
    const cluster = new Cluster({ nodes: 3 });
    cluster.elect(1);
    cluster.propose(1);
    cluster.settle();
    expect(cluster.node(2).running.commitIndex).toBe(2);
    const carrying = appends(cluster, 2, { drained: false }).filter(({ commit }) => commit === 2);
    expect(carrying).toHaveLength(1);
    expect(carrying[0]?.sizes).toEqual([]);
  });

  test("the reply that commits also applies, and tells the followers, in one step", () => {
    const cluster = new Cluster({ nodes: 3 });
    cluster.elect(1);
    cluster.propose(1);
    cluster.sync([1]);
    cluster.deliver();
    cluster.sync([2]);
    const reply = cluster.drop(({ from }) => from === 2)[0]!;
    const kinds = cluster.hand(reply).map(({ kind }) => kind);
    expect(kinds).toEqual(["send", "send", "apply"]);
  });

  test("R07: a follower refuses a proposal", () => {
    const cluster = new Cluster({ nodes: 3 });
    cluster.elect(1);
    expect(cluster.propose(2)).toMatchObject([{ kind: "refused", reason: "not-leader" }]);
  });

  test("R08: appends keep to their limits, and a larger entry goes alone", () => {
    const options = { appendEntriesMax: 3, appendBytesMax: 100 };
    const cluster = new Cluster({ nodes: 3, options });
    cluster.elect(1);
    cluster.propose(1, [1, 1, 1, 1, 60, 60, 500, 40, 60, 1]);
    expect(appends(cluster, 2).map(({ sizes }) => sizes)).toEqual([
      [1, 1, 1],
      [1, 60],
      [60],
      [500],
      [40, 60],
      [1],
    ]);
  });

  test("the window closes by count and by bytes, and a reply opens it", () => {
    const cluster = new Cluster({ nodes: 3, options: { inFlightMax: 2 } });
    cluster.elect(1);
    for (let i = 0; i < 4; i += 1) cluster.propose(1);
    expect(appends(cluster, 2)).toHaveLength(2);
    cluster.deliver(({ to }) => to === 2);
    cluster.sync([2]);
    cluster.deliver(({ from }) => from === 2);
    expect(appends(cluster, 2).map(({ sizes }) => sizes.length)).toEqual([2]);
    const narrow = new Cluster({ nodes: 3, options: { inFlightBytesMax: 100 } });
    narrow.elect(1);
    for (const size of [60, 60, 60]) narrow.propose(1, [size]);
    expect(appends(narrow, 2)).toHaveLength(2);
  });

  test("R09: a follower commits only what the request has verified", () => {
    const logs = { 1: [1, 1, 1, 1], 2: [1, 1, 1, 1, 2, 2] };
    const cluster = new Cluster({ nodes: 3, logs });
    const message: AppendMessage = {
      kind: "append",
      term: 3,
      prevIndex: 3,
      prevTerm: 1,
      sizes: [10],
      runs: [{ first: 4, term: 1 }],
      configurations: [],
      commit: 6,
      session: 0,
      round: 1,
    };
    cluster.inject(1, 2, message, [{ size: 10, payload: 3 }]);
    expect(cluster.node(2).running.commitIndex).toBe(4);
  });

  test("R10: an answer beyond the leader's log stops it; one below the match is nothing", () => {
    const cluster = new Cluster({ nodes: 3 });
    cluster.elect(1);
    const reply = {
      kind: "appendReply",
      term: 1,
      ok: true,
      rejected: 0,
      hintIndex: 0,
      session: 0,
      freeBytes: 1,
    } as const;
    cluster.inject(2, 1, { ...reply, hintTerm: 0, match: 0, round: 0 });
    expect(cluster.leader.running.status().peers[0]).toMatchObject({ match: 1, next: 2 });
    const beyond = { ...reply, hintTerm: 0, match: 9, round: 1 };
    expect(() => cluster.inject(2, 1, beyond)).toThrow(InvariantError);
  });

  test("R11: answers out of order never lower what a peer is known to have", () => {
    const cluster = reorderedReplies(createRaftCore);
    expect(cluster.leader.running.status().peers[0]).toMatchObject({ match: 3, inFlight: 0 });
  });

  test("R13: a broken connection means probing, and a heartbeat ends that", () => {
    const cluster = new Cluster({ nodes: 3 });
    cluster.elect(1);
    cluster.leader.step(cluster.now, { kind: "unreachable", peer: 2 });
    const peer = () => cluster.leader.running.status().peers[0]!;
    cluster.propose(1);
    expect(peer()).toMatchObject({ state: "probe" });
    expect(appends(cluster, 2)).toEqual([]);
    cluster.run(2 * HEARTBEAT_MS);
    expect(peer()).toMatchObject({ state: "replicate", match: 2 });
  });

  test("a peer that needs compacted entries is reported, and still hears heartbeats", () => {
    const cluster = new Cluster({ nodes: 3 });
    cluster.elect(1, [1, 2]);
    cluster.propose(1, [1, 1, 1]);
    cluster.settle([1, 2]);
    cluster.leader.compact(cluster.now, 3);
    cluster.leader.takeEvents();
    cluster.run(3 * HEARTBEAT_MS);
    const behind = cluster.leader.takeEvents().filter(({ kind }) => kind === "makeSnapshot");
    expect(behind.at(-1)).toEqual({ kind: "makeSnapshot", to: 3, atLeast: 3 });
    expect(behind.length).toBeLessThan(6);
    expect(cluster.node(3).running.status()).toMatchObject({ role: "follower", leader: 1 });
    cluster.run(10 * ELECTION_TIMEOUT_MS);
    expect(cluster.leader.term).toBe(1);
  });
});

describe("the commit rule", () => {
  test("what a leader has cut may still be committed, by one that kept it", () => {
    const cluster = new Cluster({ nodes: 5 });
    cluster.elect(1);
    cluster.propose(1);
    cluster.settle([1, 2]);
    // Node 3 wins without the entry, and then reaches only node 1, which cuts it.
    cluster.now += 2 * ELECTION_TIMEOUT_MS;
    cluster.timeOut(3);
    oneEach(cluster, [3, 4, 5]);
    cluster.drop();
    cluster.node(1).takeEvents();
    cluster.run(2 * HEARTBEAT_MS, [1, 3]);
    expect(cluster.node(1).takeEvents()).toContainEqual({ kind: "truncated", from: 2 });
    // Node 2 kept it, and nobody else who is left knows better.
    for (const id of [1, 3]) cluster.crash(id);
    cluster.timeOut(2);
    cluster.settle([2, 4, 5]);
    cluster.elect(2, [2, 4, 5]);
    expect(cluster.terms(4)).toEqual([1, 1, 3]);
    expect(cluster.leader.running.commitIndex).toBe(3);
  });

  test("C01: figure 8: an old entry on a majority may still be replaced", () => {
    const cluster = figure8(createRaftCore);
    expect(cluster.leader.id).toBe(5);
    expect(cluster.terms(3)).toEqual([1, 3, cluster.leader.term]);
  });

  test("C03: entries of older terms are committed by the new term's no-op", () => {
    const cluster = new Cluster({ nodes: 3, logs: { 1: [1, 1], 2: [1, 1], 3: [1, 1] } });
    cluster.timeOut(1);
    oneEach(cluster);
    expect(cluster.leader.running.commitIndex).toBe(0);
    cluster.settle();
    expect(cluster.leader.running.commitIndex).toBe(3);
  });

  test("C04: an entry is committed by a newer term while a stale leader holds another", () => {
    const logs = { 1: [1, 2], 2: [1, 2], 3: [1], 4: [1], 5: [1, 3] };
    const cluster = new Cluster({ nodes: 5, logs, terms: { 1: 3, 2: 3, 3: 3, 4: 3 } });
    cluster.elect(1, [1, 2, 3, 4]);
    expect(cluster.leader.running.commitIndex).toBe(3);
    expect(cluster.terms(5)).toEqual([1, 3]);
    cluster.run(3 * HEARTBEAT_MS);
    expect(cluster.terms(5)).toEqual([1, 2, 4]);
  });

  test("C05: a leader with a slow disk commits by its followers, and applies later", () => {
    const cluster = new Cluster({ nodes: 3 });
    cluster.elect(1);
    cluster.propose(1);
    cluster.deliver();
    cluster.sync([2, 3]);
    cluster.deliver();
    expect(cluster.leader.running.commitIndex).toBe(2);
    expect(cluster.leader.appliedIndex).toBe(1);
    cluster.sync([1]);
    expect(cluster.leader.appliedIndex).toBe(2);
  });

  test("C07: nobody stores the commit index; the next leader finds it again", () => {
    const cluster = new Cluster({ nodes: 3 });
    cluster.elect(1);
    cluster.propose(1, [1, 1]);
    cluster.settle();
    for (const { id } of cluster.nodes) cluster.crash(id);
    for (const node of cluster.nodes) node.start(cluster.now, 3);
    cluster.elect(2);
    cluster.settle();
    expect(cluster.nodes.map(({ appliedIndex }) => appliedIndex)).toEqual([4, 4, 4]);
  });

  test("C08: a commit index beyond the log means: all that is verified", () => {
    const cluster = new Cluster({ nodes: 3, logs: { 2: [1, 1] } });
    const message: AppendMessage = {
      kind: "append",
      term: 1,
      prevIndex: 2,
      prevTerm: 1,
      sizes: [],
      runs: [],
      configurations: [],
      commit: 9,
      session: 0,
      round: 1,
    };
    cluster.inject(1, 2, message);
    expect(cluster.node(2).running.commitIndex).toBe(2);
  });

  test("C08: a disk that has lost what was applied stops the process at its start", () => {
    const boot = {
      ...bootOf([1]),
      hardState: { term: 1, vote: 0 },
      compactedIndex: 0,
      compactedTerm: 0,
      runs: [{ first: 1, term: 1 }],
      sizes: [1],
      appliedIndex: 2,
    };
    const options = { self: 1, random: () => 0 };
    expect(() => createRaftCore(options, boot, 0)).toThrow(InvariantError);
  });
});

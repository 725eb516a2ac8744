/**
 * Crashes, and logs that have grown apart. Method: disks with given logs, crashes between a step
 * and its write; the ids are those of the project's list of Raft scenarios (P and B).
 */
import { describe, expect, test } from "vitest";
import { InvariantError } from "#base";
import { type AppendMessage, createRaftCore, type Term } from "#raft";
import { Cluster, ELECTION_TIMEOUT_MS, HEARTBEAT_MS } from "./cluster.ts";
import { bootOf } from "./node.ts";
import { appends, requestVote, voteReplies } from "./scenarios.ts";

describe("restarts", () => {
  test("P01: each node restarts in turn, then all at once, and work goes on", () => {
    const cluster = new Cluster({ nodes: 3 });
    cluster.elect(1);
    for (const id of [1, 2, 3]) {
      cluster.crash(id);
      cluster.restart(id);
      cluster.run(5 * ELECTION_TIMEOUT_MS);
      cluster.propose(cluster.leader.id);
      cluster.settle();
    }
    for (const { id } of cluster.nodes) cluster.crash(id);
    for (const { id } of cluster.nodes) cluster.restart(id);
    cluster.run(5 * ELECTION_TIMEOUT_MS);
    cluster.propose(cluster.leader.id);
    cluster.settle();
    const last = cluster.leader.log.length;
    expect(cluster.nodes.map(({ appliedIndex }) => appliedIndex)).toEqual([last, last, last]);
  });

  test("P02: a vote that did not reach the disk before a crash was never heard", () => {
    const cluster = new Cluster({ nodes: 3 });
    requestVote(cluster, { from: 1, to: 3, term: 1 });
    cluster.crash(3);
    cluster.restart(3);
    expect(voteReplies(cluster)).toEqual([]);
    requestVote(cluster, { from: 2, to: 3, term: 1 });
    cluster.sync();
    expect(voteReplies(cluster)).toMatchObject([{ granted: true }]);
  });

  test("P03, P04: term, vote, cut and entries of one step are one write", () => {
    const cluster = new Cluster({ nodes: 3, logs: { 2: [1, 1] } });
    const message: AppendMessage = {
      kind: "append",
      term: 5,
      prevIndex: 1,
      prevTerm: 1,
      sizes: [7, 8],
      runs: [
        { first: 2, term: 4 },
        { first: 3, term: 5 },
      ],
      configurations: [],
      commit: 0,
      session: 0,
      round: 1,
    };
    const payloads = [
      { size: 7, payload: 50 },
      { size: 8, payload: 51 },
    ];
    const outputs = cluster.inject(1, 2, message, payloads);
    expect(outputs.filter(({ kind }) => kind === "persist")).toEqual([
      {
        kind: "persist",
        seq: 1,
        hardState: { term: 5, vote: 0 },
        truncateFrom: 2,
        append: { from: 2, count: 2, runs: message.runs, source: "message" },
      },
    ]);
  });

  test("P05: a state machine that lost its tail gets exactly the missing entries again", () => {
    const cluster = new Cluster({ nodes: 3 });
    cluster.elect(1);
    cluster.propose(1, [1, 1, 1, 1]);
    cluster.settle();
    expect(cluster.node(3).appliedIndex).toBe(5);
    cluster.crash(3);
    cluster.node(3).start(cluster.now, 2);
    cluster.run(2 * HEARTBEAT_MS);
    const applied = cluster
      .node(3)
      .takeEvents()
      .filter(({ kind }) => kind === "apply");
    expect(applied).toEqual([{ kind: "apply", from: 3, to: 5 }]);
  });

  test("P09: a leader that restarts has forgotten that it led", () => {
    const cluster = new Cluster({ nodes: 3 });
    cluster.elect(1);
    cluster.propose(1);
    cluster.crash(1);
    cluster.restart(1);
    expect(cluster.node(1).running.status()).toMatchObject({ role: "follower", peers: [] });
    expect(cluster.propose(1)).toMatchObject([{ kind: "refused" }]);
  });

  test("an acknowledgement waits for the write with the entries, also when repeated", () => {
    const cluster = new Cluster({ nodes: 3 });
    cluster.elect(1);
    cluster.propose(1);
    const packet = cluster.packets.find(({ to }) => to === 2)!;
    cluster.deliver(({ to }) => to === 2);
    const again = cluster.hand(packet);
    expect(again).toMatchObject([{ kind: "send", after: 3, message: { match: 2 } }]);
    cluster.sync([2]);
    const late = cluster.hand(packet);
    expect(late).toHaveLength(1);
    expect(late[0]).not.toHaveProperty("after");
  });

  test("a write of entries that were cut meanwhile proves nothing about their successors", () => {
    const cluster = new Cluster({ nodes: 3, logs: { 1: [1], 2: [1], 3: [1] } });
    const node = cluster.node(2);
    const given = [{ size: 10, payload: 99 }];
    const message = {
      kind: "append",
      prevIndex: 1,
      prevTerm: 1,
      sizes: [10],
      configurations: [],
      commit: 0,
      session: 0,
      round: 1,
    } as const;
    cluster.inject(1, 2, { ...message, term: 2, runs: [{ first: 2, term: 2 }] }, given);
    cluster.inject(3, 2, { ...message, term: 3, runs: [{ first: 2, term: 3 }] }, given);
    node.sync(cluster.now, 1);
    expect(node.running.status().stableIndex).toBe(1);
    node.sync(cluster.now, 1);
    expect(node.running.status().stableIndex).toBe(2);
  });

  test("a boot state that contradicts itself stops the process", () => {
    const options = { self: 1, random: () => 0 };
    const boot = {
      ...bootOf([1]),
      hardState: { term: 3, vote: 0 },
      compactedIndex: 4,
      compactedTerm: 2,
      runs: [{ first: 5, term: 3 }],
      sizes: [1],
      appliedIndex: 4,
    };
    expect(createRaftCore(options, boot, 0).status()).toMatchObject({
      firstIndex: 5,
      lastIndex: 5,
    });
    const broken = [
      { ...boot, appliedIndex: 6 },
      { ...boot, appliedIndex: 3 },
      { ...boot, hardState: { term: 2, vote: 0 } },
      { ...boot, runs: [{ first: 5, term: 1 }] },
      { ...boot, runs: [{ first: 6, term: 3 }] },
      { ...boot, sizes: [] },
      { ...boot, sizes: [-1] },
    ];
    for (const wrong of broken)
      expect(() => createRaftCore(options, wrong, 0)).toThrow(InvariantError);
  });

  test("options that make no sense are refused", () => {
    const options = { self: 1, random: () => 0 };
    const wrong = [
      { ...options, self: 0 },
      { ...options, self: 1.5 },
      { ...options, heartbeatMs: 1000 },
      { ...options, heartbeatMs: 0 },
      { ...options, inFlightMax: 0 },
    ];
    for (const bad of wrong)
      expect(() => createRaftCore(bad, bootOf([1, 2, 3]), 0)).toThrow(RangeError);
  });
});

/** Refusals that a follower sent. */
function refusals(cluster: Cluster, from: number): number {
  return cluster.sent.filter(
    (packet) => packet.from === from && packet.message.kind === "appendReply" && !packet.message.ok,
  ).length;
}

const runsOfTerms = (...counts: readonly (readonly [Term, number])[]): Term[] =>
  counts.flatMap(([term, count]) => Array<Term>(count).fill(term));

describe("logs that have grown apart", () => {
  // Figure 7 of the Raft paper: the leader for term 8, and what followers may hold.
  const LEADER = [1, 1, 1, 4, 4, 5, 5, 6, 6, 6];
  test.each([
    ["a", [1, 1, 1, 4, 4, 5, 5, 6, 6]],
    ["b", [1, 1, 1, 4]],
    ["c", [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6]],
    ["d", [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7]],
    ["e", [1, 1, 1, 4, 4, 4, 4]],
    ["f", [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3]],
  ])("B01: follower %s of figure 7 becomes equal in a few probes", (_, follower) => {
    const cluster = new Cluster({
      nodes: 3,
      logs: { 1: LEADER, 2: LEADER, 3: follower },
      terms: { 1: 7 },
    });
    cluster.elect(1, [1, 2]);
    cluster.run(2 * HEARTBEAT_MS);
    expect(cluster.terms(3)).toEqual([...LEADER, 8]);
    expect(refusals(cluster, 3)).toBeLessThanOrEqual(new Set(follower).size + 2);
  });

  test("B02, B03: tails of a thousand entries cost at most four round trips", () => {
    const short = runsOfTerms([1, 10], [2, 1000]);
    const long = runsOfTerms([1, 10], [3, 1000]);
    const many = runsOfTerms(
      [1, 10],
      ...Array.from({ length: 500 }, (_, i) => [i + 4, 2] as const),
    );
    for (const [leader, follower] of [
      [long, short],
      [many, short],
      [many, long],
      [runsOfTerms([1, 10], [900, 1]), many],
    ] as const) {
      const logs = { 1: leader, 2: leader, 3: follower };
      const cluster = new Cluster({ nodes: 3, logs, terms: { 1: 1000, 2: 1000 } });
      cluster.elect(1, [1, 2]);
      cluster.run(2 * HEARTBEAT_MS);
      expect(cluster.terms(3)).toEqual([...leader, 1001]);
      expect(refusals(cluster, 3)).toBeLessThanOrEqual(4);
    }
  });

  test("B05: a stale refusal changes nothing", () => {
    const cluster = new Cluster({ nodes: 3 });
    cluster.elect(1);
    cluster.propose(1);
    cluster.settle();
    const before = cluster.leader.running.status().peers;
    const refusal = {
      kind: "appendReply",
      term: 1,
      ok: false,
      match: 0,
      session: 0,
      round: 1,
      freeBytes: 1,
    } as const;
    cluster.inject(2, 1, { ...refusal, rejected: 2, hintIndex: 0, hintTerm: 0 });
    cluster.inject(2, 1, { ...refusal, rejected: 1, hintIndex: 0, hintTerm: 0 });
    expect(cluster.leader.running.status().peers).toEqual(before);
    // While probing, only an answer to the probe in hand counts.
    cluster.leader.step(cluster.now, { kind: "unreachable", peer: 2 });
    cluster.propose(1, [1, 1]);
    cluster.inject(2, 1, { ...refusal, rejected: 4, hintIndex: 2, hintTerm: 1 });
    expect(cluster.leader.running.status().peers[0]).toMatchObject({ next: 3, state: "probe" });
    expect(appends(cluster, 2)).toEqual([]);
  });

  test("B06: equal indexes of different terms at the border are told apart", () => {
    for (const [leader, follower] of [
      [
        [1, 2, 2],
        [1, 1, 1],
      ],
      [
        [1, 1, 3],
        [1, 1, 2],
      ],
      [
        [1, 3],
        [1, 2, 2],
      ],
      [[3], [2]],
    ] as const) {
      const cluster = new Cluster({ nodes: 3, logs: { 1: leader, 2: leader, 3: follower } });
      cluster.elect(1, [1, 2]);
      cluster.run(2 * HEARTBEAT_MS);
      expect(cluster.terms(3)).toEqual(cluster.terms(1));
      expect(cluster.node(3).appliedIndex).toBe(leader.length + 1);
    }
  });

  test("B07: a late append that ends early does not shorten the log", () => {
    const cluster = new Cluster({ nodes: 3 });
    cluster.elect(1);
    cluster.propose(1);
    const early = cluster.packets.find(({ to }) => to === 2)!;
    cluster.propose(1, [1, 1]);
    cluster.settle();
    const writes = cluster.node(2).writes.length;
    cluster.hand(early);
    expect(cluster.node(2).log).toHaveLength(4);
    expect(cluster.node(2).writes).toHaveLength(writes);
  });
});

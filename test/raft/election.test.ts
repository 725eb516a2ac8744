/**
 * Elections. Method: scenarios by hand, message by message; the ids are those of the project's
 * list of Raft scenarios. The checker watches every step.
 */
import { describe, expect, test } from "vitest";
import { InvariantError } from "#base";
import { seededRandom } from "#platform";
import { createRaftCore, type Message, type Output } from "#raft";
import { Cluster, ELECTION_TIMEOUT_MS } from "./cluster.ts";
import { bootOf } from "./node.ts";
import { requestVote, roles, voteReplies } from "./scenarios.ts";

describe("elections", () => {
  test("E01: a single node elects itself once its vote is on disk, and commits alone", () => {
    const cluster = new Cluster({ nodes: 1 });
    cluster.timeOut(1);
    expect(cluster.node(1).running.role).toBe("candidate");
    cluster.sync();
    expect(cluster.leader.id).toBe(1);
    cluster.propose(1);
    expect(cluster.leader.running.commitIndex).toBe(0);
    cluster.sync();
    expect(cluster.leader.running.commitIndex).toBe(2);
    expect(cluster.leader.appliedIndex).toBe(2);
    expect(cluster.sent).toEqual([]);
  });

  test("E02: one timeout, one round, one leader, and the term stays", () => {
    const cluster = new Cluster({ nodes: 3 });
    cluster.timeOut(1);
    cluster.settle();
    expect(roles(cluster)).toEqual(["leader", "follower", "follower"]);
    expect(cluster.sent.filter(({ message }) => message.kind === "vote")).toHaveLength(4);
    cluster.run(20 * ELECTION_TIMEOUT_MS);
    expect(cluster.leader.id).toBe(1);
    expect(cluster.nodes.map(({ term }) => term)).toEqual([1, 1, 1]);
    expect(cluster.nodes.map(({ running }) => running.status().leader)).toEqual([1, 1, 1]);
  });

  test.each([3, 4])("E03: a tie of %i nodes has no winner, and the next round has", (nodes) => {
    const cluster = new Cluster({ nodes });
    const rivals = nodes === 3 ? [1, 2, 3] : [1, 2];
    for (const id of rivals) cluster.timeOut(id);
    // Everyone grants pre-votes, so all rivals become candidates in the same term.
    cluster.deliver();
    cluster.deliver();
    cluster.sync();
    if (nodes === 4) {
      cluster.deliver(({ from, to }) => (from === 1 && to === 3) || (from === 2 && to === 4));
    }
    cluster.settle();
    expect(cluster.leaders()).toEqual([]);
    cluster.run(10 * ELECTION_TIMEOUT_MS);
    expect(cluster.leaders()).toHaveLength(1);
  });

  test("E04: a candidate behind a quorum loses; one ahead of a minority wins", () => {
    const logs = { 1: [1], 2: [1, 1], 3: [1, 1] };
    const behind = new Cluster({ nodes: 3, logs });
    behind.timeOut(1);
    behind.settle();
    expect(behind.leaders()).toEqual([]);
    const ahead = new Cluster({ nodes: 3, logs: { 1: [1], 2: [1], 3: [1, 1] } });
    ahead.timeOut(1);
    ahead.settle();
    expect(ahead.leader.id).toBe(1);
    expect(ahead.terms(3)).toEqual([1, 2]);
  });

  test("E05: a shorter log with a newer last term wins", () => {
    const cluster = new Cluster({ nodes: 3, logs: { 1: [1, 2], 2: [1, 1, 1], 3: [1, 1, 1] } });
    cluster.timeOut(1);
    cluster.settle();
    expect(cluster.leader.id).toBe(1);
    expect(cluster.terms(2)).toEqual([1, 2, 3]);
  });

  test("E06: a doubled request gets the same answer, one record, and counts once", () => {
    const cluster = new Cluster({ nodes: 5 });
    const node = cluster.node(2);
    requestVote(cluster, { from: 1, to: 2, term: 1 });
    requestVote(cluster, { from: 1, to: 2, term: 1 });
    expect(node.writes).toHaveLength(1);
    expect(voteReplies(cluster)).toEqual([]);
    cluster.sync();
    expect(voteReplies(cluster).map(({ granted }) => granted)).toEqual([true, true]);
    // At the candidate, one voter that answers twice is no quorum.
    const other = new Cluster({ nodes: 5 });
    other.timeOut(1);
    other.deliver();
    other.deliver();
    other.sync([1]);
    other.deliver(({ to }) => to === 2);
    other.sync([2]);
    for (const packet of other.packets.filter(({ from }) => from === 2)) {
      other.hand(packet);
      other.hand(packet);
      other.hand(packet);
    }
    expect(other.node(1).running.role).toBe("candidate");
  });

  test("E07: a second candidate of the term is refused, also after a restart", () => {
    const cluster = new Cluster({ nodes: 3 });
    requestVote(cluster, { from: 1, to: 3, term: 1 });
    cluster.sync();
    requestVote(cluster, { from: 2, to: 3, term: 1 });
    cluster.crash(3);
    cluster.restart(3);
    requestVote(cluster, { from: 2, to: 3, term: 1 });
    expect(voteReplies(cluster).map(({ granted }) => granted)).toEqual([true, false, false]);
  });

  test("E08: a candidate that yields to the leader of its term keeps its vote for itself", () => {
    const cluster = new Cluster({ nodes: 3, logs: { 1: [1], 2: [1], 3: [1] } });
    cluster.timeOut(3);
    cluster.deliver(({ to }) => to === 1);
    cluster.deliver(({ to }) => to === 3);
    cluster.sync();
    expect(cluster.node(3).running.role).toBe("candidate");
    // An append that does not match is still the word of a leader.
    cluster.inject(1, 3, append({ term: 2, prevIndex: 5, prevTerm: 2 }));
    expect(cluster.node(3).running.role).toBe("follower");
    requestVote(cluster, { from: 2, to: 3, term: 2 });
    expect(voteReplies(cluster).at(-1)).toMatchObject({ granted: false, term: 2, pre: false });
    expect(cluster.node(3).running.status().vote).toBe(3);
  });

  test("E09: a voter that becomes pre-candidate and steps back keeps its vote", () => {
    const cluster = new Cluster({ nodes: 3 });
    requestVote(cluster, { from: 1, to: 3, term: 1 });
    cluster.sync();
    cluster.timeOut(3);
    expect(cluster.node(3).running.role).toBe("pre-candidate");
    cluster.inject(1, 3, append({ term: 1, prevIndex: 0, prevTerm: 0 }));
    cluster.now += 5 * ELECTION_TIMEOUT_MS;
    requestVote(cluster, { from: 2, to: 3, term: 1 });
    expect(voteReplies(cluster).at(-1)).toMatchObject({ granted: false });
    expect(cluster.node(3).running.status().vote).toBe(1);
  });

  test("E10: grants of an older candidacy, or of the pre-vote, elect nobody", () => {
    const cluster = new Cluster({ nodes: 3 });
    cluster.timeOut(1);
    cluster.deliver(({ to }) => to !== 1);
    const preGrants = cluster.packets.filter(({ to }) => to === 1);
    cluster.deliver(({ to }) => to === 1);
    cluster.sync();
    expect(cluster.node(1).running.role).toBe("candidate");
    for (const packet of preGrants) cluster.hand(packet);
    expect(cluster.node(1).running.role).toBe("candidate");
    cluster.deliver(({ to }) => to === 2);
    cluster.sync([2]);
    const grants = cluster.drop(({ from, to }) => from === 2 && to === 1);
    cluster.drop();
    cluster.timeOut(1);
    cluster.deliver();
    cluster.deliver(({ to }) => to === 1);
    cluster.sync([1]);
    expect(cluster.node(1).term).toBe(2);
    for (const packet of grants) cluster.hand(packet);
    expect(cluster.node(1).running.role).toBe("candidate");
  });

  test("E11: a candidate's own vote counts once it is on disk, and never in a later term", () => {
    const options = { nodes: 5, random: (id: number) => () => id / 10 };
    const cluster = new Cluster(options);
    const node = cluster.node(1);
    cluster.timeOut(1);
    cluster.deliver();
    cluster.deliver();
    expect(node.running.role).toBe("candidate");
    // The request itself waits for that very disk, so the grants are forged.
    for (const from of [2, 3]) {
      cluster.inject(from, 1, {
        kind: "voteReply",
        term: 1,
        granted: true,
        pre: false,
        attempt: 2,
        removedAt: 0,
      });
    }
    expect(node.running.role).toBe("candidate");
    node.sync(cluster.now);
    expect(node.running.role).toBe("leader");

    const late = new Cluster(options);
    late.timeOut(1);
    late.deliver();
    late.deliver();
    late.inject(2, 1, append({ term: 2, prevIndex: 0, prevTerm: 0 }));
    late.node(1).sync(late.now);
    expect(late.node(1).running.role).toBe("follower");
  });

  test("E12: a vote that never reaches the disk is never heard", () => {
    const cluster = new Cluster({ nodes: 3 });
    requestVote(cluster, { from: 1, to: 2, term: 1 });
    cluster.run(20 * ELECTION_TIMEOUT_MS, []);
    expect(cluster.sent).toEqual([]);
  });

  test("E13: a candidate names the log it has, with entries that are still on their way", () => {
    const cluster = new Cluster({ nodes: 3 });
    cluster.elect(1);
    cluster.propose(1);
    cluster.deliver(({ to }) => to === 2);
    expect(cluster.node(2).running.status()).toMatchObject({ lastIndex: 2, stableIndex: 1 });
    cluster.drop();
    cluster.now += 2 * ELECTION_TIMEOUT_MS;
    cluster.timeOut(2);
    expect(cluster.packets[0]?.message).toMatchObject({ pre: true, lastIndex: 2, lastTerm: 1 });
  });

  test("E14: a heartbeat makes a candidate follow; an old one does not", () => {
    const cluster = new Cluster({ nodes: 3, terms: { 1: 4, 2: 4, 3: 4 } });
    cluster.timeOut(1);
    cluster.deliver();
    cluster.deliver();
    cluster.sync();
    expect(cluster.node(1).running.role).toBe("candidate");
    cluster.inject(2, 1, append({ term: 4, prevIndex: 0, prevTerm: 0 }));
    expect(cluster.node(1).running.role).toBe("candidate");
    expect(cluster.packets.at(-1)?.message).toMatchObject({ ok: false, term: 5 });
    cluster.inject(2, 1, append({ term: 5, prevIndex: 0, prevTerm: 0 }));
    expect(cluster.node(1).running.status()).toMatchObject({ role: "follower", leader: 2 });
  });

  test("E15: a second leader in a term stops the process", () => {
    const cluster = new Cluster({ nodes: 3 });
    cluster.elect(1);
    const forged = append({ term: 1, prevIndex: 0, prevTerm: 0 });
    expect(() => cluster.inject(2, 1, forged)).toThrow(InvariantError);
    expect(() => cluster.inject(2, 3, forged)).toThrow(InvariantError);
    expect(() => cluster.node(3).step(cluster.now, { kind: "tick" })).toThrow(InvariantError);
  });

  test("E16: timeouts cover [T, 2T), and five nodes seldom tie", () => {
    const random = seededRandom(1);
    const draws: number[] = [];
    let ties = 0;
    for (let round = 0; round < 400; round += 1) {
      const deadlines = [1, 2, 3, 4, 5].map((self) => {
        const voters = [1, 2, 3, 4, 5];
        const options = { self, random: () => random.fraction() };
        return createRaftCore(options, bootOf(voters), 0).deadline;
      });
      draws.push(...deadlines);
      deadlines.sort((a, b) => a - b);
      // Two that wake within a round trip of 20 ms are rivals.
      if (deadlines[1]! - deadlines[0]! < 20) ties += 1;
    }
    expect(Math.min(...draws)).toBeGreaterThanOrEqual(1000);
    expect(Math.min(...draws)).toBeLessThan(1010);
    expect(Math.max(...draws)).toBeLessThan(2000);
    expect(Math.max(...draws)).toBeGreaterThan(1990);
    expect(ties / 400).toBeLessThan(0.3);
  });

  test("E17: nobody campaigns where terms can no longer be counted", () => {
    const term = 2 ** 53 - 2;
    const cluster = new Cluster({ nodes: 1, terms: { 1: term } });
    cluster.run(10 * ELECTION_TIMEOUT_MS);
    expect(cluster.leaders()).toEqual([]);
    expect(cluster.node(1).term).toBe(term);
    const before = new Cluster({ nodes: 1, terms: { 1: term - 1 } });
    before.run(10 * ELECTION_TIMEOUT_MS);
    expect(before.leader.term).toBe(term);
  });

  test("a stranger may lead, and may be voted for with a log like ours; else it is nobody", () => {
    const cluster = new Cluster({ nodes: 3, logs: { 1: [1], 2: [1] } });
    const reply = { kind: "voteReply", granted: false, pre: false, attempt: 1 } as const;
    cluster.inject(9, 1, { ...reply, term: 7, removedAt: 0 });
    const vote = { kind: "vote", pre: false, transfer: false, attempt: 1 } as const;
    cluster.inject(9, 1, { ...vote, term: 7, lastIndex: 0, lastTerm: 0 });
    expect(cluster.node(1).term).toBe(1);
    // It may have been added, and this node not have heard of it yet.
    cluster.inject(9, 1, { ...vote, term: 7, lastIndex: 1, lastTerm: 1 });
    expect(cluster.node(1).running.status()).toMatchObject({ term: 7, vote: 9 });
    cluster.inject(9, 2, append({ term: 7, prevIndex: 1, prevTerm: 1 }));
    expect(cluster.node(2).running.status()).toMatchObject({ term: 7, leader: 9 });
  });

  test("a change of role, term or leader is told once", () => {
    const cluster = new Cluster({ nodes: 3 });
    cluster.elect(1);
    const told = (id: number): Output[] =>
      cluster
        .node(id)
        .takeEvents()
        .filter(({ kind }) => kind === "role");
    expect(told(1)).toEqual([
      { kind: "role", role: "pre-candidate", term: 0, leader: 0 },
      { kind: "role", role: "candidate", term: 1, leader: 0 },
      { kind: "role", role: "leader", term: 1, leader: 1 },
    ]);
    expect(told(2)).toEqual([
      { kind: "role", role: "follower", term: 1, leader: 0 },
      { kind: "role", role: "follower", term: 1, leader: 1 },
    ]);
    cluster.run(5 * ELECTION_TIMEOUT_MS);
    expect(told(2)).toEqual([]);
  });
});

const NO_ENTRIES = {
  sizes: [],
  runs: [],
  configurations: [],
  commit: 0,
  session: 0,
  round: 1,
} as const;

/** A heartbeat. */
function append(part: { term: number; prevIndex: number; prevTerm: number }): Message {
  return { kind: "append", ...NO_ENTRIES, ...part };
}

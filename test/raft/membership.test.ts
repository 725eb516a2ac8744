/**
 * Who takes part, and how that changes. Method: clusters by hand under the checker; the ids are
 * those of the project's list of Raft scenarios (M).
 */
import { describe, expect, test } from "vitest";
import { InvariantError } from "#base";
import { createRaftCore, type NodeId } from "#raft";
import { Cluster, ELECTION_TIMEOUT_MS, HEARTBEAT_MS } from "./cluster.ts";
import {
  changeBeforeOwnTerm,
  comesBackInOneTerm,
  dismissedLeaderGoes,
  emptyVoter,
  jointElection,
  refusal,
  removedIsTold,
  seesItsRemovalThrough,
  withLearner,
  withSpares,
} from "./member-scenarios.ts";

const ONE_TO_THREE = [1, 2, 3];

function setsOf(cluster: Cluster, id: NodeId) {
  const { voters, outgoing, learners } = cluster.node(id).running.configuration.sets;
  return [voters, outgoing, learners];
}

describe("changes", () => {
  test("M01: a learner joins and becomes a voter, another voter leaves, each through joint", () => {
    const cluster = withLearner();
    expect(setsOf(cluster, 4)).toEqual([[1, 2, 3], [], [4]]);
    cluster.change(1, [1, 2, 3, 4]);
    expect(setsOf(cluster, 1)).toEqual([[1, 2, 3, 4], [1, 2, 3], []]);
    cluster.run(5 * HEARTBEAT_MS);
    for (const id of [1, 2, 3, 4]) expect(setsOf(cluster, id)).toEqual([[1, 2, 3, 4], [], []]);
    cluster.change(1, [1, 2, 4]);
    cluster.run(5 * HEARTBEAT_MS);
    for (const id of [1, 2, 3, 4]) expect(setsOf(cluster, id)).toEqual([[1, 2, 4], [], []]);
    expect(cluster.leader.running.status().peers.map(({ peer }) => peer)).toEqual([2, 4]);
    // It heard of its own removal, and is content.
    cluster.run(10 * ELECTION_TIMEOUT_MS);
    expect(cluster.leader.term).toBe(1);
    expect(cluster.node(3).running.role).toBe("follower");
  });

  test("M01: several voters at once, and a voter that becomes a learner", () => {
    const cluster = withSpares(5);
    cluster.change(1, ONE_TO_THREE, [4, 5]);
    cluster.run(5 * HEARTBEAT_MS);
    cluster.change(1, [1, 4, 5], [2]);
    expect(setsOf(cluster, 1)).toEqual([[1, 4, 5], [1, 2, 3], [2]]);
    cluster.run(5 * HEARTBEAT_MS);
    for (const id of [1, 2, 4, 5]) expect(setsOf(cluster, id)).toEqual([[1, 4, 5], [], [2]]);
    cluster.crash(1);
    cluster.run(10 * ELECTION_TIMEOUT_MS, [2, 3, 4, 5]);
    expect([4, 5]).toContain(cluster.leader.id);
  });

  test("M05: a refused change leaves nothing in the log, not even what was due anyway", () => {
    const cluster = withSpares(3);
    const exchange = (): void => {
      for (let round = 0; round < 4; round += 1) {
        cluster.sync();
        cluster.drop(({ message }) => message.kind === "timeoutNow");
        cluster.deliver();
      }
    };
    cluster.change(1, [1, 2]);
    const startedAt = cluster.now;
    cluster.node(1).step(startedAt, { kind: "transfer", to: 2 });
    exchange();
    cluster.now = startedAt + ELECTION_TIMEOUT_MS / 2;
    cluster.node(1).step(cluster.now, { kind: "tick" });
    exchange();
    const { committedConfiguration } = cluster.node(1).running.status();
    expect(committedConfiguration.sets.outgoing, "held up by the transfer").toEqual(ONE_TO_THREE);
    cluster.now = startedAt + ELECTION_TIMEOUT_MS;
    const kinds = cluster.change(1, [1, 2], [3]).map(({ kind }) => kind);
    expect(kinds).toContain("refused");
    expect(kinds).toContain("transferEnded");
    expect(kinds, "the driver would take it for that change").not.toContain("persist");
    cluster.node(1).step(cluster.now, { kind: "tick" });
    exchange();
    expect(setsOf(cluster, 1)).toEqual([[1, 2], [], []]);
  });

  test("M02: a leader dies in the joint configuration; its successor leaves it", () => {
    const cluster = withLearner();
    cluster.change(1, [1, 2, 4]);
    cluster.deliver();
    cluster.sync([1, 2, 3, 4]);
    cluster.crash(1);
    cluster.drop();
    cluster.run(5 * ELECTION_TIMEOUT_MS, [2, 3, 4]);
    expect(cluster.leader.id).not.toBe(1);
    for (const id of [2, 4]) expect(setsOf(cluster, id)).toEqual([[1, 2, 4], [], []]);
  });

  test("M03: a joint commit needs a majority of both halves", () => {
    const cluster = withSpares(5);
    cluster.change(1, ONE_TO_THREE, [4, 5]);
    cluster.run(5 * HEARTBEAT_MS);
    cluster.change(1, [1, 4, 5]);
    const commit = cluster.leader.running.commitIndex;
    // The old half is whole, the new one has only the leader; then the other way round.
    cluster.settle([1, 2, 3]);
    expect(cluster.leader.running.commitIndex).toBe(commit);
    cluster.run(2 * HEARTBEAT_MS, [1, 2, 4]);
    expect(cluster.leader.running.commitIndex).toBeGreaterThan(commit);
  });

  test("M03: a joint election needs a majority of both halves", () => {
    const cluster = jointElection(createRaftCore);
    cluster.run(5 * ELECTION_TIMEOUT_MS, [2, 3, 4, 5]);
    expect(setsOf(cluster, 4)).toEqual([[1, 4, 5], [], []]);
  });

  test("M04: no change before the leader has committed in its own term", () => {
    const cluster = changeBeforeOwnTerm(createRaftCore);
    expect(refusal(cluster.change(2, [2, 3]))).toEqual([]);
  });

  test("M05: one change at a time, of a leader, to sets that make sense", () => {
    const cluster = withLearner();
    expect(refusal(cluster.change(2, [1, 2]))).toEqual(["not-leader"]);
    for (const [voters, learners] of [
      [[], [1]],
      [[1, 1], []],
      [[1, 2], [2]],
      [[0, 1], []],
    ]) {
      expect(refusal(cluster.change(1, voters!, learners!))).toEqual(["invalid-configuration"]);
    }
    expect(cluster.change(1, [1, 2, 3], [])).toMatchObject([
      { kind: "persist", append: { count: 1, source: "configuration", sets: { learners: [] } } },
      { kind: "configuration", committed: false },
      { kind: "accepted", id: 1, count: 1 },
      { kind: "send" },
      { kind: "send" },
      { kind: "send" },
    ]);
    expect(refusal(cluster.change(1, [1, 2]))).toEqual(["change-in-progress"]);
    cluster.settle();
    cluster.change(1, [1, 2]);
    cluster.sync();
    expect(refusal(cluster.change(1, [1, 2, 3]))).toEqual(["change-in-progress"]);
  });

  test("M05, M06: nobody becomes a voter that is no learner, lags, or is silent", () => {
    const cluster = emptyVoter(createRaftCore);
    const peer = cluster.leader.running.status().peers.find((one) => one.peer === 4);
    expect(peer).toMatchObject({ caughtUp: true, voter: false });
    expect(refusal(cluster.change(1, [1, 2, 3, 4]))).toEqual([]);
  });

  test("a cluster of one grows only by way of a learner, and shrinks to one again", () => {
    const cluster = new Cluster({ nodes: 2, voters: (id) => (id === 1 ? [1] : []) });
    cluster.run(HEARTBEAT_MS, [1]);
    expect(refusal(cluster.change(1, [1, 2]))).toEqual(["not-caught-up"]);
    cluster.change(1, [1], [2]);
    cluster.run(5 * HEARTBEAT_MS);
    cluster.change(1, [1, 2]);
    cluster.run(5 * HEARTBEAT_MS);
    expect(setsOf(cluster, 2)).toEqual([[1, 2], [], []]);
    cluster.change(1, [1]);
    cluster.run(5 * HEARTBEAT_MS);
    cluster.crash(2);
    cluster.propose(1);
    cluster.settle([1]);
    expect(cluster.node(1).appliedIndex).toBe(cluster.node(1).log.length);
    expect(setsOf(cluster, 1)).toEqual([[1], [], []]);
  });

  test("M14: the same sets again are one plain entry", () => {
    const cluster = withLearner();
    const before = cluster.leader.log.length;
    cluster.change(1, [3, 2, 1], [4]);
    cluster.settle();
    expect(cluster.leader.log).toHaveLength(before + 1);
    expect(setsOf(cluster, 3)).toEqual([[1, 2, 3], [], [4]]);
  });

  test("one that waits to be added never campaigns, and has a deadline all the same", () => {
    const cluster = withSpares(4);
    cluster.run(20 * ELECTION_TIMEOUT_MS);
    const { role, term, removed } = cluster.node(4).running.status();
    expect({ role, term, removed }).toEqual({ role: "follower", term: 0, removed: false });
    expect(cluster.node(4).running.deadline).toBeGreaterThan(cluster.now);
  });

  test("M07: a learner answers a request for its vote", () => {
    const cluster = withLearner();
    cluster.crash(1);
    cluster.run(3 * ELECTION_TIMEOUT_MS, [4]);
    const { lastIndex, lastTerm } = cluster.node(4).running.status();
    cluster.inject(2, 4, {
      kind: "vote",
      term: 2,
      lastIndex,
      lastTerm,
      pre: false,
      transfer: false,
      attempt: 1,
    });
    cluster.sync([4]);
    expect(cluster.packets.at(-1)).toMatchObject({ message: { granted: true } });
  });
});

describe("leaving", () => {
  test("M08: a leader that removes itself leads until that is committed, and names an heir", () => {
    const cluster = dismissedLeaderGoes(createRaftCore);
    expect(cluster.leader.term).toBe(2);
    expect(cluster.sent.filter(({ message }) => message.kind === "timeoutNow")).toHaveLength(1);
    cluster.run(10 * ELECTION_TIMEOUT_MS);
    expect(cluster.leader.term).toBe(2);
    expect(cluster.node(1).running.role).toBe("follower");
    cluster.propose(cluster.leader.id);
    cluster.settle();
    expect(cluster.node(2).appliedIndex).toBe(cluster.node(2).log.length);
  });

  test("M08: its own copy counts for nothing once the new configuration is in force", () => {
    const cluster = withSpares(3);
    cluster.change(1, [2, 3]);
    cluster.settle([1, 2]);
    // The joint one has a majority of the old, but only one of the two new ones.
    expect(cluster.leader.running.commitIndex).toBe(1);
    cluster.crash(3);
    cluster.run(5 * ELECTION_TIMEOUT_MS, [1, 2]);
    expect(cluster.leaders()).toEqual([]);
  });

  test("M08: the leader of two leaves, and the other one stays alone", () => {
    const cluster = new Cluster({ nodes: 2 });
    cluster.elect(1);
    cluster.change(1, [2]);
    cluster.run(2 * HEARTBEAT_MS);
    expect(cluster.leader.id).toBe(2);
    cluster.crash(1);
    cluster.propose(2);
    cluster.settle([2]);
    expect(cluster.node(2).appliedIndex).toBe(cluster.node(2).log.length);
  });

  test("M09: a removed node that heard nothing asks once, is told, and stops", () => {
    const cluster = removedIsTold(createRaftCore);
    expect(setsOf(cluster, 3)).toEqual([[1, 2, 3], [], []]);
    const sent = cluster.sent.length;
    cluster.run(20 * ELECTION_TIMEOUT_MS, [3]);
    expect(cluster.sent).toHaveLength(sent);
    expect(cluster.leader.term).toBe(1);
  });

  test("M09: a voter made a learner that heard nothing is told, with pre-votes off too", () => {
    const cluster = new Cluster({ nodes: 3, options: { preVote: false } });
    cluster.elect(1);
    cluster.change(1, [1], [2, 3]);
    cluster.run(3 * HEARTBEAT_MS, [1, 2]);
    cluster.run(20 * ELECTION_TIMEOUT_MS, [3]);
    expect(cluster.node(3).term).toBeGreaterThan(10);
    cluster.run(10 * ELECTION_TIMEOUT_MS);
    expect(cluster.leader.id).toBe(1);
    const { role, removed, configuration } = cluster.node(3).running.status();
    expect({ role, removed }).toEqual({ role: "follower", removed: false });
    expect(configuration.sets.learners).toEqual([2, 3]);
  });

  test("M10: a voter that is being removed may still have to win", () => {
    const cluster = seesItsRemovalThrough(createRaftCore);
    cluster.restart(1);
    cluster.run(5 * ELECTION_TIMEOUT_MS);
    expect(cluster.leader.id).toBe(3);
    for (const id of ONE_TO_THREE)
      expect(cluster.node(id).running.role).toBe(id === 3 ? "leader" : "follower");
  });

  test("M11, M13: a change whose entry is cut off never was", () => {
    const cluster = withSpares(4);
    cluster.change(1, ONE_TO_THREE, [4]);
    cluster.sync([1]);
    cluster.drop();
    cluster.crash(1);
    cluster.run(5 * ELECTION_TIMEOUT_MS, [2, 3]);
    cluster.propose(cluster.leader.id);
    cluster.settle([2, 3]);
    cluster.restart(1);
    expect(setsOf(cluster, 1)).toEqual([[1, 2, 3], [], [4]]);
    cluster.run(2 * HEARTBEAT_MS);
    expect(setsOf(cluster, 1)).toEqual([[1, 2, 3], [], []]);
    expect(cluster.node(1).running.status().configuration.index).toBe(0);
  });

  test("M12: removed and added again in one term, a peer owes nothing to its earlier self", () => {
    const cluster = comesBackInOneTerm(createRaftCore);
    const peer = cluster.leader.running.status().peers.find((one) => one.peer === 4);
    expect(peer).toMatchObject({ match: 0, state: "probe", caughtUp: false });
    cluster.restart(4);
    cluster.run(5 * HEARTBEAT_MS);
    expect(cluster.node(4).log).toHaveLength(cluster.leader.log.length);
  });

  test("R12: a removed peer is sent its removal and the commit of it, and then nothing", () => {
    const cluster = withLearner();
    cluster.change(1, ONE_TO_THREE);
    cluster.settle();
    expect(cluster.node(4).running.commitIndex).toBe(cluster.leader.log.length);
    const sent = cluster.sent.length;
    cluster.run(10 * HEARTBEAT_MS);
    expect(cluster.sent.slice(sent).filter(({ to }) => to === 4)).toEqual([]);
  });

  test("a voter that has not heard of a new one votes for it all the same", () => {
    // Nodes 1 and 4 know that node 4 votes; node 3 does not, and node 2 half.
    const cluster = withLearner();
    cluster.change(1, [1, 2, 3, 4]);
    cluster.settle([1, 2, 4]);
    cluster.crash(1);
    cluster.crash(3);
    cluster.restart(3);
    expect(setsOf(cluster, 3)).toEqual([[1, 2, 3], [], [4]]);
    cluster.run(20 * ELECTION_TIMEOUT_MS, [2, 3, 4]);
    expect(cluster.leaders()).toHaveLength(1);
  });

  test("a follower stops where one configuration shares no quorum with the one before", () => {
    const cluster = withSpares(3);
    const sets = { voters: [3], outgoing: [], learners: [] };
    const message = {
      kind: "append",
      term: 9,
      prevIndex: 1,
      prevTerm: 1,
      sizes: [0],
      runs: [{ first: 2, term: 9 }],
      configurations: [{ index: 2, sets }],
      commit: 0,
      session: 0,
      round: 1,
    } as const;
    expect(() => cluster.inject(2, 3, message, [{ size: 0, payload: 0, sets }])).toThrow(
      InvariantError,
    );
  });
});

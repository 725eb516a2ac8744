/**
 * Pieces that several scenarios share, and the scenarios that also have to catch planted
 * mistakes: those take the core as an argument and fail by throwing.
 */
import type { createRaftCore, NodeId, Role, Term, VoteReplyMessage } from "#raft";
import { Violation } from "./checker.ts";
import { Cluster, ELECTION_TIMEOUT_MS, HEARTBEAT_MS } from "./cluster.ts";

export function roles(cluster: Cluster): (Role | undefined)[] {
  return cluster.nodes.map(({ core }) => core?.role);
}

/** All answers to requests for votes that ever left, pre-votes included. */
export function voteReplies(cluster: Cluster): VoteReplyMessage[] {
  return cluster.sent
    .map(({ message }) => message)
    .filter((message) => message.kind === "voteReply");
}

/** Forges a request for a vote, from a candidate whose log is empty or as given. */
export function requestVote(
  cluster: Cluster,
  request: {
    readonly from: NodeId;
    readonly to: NodeId;
    readonly term: Term;
    readonly pre?: boolean;
    readonly lastIndex?: number;
    readonly lastTerm?: Term;
  },
): void {
  const { from, to, ...rest } = request;
  const log = cluster.node(to).running.status();
  cluster.inject(from, to, {
    kind: "vote",
    pre: false,
    lastIndex: log.lastIndex,
    lastTerm: log.lastTerm,
    attempt: 1,
    ...rest,
  });
}

type Create = typeof createRaftCore;

/** E05: the longer log of an older term must lose. */
export function lastTermBeatsLength(create: Create): void {
  const logs = { 1: [1, 1, 1], 2: [1, 2], 3: [1, 2] };
  const cluster = new Cluster({ nodes: 3, logs, createRaftCore: create });
  cluster.timeOut(1);
  cluster.settle();
  if (cluster.leaders().length > 0) throw new Violation("G3", "an old log leads");
}

/**
 * C01: figure 8 of the Raft paper, with the no-op at each term's start. An entry of term 2 is on
 * three of five disks, but node 5, with an entry of term 3, can still win and replace it.
 */
export function figure8(create: Create): Cluster {
  const logs = { 1: [1, 2], 2: [1, 2], 3: [1], 4: [1], 5: [1, 3] };
  const cluster = new Cluster({
    nodes: 5,
    logs,
    terms: { 2: 3, 3: 3, 4: 3 },
    createRaftCore: create,
  });
  // Node 1 leads in term 4. Its entry of term 2 reaches node 3, but its no-op does not.
  cluster.timeOut(1);
  cluster.deliver(({ to }) => to !== 5);
  cluster.deliver(({ to }) => to === 1);
  cluster.sync();
  cluster.deliver(({ to }) => to !== 5);
  cluster.sync();
  cluster.deliver(({ to }) => to === 1);
  const { leader } = cluster;
  leader.sync(cluster.now, 0);
  cluster.drop();
  const only = { index: 2, term: leader.term };
  cluster.inject(
    1,
    3,
    {
      kind: "append",
      term: only.term,
      prevIndex: 1,
      prevTerm: 1,
      sizes: [10],
      runs: [{ first: 2, term: 2 }],
      commit: 0,
      round: 1,
    },
    [{ size: 10, payload: 1 }],
  );
  cluster.sync([3]);
  const acknowledged = { kind: "appendReply", term: only.term, ok: true, match: 2 } as const;
  for (const from of [2, 3]) {
    cluster.inject(from, 1, { ...acknowledged, rejected: 0, hintIndex: 0, hintTerm: 0, round: 1 });
  }
  if (leader.running.commitIndex > 0) throw new Violation("G7", "an old entry is committed");
  cluster.drop();
  cluster.crash(1);
  cluster.now += 2 * ELECTION_TIMEOUT_MS;
  cluster.elect(5, [2, 3, 4, 5]);
  return cluster;
}

/** R11: replies come in the wrong order, the newer one first. */
export function reorderedReplies(create: Create): Cluster {
  const cluster = new Cluster({ nodes: 3, createRaftCore: create });
  cluster.elect(1);
  cluster.propose(1);
  cluster.propose(1);
  cluster.deliver(({ to }) => to === 2);
  cluster.sync([2]);
  const [first, second] = cluster.drop(({ from }) => from === 2);
  cluster.hand(second!);
  cluster.hand(first!);
  const peer = cluster.leader.running.status().peers[0]!;
  if (peer.match !== 3) throw new Violation("L8", `match fell to ${peer.match}`);
  return cluster;
}

/** V03, first half: nobody listens to a pre-vote while a leader is alive. */
export function preVoteUnderLivingLeader(create: Create): Cluster {
  const cluster = new Cluster({ nodes: 3, createRaftCore: create });
  cluster.elect(1);
  cluster.run(3 * ELECTION_TIMEOUT_MS);
  const before = cluster.sent.length;
  requestVote(cluster, { from: 2, to: 3, term: 2, pre: true });
  requestVote(cluster, { from: 2, to: 3, term: 2 });
  requestVote(cluster, { from: 2, to: 1, term: 2 });
  if (cluster.sent.length > before) throw new Violation("V3", "an answer under a living leader");
  return cluster;
}

/** V3: a node in a newer term, which cannot follow the leader, is set free by its answer. */
export function stuckInNewerTerm(create: Create): Cluster {
  const cluster = new Cluster({ nodes: 3, createRaftCore: create });
  cluster.elect(1);
  cluster.settle();
  // Node 3 was a candidate for a moment: its disk is in term 5.
  cluster.crash(3);
  cluster.node(3).disk.hardState = { term: 5, vote: 3 };
  cluster.restart(3);
  cluster.run(5 * ELECTION_TIMEOUT_MS);
  const terms = cluster.nodes.map(({ term }) => term);
  if (Math.min(...terms) < 5) throw new Violation("V1", `terms ${terms.join(", ")} do not meet`);
  cluster.run(HEARTBEAT_MS);
  return cluster;
}

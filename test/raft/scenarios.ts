/**
 * Pieces that several scenarios share, and the scenarios that also have to catch planted
 * mistakes: those take the core as an argument and fail by throwing.
 */
import type { AppendMessage, createRaftCore, NodeId, Role, Term, VoteReplyMessage } from "#raft";
import { Violation } from "./checker.ts";
import { Cluster, ELECTION_TIMEOUT_MS, HEARTBEAT_MS, type PacketFilter } from "./cluster.ts";

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
    transfer: false,
    lastIndex: log.lastIndex,
    lastTerm: log.lastTerm,
    attempt: 1,
    ...rest,
  });
}

type Create = typeof createRaftCore;

/** Appends with their order kept: those on the wire to a node, or all that were ever sent to it. */
export function appends(
  cluster: Cluster,
  to: NodeId,
  { drained = true }: { readonly drained?: boolean } = {},
): AppendMessage[] {
  const packets = drained ? cluster.packets : cluster.sent;
  return packets
    .filter((packet) => packet.to === to)
    .map(({ message }) => message)
    .filter((message) => message.kind === "append");
}

/** Pre-vote, vote: from a timeout to the moment when a leader has been made, and no further. */
export function oneEach(cluster: Cluster, ids?: readonly NodeId[]): void {
  const among: PacketFilter = ({ from, to }) =>
    ids === undefined || (ids.includes(from) && ids.includes(to));
  cluster.deliver(among);
  cluster.deliver(among);
  cluster.sync(ids);
  cluster.deliver(among);
  cluster.sync(ids);
  cluster.deliver(among);
}

/**
 * C01: figure 8 of the Raft paper, with the no-op at each term's start. An entry of term 2 is on
 * three of five disks, but node 5, with an entry of term 3, can still win and replace it.
 */
export function figure8(create: Create): Cluster {
  const logs = { 1: [1, 2], 2: [1, 2], 3: [1], 4: [1], 5: [1, 3] };
  const terms = { 1: 3, 2: 3, 3: 3, 4: 3 };
  const options = { appendEntriesMax: 1 };
  const cluster = new Cluster({ nodes: 5, logs, terms, options, createRaftCore: create });
  // Node 1 leads in term 4. Its entry of term 2 reaches node 3, its no-op nobody.
  cluster.timeOut(1);
  oneEach(cluster, [1, 2, 3, 4]);
  const { leader } = cluster;
  if (leader.id !== 1 || leader.term !== 4) throw new Error("node 1 should lead in term 4");
  const isNoop: PacketFilter = ({ message }) =>
    message.kind === "append" && message.runs[0]?.term === 4;
  for (let round = 0; round < 6; round += 1) {
    cluster.drop(isNoop);
    cluster.drop(({ to }) => to > 3);
    cluster.pass(HEARTBEAT_MS, [1]);
    cluster.drop(isNoop);
    cluster.deliver(({ to }) => to <= 3);
    cluster.sync([2, 3]);
    cluster.drop(isNoop);
    cluster.deliver(({ to }) => to === 1);
  }
  if (cluster.node(3).disk.entries[1]?.term !== 2) throw new Error("node 3 should have the entry");
  if (leader.running.status().peers[1]?.match !== 2) throw new Error("the leader should know");
  if (leader.running.commitIndex > 1) throw new Violation("G7", "an old entry is committed");
  cluster.drop();
  cluster.crash(1);
  // Its first attempt only teaches node 5 which term it is.
  cluster.timeOut(5);
  cluster.settle([2, 3, 4, 5]);
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

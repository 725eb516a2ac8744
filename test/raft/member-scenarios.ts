/**
 * Membership scenarios that also have to catch planted mistakes: they take the core as an argument
 * and fail by throwing.
 */
import type { createRaftCore, NodeId, Output } from "#raft";
import { Violation } from "./checker.ts";
import { Cluster, ELECTION_TIMEOUT_MS, HEARTBEAT_MS } from "./cluster.ts";
import { oneEach } from "./scenarios.ts";

type Create = typeof createRaftCore;

const ONE_TO_THREE = [1, 2, 3];

/** Nodes 1 to 3 are voters and node 1 leads; the rest are up, know nobody and wait. */
export function withSpares(nodes: number, create?: Create): Cluster {
  const voters = (id: NodeId) => (id <= 3 ? ONE_TO_THREE : []);
  const cluster = new Cluster({ nodes, voters, ...(create && { createRaftCore: create }) });
  cluster.elect(1, ONE_TO_THREE);
  cluster.run(2 * HEARTBEAT_MS);
  return cluster;
}

/** Makes node 4 a learner and lets it catch up. */
export function withLearner(create?: Create): Cluster {
  const cluster = withSpares(4, create);
  cluster.change(1, ONE_TO_THREE, [4]);
  cluster.run(5 * HEARTBEAT_MS);
  return cluster;
}

/** Why things were refused, among the outputs of a step. */
export function refusal(outputs: readonly Output[]): string[] {
  return outputs.filter((output) => output.kind === "refused").map(({ reason }) => reason);
}

/** M04: a leader that has committed nothing in its term takes no change. */
export function changeBeforeOwnTerm(create: Create): Cluster {
  const cluster = withLearner(create);
  cluster.crash(1);
  cluster.now += 2 * ELECTION_TIMEOUT_MS;
  cluster.timeOut(2);
  oneEach(cluster, [2, 3]);
  const [reason] = refusal(cluster.change(2, [2, 3]));
  if (reason !== "own-term-pending") throw new Violation("G10", `the change is ${reason}`);
  cluster.settle([2, 3]);
  return cluster;
}

/** M12: removed and added again in one term, a peer owes nothing to its earlier self. */
export function comesBackInOneTerm(create: Create): Cluster {
  const cluster = withLearner(create);
  cluster.propose(1);
  cluster.deliver(({ to }) => to === 4);
  cluster.sync([4]);
  const old = cluster.drop(({ from }) => from === 4);
  cluster.settle();
  cluster.change(1, ONE_TO_THREE, []);
  cluster.settle();
  // Its disk is gone, and it comes back under its number.
  cluster.crash(4);
  cluster.node(4).disk.entries = [];
  cluster.change(1, ONE_TO_THREE, [4]);
  cluster.settle(ONE_TO_THREE);
  for (const packet of old) cluster.hand(packet);
  const { match } = cluster.leader.running.status().peers.find(({ peer }) => peer === 4)!;
  if (match > 0) throw new Violation("L9", `an empty disk is believed to match up to ${match}`);
  return cluster;
}

/** V5: a disk that does not answer ends a leadership, also with nobody to hand it to. */
export function deadDisk(create: Create): Cluster {
  const cluster = new Cluster({ nodes: 3, createRaftCore: create });
  cluster.elect(1);
  cluster.propose(1);
  for (let i = 0; i < 12; i += 1) {
    // Everybody answers, and nobody has everything.
    cluster.drop(({ message }) => message.kind === "append" && message.sizes.length > 0);
    cluster.deliver();
    cluster.deliver();
    cluster.pass(HEARTBEAT_MS, [1]);
  }
  if (cluster.leaders().length > 0) throw new Violation("V5", "a leader with a dead disk");
  return cluster;
}

/**
 * M10: only nodes that are leaving have the entry that says so. The one that stays has a shorter
 * log and cannot win; so one of those has to, or nobody ever does.
 */
export function seesItsRemovalThrough(create: Create): Cluster {
  const cluster = withSpares(3, create);
  cluster.change(1, [3]);
  while (
    cluster.node(2).running.configuration.sets.outgoing.length !== 0 ||
    cluster.node(2).running.configuration.index === 0
  ) {
    cluster.sync();
    // The last entry reaches node 2 and not node 3.
    const isLast = cluster.leader.running.configuration.sets.outgoing.length === 0;
    if (isLast) cluster.drop(({ to }) => to === 3);
    cluster.deliver();
  }
  cluster.drop();
  cluster.crash(1);
  cluster.run(10 * ELECTION_TIMEOUT_MS, [2, 3]);
  const { voters } = cluster.node(3).running.configuration.sets;
  if (cluster.leaders()[0]?.id !== 3 || voters.length !== 1) throw new Violation("V1", "stuck");
  return cluster;
}

/** M09: a removed node that heard nothing asks once, is told, and raises nobody's term. */
export function removedIsTold(create: Create): Cluster {
  const cluster = withSpares(3, create);
  cluster.change(1, [1, 2]);
  cluster.run(3 * HEARTBEAT_MS, [1, 2]);
  cluster.run(3 * ELECTION_TIMEOUT_MS);
  const { removed, role } = cluster.node(3).running.status();
  if (!removed || role !== "follower") throw new Violation("V3", "a removed node goes on");
  return cluster;
}

/** M05, M06: nobody becomes a voter that is no learner, lags, or is silent. */
export function emptyVoter(create: Create): Cluster {
  const cluster = withSpares(5, create);
  const refusedFor = (why: string): void => {
    const [reason] = refusal(cluster.change(1, [1, 2, 3, 4]));
    if (reason !== "not-caught-up")
      throw new Violation("V4", `${why}, and the answer is ${reason}`);
  };
  refusedFor("no learner");
  cluster.change(1, ONE_TO_THREE, [4]);
  cluster.run(HEARTBEAT_MS, ONE_TO_THREE);
  refusedFor("nothing replicated");
  cluster.run(5 * HEARTBEAT_MS);
  // It was quick once. Since then nothing was heard of it.
  cluster.run(2 * ELECTION_TIMEOUT_MS, ONE_TO_THREE);
  refusedFor("silent");
  cluster.run(3 * HEARTBEAT_MS);
  return cluster;
}

/** M03: a joint election needs a majority of both halves. */
export function jointElection(create: Create): Cluster {
  const cluster = withSpares(5, create);
  cluster.change(1, ONE_TO_THREE, [4, 5]);
  cluster.run(5 * HEARTBEAT_MS);
  cluster.change(1, [1, 4, 5]);
  cluster.deliver();
  cluster.sync();
  cluster.drop();
  cluster.crash(1);
  // Of the old voters one is there, of the new ones two.
  cluster.run(20 * ELECTION_TIMEOUT_MS, [2, 4, 5]);
  if (cluster.checker.leaderOf.size > 1) throw new Violation("G10", "half a quorum has elected");
  return cluster;
}

/** M08: a leader that removes itself leads until that is committed, and not longer. */
export function dismissedLeaderGoes(create: Create): Cluster {
  const cluster = withSpares(3, create);
  cluster.change(1, [2, 3]);
  cluster.run(2 * HEARTBEAT_MS);
  if (cluster.node(1).running.role === "leader") throw new Violation("L12", "it leads on");
  return cluster;
}

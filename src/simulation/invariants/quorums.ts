/**
 * Majorities of configurations, from the definition and by brute force.
 *
 * Invariant: nothing here shares code with the core, which it checks. Chapter: 11-simulation.
 */
import type { NodeId, VoterSets } from "#raft/types";

/** Is there a majority of the voters, and of the outgoing ones if there are any? */
export function isQuorum(sets: VoterSets, has: (id: NodeId) => boolean): boolean {
  if (!isMajority(sets.voters, has)) return false;
  return sets.outgoing.length === 0 || isMajority(sets.outgoing, has);
}

function isMajority(voters: readonly NodeId[], has: (id: NodeId) => boolean): boolean {
  let count = 0;
  for (const voter of voters) if (has(voter)) count += 1;
  return 2 * count > voters.length;
}

/** Does every quorum of the one share a node with every quorum of the other? */
export function intersect(one: VoterSets, other: VoterSets): boolean {
  const all = [...new Set([...one.voters, ...one.outgoing, ...other.voters, ...other.outgoing])];
  // Every way to give each node to one side or to the other; a dozen nodes are 4096 ways.
  for (let mask = 0; mask < 2 ** all.length; mask += 1) {
    const isLeft = (id: NodeId): boolean => ((mask >> all.indexOf(id)) & 1) === 1;
    if (isQuorum(one, isLeft) && isQuorum(other, (id) => !isLeft(id))) return false;
  }
  return true;
}

/** Are these the same members in the same places? */
export function sameSets(one: VoterSets, other: VoterSets): boolean {
  return (
    one === other ||
    (sameList(one.voters, other.voters) &&
      sameList(one.outgoing, other.outgoing) &&
      sameList(one.learners, other.learners))
  );
}

export function sameList(one: readonly NodeId[], other: readonly NodeId[]): boolean {
  return one.length === other.length && one.every((id, place) => id === other[place]);
}

/** Why a configuration must not follow another in a log; undefined if it may. */
export function badSuccessor(before: VoterSets, after: VoterSets): string | undefined {
  const all = [...after.voters, ...after.learners];
  if (after.voters.length === 0) return "has no voter";
  if (new Set(all).size !== all.length) return "has a voter that is a learner";
  // The first configuration of all follows nothing.
  if (before.voters.length === 0) return undefined;
  if (before.outgoing.length > 0) {
    if (after.outgoing.length > 0) return "is joint and follows a joint one";
    if (!sameList(before.voters, after.voters)) return "leaves a joint one for other voters";
    return undefined;
  }
  if (after.outgoing.length > 0) {
    return sameList(after.outgoing, before.voters) ? undefined : "is joint with other voters";
  }
  if (sameList(before.voters, after.voters)) return undefined;
  return "changes the voters without a joint phase";
}

/** For reports: `voters 1,2,3; outgoing 1,2; learners 4`. */
export function setsText({ voters, outgoing, learners }: VoterSets): string {
  const parts = [`voters ${voters.join() || "none"}`];
  if (outgoing.length > 0) parts.push(`outgoing ${outgoing.join()}`);
  if (learners.length > 0) parts.push(`learners ${learners.join()}`);
  return parts.join("; ");
}

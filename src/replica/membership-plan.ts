/**
 * What a change of members means for the configuration. Pure: no core, no clock.
 *
 * The core thinks in numbers and sets; here are the names, addresses and data directories behind
 * them. Invariant: a number is given once, and never to another data directory: what the core
 * believes of a number, its log and its vote, stays true. Chapter: 08-replica.
 */
import { CairnError } from "#base";
import type { NodeId, VoterSets } from "#raft/types";
import { numbersIn, sameConfiguration } from "./configuration.ts";
import type { Configuration, Member, MembershipChange } from "./types.ts";

type Target = Pick<Configuration, "members" | "nextNumber"> & {
  readonly voters: readonly NodeId[];
  readonly learners: readonly NodeId[];
};

const without = (numbers: readonly NodeId[], number: NodeId): NodeId[] =>
  numbers.filter((other) => other !== number);
const including = (numbers: readonly NodeId[], number: NodeId): NodeId[] =>
  [...without(numbers, number), number].sort((a, b) => a - b);

/**
 * The configuration that the change asks for; undefined if it is there already.
 *
 * Its sets are never joint: how to get there is the core's business.
 *
 * @param self - the leader, which cannot be replaced by another data directory.
 * @throws `REPLICA_CHANGE_INVALID` for a member that is not there, or an address in use.
 */
export function planChange(
  present: Configuration,
  change: MembershipChange,
  self: NodeId,
): Configuration | undefined {
  const target = targetOf(present, change, self);
  const { members, voters, learners, nextNumber } = target;
  const sets = { voters, outgoing: [], learners };
  const planned = describe({ ...present, members, nextNumber }, sets);
  return sameConfiguration(planned, present) ? undefined : planned;
}

/**
 * A configuration with other sets: the members in them, and nobody else. Whoever votes waits for
 * it no more.
 */
export function describe(present: Configuration, sets: VoterSets): Configuration {
  const members = numbersIn(sets).map((number) => {
    const member = present.members.find((candidate) => candidate.number === number);
    if (member === undefined) throw new TypeError(`replica: member ${number} has no details`);
    const { becomesVoter, ...details } = member;
    const waits = becomesVoter && sets.learners.includes(number);
    return waits ? { ...details, becomesVoter } : details;
  });
  return { ...present, members, sets };
}

function targetOf(present: Configuration, change: MembershipChange, self: NodeId): Target {
  const { voters, learners } = present.sets;
  const start: Target = { ...present, voters, learners };
  if (change.kind === "add") return added(start, change, self);
  const member = present.members.find(({ id }) => id === change.id);
  if (member === undefined) {
    // To remove what is not there has been done already.
    if (change.kind === "remove") return start;
    throw new CairnError("REPLICA_CHANGE_INVALID", `replica: no member has the id ${change.id}`);
  }
  switch (change.kind) {
    case "remove":
      return removed(start, member.number);
    case "setRole":
      return withRole(start, member, change.role === "voter");
    case "setAddress":
      return withAddress(start, member, change.address);
  }
}

const removed = (target: Target, number: NodeId): Target => ({
  ...target,
  voters: without(target.voters, number),
  learners: without(target.learners, number),
});

function replaced(target: Target, member: Member): Target {
  const members = target.members.filter(({ number }) => number !== member.number);
  return { ...target, members: [...members, member] };
}

function withAddress(target: Target, member: Member, address: string): Target {
  const owner = target.members.find((other) => other.address === address);
  if (owner !== undefined && owner.number !== member.number) {
    throw new CairnError(
      "REPLICA_CHANGE_INVALID",
      `replica: address ${address} belongs to member ${owner.id}`,
    );
  }
  return replaced(target, { ...member, address });
}

/** A learner waits for its vote until it has caught up; a voter gives its vote up at once. */
function withRole(target: Target, member: Member, voter: boolean): Target {
  const { becomesVoter: _, ...details } = member;
  const isVoter = target.voters.includes(member.number);
  if (voter) return isVoter ? target : replaced(target, { ...details, becomesVoter: true });
  return replaced(
    {
      ...target,
      voters: without(target.voters, member.number),
      learners: including(target.learners, member.number),
    },
    details,
  );
}

function added(
  start: Target,
  { member, voter }: Extract<MembershipChange, { kind: "add" }>,
  self: NodeId,
): Target {
  const { id, address, incarnation } = member;
  let target = start;
  // Whoever had the address cannot be there any more: its place is taken.
  const tenant = start.members.find((other) => other.address === address && other.id !== id);
  if (tenant !== undefined) target = evicted(target, tenant, self);
  const present = target.members.find((other) => other.id === id);
  if (present?.incarnation === incarnation) {
    const moved = withAddress(target, present, address);
    return withRole(moved, { ...present, address }, voter);
  }
  if (present !== undefined) target = evicted(target, present, self);
  const number = target.nextNumber;
  const wish = voter ? { becomesVoter: true as const } : {};
  return {
    ...target,
    nextNumber: number + 1,
    members: [...target.members, { number, id, address, incarnation, ...wish }],
    learners: including(target.learners, number),
  };
}

/** @throws `REPLICA_CHANGE_INVALID` when it is the leader itself. */
function evicted(target: Target, member: Member, self: NodeId): Target {
  if (member.number === self) {
    throw new CairnError(
      "REPLICA_CHANGE_INVALID",
      `replica: ${member.id} at ${member.address} is the leader itself, in another data directory`,
    );
  }
  const rest = removed(target, member.number);
  return { ...rest, members: rest.members.filter(({ number }) => number !== member.number) };
}

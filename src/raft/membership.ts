/**
 * How a leader changes who takes part.
 *
 * If the voters change, the way leads through a joint configuration, in which a majority of the
 * old and a majority of the new voters are needed; once that is committed, the leader leaves it by
 * itself. So no two majorities that know nothing of each other ever decide.
 * Invariant: at most one configuration is uncommitted, and a leader adds none before it has
 * committed an entry of its own term. Chapter: 07-raft. Source: Ongaro 2014, sections 4.2 to 4.3,
 * and his message on single-server changes to raft-dev (2015).
 */
import { appendEntries, hasCommittedInTerm } from "./commit.ts";
import { isJoint, normalSets, sameNodes } from "./config.ts";
import { isCaughtUp } from "./progress.ts";
import type { RaftState } from "./state.ts";
import type { Input, NodeId, RefuseReason, VoterSets } from "./types.ts";

type ChangeInput = Extract<Input, { kind: "change" }>;

/** Takes a change, or says why not. */
export function handleChange(state: RaftState, { id, voters, learners }: ChangeInput): void {
  const target = normalSets(voters, learners);
  const reason = target === undefined ? "invalid-configuration" : undefined;
  const refused = refusalOf(state) ?? reason ?? laggardRefusal(state, target?.voters ?? []);
  if (refused !== undefined || target === undefined) {
    state.answers.push({ kind: "refused", id, reason: refused ?? "invalid-configuration" });
    return;
  }
  const old = state.configuration.sets.voters;
  const isSimple = sameNodes(old, target.voters);
  const from = appendConfiguration(state, isSimple ? target : { ...target, outgoing: old });
  state.answers.push({ kind: "accepted", id, from, count: 1, term: state.term });
}

function refusalOf(state: RaftState): RefuseReason | undefined {
  const { index, sets } = state.configuration;
  if (state.role !== "leader") return "not-leader";
  if (state.transfer !== undefined) return "transferring";
  // Older configurations may be in logs elsewhere, and only an own entry puts an end to them.
  if (!hasCommittedInTerm(state)) return "own-term-pending";
  if (index > state.commitIndex || isJoint(sets)) return "change-in-progress";
  return undefined;
}

/** Who is to vote has to be a learner that is not far behind; an empty voter would halt commits. */
function laggardRefusal(state: RaftState, voters: readonly NodeId[]): RefuseReason | undefined {
  const { electionTimeoutMs } = state.options;
  for (const voter of voters) {
    if (state.configuration.sets.voters.includes(voter)) continue;
    const progress = state.progress.find(({ peer }) => peer === voter);
    const isMember = progress !== undefined && progress.leavingAt === 0;
    if (!isMember || !isCaughtUp(progress, state.now, electionTimeoutMs)) return "not-caught-up";
  }
  return undefined;
}

function appendConfiguration(state: RaftState, sets: VoterSets): number {
  const index = state.log.lastIndex + 1;
  const runs = [{ first: index, term: state.term }];
  const configurations = [{ index, sets }];
  return appendEntries(state, { sizes: [0], runs, configurations }, "configuration");
}

/**
 * Leader: leaves a joint configuration that is committed, whoever began it.
 *
 * @returns whether it did: a quorum is another one from here on.
 */
export function leaveJoint(state: RaftState): boolean {
  const { index, sets } = state.configuration;
  if (!isJoint(sets) || index > state.commitIndex || !hasCommittedInTerm(state)) return false;
  // Whoever takes over would lag behind again; it leaves the joint one itself.
  if (state.transfer !== undefined) return false;
  // One append in a step; the next step is near, for this one's append is to be persisted.
  if (state.draft?.append !== undefined) return false;
  appendConfiguration(state, { voters: sets.voters, outgoing: [], learners: sets.learners });
  return true;
}

/** Leader: forgets the peers whose leaving is committed. Each was sent that, if it listens. */
export function dropLeavers(state: RaftState): void {
  const { progress, commitIndex } = state;
  if (!progress.some(({ leavingAt }) => leavingAt > 0 && leavingAt <= commitIndex)) return;
  state.progress = progress.filter(({ leavingAt }) => leavingAt === 0 || leavingAt > commitIndex);
}

/** Leader: a configuration without this node among its voters is committed; its work is done. */
export function isDismissed(state: RaftState): boolean {
  return !state.isInVoters && !state.isInOutgoing && state.configuration.index <= state.commitIndex;
}

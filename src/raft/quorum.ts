/**
 * What a majority is: of votes, of matching logs, of answers.
 *
 * In a joint configuration a quorum is a majority of both halves. Invariant: any two quorums of one
 * configuration share a voter. Chapter: 07-raft. Source: Ongaro 2014, section 4.3.
 */
import type { Progress } from "./progress.ts";
import type { RaftState } from "./state.ts";
import type { NodeId, VoterSets } from "./types.ts";

/** Voters that make a majority: more than half of them. */
export function quorumSize(voters: number): number {
  return Math.floor(voters / 2) + 1;
}

/**
 * The largest value that at least a majority has reached; 0 for nobody.
 *
 * @param values - one for each voter; reordered by the call.
 */
export function quorumValue(values: number[]): number {
  // There are few and they are almost in order: insertion beats the general sort.
  for (let i = 1; i < values.length; i += 1) {
    const value = values[i]!;
    let at = i;
    while (at > 0 && values[at - 1]! < value) {
      values[at] = values[at - 1]!;
      at -= 1;
    }
    values[at] = value;
  }
  return values[quorumSize(values.length) - 1] ?? 0;
}

function isMajority(voters: readonly NodeId[], grants: readonly NodeId[]): boolean {
  let granted = 0;
  for (const voter of voters) if (grants.includes(voter)) granted += 1;
  return granted >= quorumSize(voters.length);
}

/** Whether those who granted are a quorum. Who is no voter counts for nothing. */
export function hasQuorum(sets: VoterSets, grants: readonly NodeId[]): boolean {
  if (!isMajority(sets.voters, grants)) return false;
  return sets.outgoing.length === 0 || isMajority(sets.outgoing, grants);
}

/** What a leader keeps of each peer and asks a quorum for. */
export type PeerFigure = "match" | "lastReplyAt" | "ackedRound";

/** Leader: the largest value that a quorum has reached; `own` is the leader's, if it is a voter. */
export function reachedByQuorum(state: RaftState, figure: PeerFigure, own: number): number {
  const { progress, isInVoters, isInOutgoing } = state;
  const values: number[] = isInVoters ? [own] : [];
  for (const peer of progress) if (peer.inVoters) values.push(figureOf(peer, figure));
  const reached = quorumValue(values);
  if (state.configuration.sets.outgoing.length === 0) return reached;
  const before: number[] = isInOutgoing ? [own] : [];
  for (const peer of progress) if (peer.inOutgoing) before.push(figureOf(peer, figure));
  return Math.min(reached, quorumValue(before));
}

function figureOf(peer: Progress, figure: PeerFigure): number {
  if (figure === "match") return peer.match;
  return figure === "lastReplyAt" ? peer.lastReplyAt : peer.ackedRound;
}

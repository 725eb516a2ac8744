/**
 * Who leads: timers, pre-votes, votes, stickiness, stepping down.
 *
 * Invariant: a node gives at most one vote in a term, ever, and a term has at most one leader.
 * Chapter: 07-raft. Source: Ongaro 2014, sections 3.4 (election), 4.2.3 (stickiness), 6.2
 * (stepping down without a quorum) and 9.6 (pre-vote).
 */
import { assert, type Ms } from "#base";
import { appendNoop, setHardState } from "./commit.ts";
import { committedConfiguration, isEmpty, isMember, isVoter, updateProgress } from "./config.ts";
import { closeCommitGate, revokeLease } from "./lease.ts";
import { releaseCopy } from "./progress.ts";
import { hasQuorum, reachedByQuorum } from "./quorum.ts";
import { dropReads } from "./reads.ts";
import { NOBODY, type RaftState, send } from "./state.ts";
import { endTransfer, mostAdvancedVoter } from "./transfer.ts";
import type { Index, NodeId, Term, VoteMessage, VoteReplyMessage } from "./types.ts";

/** The last term in which anybody leads: one more, and a number would not hold its successor. */
const TERM_MAX: Term = Number.MAX_SAFE_INTEGER - 1;

/** Draws a new timeout. Different draws on different nodes are what breaks ties. */
export function restartElectionTimer(state: RaftState): void {
  const { electionTimeoutMs, electionTimeoutScale, random } = state.options;
  const draw = random();
  assert(draw >= 0 && draw < 1, `raft: random draws from 0 to below 1, got ${draw}`);
  state.electionTimeoutMs = electionTimeoutMs * (1 + draw) * electionTimeoutScale;
  state.electionAt = state.now + state.electionTimeoutMs;
}

/**
 * As above, for a candidate: half as long. It waits for answers, not for a leader's silence, and
 * after a tie the cluster has been without a leader for one timeout already.
 */
function restartCampaignTimer(state: RaftState): void {
  restartElectionTimer(state);
  state.electionAt = state.now + state.electionTimeoutMs / 2;
}

/**
 * Becomes a follower. In the same term the vote stays: it has been given, whatever became of it.
 * Resets no timer, save for a leader, who has none to go on with.
 */
export function stepDown(state: RaftState, term: Term): void {
  const led = state.role === "leader";
  state.role = "follower";
  state.leader = NOBODY;
  for (const progress of state.progress) releaseCopy(progress, state.answers);
  state.progress = [];
  dropReads(state);
  endTransfer(state, term > state.term ? "done" : "timeout");
  revokeLease(state);
  state.grants = [];
  if (term > state.term) setHardState(state, term, NOBODY);
  if (led) restartElectionTimer(state);
}

/** The leader of this term has spoken. */
export function followLeader(state: RaftState, from: NodeId): void {
  assert(
    state.role !== "leader",
    `raft: one leader in term ${state.term}: node ${from} and this node ${state.options.self}`,
  );
  if (state.role !== "follower") stepDown(state, state.term);
  assert(
    state.leader === NOBODY || state.leader === from,
    `raft: one leader in term ${state.term}: node ${from} and node ${state.leader}`,
  );
  state.leader = from;
  state.leaderHeardAt = state.now;
  state.electionAt = state.now + state.electionTimeoutMs;
}

/**
 * The leader's process is most likely dead: its silence is not waited for. A wrong guess costs a
 * pre-vote, which nobody grants who still hears it; so without pre-votes there are no guesses.
 */
export function loseLeader(state: RaftState, leader: NodeId): void {
  const { preVote, electionTimeoutMs, electionTimeoutScale, random } = state.options;
  if (!preVote || state.role !== "follower" || state.leader !== leader) return;
  stepDown(state, state.term);
  // All followers are told at once: half a timeout is room enough for one to be the first.
  const waitMs = (electionTimeoutMs / 2) * random() * electionTimeoutScale;
  state.electionAt = Math.min(state.electionAt, state.now + waitMs);
}

/**
 * Only a voter campaigns, and not when it was told that it is one no more.
 *
 * The configuration in force need not name it: while that is not known to be committed, an earlier
 * one is enough. The entry that removes a node may be in no other log that could win; then only
 * that node can see it through, though its own vote counts for nothing. Source: Ongaro 2014,
 * section 4.2.2.
 */
export function mayCampaign(state: RaftState): boolean {
  if (state.term >= TERM_MAX || !isCommittedVoter(state)) return false;
  return state.removedAt === 0 || state.removedAt <= lastVotedIn(state);
}

/** Whether this node votes in the committed configuration, or in one that may take its place. */
export function isCommittedVoter(state: RaftState): boolean {
  return lastVotedIn(state) >= committedConfiguration(state).index;
}

/** It was told that it votes no more, and nothing newer here makes it a member. */
export function isRemoved(state: RaftState): boolean {
  const { removedAt, configuration, options } = state;
  if (removedAt === 0 || removedAt <= lastVotedIn(state)) return false;
  return removedAt > configuration.index || !isMember(configuration.sets, options.self);
}

/** Index of the last configuration in which this node is a voter; -1 if there is none. */
function lastVotedIn(state: RaftState): Index {
  const { configurations, options } = state;
  return configurations.findLast(({ sets }) => isVoter(sets, options.self))?.index ?? -1;
}

/** Time has passed without a leader. Asks whether an election could be won before starting one. */
export function startPreVote(state: RaftState): void {
  restartCampaignTimer(state);
  if (!mayCampaign(state)) {
    if (state.role !== "follower") stepDown(state, state.term);
    state.leader = NOBODY;
    return;
  }
  // Nobody would hear of a candidacy while the disk still owes the term of the one before.
  if (state.hardStateSeq > state.persistedSeq) return;
  state.role = "pre-candidate";
  state.leader = NOBODY;
  state.attempt += 1;
  // Nothing is promised by a pre-vote, so our own needs no disk.
  state.grants = [state.options.self];
  if (!state.options.preVote || isElected(state)) startElection(state, false);
  else askForVotes(state, { pre: true, transfer: false });
}

function isElected(state: RaftState): boolean {
  return hasQuorum(state.configuration.sets, state.grants);
}

function startElection(state: RaftState, transfer: boolean): void {
  restartCampaignTimer(state);
  state.role = "candidate";
  state.attempt += 1;
  state.grants = [];
  setHardState(state, state.term + 1, state.options.self);
  state.ownVoteSeq = state.hardStateSeq;
  askForVotes(state, { pre: false, transfer });
}

function askForVotes(
  state: RaftState,
  { pre, transfer }: { readonly pre: boolean; readonly transfer: boolean },
): void {
  const message: VoteMessage = {
    kind: "vote",
    term: pre ? state.term + 1 : state.term,
    lastIndex: state.log.lastIndex,
    lastTerm: state.log.lastTerm,
    pre,
    transfer,
    attempt: state.attempt,
  };
  for (const peer of state.voterPeers) send(state, peer, message);
}

/**
 * Whether a request for a vote is considered, or only answered, and its term not taken.
 *
 * A candidate that is no voter here may be one that was removed and has not heard of it: it would
 * go on asking, so it is told. Or it was added and we have not heard of that: then its log is as
 * new as ours, and what we know must not decide. A removed one's log lacks the entry that removed
 * it, or a leader lives that it does not hear.
 */
export function isConsidered(state: RaftState, from: NodeId, message: VoteMessage): boolean {
  const { sets } = state.configuration;
  if (isEmpty(sets) || isVoter(sets, from)) return true;
  return isUpToDate(state, message) && (message.transfer || !isSticky(state));
}

/**
 * True while this node has reason to believe in a living leader. Requests for votes of a newer
 * term are then ignored, unread: whoever sends them cannot hear the leader, but others can.
 */
export function isSticky(state: RaftState): boolean {
  if (state.role === "leader") return true;
  if (state.leader === NOBODY) return false;
  return state.now - state.leaderHeardAt < state.options.electionTimeoutMs;
}

/** Answers a request whose term is at least ours (a pre-vote) or exactly ours (a vote). */
export function handleVote(state: RaftState, from: NodeId, message: VoteMessage): void {
  const free = state.vote === from || (state.vote === NOBODY && state.leader === NOBODY);
  const newer = message.pre && message.term > state.term;
  const granted = (free || newer) && isUpToDate(state, message);
  if (granted && !message.pre) {
    if (state.vote === NOBODY) setHardState(state, state.term, from);
    // The voter has chosen: it gives its candidate time to win.
    state.electionAt = state.now + state.electionTimeoutMs;
  }
  answerVote(state, from, message, granted);
}

/** Sends the answer. It leaves once the vote is on disk, as everything does that says our term. */
export function answerVote(
  state: RaftState,
  from: NodeId,
  message: VoteMessage,
  granted: boolean,
): void {
  const { pre, attempt } = message;
  const term = granted ? message.term : state.term;
  const { index, sets } = committedConfiguration(state);
  const removedAt = isEmpty(sets) || isVoter(sets, from) ? 0 : index;
  send(state, from, { kind: "voteReply", term, granted, pre, attempt, removedAt });
}

/** The last term decides, and only between equal last terms the length of the log. */
function isUpToDate(state: RaftState, message: VoteMessage): boolean {
  const { lastIndex, lastTerm } = state.log;
  if (message.lastTerm !== lastTerm) return message.lastTerm > lastTerm;
  return message.lastIndex >= lastIndex;
}

/** Learns from a voter, whatever its term, that in a committed configuration this node is none. */
export function noteRemoval(state: RaftState, message: VoteReplyMessage): void {
  if (message.granted || message.attempt !== state.attempt || state.role === "leader") return;
  state.removedAt = Math.max(state.removedAt, message.removedAt);
  if (state.role !== "follower" && !mayCampaign(state)) stepDown(state, state.term);
}

export function handleVoteReply(state: RaftState, from: NodeId, message: VoteReplyMessage): void {
  const asking = message.pre ? "pre-candidate" : "candidate";
  if (state.role !== asking || message.attempt !== state.attempt || !message.granted) return;
  if (message.term !== (message.pre ? state.term + 1 : state.term)) return;
  addGrant(state, from);
  if (!isElected(state)) return;
  if (message.pre) startElection(state, false);
  else startLeading(state);
}

/** Our vote for ourselves counts like any other: once it is on disk. */
export function countOwnVote(state: RaftState): void {
  if (state.role !== "candidate" || state.persistedSeq < state.ownVoteSeq) return;
  addGrant(state, state.options.self);
  if (isElected(state)) startLeading(state);
}

function addGrant(state: RaftState, voter: NodeId): void {
  if (!state.grants.includes(voter)) state.grants.push(voter);
}

/**
 * Opens the term with an entry of its own: until one is committed, a leader cannot tell which
 * entries of older terms are.
 */
function startLeading(state: RaftState): void {
  const first = state.log.lastIndex + 1;
  state.role = "leader";
  state.leader = state.options.self;
  state.grants = [];
  state.ownFirstIndex = first;
  state.removedAt = 0;
  state.receiving = undefined;
  updateProgress(state);
  closeCommitGate(state);
  state.heartbeatAt = state.now + state.options.heartbeatMs;
  state.diskSilentSince = state.now;
  appendNoop(state);
}

/** The leader wants this node to take its place at once. Only the leader that it follows may. */
export function handleTimeoutNow(state: RaftState, from: NodeId): void {
  if (state.role !== "follower" || state.leader !== from || !mayCampaign(state)) return;
  startElection(state, true);
}

/** Leader: a voter takes over, and this node steps back in its term. */
export function handOver(state: RaftState): void {
  const heir = mostAdvancedVoter(state);
  if (heir !== undefined) send(state, heir.peer, { kind: "timeoutNow", term: state.term });
  stepDown(state, state.term);
}

/** When a leader must give up: no quorum has answered for so long, or its own disk has not. */
export function leaseEnd(state: RaftState): Ms {
  const quorumHeardAt = reachedByQuorum(state, "lastReplyAt", state.now);
  const diskHeardAt = state.pending.length > 0 ? state.diskSilentSince : state.now;
  return Math.min(quorumHeardAt, diskHeardAt) + state.options.electionTimeoutMs;
}

/** What a runtime that was stalled believes about silence is worthless: all silences start anew. */
export function forgetSilence(state: RaftState): void {
  restartElectionTimer(state);
  state.diskSilentSince = state.now;
  for (const progress of state.progress) progress.lastReplyAt = state.now;
}

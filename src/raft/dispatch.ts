/**
 * One input into the state: who handles what, and whose messages are heard.
 *
 * Invariant: a term is taken from whoever leads in it and from members, never from a node that was
 * removed: it may have raised its term for ever. Chapter: 07-raft.
 */
import { unreachable } from "#base";
import {
  appendEntries,
  noteApplied,
  noteCompacted,
  notePersisted,
  unappliedBytes,
} from "./commit.ts";
import { isMember } from "./config.ts";
import {
  answerVote,
  countOwnVote,
  followLeader,
  forgetSilence,
  handleTimeoutNow,
  handleVote,
  handleVoteReply,
  isConsidered,
  isSticky,
  leaseEnd,
  loseLeader,
  noteRemoval,
  startPreVote,
  stepDown,
} from "./election.ts";
import { handleLeaseRead } from "./lease.ts";
import { handleChange } from "./membership.ts";
import { startProbe } from "./progress.ts";
import { answerRead, handleRead, handleReadMessage, handleReadReply } from "./reads.ts";
import { handleAppend, handleAppendReply, refuseAppend } from "./replication.ts";
import { handleChunkStored, handleSnapshot, refuseSnapshot } from "./snapshot-receive.ts";
import { handleSnapshotReady, handleSnapshotReply, pauseCopy } from "./snapshot-send.ts";
import type { RaftState } from "./state.ts";
import { handleTransfer, handOverFromSlowDisk } from "./transfer.ts";
import type { Input, Message, NodeId, RefuseReason, VoteMessage } from "./types.ts";

export function handleInput(state: RaftState, input: Input): void {
  switch (input.kind) {
    case "tick":
      handleTick(state);
      break;
    case "stalled":
      forgetSilence(state);
      break;
    case "message":
      handleMessage(state, input.from, input.message);
      break;
    case "propose":
      handlePropose(state, input.id, input.sizes);
      break;
    case "change":
      handleChange(state, input);
      break;
    case "persisted":
      notePersisted(state, input.seq);
      countOwnVote(state);
      break;
    case "applied":
      noteApplied(state, input.index);
      break;
    case "unreachable":
      handleUnreachable(state, input.peer);
      if (input.isGone === true) loseLeader(state, input.peer);
      break;
    case "compacted":
      noteCompacted(state, input.upTo);
      break;
    case "read":
      if (input.via === "lease") handleLeaseRead(state, input.id);
      else handleRead(state, input.id);
      break;
    case "transfer":
      handleTransfer(state, input.to);
      break;
    case "snapshotReady":
      handleSnapshotReady(state, input);
      break;
    case "chunkStored":
      handleChunkStored(state, input);
      break;
    default:
      unreachable(input);
  }
}

function handleTick(state: RaftState): void {
  if (state.role !== "leader") {
    if (state.now >= state.electionAt) startPreVote(state);
  } else if (state.now >= leaseEnd(state)) {
    stepDown(state, state.term);
  } else if (state.now >= state.heartbeatAt) {
    state.heartbeatAt = state.now + state.options.heartbeatMs;
    for (const progress of state.progress) progress.heartbeatDue = true;
    handOverFromSlowDisk(state);
  }
}

function handlePropose(state: RaftState, id: number, sizes: readonly number[]): void {
  const { log, term } = state;
  // A quorum was silent for too long: better refused now than accepted and never committed.
  if (state.role === "leader" && state.now >= leaseEnd(state)) stepDown(state, term);
  const reason = proposalRefusal(state, sizes);
  if (reason !== undefined) {
    state.answers.push({ kind: "refused", id, reason });
    return;
  }
  const runs = [{ first: log.lastIndex + 1, term }];
  const from = appendEntries(state, { sizes, runs }, "proposal");
  state.answers.push({ kind: "accepted", id, from, count: sizes.length, term });
}

function proposalRefusal(state: RaftState, sizes: readonly number[]): RefuseReason | undefined {
  const { log, commitIndex, options } = state;
  if (state.role !== "leader") return "not-leader";
  if (state.transfer !== undefined) return "transferring";
  const uncommitted = log.bytesOf(commitIndex + 1, log.lastIndex);
  if (uncommitted > 0) {
    let bytes = uncommitted;
    for (const size of sizes) bytes += size;
    if (bytes > options.uncommittedBytesMax) return "uncommitted-limit";
  }
  return unappliedBytes(state) > options.unappliedBytesMax ? "unapplied-limit" : undefined;
}

function handleUnreachable(state: RaftState, peer: NodeId): void {
  const progress = state.progress.find((candidate) => candidate.peer === peer);
  if (progress?.copy !== undefined) pauseCopy(progress.copy);
  else if (progress !== undefined) startProbe(progress);
}

function handleMessage(state: RaftState, from: NodeId, message: Message): void {
  if (from === state.options.self) return;
  if (message.kind === "vote" && !isConsidered(state, from, message)) {
    answerVote(state, from, message, false);
    return;
  }
  if (message.kind === "voteReply") noteRemoval(state, message);
  if (message.term < state.term) handleStale(state, from, message);
  else if (message.term === state.term || enterTerm(state, from, message)) {
    handleCurrent(state, from, message);
  }
}

/** Decides what a message of a newer term does to ours. @returns whether it is to be handled. */
function enterTerm(state: RaftState, from: NodeId, message: Message): boolean {
  switch (message.kind) {
    case "vote":
      if (isSticky(state) && !isHandOver(message)) return false;
      // Pre-votes speak of a term that nobody has entered yet.
      if (!message.pre) stepDown(state, message.term);
      return true;
    case "append":
    case "snapshot":
      stepDown(state, message.term);
      return true;
    case "voteReply":
      if (message.granted) return true;
      break;
    default:
      break;
  }
  if (isMember(state.configuration.sets, from)) stepDown(state, message.term);
  return false;
}

/** The leader itself wants this election: there is nobody to protect it from. */
function isHandOver(message: VoteMessage): boolean {
  return message.transfer && !message.pre;
}

/** Handles a message of this term, or one about a term that nobody is in yet. */
function handleCurrent(state: RaftState, from: NodeId, message: Message): void {
  switch (message.kind) {
    case "vote":
      handleVote(state, from, message);
      break;
    case "voteReply":
      handleVoteReply(state, from, message);
      break;
    case "append":
      followLeader(state, from);
      handleAppend(state, from, message);
      break;
    case "appendReply":
      if (state.role === "leader") handleAppendReply(state, from, message);
      break;
    case "timeoutNow":
      handleTimeoutNow(state, from);
      break;
    case "snapshot":
      followLeader(state, from);
      handleSnapshot(state, from, message);
      break;
    case "snapshotReply":
      if (state.role === "leader") handleSnapshotReply(state, from, message);
      break;
    case "read":
      handleReadMessage(state, from, message);
      break;
    case "readReply":
      handleReadReply(state, from, message);
      break;
    default:
      unreachable(message);
  }
}

/** Whoever lives in an older term is told of the newer one; its answers count for nothing. */
function handleStale(state: RaftState, from: NodeId, message: Message): void {
  if (message.kind === "vote") answerVote(state, from, message, false);
  if (message.kind === "append") refuseAppend(state, from, message);
  if (message.kind === "read") answerRead(state, from, message.request, 0);
  if (message.kind === "snapshot") refuseSnapshot(state, from, message);
}

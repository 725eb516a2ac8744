/**
 * Reads that see every write acknowledged before them, without an entry in the log.
 *
 * A leader notes its commit index and asks a quorum whether it still leads: any answer to an append
 * sent after the read came in is a yes. The appends carry rounds, made here and growing, so that
 * an answer to an older append cannot be taken for one. Other nodes ask the leader for such an
 * index, one request at a time; what comes meanwhile goes with the next.
 * Invariant: a read is let go only when a quorum has answered a round that began after it, and an
 * entry of the leader's own term is committed. Chapter: 07-raft. Source: Ongaro 2014, section 6.4.
 */
import { reachedByQuorum } from "./quorum.ts";
import { NOBODY, type RaftState, send } from "./state.ts";
import type { Index, NodeId, ReadFailure, ReadMessage, ReadReplyMessage } from "./types.ts";

/** Leader: a read that waits for a quorum. */
export interface PendingRead {
  /** Where it came from; 0: from this node, and `id` is the driver's. Else it is the request's. */
  readonly from: NodeId;
  readonly id: number;
  readonly index: Index;
  /** Answers to later rounds count. */
  readonly round: number;
}

/** Follower: one request that is out. */
export interface AskedReads {
  readonly request: number;
  readonly ids: readonly number[];
  readonly startedAt: number;
  sentAt: number;
}

/** Request numbers start anywhere below this, so that a restarted node does not repeat its own. */
export const FIRST_REQUEST_MAX = 2 ** 40;

/** Takes a read by index, on any node. */
export function handleRead(state: RaftState, id: number): void {
  if (state.role === "leader") {
    takeRead(state, NOBODY, id);
  } else if (state.leader === NOBODY) {
    state.answers.push({ kind: "readFailed", id, reason: "no-leader" });
  } else {
    state.readIds.push(id);
    if (state.asked === undefined) ask(state);
  }
}

function takeRead(state: RaftState, from: NodeId, id: number): void {
  const index = Math.max(state.commitIndex, state.ownFirstIndex);
  state.reads.push({ from, id, index, round: state.round });
  for (const progress of state.progress) {
    if (progress.inVoters || progress.inOutgoing) progress.heartbeatDue = true;
  }
}

/** Leader: another member asks. Its request may be here already, and an older one is given up. */
export function handleReadMessage(state: RaftState, from: NodeId, { request }: ReadMessage): void {
  if (state.role !== "leader") {
    answerRead(state, from, request, 0);
    return;
  }
  if (!state.members.includes(from)) return;
  const known = state.reads.findIndex((read) => read.from === from);
  if (known >= 0 && state.reads[known]!.id === request) return;
  if (known >= 0) state.reads.splice(known, 1);
  takeRead(state, from, request);
}

/** Answers a request; index 0: this node cannot tell. */
export function answerRead(state: RaftState, to: NodeId, request: number, index: Index): void {
  send(state, to, { kind: "readReply", term: state.term, request, index });
}

/** Leader: lets go what a quorum has confirmed, in the order in which it came. */
export function releaseReads(state: RaftState): void {
  const { reads, commitIndex } = state;
  if (reads.length === 0) return;
  const confirmed = reachedByQuorum(state, "ackedRound", Number.POSITIVE_INFINITY);
  let released = 0;
  for (const { from, id, index, round } of reads) {
    if (confirmed <= round || commitIndex < index) break;
    if (from === NOBODY) state.answers.push({ kind: "readReady", id, index });
    else answerRead(state, from, id, index);
    released += 1;
  }
  reads.splice(0, released);
}

/** This node does not lead any more: nothing that it has taken can be confirmed. */
export function dropReads(state: RaftState): void {
  for (const { from, id } of state.reads.splice(0)) {
    if (from === NOBODY) fail(state, [id], "leadership-lost");
  }
}

/** Follower: the leader has answered. */
export function handleReadReply(state: RaftState, from: NodeId, message: ReadReplyMessage): void {
  const { asked } = state;
  if (asked === undefined || from !== state.leader || message.request !== asked.request) return;
  const { index } = message;
  state.asked = undefined;
  if (index === 0) fail(state, asked.ids, "leadership-lost");
  else for (const id of asked.ids) state.answers.push({ kind: "readReady", id, index });
}

/** At the end of a step: asks, asks again, and gives up what nobody will answer. */
export function driveReads(state: RaftState): void {
  const { readIds, asked, now, options } = state;
  if (asked === undefined && readIds.length === 0) return;
  const { leader, term } = state.readsOf;
  if (state.role !== "follower" || state.leader !== leader || state.term !== term) {
    fail(state, [...(asked?.ids ?? []), ...readIds.splice(0)], "leadership-lost");
    state.asked = undefined;
    return;
  }
  // The same sums as in the deadline: with fractions of a millisecond, differences are others.
  if (asked !== undefined && now >= asked.startedAt + options.electionTimeoutMs) {
    fail(state, asked.ids, "timeout");
    state.asked = undefined;
  }
  if (state.asked === undefined) ask(state);
  else if (now >= state.asked.sentAt + options.heartbeatMs) sendRequest(state, state.asked);
}

function ask(state: RaftState): void {
  const ids = state.readIds.splice(0);
  if (ids.length === 0) return;
  state.lastRequest += 1;
  state.readsOf = { leader: state.leader, term: state.term };
  state.asked = { request: state.lastRequest, ids, startedAt: state.now, sentAt: state.now };
  sendRequest(state, state.asked);
}

function sendRequest(state: RaftState, asked: AskedReads): void {
  asked.sentAt = state.now;
  send(state, state.leader, { kind: "read", term: state.term, request: asked.request });
}

function fail(state: RaftState, ids: readonly number[], reason: ReadFailure): void {
  for (const id of ids) state.answers.push({ kind: "readFailed", id, reason });
}

/** When a request that is out has to be sent again, or given up. */
export function readDeadline(state: RaftState): number {
  const { asked, options } = state;
  if (asked === undefined) return Number.POSITIVE_INFINITY;
  return Math.min(asked.sentAt + options.heartbeatMs, asked.startedAt + options.electionTimeoutMs);
}

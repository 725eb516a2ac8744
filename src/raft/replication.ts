/**
 * How logs become equal: what a leader sends, how a follower takes it, what both learn from it.
 *
 * A leader decides nothing here at the moment of an input. At the end of each step it looks at
 * every peer and sends what that peer lacks; so one step sends a commit index at most once.
 * Invariant: a follower's log is changed only where it contradicts the leader's, and an answer
 * never claims more than is verified and on disk. Chapter: 07-raft. Source: Ongaro 2014, 3.5.
 */
import { assert } from "#base";
import {
  advanceFollowerCommit,
  appendEntries,
  seqCovering,
  truncateLog,
  unappliedBytes,
} from "./commit.ts";
import {
  isWindowOpen,
  noteMatch,
  noteRejected,
  noteRound,
  noteSent,
  type Progress,
  startProbe,
} from "./progress.ts";
import { endCopy, sendChunks, startCopy } from "./snapshot-send.ts";
import { type RaftState, send } from "./state.ts";
import type {
  AppendMessage,
  AppendReplyMessage,
  ConfigurationRecord,
  Index,
  NodeId,
  TermRun,
} from "./types.ts";

/** Leader: sends every peer what it lacks, as far as its window allows. */
export function sendToPeers(state: RaftState): void {
  for (const progress of state.progress) sendToPeer(state, progress);
}

function sendToPeer(state: RaftState, progress: Progress): void {
  const behind = progress.next <= state.log.compactedIndex;
  if (behind && progress.state === "replicate") {
    startProbe(progress);
    progress.probeSent = false;
  }
  // A copy is made only for a peer that is there to take it.
  const isWanted = progress.isHeard && progress.leavingAt === 0;
  if (behind && isWanted && progress.state === "probe") startCopy(state, progress);
  if (progress.state === "snapshot") sendChunks(state, progress);
  const probeDue = progress.state === "probe" && !progress.probeSent;
  let sent = false;
  if (probeDue && !behind) {
    sendEntries(state, progress);
    sent = true;
  } else if (progress.state === "replicate") {
    sent = fillWindow(state, progress);
  }
  const newCommit = progress.state === "replicate" && progress.sentCommit < state.commitIndex;
  if (!sent && (probeDue || progress.heartbeatDue || newCommit)) {
    sendAppend(state, progress, progress.next - 1, progress.next - 1);
  }
  if (probeDue) progress.probeSent = true;
  progress.heartbeatDue = false;
}

/** Sends appends one behind the other while the window is open. Tells whether it sent any. */
function fillWindow(state: RaftState, progress: Progress): boolean {
  let sent = false;
  while (progress.next <= state.log.lastIndex && isWindowOpen(progress, state.options)) {
    sendEntries(state, progress);
    sent = true;
  }
  return sent;
}

/** Sends as many entries as one message holds; a single larger one goes alone. */
function sendEntries(state: RaftState, progress: Progress): void {
  const { log, options } = state;
  const from = progress.next;
  const entriesLast = Math.min(log.lastIndex, from + options.appendEntriesMax - 1);
  const last =
    entriesLast < from
      ? from - 1
      : Math.max(from, log.lastWithin(from, entriesLast, options.appendBytesMax));
  sendAppend(state, progress, from - 1, last);
  noteSent(progress, last, log.bytesOf(from, last));
}

/**
 * Sends the entries behind `prev` up to `last`; none is a heartbeat.
 *
 * A heartbeat stands behind everything that was sent, not behind what was acknowledged: a
 * follower that has missed an append refuses it, and that is how the loss is noticed.
 */
function sendAppend(state: RaftState, progress: Progress, prev: Index, last: Index): void {
  const { log } = state;
  const prevIndex = Math.max(prev, log.compactedIndex);
  const prevTerm = log.termAt(prevIndex);
  assert(prevTerm !== undefined, `raft: append behind ${prevIndex}, which is not in the log`);
  state.round += 1;
  progress.sentCommit = state.commitIndex;
  send(state, progress.peer, {
    kind: "append",
    term: state.term,
    prevIndex,
    prevTerm,
    sizes: log.sizesOf(prevIndex + 1, last),
    runs: log.runsOf(prevIndex + 1, last),
    configurations: configurationsIn(state, prevIndex + 1, last),
    commit: state.commitIndex,
    session: progress.session,
    round: state.round,
  });
}

/** Those of the entries that are configurations: almost always none. */
function configurationsIn(state: RaftState, from: Index, to: Index): ConfigurationRecord[] {
  if (state.configuration.index < from) return [];
  return state.configurations.filter(({ index }) => index >= from && index <= to);
}

/** Follower: takes what the leader of this term sent. */
export function handleAppend(state: RaftState, from: NodeId, message: AppendMessage): void {
  checkShape(message);
  const { log } = state;
  const { prevIndex, prevTerm } = message;
  const last = prevIndex + message.sizes.length;
  // Everything compacted is committed, so the leader has it too: no need to compare.
  if (prevIndex >= log.compactedIndex && log.termAt(prevIndex) !== prevTerm) {
    assert(
      prevIndex > state.commitIndex,
      `raft: node ${from} leads without entry ${prevIndex}, which is committed`,
    );
    refuseAppend(state, from, message);
    return;
  }
  const verifiedFrom = Math.max(prevIndex, log.compactedIndex) + 1;
  const mismatch = log.firstMismatch(verifiedFrom, last, message.runs);
  if (mismatch !== undefined) {
    // Only a contradiction cuts. An append may be late, and what follows it may be here already.
    if (mismatch <= log.lastIndex) truncateLog(state, mismatch);
    const sizes = message.sizes.slice(mismatch - prevIndex - 1);
    const runs = runsFrom(message.runs, mismatch);
    const configurations = message.configurations.filter(({ index }) => index >= mismatch);
    appendEntries(state, { sizes, runs, configurations }, "message");
  }
  advanceFollowerCommit(state, message.commit, last);
  const { session, round } = message;
  // What is compacted away here is committed, and so the leader has it.
  const match = Math.max(last, log.compactedIndex);
  send(state, from, appendOk(state, { match, session, round }), seqCovering(state, match));
}

/** The answer of a follower whose log is the leader's up to `match`. */
export function appendOk(
  state: RaftState,
  { match, session, round }: Pick<AppendReplyMessage, "match" | "session" | "round">,
): AppendReplyMessage {
  return {
    kind: "appendReply",
    term: state.term,
    ok: true,
    match,
    rejected: 0,
    hintIndex: 0,
    hintTerm: 0,
    session,
    round,
    freeBytes: freeBytes(state),
  };
}

/** What this node would take before its state machine is too far behind. */
function freeBytes(state: RaftState): number {
  return Math.max(0, state.options.unappliedBytesMax - unappliedBytes(state));
}

/** The part of the runs that lies at `from` and behind. */
function runsFrom(runs: readonly TermRun[], from: Index): TermRun[] {
  const clipped: TermRun[] = [];
  for (const [i, run] of runs.entries()) {
    const next = runs[i + 1]?.first;
    if (next !== undefined && next <= from) continue;
    clipped.push({ first: Math.max(run.first, from), term: run.term });
  }
  return clipped;
}

function checkShape(message: AppendMessage): void {
  const { sizes, runs, prevIndex } = message;
  assert(Number.isSafeInteger(prevIndex) && prevIndex >= 0, `raft: append behind ${prevIndex}`);
  assert(sizes.length > 0 === runs.length > 0, "raft: an append has runs for its entries");
  if (runs.length === 0) return;
  assert(runs[0]!.first === prevIndex + 1, `raft: runs start behind ${prevIndex}`);
  let term = message.prevTerm;
  for (const run of runs) {
    assert(run.term >= term, `raft: append: term ${run.term} behind term ${term}`);
    term = run.term;
  }
  assert(term <= message.term, `raft: append: entry of term ${term} in term ${message.term}`);
  const last = prevIndex + sizes.length;
  for (const { index } of message.configurations) {
    assert(
      index > prevIndex && index <= last,
      `raft: append: configuration ${index} is none of the entries ${prevIndex + 1} to ${last}`,
    );
  }
}

/**
 * Refuses an append, of a stale leader or because it does not fit the log, and says where the
 * logs could match: the last entry here whose term is not above the one that was compared.
 */
export function refuseAppend(state: RaftState, from: NodeId, message: AppendMessage): void {
  const { log } = state;
  const { prevIndex, prevTerm, session, round } = message;
  const hintIndex = log.lastAtMost(Math.min(prevIndex, log.lastIndex), prevTerm);
  send(state, from, {
    kind: "appendReply",
    term: state.term,
    ok: false,
    match: 0,
    rejected: prevIndex,
    hintIndex,
    hintTerm: log.termAt(hintIndex) ?? 0,
    session,
    round,
    freeBytes: freeBytes(state),
  });
}

/** Leader: learns from an answer of this term. */
export function handleAppendReply(
  state: RaftState,
  from: NodeId,
  message: AppendReplyMessage,
): void {
  const progress = state.progress.find(({ peer }) => peer === from);
  // The answer may be to an earlier membership of that peer, of which this one knows nothing.
  if (progress === undefined || message.session !== progress.session) return;
  progress.isHeard = true;
  progress.lastReplyAt = state.now;
  progress.ackedRound = Math.max(progress.ackedRound, message.round);
  progress.freeBytes = message.freeBytes;
  if (message.ok) {
    assert(
      message.match <= state.log.lastIndex,
      `raft: node ${from} matches ${message.match}, but the log ends at ${state.log.lastIndex}`,
    );
    progress.match = Math.max(progress.match, message.match);
    endCopy(state, progress);
    noteMatch(progress, message.match);
    noteRound(progress, state.log.lastIndex, state.now, state.options.electionTimeoutMs);
    return;
  }
  // The mirror image of the follower's hint: skip our terms that are above the one it has there.
  const hint = state.log.lastAtMost(message.hintIndex, message.hintTerm);
  noteRejected(progress, message.rejected, hint);
}

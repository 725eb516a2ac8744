/**
 * What is durable here, what is committed, what may be applied.
 *
 * Invariant: applied <= min(commit, stable), and none of the three ever falls, save `stable` when
 * a suffix is cut that was never committed. Chapter: 07-raft. Source: Ongaro 2014, section 3.6.
 */
import { assert, assertSafeInteger } from "#base";
import {
  adoptConfigurations,
  compactConfigurations,
  cutConfigurations,
  resetConfigurations,
} from "./config.ts";
import { noteCommitted, noteStored } from "./lease.ts";
import { reachedByQuorum } from "./quorum.ts";
import type { CopyReceiving, PersistDraft, RaftState } from "./state.ts";
import type { ConfigurationRecord, Index, NodeId, PersistSeq, Term, TermRun } from "./types.ts";

const NO_CONFIGURATIONS: readonly ConfigurationRecord[] = [];

/** The write of the step in hand. All that a step wants on disk goes into one. */
function draftOf(state: RaftState): PersistDraft {
  if (state.draft === undefined) {
    // Silence is counted from the first write that waits, not from each.
    if (state.pending.length === 0) state.diskSilentSince = state.now;
    state.draft = { seq: state.nextSeq };
    state.pending.push({ seq: state.nextSeq, last: state.stableIndex });
    state.nextSeq += 1;
  }
  return state.draft;
}

/**
 * Enters a term or gives a vote. On disk before anything leaves that follows from it.
 */
export function setHardState(state: RaftState, term: Term, vote: NodeId): void {
  assertSafeInteger(term, "term");
  assert(term >= state.term, `raft: term never falls, ${state.term} to ${term}`);
  assert(
    term > state.term || vote === state.vote || state.vote === 0,
    `raft: one vote in term ${term}, for ${state.vote}, not for ${vote}`,
  );
  state.term = term;
  state.vote = vote;
  const draft = draftOf(state);
  draft.hardState = { term, vote };
  state.hardStateSeq = draft.seq;
}

/** Entries for the log's end. Those that are configurations are in force at once. */
export interface NewEntries {
  readonly sizes: readonly number[];
  readonly runs: readonly TermRun[];
  readonly configurations?: readonly ConfigurationRecord[];
}

/** Adds entries at the end of the log and hands them to the disk. */
export function appendEntries(
  state: RaftState,
  entries: NewEntries,
  source: "proposal" | "message" | "noop" | "configuration",
): Index {
  const from = state.log.lastIndex + 1;
  state.log.append(entries.sizes, entries.runs);
  assert(
    state.log.lastTerm <= state.term,
    `raft: entry of term ${state.log.lastTerm} in term ${state.term}`,
  );
  const draft = draftOf(state);
  assert(draft.append === undefined, "raft: one append in a step");
  const { sizes, runs, configurations = NO_CONFIGURATIONS } = entries;
  draft.append = { from, count: sizes.length, runs, source };
  if (source === "configuration") {
    draft.append = { ...draft.append, sets: configurations[0]!.sets };
  }
  const pending = state.pending.at(-1)!;
  pending.last = state.log.lastIndex;
  noteStored(state, pending.last);
  adoptConfigurations(state, configurations);
  return from;
}

/** Leader: an entry that says nothing, and commits what is before it. */
export function appendNoop(state: RaftState): void {
  const runs = [{ first: state.log.lastIndex + 1, term: state.term }];
  appendEntries(state, { sizes: [0], runs }, "noop");
}

/**
 * Cuts a suffix that contradicts the leader.
 *
 * Writes under way may hold the very indexes that are cut. Once they are on disk they prove
 * nothing about the entries that will take those places, so what they promise is lowered here.
 */
export function truncateLog(state: RaftState, from: Index): void {
  assert(from > state.commitIndex, `raft: cut at ${from}, but ${state.commitIndex} is committed`);
  assert(state.role !== "leader", `raft: a leader never cuts its log, at ${from}`);
  state.log.truncateFrom(from);
  const draft = draftOf(state);
  draft.truncateFrom = from;
  state.stableIndex = Math.min(state.stableIndex, from - 1);
  for (const pending of state.pending) pending.last = Math.min(pending.last, from - 1);
  state.truncatedFrom = from;
  cutConfigurations(state, from);
}

/**
 * A copy of the state machine takes the log's place: the log begins anew behind the copy's index.
 *
 * What is here behind the committed part contradicts the copy or is in it. Writes under way may
 * hold such entries, so they prove nothing beyond what was committed.
 */
export function resetLog(state: RaftState, copy: CopyReceiving): void {
  const { index, indexTerm: term, configuration } = copy;
  const { log, commitIndex } = state;
  assert(index > commitIndex, `raft: a copy at ${index}, but ${commitIndex} is committed`);
  assert(state.role === "follower", `raft: a ${state.role} keeps its log`);
  if (log.lastIndex > commitIndex) state.truncatedFrom = commitIndex + 1;
  log.reset(index, term);
  const draft = draftOf(state);
  assert(draft.append === undefined, "raft: no append in the step of a reset");
  draft.reset = { index, term, configuration, copy: copy.copy };
  state.stableIndex = Math.min(state.stableIndex, commitIndex);
  for (const pending of state.pending) pending.last = Math.min(pending.last, commitIndex);
  state.pending.at(-1)!.last = index;
  state.commitIndex = index;
  state.applyingIndex = index;
  state.installing = index;
  noteStored(state, index);
  resetConfigurations(state, configuration);
  state.answers.push({ kind: "install", index, copy: copy.copy, after: draft.seq });
}

/** Everything up to this write is on disk. */
export function notePersisted(state: RaftState, seq: PersistSeq): void {
  assert(seq < state.nextSeq, `raft: persisted ${seq}, but only ${state.nextSeq - 1} was asked`);
  if (seq <= state.persistedSeq) return;
  state.persistedSeq = seq;
  state.diskSilentSince = state.now;
  while (state.pending.length > 0 && state.pending[0]!.seq <= seq) {
    const done = state.pending.shift()!;
    state.stableIndex = Math.max(state.stableIndex, done.last);
  }
}

/** The write after which entries up to `index` are on disk; 0 if they are already. */
export function seqCovering(state: RaftState, index: Index): PersistSeq {
  if (index <= state.stableIndex) return 0;
  const covering = state.pending.find((pending) => pending.last >= index);
  assert(covering !== undefined, `raft: no write holds entry ${index}`);
  return covering.seq;
}

/**
 * Leader: commits what a quorum has on disk.
 *
 * Only an entry of the leader's own term is committed by counting; what lies before it is then
 * committed with it. An older entry on a majority may still be replaced (figure 8 of the paper).
 */
export function advanceLeaderCommit(state: RaftState): void {
  // The leader is one voter among others: its copy counts once it is on its disk.
  const onQuorum = reachedByQuorum(state, "match", state.stableIndex);
  if (onQuorum <= state.commitIndex || state.now < state.commitGateAt) return;
  if (state.log.termAt(onQuorum) !== state.term) return;
  state.commitIndex = onQuorum;
  noteCommitted(state);
}

/** Leader: whether an entry of its own term is committed, and with it all that was before. */
export function hasCommittedInTerm(state: RaftState): boolean {
  return state.ownFirstIndex <= state.commitIndex;
}

/**
 * Follower: commits what the leader says, up to what this very request has verified. Behind that
 * our log may hold a tail which the leader has never seen.
 */
export function advanceFollowerCommit(state: RaftState, commit: Index, verified: Index): void {
  state.commitIndex = Math.max(state.commitIndex, Math.min(commit, verified));
}

/** The state machine has applied up to here. */
export function noteApplied(state: RaftState, index: Index): void {
  assert(
    index <= state.applyingIndex,
    `raft: applied ${index}, but only ${state.applyingIndex} was handed out`,
  );
  state.appliedIndex = Math.max(state.appliedIndex, index);
  if (state.installing !== undefined && index >= state.installing) state.installing = undefined;
}

/** Bytes that are committed, and which the state machine has yet to apply. */
export function unappliedBytes(state: RaftState): number {
  const { log, appliedIndex, commitIndex } = state;
  return log.bytesOf(Math.max(appliedIndex, log.compactedIndex) + 1, commitIndex);
}

/**
 * How far entries may be handed out now. The state machine never holds what the log on this disk
 * might lose, and it gets no more at a time than it can take; a larger entry goes alone.
 */
export function applicableTo(state: RaftState): Index {
  const { log, appliedIndex, applyingIndex, installing } = state;
  const upTo = Math.min(state.commitIndex, state.stableIndex);
  if (upTo <= applyingIndex || installing !== undefined) return applyingIndex;
  const { applyAheadBytesMax } = state.options;
  if (log.bytesOf(appliedIndex + 1, upTo) <= applyAheadBytesMax) return upTo;
  const page = log.lastWithin(appliedIndex + 1, upTo, applyAheadBytesMax);
  return Math.max(page, applyingIndex, appliedIndex === applyingIndex ? appliedIndex + 1 : 0);
}

/** The driver has dropped entries up to here. */
export function noteCompacted(state: RaftState, upTo: Index): void {
  assert(
    upTo <= state.appliedIndex,
    `raft: compacted to ${upTo}, but only ${state.appliedIndex} is applied`,
  );
  state.log.compact(upTo);
  compactConfigurations(state, upTo);
}

/**
 * Leader: brings a peer whose entries are compacted away a copy of the state machine instead.
 *
 * The core asks the driver for a copy, then sends chunks of it by offset, a few ahead of what the
 * peer has. Heartbeats go on meanwhile. A reply moves the cursor, back as well: so a lost chunk, a
 * bad one and a peer that started over are one case.
 * Invariant: a copy is sent only while the entries behind it are in the log, so that the peer can
 * go on from there. Chapter: 07-raft. Source: Ongaro 2014, chapter 5.
 */
import { assert } from "#base";
import { configurationAt } from "./config.ts";
import { type CopySending, type Progress, releaseCopy, startProbe } from "./progress.ts";
import { type RaftState, send } from "./state.ts";
import type { Input, NodeId, SnapshotReplyMessage } from "./types.ts";

/** Chunks under way to one peer. */
const WINDOW_CHUNKS_MAX = 4;

/** The peer needs what is not in the log any more: asks the driver for a copy. */
export function startCopy(state: RaftState, progress: Progress): void {
  startProbe(progress);
  progress.state = "snapshot";
  progress.copy = {
    isReady: false,
    askedAt: state.now,
    index: 0,
    term: 0,
    configuration: state.configuration,
    copy: 0,
    totalBytes: 0,
    ackedOffset: 0,
    sentOffset: 0,
    windowChunks: WINDOW_CHUNKS_MAX,
    movedAt: state.now,
  };
  askForCopy(state, progress, progress.copy);
}

function askForCopy(state: RaftState, progress: Progress, copy: CopySending): void {
  copy.askedAt = state.now;
  const atLeast = state.log.compactedIndex;
  state.answers.push({ kind: "makeSnapshot", to: progress.peer, atLeast });
}

/** A copy is there, or none could be made. One that nobody needs any more is given back. */
export function handleSnapshotReady(
  state: RaftState,
  input: Extract<Input, { kind: "snapshotReady" }>,
): void {
  const { to, index, totalBytes } = input;
  assert(
    index <= state.commitIndex,
    `raft: a snapshot at ${index}, but only ${state.commitIndex} is committed`,
  );
  const progress = state.progress.find(({ peer }) => peer === to);
  const copy = progress?.copy;
  if (totalBytes === 0) return;
  if (progress === undefined || copy === undefined || copy.isReady) {
    if (copy?.copy === input.copy && copy.isReady) return;
    state.answers.push({ kind: "dropSnapshot", to, copy: input.copy });
    return;
  }
  const term = state.log.termAt(index);
  if (term === undefined) {
    state.answers.push({ kind: "dropSnapshot", to, copy: input.copy });
    askForCopy(state, progress, copy);
    return;
  }
  copy.isReady = true;
  copy.index = index;
  copy.term = term;
  copy.configuration = configurationAt(state, index);
  copy.copy = input.copy;
  copy.totalBytes = totalBytes;
  copy.movedAt = state.now;
}

/** Sends what the peer has room for, as long as it answers. */
export function sendChunks(state: RaftState, progress: Progress): void {
  const { copy } = progress;
  const { electionTimeoutMs, snapshotChunkBytesMax: chunkBytes } = state.options;
  if (copy === undefined) return;
  if (!copy.isReady) {
    if (state.now - copy.askedAt >= electionTimeoutMs) askForCopy(state, progress, copy);
    return;
  }
  if (copy.index < state.log.compactedIndex) {
    // The log was kept for as long as the peer was there: another copy is made when it is again.
    releaseCopy(progress, state.answers);
    progress.isHeard = false;
    return;
  }
  if (state.now - copy.movedAt >= electionTimeoutMs / 2) sendAgain(state, copy, chunkBytes);
  const sendMax = copy.ackedOffset + copy.windowChunks * chunkBytes;
  while (copy.sentOffset < Math.min(copy.totalBytes, sendMax)) {
    const bytes = Math.min(chunkBytes, copy.totalBytes - copy.sentOffset);
    send(state, progress.peer, {
      kind: "snapshot",
      term: state.term,
      session: progress.session,
      index: copy.index,
      indexTerm: copy.term,
      configuration: copy.configuration,
      copy: copy.copy,
      offset: copy.sentOffset,
      bytes,
      totalBytes: copy.totalBytes,
    });
    copy.sentOffset += bytes;
  }
}

/** Nothing was heard: one chunk, to learn where the peer is. At the end that is the last one. */
function sendAgain(state: RaftState, copy: CopySending, chunkBytes: number): void {
  const last = Math.floor((copy.totalBytes - 1) / chunkBytes) * chunkBytes;
  copy.movedAt = state.now;
  if (copy.ackedOffset >= copy.totalBytes) copy.ackedOffset = last;
  copy.sentOffset = copy.ackedOffset;
  copy.windowChunks = 1;
}

/** The peer says what it wants next. */
export function handleSnapshotReply(
  state: RaftState,
  from: NodeId,
  message: SnapshotReplyMessage,
): void {
  const progress = state.progress.find(({ peer }) => peer === from);
  if (progress === undefined || message.session !== progress.session) return;
  progress.isHeard = true;
  progress.lastReplyAt = state.now;
  const { copy } = progress;
  if (copy === undefined || !copy.isReady) return;
  const { index, nextOffset } = message;
  if (copy.index !== index || copy.copy !== message.copy) return;
  assert(
    nextOffset >= 0 && nextOffset <= copy.totalBytes,
    `raft: node ${from} wants byte ${nextOffset} of ${copy.totalBytes}`,
  );
  if (nextOffset === copy.ackedOffset) return;
  const isBack = nextOffset < copy.ackedOffset;
  copy.sentOffset = isBack ? nextOffset : Math.max(copy.sentOffset, nextOffset);
  copy.ackedOffset = nextOffset;
  copy.windowChunks = WINDOW_CHUNKS_MAX;
  copy.movedAt = state.now;
}

/** The peer has what it needs to go on from the log: appends take over again. */
export function endCopy(state: RaftState, progress: Progress): void {
  if (progress.copy === undefined || progress.match < state.log.compactedIndex) return;
  releaseCopy(progress, state.answers);
}

/** Chunks under way are lost, and more would be: waits until the peer is due to be asked again. */
export function pauseCopy(copy: CopySending): void {
  copy.sentOffset = copy.ackedOffset;
  copy.windowChunks = 0;
}

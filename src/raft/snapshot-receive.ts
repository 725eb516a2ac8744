/**
 * Follower: takes a copy of the state machine, chunk by chunk, and lets it take the log's place.
 *
 * The driver stores and checks the bytes; here it is decided which chunk is wanted, and when the
 * copy is to replace what is here. Once it is whole and its index is news, the log begins anew
 * behind it.
 * Invariant: the log is given up only for a copy that holds everything committed here and more.
 * Chapter: 07-raft. Source: Ongaro 2014, chapter 5.
 */
import { assert } from "#base";
import { advanceFollowerCommit, resetLog, seqCovering } from "./commit.ts";
import { stepDown } from "./election.ts";
import { appendOk } from "./replication.ts";
import { type CopyReceiving, type RaftState, send } from "./state.ts";
import type { Input, NodeId, SnapshotMessage } from "./types.ts";

/** Takes a chunk from the leader of this term. */
export function handleSnapshot(state: RaftState, from: NodeId, message: SnapshotMessage): void {
  checkShape(message);
  if (catchUpWith(state, message)) {
    acknowledge(state, from, message);
    return;
  }
  if (state.installing !== undefined) {
    // One at a time. What comes now is asked for again when the one in hand is in place.
    answer(state, from, message, 0);
    return;
  }
  const receiving = receivingFor(state, from, message);
  if (receiving === undefined) return;
  receiving.session = message.session;
  state.receiving = receiving;
  const { offset, bytes } = message;
  // The second case: what was handed out from there was bad, or lost, and comes again.
  if (offset === receiving.handedOffset || offset === receiving.nextOffset) {
    receiving.handedOffset = offset + bytes;
    state.answers.push({ kind: "storeChunk", from });
  } else {
    answer(state, from, message, receiving.nextOffset);
  }
}

/** The state of the copy that the chunk belongs to; undefined for a late chunk of an older one. */
function receivingFor(
  state: RaftState,
  from: NodeId,
  message: SnapshotMessage,
): CopyReceiving | undefined {
  const { index, indexTerm, configuration, copy, totalBytes, term, session } = message;
  const known = state.receiving;
  // Two nodes may give two copies the same name, so a copy is continued only by its sender.
  if (
    known?.from === from &&
    known.index === index &&
    known.indexTerm === indexTerm &&
    known.copy === copy &&
    known.totalBytes === totalBytes
  ) {
    known.term = term;
    return known;
  }
  if (known?.term === term && index < known.index) return undefined;
  return {
    from,
    term,
    session,
    index,
    indexTerm,
    configuration,
    copy,
    totalBytes,
    nextOffset: 0,
    handedOffset: 0,
  };
}

/** So much of the copy is stored. When it is whole, it is installed. */
export function handleChunkStored(
  state: RaftState,
  input: Extract<Input, { kind: "chunkStored" }>,
): void {
  const { receiving } = state;
  const { index, copy, nextOffset } = input;
  if (receiving === undefined || receiving.index !== index || receiving.copy !== copy) return;
  assert(
    nextOffset >= 0 && nextOffset <= receiving.totalBytes,
    `raft: stored ${nextOffset} of ${receiving.totalBytes} bytes`,
  );
  if (nextOffset < receiving.nextOffset) receiving.handedOffset = nextOffset;
  receiving.nextOffset = nextOffset;
  receiving.handedOffset = Math.max(receiving.handedOffset, nextOffset);
  if (nextOffset === receiving.totalBytes) finish(state, receiving);
  else if (isCurrent(state, receiving)) answer(state, receiving.from, receiving, nextOffset);
}

/** The copy is whole. What it holds is committed, whoever leads now. */
function finish(state: RaftState, receiving: CopyReceiving): void {
  state.receiving = undefined;
  // What a candidate asked votes for is not what it has, or knows, from here on.
  if (state.role === "candidate" || state.role === "pre-candidate") stepDown(state, state.term);
  if (!catchUpWith(state, receiving)) resetLog(state, receiving);
  if (isCurrent(state, receiving)) acknowledge(state, receiving.from, receiving);
}

/** Whether the log has the copy's last entry: then all up to it is known to be committed. */
function catchUpWith(
  state: RaftState,
  { index, indexTerm }: Pick<SnapshotMessage, "index" | "indexTerm">,
): boolean {
  if (index <= state.commitIndex) return true;
  if (state.log.termAt(index) !== indexTerm) return false;
  if (state.role !== "leader") advanceFollowerCommit(state, index, index);
  return true;
}

function isCurrent(state: RaftState, receiving: CopyReceiving): boolean {
  return state.term === receiving.term && state.leader === receiving.from;
}

type CopyNamed = Pick<SnapshotMessage, "session" | "index" | "copy">;

function answer(state: RaftState, from: NodeId, copy: CopyNamed, nextOffset: number): void {
  const { session, index, copy: name } = copy;
  send(state, from, {
    kind: "snapshotReply",
    term: state.term,
    session,
    index,
    copy: name,
    nextOffset,
  });
}

/** What the copy holds is here: that ends its transfer. Waits for the disk as any other answer. */
function acknowledge(state: RaftState, from: NodeId, copy: CopyNamed): void {
  const { session, index } = copy;
  send(
    state,
    from,
    appendOk(state, { match: index, session, round: 0 }),
    seqCovering(state, index),
  );
}

/** Tells the leader of an older term which term it is. */
export function refuseSnapshot(state: RaftState, from: NodeId, message: SnapshotMessage): void {
  answer(state, from, message, 0);
}

function checkShape(message: SnapshotMessage): void {
  const { index, indexTerm, term, offset, bytes, totalBytes, configuration } = message;
  assert(Number.isSafeInteger(index) && index >= 1, `raft: snapshot at ${index}`);
  assert(indexTerm >= 1 && indexTerm <= term, `raft: snapshot: term ${indexTerm} in term ${term}`);
  assert(
    configuration.index <= index,
    `raft: snapshot at ${index} with configuration ${configuration.index}`,
  );
  assert(
    offset >= 0 && bytes >= 1 && offset + bytes <= totalBytes,
    `raft: snapshot: ${bytes} bytes at ${offset} of ${totalBytes}`,
  );
}

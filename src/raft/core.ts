/**
 * The dispatcher: one input in, outputs out. Reads from top to bottom.
 *
 * Each input changes the state; what leaves is decided once, at the end of the step. A step that
 * finds an invariant broken throws, and so does every step after it.
 * Invariant: same boot state, same random draws, same inputs give the same outputs.
 * Chapter: 07-raft.
 */
import { assert, type Ms, unreachable } from "#base";
import {
  advanceLeaderCommit,
  appendEntries,
  noteApplied,
  noteCompacted,
  notePersisted,
} from "./commit.ts";
import {
  answerVote,
  countOwnVote,
  followLeader,
  forgetSilence,
  handleVote,
  handleVoteReply,
  isSticky,
  leaseEnd,
  restartElectionTimer,
  startPreVote,
  stepDown,
} from "./election.ts";
import { checkInvariants, type Watermarks, watermarksOf } from "./invariants.ts";
import { startProbe } from "./progress.ts";
import { handleAppend, handleAppendReply, refuseAppend, sendToPeers } from "./replication.ts";
import { createState, type RaftState } from "./state.ts";
import type {
  ConfigurationRecord,
  Index,
  Input,
  Message,
  NodeId,
  Output,
  RaftBootState,
  RaftCore,
  RaftOptions,
  RaftStatus,
  Role,
  Term,
} from "./types.ts";

/** See `RaftModule.createRaftCore` in types.ts. */
export function createRaftCore(options: RaftOptions, boot: RaftBootState, now: Ms): RaftCore {
  return new Core(createState(options, boot, now));
}

class Core implements RaftCore {
  readonly #state: RaftState;
  readonly #seen: Watermarks;
  #broken = false;
  /** What the last `role` output said. */
  #told: { role: Role; term: Term; leader: NodeId };

  constructor(state: RaftState) {
    restartElectionTimer(state);
    // Alone, there is no leader to wait for.
    if (state.quorum === 1) state.electionAt = state.now;
    this.#state = state;
    this.#seen = watermarksOf(state);
    this.#told = { role: state.role, term: state.term, leader: state.leader };
  }

  step(now: Ms, input: Input, outputs: Output[]): void {
    const state = this.#state;
    assert(!this.#broken, "raft: a core that broke an invariant takes no more steps");
    this.#broken = true;
    assert(now >= state.now, `raft: time went back from ${state.now} to ${now}`);
    state.now = now;
    handleInput(state, input);
    if (state.role === "leader") {
      advanceLeaderCommit(state);
      sendToPeers(state);
    }
    // Before anything is handed out: a broken core must not be heard.
    checkInvariants(state, this.#seen, this.deadline);
    this.#emit(outputs);
    this.#broken = false;
  }

  get deadline(): Ms {
    const state = this.#state;
    if (state.role !== "leader") return state.electionAt;
    return Math.min(state.heartbeatAt, leaseEnd(state));
  }

  get role(): Role {
    return this.#state.role;
  }

  get term(): Term {
    return this.#state.term;
  }

  get leader(): NodeId {
    return this.#state.leader;
  }

  get lastIndex(): Index {
    return this.#state.log.lastIndex;
  }

  get configuration(): ConfigurationRecord {
    return this.#state.configuration;
  }

  get commitIndex(): Index {
    return this.#state.commitIndex;
  }

  termAt(index: Index): Term | undefined {
    return this.#state.log.termAt(index);
  }

  status(): RaftStatus {
    const { log, options, role, term, vote, leader, progress, ...state } = this.#state;
    return {
      self: options.self,
      role,
      term,
      vote,
      leader,
      commitIndex: state.commitIndex,
      appliedIndex: state.appliedIndex,
      stableIndex: state.stableIndex,
      firstIndex: log.firstIndex,
      lastIndex: log.lastIndex,
      lastTerm: log.lastTerm,
      leaderHeardAt: state.leaderHeardAt,
      configuration: state.configuration,
      committedConfiguration: state.configuration,
      removed: false,
      transferringTo: 0,
      pendingReads: 0,
      uncommittedBytes: log.bytesOf(state.commitIndex + 1, log.lastIndex),
      unappliedBytes: log.bytesOf(state.appliedIndex + 1, state.commitIndex),
      peers: progress.map(({ peer, match, next, inFlightLasts, lastReplyAt, ...rest }) => ({
        peer,
        match,
        next,
        state: rest.state,
        inFlight: inFlightLasts.length,
        lastReplyAt,
        voter: true,
        caughtUp: true,
      })),
    };
  }

  /** Hands out what the step has decided: what was lost, what to write, what to say, what to do. */
  #emit(outputs: Output[]): void {
    const state = this.#state;
    if (state.truncatedFrom !== undefined) {
      outputs.push({ kind: "truncated", from: state.truncatedFrom });
      state.truncatedFrom = undefined;
    }
    if (state.draft !== undefined) {
      outputs.push({ kind: "persist", ...state.draft });
      state.draft = undefined;
    }
    const { role, term, leader } = state;
    const told = this.#told;
    if (role !== told.role || term !== told.term || leader !== told.leader) {
      this.#told = { role, term, leader };
      outputs.push({ kind: "role", role, term, leader });
    }
    for (const answer of state.answers.splice(0)) outputs.push(answer);
    for (const { to, message, after } of state.sends.splice(0)) {
      if (after > state.persistedSeq) outputs.push({ kind: "send", to, message, after });
      else outputs.push({ kind: "send", to, message });
    }
    for (const behind of state.behind.splice(0)) outputs.push(behind);
    // The state machine never holds what the log on this disk might lose.
    const upTo = Math.min(state.commitIndex, state.stableIndex);
    if (upTo > state.applyingIndex) {
      outputs.push({ kind: "apply", from: state.applyingIndex + 1, to: upTo });
      state.applyingIndex = upTo;
    }
  }
}

function handleInput(state: RaftState, input: Input): void {
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
    case "persisted":
      notePersisted(state, input.seq);
      countOwnVote(state);
      break;
    case "applied":
      noteApplied(state, input.index);
      break;
    case "unreachable":
      handleUnreachable(state, input.peer);
      break;
    case "compacted":
      noteCompacted(state, input.upTo);
      break;
    case "change":
    case "read":
      state.answers.push({ kind: "refused", id: input.id, reason: "not-leader" });
      break;
    case "transfer":
      state.answers.push({ kind: "refused", id: 0, reason: "not-leader" });
      break;
    case "snapshotReady":
    case "chunkStored":
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
  }
}

function handlePropose(state: RaftState, id: number, sizes: readonly number[]): void {
  const { log, term } = state;
  if (state.role !== "leader") {
    state.answers.push({ kind: "refused", id, reason: "not-leader" });
    return;
  }
  const uncommitted = log.bytesOf(state.commitIndex + 1, log.lastIndex);
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  if (uncommitted > 0 && uncommitted + bytes > state.options.uncommittedBytesMax) {
    state.answers.push({ kind: "refused", id, reason: "uncommitted-limit" });
    return;
  }
  const runs = [{ first: log.lastIndex + 1, term }];
  const from = appendEntries(state, { sizes, runs }, "proposal");
  state.answers.push({ kind: "accepted", id, from, count: sizes.length, term });
}

function handleUnreachable(state: RaftState, peer: NodeId): void {
  const progress = state.progress.find((candidate) => candidate.peer === peer);
  if (progress !== undefined) startProbe(progress);
}

function handleMessage(state: RaftState, from: NodeId, message: Message): void {
  if (!state.peers.includes(from)) return;
  if (message.term < state.term) {
    handleStale(state, from, message);
    return;
  }
  if (message.term > state.term) {
    const request = message.kind === "vote";
    if (request && isSticky(state)) return;
    // Pre-votes speak of a term that nobody has entered yet.
    const hypothetical = request ? message.pre : message.kind === "voteReply" && message.granted;
    if (!hypothetical) stepDown(state, message.term);
  }
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
    case "snapshot":
    case "snapshotReply":
    case "read":
    case "readReply":
      break;
    default:
      unreachable(message);
  }
}

/** Whoever lives in an older term is told of the newer one; its answers count for nothing. */
function handleStale(state: RaftState, from: NodeId, message: Message): void {
  if (message.kind === "vote") answerVote(state, from, message, false);
  if (message.kind === "append") refuseAppend(state, from, message);
}

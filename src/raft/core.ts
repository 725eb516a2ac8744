/**
 * The dispatcher: one input in, outputs out. Reads from top to bottom.
 *
 * Each input changes the state; what leaves is decided once, at the end of the step. A step that
 * finds an invariant broken throws, and so does every step after it.
 * Invariant: same boot state, same random draws, same inputs give the same outputs.
 * Chapter: 07-raft.
 */
import { assert, type Ms } from "#base";
import { advanceLeaderCommit, appendNoop, applicableTo, unappliedBytes } from "./commit.ts";
import { committedConfiguration } from "./config.ts";
import { handleInput } from "./dispatch.ts";
import { handOver, isRemoved, leaseEnd, restartElectionTimer } from "./election.ts";
import { checkInvariants, type Watermarks, watermarksOf } from "./invariants.ts";
import { renewalAt } from "./lease.ts";
import { dropLeavers, isDismissed, leaveJoint } from "./membership.ts";
import { isCaughtUp } from "./progress.ts";
import { hasQuorum } from "./quorum.ts";
import { driveReads, readDeadline, releaseReads } from "./reads.ts";
import { sendToPeers } from "./replication.ts";
import { createState, type RaftState } from "./state.ts";
import { driveTransfer } from "./transfer.ts";
import type {
  ConfigurationRecord,
  Index,
  Input,
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
  #deadline: Ms;
  #broken = false;
  /** What the last `configuration` outputs said. */
  #toldConfigurations: {
    readonly inForce: ConfigurationRecord;
    readonly committed: ConfigurationRecord;
  };
  /** What the last `role` output said. */
  #told: { role: Role; term: Term; leader: NodeId };

  constructor(state: RaftState) {
    restartElectionTimer(state);
    // Alone, there is no leader to wait for.
    const { sets } = state.configuration;
    if (hasQuorum(sets, [state.options.self])) state.electionAt = state.now;
    this.#state = state;
    this.#deadline = deadlineOf(state);
    this.#seen = watermarksOf(state);
    const committed = committedConfiguration(state);
    this.#toldConfigurations = { inForce: state.configuration, committed };
    this.#told = { role: state.role, term: state.term, leader: state.leader };
  }

  step(now: Ms, input: Input, outputs: Output[]): void {
    const state = this.#state;
    assert(!this.#broken, "raft: a core that broke an invariant takes no more steps");
    this.#broken = true;
    assert(now >= state.now, `raft: time went back from ${state.now} to ${now}`);
    state.now = now;
    handleInput(state, input);
    if (state.role === "leader") lead(state, input.kind);
    driveReads(state);
    this.#deadline = deadlineOf(state);
    // Before anything is handed out: a broken core must not be heard.
    checkInvariants(state, this.#seen, input.kind, this.#deadline);
    this.#emit(outputs);
    this.#broken = false;
  }

  get deadline(): Ms {
    return this.#deadline;
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
    return statusOf(this.#state);
  }

  /** Tells what was committed, then what is in force, if either is news. */
  #tellConfigurations(outputs: Output[]): void {
    const state = this.#state;
    const told = this.#toldConfigurations;
    const committed = committedConfiguration(state);
    const inForce = state.configuration;
    if (committed === told.committed && inForce === told.inForce) return;
    this.#toldConfigurations = { inForce, committed };
    if (committed !== told.committed || inForce === committed) {
      outputs.push({ kind: "configuration", configuration: committed, committed: true });
    }
    if (inForce !== told.inForce && inForce !== committed) {
      outputs.push({ kind: "configuration", configuration: inForce, committed: false });
    }
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
    this.#tellConfigurations(outputs);
    for (const answer of state.answers) if (answer.kind !== "dropSnapshot") outputs.push(answer);
    for (const { to, message, after } of state.sends) {
      if (after > state.persistedSeq) outputs.push({ kind: "send", to, message, after });
      else outputs.push({ kind: "send", to, message });
    }
    state.sends.length = 0;
    // A step that ends a leadership may have sent a chunk before: the copy goes behind it.
    for (const answer of state.answers) if (answer.kind === "dropSnapshot") outputs.push(answer);
    state.answers.length = 0;
    const upTo = applicableTo(state);
    if (upTo > state.applyingIndex) {
      outputs.push({ kind: "apply", from: state.applyingIndex + 1, to: upTo });
      state.applyingIndex = upTo;
    }
  }
}

/** A copy of the state for people. */
function statusOf(state: RaftState): RaftStatus {
  const { log, options, configuration, commitIndex, appliedIndex } = state;
  return {
    self: options.self,
    role: state.role,
    term: state.term,
    vote: state.vote,
    leader: state.leader,
    commitIndex,
    appliedIndex,
    stableIndex: state.stableIndex,
    firstIndex: log.firstIndex,
    lastIndex: log.lastIndex,
    lastTerm: log.lastTerm,
    leaderHeardAt: state.leaderHeardAt,
    configuration,
    committedConfiguration: committedConfiguration(state),
    removed: isRemoved(state),
    transferringTo: state.transfer?.to ?? 0,
    pendingReads: state.reads.length + state.readIds.length + (state.asked?.ids.length ?? 0),
    uncommittedBytes: log.bytesOf(commitIndex + 1, log.lastIndex),
    unappliedBytes: unappliedBytes(state),
    peers: state.progress.map((progress) => ({
      peer: progress.peer,
      voter: progress.inVoters || progress.inOutgoing,
      match: progress.match,
      next: progress.next,
      state: progress.state,
      inFlight: progress.inFlightLasts.length,
      lastReplyAt: progress.lastReplyAt,
      caughtUp: isCaughtUp(progress, state.now, options.electionTimeoutMs),
    })),
  };
}

/** When something has to be done although nothing happens. */
function deadlineOf(state: RaftState): Ms {
  if (state.role !== "leader") return Math.min(state.electionAt, readDeadline(state));
  let deadline = Math.min(state.heartbeatAt, leaseEnd(state), renewalAt(state));
  if (state.now < state.commitGateAt) deadline = Math.min(deadline, state.commitGateAt);
  if (state.transfer === undefined) return deadline;
  return Math.min(deadline, state.transfer.startedAt + state.options.electionTimeoutMs);
}

/** What a leader does at the end of each step, whatever the step was about. */
function lead(state: RaftState, input: Input["kind"]): void {
  advanceLeaderCommit(state);
  // First of all: what waits for a transfer to end is due in this very step.
  driveTransfer(state);
  // Another configuration is another quorum, which may have been reached long ago. What the log
  // gets in the step of a change is that change: the driver knows its members by that.
  if (input !== "change" && leaveJoint(state)) advanceLeaderCommit(state);
  if (state.now >= renewalAt(state) && state.draft?.append === undefined) appendNoop(state);
  releaseReads(state);
  sendToPeers(state);
  dropLeavers(state);
  if (isDismissed(state)) handOver(state);
}

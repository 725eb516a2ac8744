/**
 * Leadership is handed to another voter: it is brought up to date, then told to campaign at once.
 *
 * Meanwhile nothing new is taken, so that there is an end to what it lacks. If it does not take
 * over within an election timeout, work goes on here.
 * Invariant: no lease is given from the moment a transfer begins. Chapter: 07-raft. Source: Ongaro
 * 2014, section 3.10.
 */
import type { Ms } from "#base";
import { revokeLease } from "./lease.ts";
import type { Progress } from "./progress.ts";
import { NOBODY, type RaftState, send } from "./state.ts";
import type { NodeId, Output } from "./types.ts";

/** Who takes over, since when it is asked to, and when it was told last. */
export interface Transfer {
  readonly to: NodeId;
  readonly startedAt: Ms;
  toldAt: Ms | undefined;
}

type TransferOutcome = Extract<Output, { kind: "transferEnded" }>["outcome"];

/** Takes a transfer, or says why not. The same one again changes nothing. */
export function handleTransfer(state: RaftState, to: NodeId): void {
  if (state.role !== "leader") {
    state.answers.push({ kind: "refused", id: 0, reason: "not-leader" });
    return;
  }
  const target = to === NOBODY ? mostAdvancedVoter(state) : targetOf(state, to);
  if (target === undefined)
    state.answers.push({ kind: "refused", id: 0, reason: "invalid-target" });
  else startTransfer(state, target.peer);
}

function targetOf(state: RaftState, to: NodeId): Progress | undefined {
  return state.progress.find(({ peer, inVoters }) => peer === to && inVoters);
}

export function startTransfer(state: RaftState, to: NodeId): void {
  if (state.transfer?.to === to) return;
  endTransfer(state, "replaced");
  revokeLease(state);
  state.transfer = { to, startedAt: state.now, toldAt: undefined };
}

export function endTransfer(state: RaftState, outcome: TransferOutcome): void {
  if (state.transfer === undefined) return;
  state.answers.push({ kind: "transferEnded", to: state.transfer.to, outcome });
  state.transfer = undefined;
}

/** Leader, at the end of a step: tells the target once it has everything, and gives up in time. */
export function driveTransfer(state: RaftState): void {
  const { transfer, now, options } = state;
  if (transfer === undefined) return;
  const target = targetOf(state, transfer.to);
  if (target === undefined) {
    endTransfer(state, "gone");
  } else if (now >= transfer.startedAt + options.electionTimeoutMs) {
    endTransfer(state, "timeout");
  } else if (target.match === state.log.lastIndex) {
    const { toldAt } = transfer;
    if (toldAt !== undefined && now < toldAt + options.heartbeatMs) return;
    transfer.toldAt = now;
    send(state, transfer.to, { kind: "timeoutNow", term: state.term });
  }
}

/** Leader: the voter with the longest match among those that answer; undefined if none does. */
export function mostAdvancedVoter(state: RaftState): Progress | undefined {
  let best: Progress | undefined;
  for (const progress of state.progress) {
    if (!progress.inVoters || !progress.isHeard) continue;
    if (state.now - progress.lastReplyAt >= state.options.electionTimeoutMs) continue;
    if (best === undefined || progress.match > best.match) best = progress;
  }
  return best;
}

/**
 * Leader: its own disk is silent, and another voter's is not. It hands over while it still can; at
 * a full election timeout of silence it would have to leave anyway.
 */
export function handOverFromSlowDisk(state: RaftState): void {
  const { pending, transfer, now, diskSilentSince, options, log } = state;
  if (pending.length === 0 || transfer !== undefined) return;
  if (now - diskSilentSince < options.electionTimeoutMs / 2) return;
  const heir = mostAdvancedVoter(state);
  if (heir !== undefined && heir.match === log.lastIndex) startTransfer(state, heir.peer);
}

/**
 * A leader's view of one peer: what matches there, what to send next, what is under way.
 *
 * Three states. `probe`: where the logs part is not known; one append at a time, then wait.
 * `replicate`: appends follow each other without waiting, up to a window in count and bytes.
 * `snapshot`: what the peer needs is compacted away; a copy of the state machine is sent instead.
 * Invariant: match < next, match never falls, only a replicating peer has something in the window.
 * Chapter: 07-raft. Source: the same split is in etcd's raft, "progress"; rounds: Ongaro 2014,
 * section 4.2.1.
 */
import type { Ms } from "#base";
import type { ConfigurationRecord, Index, NodeId, Output, Term } from "./types.ts";

/** A copy of the state machine on its way to a peer, or asked for and not made yet. */
export interface CopySending {
  /** Until then the fields below mean nothing. */
  isReady: boolean;
  askedAt: Ms;
  index: Index;
  term: Term;
  configuration: ConfigurationRecord;
  copy: number;
  totalBytes: number;
  /** The peer has everything before it. */
  ackedOffset: number;
  sentOffset: number;
  /** Chunks that may be under way: one after a silence, more while answers come. */
  windowChunks: number;
  /** When the peer last got further, or chunks were last sent again. */
  movedAt: Ms;
}

export interface Progress {
  readonly peer: NodeId;
  /** The configuration that made it a member. Answers of another session are not about this. */
  readonly session: Index;
  /** Whether it counts in the two halves of the configuration in force. */
  inVoters: boolean;
  inOutgoing: boolean;
  /** The configuration without it; 0 while it is a member. */
  leavingAt: Index;
  match: Index;
  next: Index;
  state: "probe" | "replicate" | "snapshot";
  /** Probing, and the probe is out: only heartbeats until a reply comes. */
  probeSent: boolean;
  heartbeatDue: boolean;
  /** The commit index in the last append that was sent. */
  sentCommit: Index;
  /** Whether it has ever answered; if a copy for it grew too old, whether it has since then. */
  isHeard: boolean;
  lastReplyAt: Ms;
  /** The newest append that it has answered. */
  ackedRound: number;
  /** Bytes it would take, as it said last. */
  freeBytes: number;
  /** The catch-up round in hand: the log's end when it began, and when that was. */
  roundEnd: Index;
  roundStartedAt: Ms;
  /** The last finished round took no longer than an election timeout. */
  isRoundQuick: boolean;
  copy: CopySending | undefined;
  /** Last index and bytes of each append under way, oldest first. */
  readonly inFlightLasts: Index[];
  readonly inFlightSizes: number[];
  inFlightBytes: number;
}

/** A peer of which a leader knows nothing: it guesses that the logs are the same. */
export function createProgress(peer: NodeId, session: Index, next: Index, now: Ms): Progress {
  return {
    peer,
    session,
    inVoters: false,
    inOutgoing: false,
    leavingAt: 0,
    match: 0,
    next,
    state: "probe",
    probeSent: false,
    heartbeatDue: false,
    sentCommit: 0,
    isHeard: false,
    // A new leader gives everyone a full election timeout to answer.
    lastReplyAt: now,
    ackedRound: 0,
    freeBytes: Number.POSITIVE_INFINITY,
    roundEnd: next - 1,
    roundStartedAt: now,
    isRoundQuick: false,
    copy: undefined,
    inFlightLasts: [],
    inFlightSizes: [],
    inFlightBytes: 0,
  };
}

export interface WindowLimits {
  readonly inFlightMax: number;
  readonly inFlightBytesMax: number;
}

/** One message may always be under way, however little room the peer has. */
export function isWindowOpen(progress: Progress, limits: WindowLimits): boolean {
  const inFlight = progress.inFlightLasts.length;
  if (inFlight === 0) return true;
  if (inFlight >= limits.inFlightMax) return false;
  return progress.inFlightBytes < Math.min(limits.inFlightBytesMax, progress.freeBytes);
}

/** An append up to `last` has left; the next one follows behind it. */
export function noteSent(progress: Progress, last: Index, bytes: number): void {
  if (progress.state === "probe") {
    progress.probeSent = true;
    return;
  }
  progress.next = last + 1;
  progress.inFlightLasts.push(last);
  progress.inFlightSizes.push(bytes);
  progress.inFlightBytes += bytes;
}

/**
 * The peer matches up to `match`. Replies may come late and out of order: nothing here ever falls.
 */
export function noteMatch(progress: Progress, match: Index): void {
  if (match > progress.match) progress.match = match;
  while (progress.inFlightLasts.length > 0 && progress.inFlightLasts[0]! <= match) {
    progress.inFlightLasts.shift();
    progress.inFlightBytes -= progress.inFlightSizes.shift()!;
  }
  if (progress.state === "probe" && match >= progress.next - 1) {
    progress.state = "replicate";
    progress.probeSent = false;
  }
  if (progress.next <= progress.match) progress.next = progress.match + 1;
}

/** The peer has everything that was in the log when the round began: the next round begins. */
export function noteRound(progress: Progress, lastIndex: Index, now: Ms, quickMs: Ms): void {
  if (progress.match < progress.roundEnd) return;
  progress.isRoundQuick = now - progress.roundStartedAt <= quickMs;
  progress.roundEnd = lastIndex;
  progress.roundStartedAt = now;
}

/** Whether the peer, made a voter now, would hold up a commit for no longer than `quickMs`. */
export function isCaughtUp(progress: Progress, now: Ms, quickMs: Ms): boolean {
  if (progress.state !== "replicate" || !progress.isRoundQuick) return false;
  return now - progress.roundStartedAt <= quickMs;
}

/**
 * The peer refused an append behind `rejected`; the logs can match at `hint` at most.
 *
 * @returns false for a refusal that a later reply has made stale.
 */
export function noteRejected(progress: Progress, rejected: Index, hint: Index): boolean {
  if (progress.state === "snapshot" || rejected <= progress.match) return false;
  if (progress.state === "probe" && rejected !== progress.next - 1) return false;
  startProbe(progress);
  progress.next = Math.max(progress.match + 1, Math.min(rejected, hint + 1));
  progress.probeSent = false;
  return true;
}

/**
 * What was under way may be lost. `next` stays where it was: if nothing was lost, the next
 * heartbeat shows it, and if something was, its refusal names the place.
 */
export function startProbe(progress: Progress): void {
  progress.state = "probe";
  progress.probeSent = true;
  progress.inFlightLasts.length = 0;
  progress.inFlightSizes.length = 0;
  progress.inFlightBytes = 0;
}

/** No copy is sent to this peer any more, or it is another one. */
export function releaseCopy(progress: Progress, outputs: Output[]): void {
  const { copy, peer } = progress;
  if (copy === undefined) return;
  if (copy.isReady) outputs.push({ kind: "dropSnapshot", to: peer, copy: copy.copy });
  progress.copy = undefined;
  startProbe(progress);
}

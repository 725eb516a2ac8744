/**
 * A leader's view of one peer: what matches there, what to send next, what is under way.
 *
 * Two states. `probe`: where the logs part is not known; one append at a time, then wait.
 * `replicate`: appends follow each other without waiting, up to a window in count and bytes.
 * Invariant: match < next, match never falls, a probing peer has nothing in the window.
 * Chapter: 07-raft. Source: the same split is in etcd's raft, "progress".
 */
import type { Ms } from "#base";
import type { Index, NodeId } from "./types.ts";

export interface Progress {
  readonly peer: NodeId;
  match: Index;
  next: Index;
  state: "probe" | "replicate";
  /** Probing, and the probe is out: only heartbeats until a reply comes. */
  probeSent: boolean;
  heartbeatDue: boolean;
  /** The commit index in the last append that was sent. */
  sentCommit: Index;
  lastReplyAt: Ms;
  /** Last index and bytes of each append under way, oldest first. */
  readonly inFlightLasts: Index[];
  readonly inFlightSizes: number[];
  inFlightBytes: number;
}

/** A peer of which a new leader knows nothing: it guesses that the logs are the same. */
export function createProgress(peer: NodeId, next: Index, now: Ms): Progress {
  return {
    peer,
    match: 0,
    next,
    state: "probe",
    probeSent: false,
    heartbeatDue: false,
    sentCommit: 0,
    // A new leader gives everyone a full election timeout to answer.
    lastReplyAt: now,
    inFlightLasts: [],
    inFlightSizes: [],
    inFlightBytes: 0,
  };
}

export interface WindowLimits {
  readonly inFlightMax: number;
  readonly inFlightBytesMax: number;
}

export function isWindowOpen(progress: Progress, limits: WindowLimits): boolean {
  if (progress.inFlightLasts.length >= limits.inFlightMax) return false;
  return progress.inFlightBytes < limits.inFlightBytesMax;
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

/**
 * The peer refused an append behind `rejected`; the logs can match at `hint` at most.
 *
 * @returns false for a refusal that a later reply has made stale.
 */
export function noteRejected(progress: Progress, rejected: Index, hint: Index): boolean {
  if (rejected <= progress.match) return false;
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

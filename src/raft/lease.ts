/**
 * Leases, if they are on: the log is the lease.
 *
 * A committed entry of the leader's own term lets it answer reads alone for a while from the moment
 * it appended it, because every later leader waits: it commits nothing before the newest entry that
 * it inherited has been in its own log for longer than that. Only spans of time are compared, each
 * on one node's own clock, and the drift between clocks is allowed for on both sides. A leader
 * whose disk is dead commits nothing, and so cannot renew.
 * Invariant: a lease is over before a later leader commits. Chapter: 07-raft. Source: LeaseGuard
 * (2025), own-term leases only: inherited ones would need clocks that agree on the time of day.
 */
import type { Ms } from "#base";
import type { RaftState } from "./state.ts";
import type { Index } from "./types.ts";

/** An entry of the leader's own term, not committed yet, and when it was appended. */
export interface LeaseMark {
  readonly index: Index;
  readonly at: Ms;
}

/** The part of a lease before whose end an idle leader renews it. */
const RENEW_BEFORE = 1 / 4;

/** How long a lease is, as its holder measures it. */
function heldMs(state: RaftState): Ms {
  return state.options.leaseMs * (1 - state.options.clockDriftMax);
}

/** An entry came to the end of the log: of our own term, or of another leader's. */
export function noteStored(state: RaftState, lastIndex: Index): void {
  state.storedAt = state.now;
  if (state.role !== "leader" || state.options.leaseMs === 0) return;
  state.leaseMarks.push({ index: lastIndex, at: state.now });
}

/** Leader, at its election: until when nothing is committed, for somebody may hold a lease. */
export function closeCommitGate(state: RaftState): void {
  const { leaseMs, clockDriftMax } = state.options;
  revokeLease(state);
  state.leaseReadAt = undefined;
  const isFirst = state.log.lastIndex === 0;
  state.commitGateAt =
    leaseMs === 0 || isFirst ? 0 : state.storedAt + leaseMs * (1 + clockDriftMax);
}

/** Leader: what was committed is a lease from the moment of its append. */
export function noteCommitted(state: RaftState): void {
  const { leaseMarks, commitIndex } = state;
  while (leaseMarks.length > 0 && leaseMarks[0]!.index <= commitIndex) {
    state.leaseSince = leaseMarks.shift()!.at;
  }
}

/** No lease from here on, save from entries that are yet to be appended. */
export function revokeLease(state: RaftState): void {
  state.leaseMarks.length = 0;
  state.leaseSince = undefined;
}

/** Answers a read from the lease, or refuses: it is to be read by index then. */
export function handleLeaseRead(state: RaftState, id: number): void {
  const { leaseSince, commitIndex, now } = state;
  const leaseUntil = leaseSince === undefined ? now : leaseSince + heldMs(state);
  if (state.role !== "leader" || state.transfer !== undefined || now >= leaseUntil) {
    if (state.role === "leader") state.leaseReadAt = now;
    state.answers.push({ kind: "refused", id, reason: "no-lease" });
    return;
  }
  state.leaseReadAt = now;
  state.answers.push({ kind: "readReady", id, index: commitIndex, leaseUntil });
}

/**
 * When an idle leader has to append something so that its lease goes on; never, if nobody reads by
 * lease, or a younger entry is under way already.
 */
export function renewalAt(state: RaftState): Ms {
  const { leaseMs } = state.options;
  const { leaseSince, leaseReadAt } = state;
  if (leaseMs === 0 || leaseReadAt === undefined) return Number.POSITIVE_INFINITY;
  if (state.leaseMarks.length > 0 || state.transfer !== undefined) return Number.POSITIVE_INFINITY;
  // Revoked and wanted: at once.
  if (leaseSince === undefined) return leaseReadAt;
  const at = leaseSince + heldMs(state) - leaseMs * RENEW_BEFORE;
  return at - leaseReadAt > leaseMs ? Number.POSITIVE_INFINITY : at;
}

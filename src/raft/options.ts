/**
 * What the limits and timeouts of a core are when nobody says otherwise, and which make no sense.
 *
 * Invariant: a resolved option is a positive number, and the heartbeat is below the election
 * timeout. Chapter: 07-raft.
 */
import type { RaftOptions } from "./types.ts";

const MIB = 1024 * 1024;

const DEFAULTS = {
  electionTimeoutMs: 1000,
  heartbeatMs: 100,
  electionTimeoutScale: 1,
  preVote: true,
  appendBytesMax: MIB,
  appendEntriesMax: 1024,
  inFlightMax: 64,
  inFlightBytesMax: 4 * MIB,
  snapshotChunkBytesMax: MIB,
  uncommittedBytesMax: 256 * MIB,
  unappliedBytesMax: 256 * MIB,
  applyAheadBytesMax: 16 * MIB,
  leaseMs: 0,
  clockDriftMax: 0.05,
} as const;

/** Each of them is 1 at least. */
const LIMITS = [
  "electionTimeoutScale",
  "appendBytesMax",
  "appendEntriesMax",
  "inFlightMax",
  "inFlightBytesMax",
  "snapshotChunkBytesMax",
  "uncommittedBytesMax",
  "unappliedBytesMax",
  "applyAheadBytesMax",
] as const;

/**
 * Checks the options and fills in the defaults.
 *
 * @throws RangeError for options that make no sense.
 */
export function resolveOptions(options: RaftOptions): Required<RaftOptions> {
  const resolved = { ...DEFAULTS, ...options };
  const { self, electionTimeoutMs, heartbeatMs, leaseMs, clockDriftMax } = resolved;
  if (!Number.isSafeInteger(self) || self < 1) throw new RangeError(`raft: node ${self}`);
  if (!(heartbeatMs > 0)) throw new RangeError(`raft: heartbeat of ${heartbeatMs} ms`);
  if (!(heartbeatMs < electionTimeoutMs && Number.isFinite(electionTimeoutMs))) {
    throw new RangeError(
      `raft: heartbeat of ${heartbeatMs} ms, election timeout of ${electionTimeoutMs} ms`,
    );
  }
  for (const name of LIMITS) {
    const limit = resolved[name];
    if (!(limit >= 1)) throw new RangeError(`raft: ${name} is ${limit}`);
  }
  if (!Number.isFinite(resolved.electionTimeoutScale)) {
    throw new RangeError("raft: electionTimeoutScale is not finite");
  }
  if (!(leaseMs >= 0 && Number.isFinite(leaseMs))) throw new RangeError(`raft: leaseMs ${leaseMs}`);
  if (!(clockDriftMax >= 0 && clockDriftMax < 1)) {
    throw new RangeError(`raft: clockDriftMax is ${clockDriftMax}`);
  }
  return resolved;
}

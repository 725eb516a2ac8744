/**
 * Options of a run from its seed, swarm style: each seed has some troubles and lacks others, since
 * with everything on at once nothing that needs calm is ever seen.
 *
 * Invariant: the options depend on the seed and the request alone. Chapter: 11-simulation.
 */
import { type DrawSequence, type Draws, Stream } from "./draws.ts";
import type { CoreSettings, NetSettings, RunOptions, Tier } from "./types.ts";

/** What a person may ask for. */
export interface RunRequest {
  readonly seed: number;
  readonly tier: Tier;
  /** Voters at the start. Default: from the seed, 3 to 7; 3 in the micro tier. */
  readonly nodes?: number;
}

/** The micro tier is about elections and logs: short, small, and many of them. */
const MICRO_SAFETY_MS = 5000;
const STANDARD_SAFETY_MS = 60_000;
/** Drawn from such lists, so that usual sizes come more often than odd ones. */
const NODES = [3, 3, 3, 4, 5, 5, 5, 6, 7];
const TIMEOUTS_MS = [400, 600, 1000, 1000];
const HEARTBEATS_PER_TIMEOUT = [4, 5, 8];
/** Part by which clocks may differ for leases to hold: the usual one, or just above the truth. */
const CLOCK_DRIFT_MAX = 0.05;
const DRIFT_ROOM = 0.001;

/** Decides the options of a seed. */
export function drawOptions(request: RunRequest, draws: Draws): RunOptions {
  const { seed, tier } = request;
  const draw = draws.sequence(Stream.options);
  const isMicro = tier === "micro";
  const drawnNodes = draw.pick(NODES);
  const nodes = request.nodes ?? (isMicro ? 3 : drawnNodes);
  const electionTimeoutMs = isMicro ? draw.pick([100, 150, 200]) : draw.pick(TIMEOUTS_MS);
  const heartbeatMs = Math.round(electionTimeoutMs / draw.pick(HEARTBEATS_PER_TIMEOUT));
  const driftMax = draw.percent(50) ? 0 : 0.04 * draw.fraction();
  const disk = draw.fraction();
  const lostMax = Math.floor((nodes - 1) / 2);
  const loses = draw.percent(30);
  const lost = draw.between(1, Math.max(1, lostMax));
  return {
    seed,
    tier,
    nodes,
    spares: isMicro ? 0 : draw.pick([0, 1, 2, 2]),
    clients: isMicro ? 0 : draw.between(3, 6),
    keys: draw.between(4, 8),
    safetyMs: isMicro ? MICRO_SAFETY_MS : STANDARD_SAFETY_MS,
    core: { ...drawCore(draw, electionTimeoutMs, driftMax), electionTimeoutMs, heartbeatMs },
    net: drawNet(draw, heartbeatMs),
    syncMinMs: 0.2,
    syncMeanMs: disk * (draw.percent(20) ? 20 : 3),
    applyMeanMs: draw.percent(70) ? 0 : 8 * draw.fraction(),
    checkpointEntries: draw.pick([1, 7, 20, 100]),
    driftMax,
    sessions: draw.percent(50),
    shuffleTies: draw.percent(30),
    lostForGood: loses && lostMax > 0 ? Math.min(lost, lostMax) : 0,
  };
}

function drawCore(draw: DrawSequence, electionTimeoutMs: number, driftMax: number): CoreSettings {
  const narrow = draw.percent(30);
  const hasLease = draw.percent(40);
  const leaseMs = Math.round(electionTimeoutMs * (0.3 + draw.fraction()));
  const chunk = draw.pick([20, 37, 1000]);
  const tight = draw.percent(20);
  // As a rule there is no more room than clocks need: it would hide mistakes of that size.
  const clockDriftMax = draw.percent(75) ? driftMax + DRIFT_ROOM : CLOCK_DRIFT_MAX;
  return {
    snapshotChunkBytesMax: chunk,
    preVote: !draw.percent(4),
    ...(narrow ? { appendEntriesMax: 2, inFlightMax: 2, uncommittedBytesMax: 500 } : {}),
    ...(tight ? { appendBytesMax: 60, unappliedBytesMax: 400, applyAheadBytesMax: 100 } : {}),
    ...(hasLease ? { leaseMs, clockDriftMax } : {}),
  };
}

function drawNet(draw: DrawSequence, heartbeatMs: number): NetSettings {
  const some = (percentMax: number): number => (draw.percent(50) ? 0 : draw.below(percentMax));
  const lossPercent = some(20);
  return {
    personality: draw.percent(50) ? "datagram" : "stream",
    delayMinMs: 0.3,
    delayMeanMs: draw.percent(80) ? 1 + 3 * draw.fraction() : (heartbeatMs / 3) * draw.fraction(),
    lossPercent,
    doublePercent: some(25),
    latePercent: some(20),
    lateMs: heartbeatMs * draw.pick([1, 3, 12]),
    damagePercent: some(20),
  };
}

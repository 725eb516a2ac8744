/**
 * Draws a plan of the real tier from its seed, swarm style: each seed has some kinds of trouble and
 * lacks others, since with everything on at once nothing that needs calm is ever seen.
 *
 * Invariant: options and faults come from streams of their own; a change of one does not shift the
 * other. Chapter: 11-simulation.
 */
import { mixSeeds, seededRandom } from "#platform";
import type { Random } from "#platform/types";
import type { RealFault, RealFaultKind, RealOptions, RealPlan, RealRequest } from "./types.ts";

/** Names the streams of chance. */
const Stream = { options: 101, kinds: 102, faults: 103 } as const;

const SAFETY_MS = 12_000;
const FAULTS_MIN = 6;
const FAULTS_SPREAD = 14;
const FOR_MS = [30, 300, 1500, 1500, 4000];

/** Each with its weight in seeds that have it. */
const KINDS: readonly (readonly [RealFaultKind, number])[] = [
  ["power", 4],
  ["cut", 4],
  ["kill", 3],
  ["stop", 1],
  ["blackout", 1],
  ["pause", 2],
  ["isolate", 3],
  ["one-way", 2],
  ["network", 2],
  ["sync-error", 2],
  ["write-error", 1],
  ["disk-full", 1],
  ["hang", 1],
  ["slow", 2],
  ["transfer", 2],
  ["add", 2],
  ["remove", 1],
  ["demote", 1],
  ["promote", 1],
  ["digest", 1],
];

/** Decides everything that a seed decides before the run. */
export function drawRealPlan(request: RealRequest): RealPlan {
  const options = drawOptions(request);
  const kinds = drawKinds(options);
  const random = seededRandom(mixSeeds(request.seed, Stream.faults));
  const count = FAULTS_MIN + random.below(FAULTS_SPREAD);
  const faults = Array.from({ length: count }, () => drawFault(random, kinds, options));
  faults.sort((one, other) => one.at - other.at);
  return { options, faults };
}

function pick<T>(random: Random, values: readonly T[]): T {
  return values[random.below(values.length)]!;
}

function drawOptions({ seed, nodes }: RealRequest): RealOptions {
  const random = seededRandom(mixSeeds(seed, Stream.options));
  const drawnNodes = pick(random, [3, 3, 3, 4, 5]);
  const electionTimeoutMs = pick(random, [200, 300, 500]);
  const isSlow = random.below(2) === 0;
  const syncDelayMs = 1 + random.below(40);
  return {
    seed,
    nodes: nodes ?? drawnNodes,
    clients: 3 + random.below(2),
    safetyMs: SAFETY_MS,
    electionTimeoutMs,
    heartbeatMs: Math.round(electionTimeoutMs / pick(random, [5, 8])),
    leaseMs: random.below(3) === 0 ? Math.round(electionTimeoutMs * 0.6) : 0,
    logKeepBytesMax: pick(random, [6000, 12_000, 40_000, 4_000_000]),
    snapshotChunkBytesMax: pick(random, [4096, 16_384, 65_536]),
    checkpointBytes: pick(random, [30_000, 100_000, 400_000]),
    syncMode: random.below(3) === 0 ? "adaptive" : "async",
    syncDelayMs: isSlow ? syncDelayMs : 0,
    applyDelayMs: pick(random, [0, 0, 1, 15]),
    clientTimeoutMs: pick(random, [150, 600, 1500]),
    thinkMs: pick(random, [5, 20, 60]),
    padBytes: pick(random, [0, 200, 1000]),
  };
}

/** Which kinds a seed has, each as often as its weight says; one of two, but never none. */
function drawKinds({ seed, syncDelayMs }: RealOptions): RealFaultKind[] {
  const random = seededRandom(mixSeeds(seed, Stream.kinds));
  const kinds: RealFaultKind[] = [];
  for (const [kind, weight] of KINDS) {
    const isIn = random.below(2) === 0;
    // Where all syncs are slow already, the disk has no room for other delays.
    if (syncDelayMs > 0 && (kind === "hang" || kind === "slow")) continue;
    if (isIn) kinds.push(...Array.from({ length: weight }, () => kind));
  }
  return kinds.length > 0 ? kinds : ["power"];
}

function drawFault(
  random: Random,
  kinds: readonly RealFaultKind[],
  { safetyMs, nodes }: RealOptions,
): RealFault {
  return {
    kind: pick(random, kinds),
    at: random.below(safetyMs),
    target: random.below(3) === 0 ? "leader" : random.below(nodes + 1),
    forMs: pick(random, FOR_MS) + random.below(200),
    amount: random.below(1000),
  };
}

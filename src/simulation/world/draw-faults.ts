/**
 * The list of everything that will go wrong in a run, decided before it begins.
 *
 * Invariant: the list depends on seed and options alone; a fault that is left out changes no other.
 * Chapter: 11-simulation.
 */
import { type DrawSequence, type Draws, Stream } from "./draws.ts";
import type { Fault, FaultKind, PartitionShape, RunOptions } from "./types.ts";

/** Every kind, with its weight once it is enabled. */
const WEIGHTS: readonly (readonly [FaultKind, number])[] = [
  ["crash", 4],
  ["pause", 2],
  ["wipe", 1],
  ["partition", 4],
  ["clog", 2],
  ["weather", 2],
  ["break", 2],
  ["slow-disk", 2],
  ["hang-disk", 1],
  ["fail-sync", 1],
  ["slow-apply", 1],
];
/** The micro tier has few nodes and no operator to replace any. */
const NOT_IN_MICRO: ReadonlySet<FaultKind> = new Set(["wipe"]);
const SHAPES: readonly PartitionShape[] = [
  "isolate",
  "leader",
  "leader",
  "split",
  "split",
  "one-way",
  "ring",
  "bridge",
  "random",
];
/** Faults a virtual second: calm, busy, storm. */
const RATES = [0.2, 0.5, 1, 2, 4];
/** The micro tier is short: it needs denser faults to see any. */
const MICRO_RATE = 4;
/** Such a part of the time ends without new faults in every other run. */
const QUIET_PART = 0.15;
/** Stands for whoever leads, who is hit more often than by chance: much hangs on it. */
const LEADER = 0;
const LEADER_PERCENT = 30;
/** A disk that hangs does so for at least so many election timeouts. */
const HANG_TIMEOUTS = 3;
/** Wipes of one run. */
const WIPES_MAX = 2;

/** Decides the faults of a run. */
export function drawFaults(options: RunOptions, draws: Draws): Fault[] {
  const draw = draws.sequence(Stream.faults);
  const enabled = WEIGHTS.filter(
    ([kind]) => draw.percent(45) && !(options.tier === "micro" && NOT_IN_MICRO.has(kind)),
  );
  const bag = enabled.flatMap(([kind, weight]) => Array<FaultKind>(weight).fill(kind));
  if (bag.length === 0) return [];
  const rate = draw.pick(RATES) * (options.tier === "micro" ? MICRO_RATE : 1);
  const until = options.safetyMs * (draw.percent(50) ? 1 - QUIET_PART : 1);
  const faults: Fault[] = [];
  let wipes = 0;
  for (let at = 0; ; ) {
    at += (2 * draw.fraction() * 1000) / rate;
    if (at >= until) return faults;
    const kind = draw.pick(bag);
    if (kind === "wipe") wipes += 1;
    if (kind === "wipe" && wipes > WIPES_MAX) continue;
    faults.push(drawFault(kind, Math.round(at), options, draw));
  }
}

function drawFault(kind: FaultKind, at: number, options: RunOptions, draw: DrawSequence): Fault {
  const { electionTimeoutMs } = options.core;
  const anyone = draw.between(1, options.nodes + options.spares);
  const node = draw.percent(LEADER_PERCENT) ? LEADER : anyone;
  const other = draw.between(1, options.nodes + options.spares);
  // Some faults are over before anybody notices; some last for several elections.
  const scale = draw.pick([0.1, 0.5, 1, 2, 3, 6]);
  const forMs = Math.round(1 + electionTimeoutMs * scale * draw.fraction());
  switch (kind) {
    case "crash":
    case "fail-sync":
      return { kind, at, node, forMs, kept: draw.pick([0, 0, draw.fraction(), 1]) };
    case "pause":
      return {
        kind,
        at,
        node,
        forMs,
        timersFirst: draw.percent(50),
        noticed: draw.percent(60),
        losesMail: draw.percent(40),
      };
    case "wipe":
    case "break":
      return { kind, at, node };
    case "partition":
      return { kind, at, forMs, shape: draw.pick(SHAPES), choice: draw.below(2 ** 16) };
    case "clog":
      return { kind, at, forMs, from: anyone, to: other };
    case "weather":
      return {
        kind,
        at,
        forMs,
        lossPercent: draw.below(60),
        doublePercent: draw.below(60),
        latePercent: draw.below(60),
        lateMs: Math.round(electionTimeoutMs * draw.fraction()),
      };
    case "slow-disk":
      return { kind, at, forMs, node, syncMs: Math.round(electionTimeoutMs * draw.fraction()) };
    case "hang-disk":
      // Long enough that whoever leads must have noticed.
      return { kind, at, forMs: forMs + HANG_TIMEOUTS * electionTimeoutMs, node };
    case "slow-apply":
      return { kind, at, forMs, node };
  }
}

/**
 * E16: election timeouts are spread evenly, and close ones are rare enough.
 *
 * Chapter: 11-simulation. Source: Ongaro 2014, 9.3.
 */
import type { RaftOptions } from "#raft/types";
import type { Arguments } from "./arguments.ts";
import type { Context } from "./context.ts";
import { draw } from "./draw.ts";

const TIMEOUT_MS = 1000;
const NODES = 5;
/** Two nodes that time out within this split the votes: a round trip and two syncs. */
const CONFLICT_MS = 50;
const CONFLICT_PERCENT_MAX = 30;
/** A tenth of the range holds a tenth of the draws, give or take so many of its percent. */
const TENTHS = 10;
const UNEVEN_PERCENT_MAX = 10;

const PERCENT = 100;

export function electionTimeouts(context: Context, args: Arguments): string[] {
  const pairs = args.pairs(["seed", "draws"]);
  const seed = pairs.number("seed") ?? 1;
  const draws = pairs.number("draws") ?? 10_000;
  const timeouts: number[] = [];
  for (let n = 0; n < draws; n += 1) timeouts.push(timeoutOf(context, draw(seed, 1, n)));
  const outside = timeouts.filter((ms) => ms < TIMEOUT_MS || ms >= 2 * TIMEOUT_MS).length;
  if (outside > 0) args.wrong(`${outside} timeouts are outside [${TIMEOUT_MS}, ${2 * TIMEOUT_MS})`);
  const tenths = Array<number>(TENTHS).fill(0);
  for (const ms of timeouts) tenths[Math.floor(((ms - TIMEOUT_MS) * TENTHS) / TIMEOUT_MS)]! += 1;
  const even = draws / TENTHS;
  const uneven = Math.max(...tenths.map((count) => (PERCENT * Math.abs(count - even)) / even));
  if (uneven > UNEVEN_PERCENT_MAX) args.wrong(`a tenth of the range is off by ${uneven} %`);
  const conflicts = conflictPercent(timeouts);
  if (conflicts >= CONFLICT_PERCENT_MAX) args.wrong(`${conflicts} % of rounds would conflict`);
  return [
    `seed ${seed}: ${draws} timeouts, all in [${TIMEOUT_MS}, ${2 * TIMEOUT_MS}) ms`,
    `the fullest and the emptiest tenth are within ${UNEVEN_PERCENT_MAX} % of even`,
    `${conflicts.toFixed(1)} % of rounds of ${NODES} have the first two within ${CONFLICT_MS} ms`,
  ];
}

/** The deadline of a core that has just been made with this draw. */
function timeoutOf(context: Context, random: number): number {
  const options: RaftOptions = {
    self: 1,
    electionTimeoutMs: TIMEOUT_MS,
    heartbeatMs: TIMEOUT_MS / 10,
    random: () => random,
  };
  const sets = { voters: [1, 2, 3], outgoing: [], learners: [] };
  const boot = {
    hardState: { term: 0, vote: 0 },
    compactedIndex: 0,
    compactedTerm: 0,
    configuration: { index: 0, sets },
    configurations: [],
    runs: [],
    sizes: [],
    appliedIndex: 0,
  };
  return context.options.createRaftCore(options, boot, 0).deadline;
}

/** Of rounds in which each node draws once: how many have their two earliest close together. */
function conflictPercent(timeouts: readonly number[]): number {
  let conflicts = 0;
  let rounds = 0;
  for (let at = 0; at + NODES <= timeouts.length; at += NODES) {
    const [first = 0, second = 0] = timeouts.slice(at, at + NODES).sort((a, b) => a - b);
    rounds += 1;
    if (second - first < CONFLICT_MS) conflicts += 1;
  }
  return (PERCENT * conflicts) / rounds;
}

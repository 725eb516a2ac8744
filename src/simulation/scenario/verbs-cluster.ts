/**
 * Verbs that make a cluster and say what its nodes begin with, and what the trace shows.
 *
 * Invariant: what a node begins with is set before anything happens. Chapter: 11-simulation.
 */
import type { RaftOptions } from "#raft/types";
import { type ModelEntry, makeEntry } from "../process/index.ts";
import type { Arguments, Pairs } from "./arguments.ts";
import { type Context, memberOf, type Verbs, worldOf } from "./context.ts";
import { entriesOf, type NamedEntry } from "./message-text.ts";
import { SHOWABLE } from "./trace.ts";
import { World } from "./world.ts";

/** Options of the core that are numbers, by their own names. */
const NUMBER_OPTIONS = [
  "electionTimeoutMs",
  "heartbeatMs",
  "appendBytesMax",
  "appendEntriesMax",
  "inFlightMax",
  "inFlightBytesMax",
  "snapshotChunkBytesMax",
  "uncommittedBytesMax",
  "unappliedBytesMax",
  "applyAheadBytesMax",
  "leaseMs",
  "clockDriftMax",
] as const satisfies readonly (keyof RaftOptions)[];

function cluster(context: Context, args: Arguments): void {
  const count = args.number("how many voters");
  const pairs = args.pairs(["learners", "outside", "preVote", ...NUMBER_OPTIONS]);
  const raft: Partial<Record<(typeof NUMBER_OPTIONS)[number], number>> = {};
  for (const name of NUMBER_OPTIONS) {
    const value = pairs.number(name);
    if (value !== undefined) raft[name] = value;
  }
  context.world?.finish();
  const { createRaftCore } = context.options;
  context.counted = new Map();
  context.world = new World({
    createRaftCore,
    voters: Array.from({ length: count }, (_, i) => i + 1),
    learners: pairs.list("learners") ?? [],
    outside: pairs.list("outside") ?? [],
    preVoters: pairs.list("preVote"),
    raft,
  });
}

/** `1,1,2`, `1*10,2*1000`, or entries with names, like `x@1,{1,2,3}@2`. */
function logOf(world: World, pairs: Pairs): ModelEntry[] {
  const text = pairs.text("log") ?? "";
  if (text === "") return [];
  const named = text.includes("@") ? entriesOf(text) : namedByTerms(text);
  if (named === undefined)
    return pairs.fail("log", "expected terms like 1,1,2 or entries like x@1");
  const entries: ModelEntry[] = [];
  for (const { size, command, sets, term } of world.names.forged(named, [])) {
    entries.push(makeEntry(entries.at(-1)?.chain ?? 0, term, { size, command, sets }));
  }
  return entries;
}

function namedByTerms(text: string): NamedEntry[] | undefined {
  const entries: NamedEntry[] = [];
  for (const part of text.split(",")) {
    const match = /^(\d+)(?:\*(\d+))?$/.exec(part);
    if (match === null) return undefined;
    for (let i = Number(match[2] ?? 1); i > 0; i -= 1) {
      entries.push({ name: `e${entries.length + 1}`, term: Number(match[1]), sets: undefined });
    }
  }
  return entries;
}

function boot(context: Context, args: Arguments): void {
  const world = worldOf(context, args);
  if (world.isStarted) args.fail("the nodes have begun already", args.command.words[0]);
  const { node } = memberOf(world, args);
  const pairs = args.pairs(["log", "term", "vote"]);
  const entries = logOf(world, pairs);
  const term = Math.max(pairs.number("term") ?? 0, entries.at(-1)?.term ?? 0);
  node.preload({ term, vote: pairs.number("vote") ?? 0 }, entries);
}

function draws(context: Context, args: Arguments): void {
  const world = worldOf(context, args);
  const { id } = memberOf(world, args);
  const numbers: number[] = [];
  while (!args.isEmpty) numbers.push(args.number("a number from 0 to below 1"));
  world.draws.set(id, numbers);
}

function show(context: Context, args: Arguments, shown: boolean): void {
  const world = worldOf(context, args);
  do world.trace.set(args.oneOf(SHOWABLE), shown);
  while (!args.isEmpty);
}

export const CLUSTER_VERBS: Verbs = {
  cluster: {
    usage: "cluster 3 [learners=4] [outside=5] [preVote=1,2] [inFlightMax=2 ...]",
    does:
      "A new cluster of so many voters. Nodes outside wait to be added. Options have the names " +
      "of the core's; preVote lists who asks before campaigning.",
    isBefore: true,
    run: cluster,
  },
  boot: {
    usage: "boot 1 [log=1,1,2] [term=3] [vote=2]",
    does: "What is on a node's disk at first: entries of these terms, or named, x@1,{1,2}@1.",
    isBefore: true,
    run: boot,
  },
  draws: {
    usage: "draws 2 0.5 0.1",
    does: "A node's random numbers, for its timeouts, over and over.",
    isBefore: true,
    run: draws,
  },
  show: {
    usage: "show events|messages|writes|round|session|...",
    does: "What the outcome shows from now on: kinds of lines, or more fields of messages.",
    isBefore: true,
    run: (context, args) => show(context, args, true),
  },
  hide: {
    usage: "hide events|messages|writes|...",
    does: "The other way round.",
    isBefore: true,
    run: (context, args) => show(context, args, false),
  },
};

/**
 * What a verb works on: the world as it is, and how a scenario is run.
 *
 * Invariant: a verb that needs a cluster fails with its place in the text when there is none.
 * Chapter: 11-simulation.
 */
import type { NodeId, RaftModule } from "#raft/types";
import type { Arguments } from "./arguments.ts";
import type { LogBench } from "./log-bench.ts";
import type { Member } from "./member.ts";
import type { NetBench } from "./net-bench.ts";
import type { World } from "./world.ts";

/** How scenarios are run. */
export interface ScenarioOptions {
  /** The core under test; a copy with a planted mistake to see that it is found. */
  readonly createRaftCore: RaftModule["createRaftCore"];
}

export interface Context {
  readonly options: ScenarioOptions;
  world: World | undefined;
  /** The real log, in scenarios about disks. */
  bench: LogBench | undefined;
  /** Packets sent until the last `count`, by link and kind. */
  counted: ReadonlyMap<string, number>;
  /** The real transport, in scenarios about networks. */
  net: NetBench | undefined;
  /** The invariant that the next command has to break; then the cluster is gone. */
  breaks: string | undefined;
  /** Lines of the outcome that a verb says by itself, beside those of the trace. */
  readonly said: string[];
}

/** One verb of the language. */
export interface Verb {
  /** How it is written; the page on the language is made of these. */
  readonly usage: string;
  /** What it does, in one line. */
  readonly does: string;
  /** Much happens at once: the trace shows events only. */
  readonly isMass?: boolean;
  /** It sets up what nodes begin with, so it does not start them. */
  readonly isBefore?: boolean;
  run(context: Context, args: Arguments): void | Promise<void>;
}

export type Verbs = Readonly<Record<string, Verb>>;

/** The cluster, or an error at the verb. */
export function worldOf(context: Context, args: Arguments): World {
  if (context.world === undefined) {
    return args.fail("there is no cluster yet", args.command.words[0]);
  }
  return context.world;
}

/** Takes nodes: `1`, `1,2`, `all` or `leader`. */
export function membersOf(world: World, args: Arguments): Member[] {
  if (args.skip("leader")) {
    const leaders = world.leaders();
    if (leaders.length !== 1) return args.fail(`there are ${leaders.length} leaders`);
    return leaders;
  }
  return args.nodes(world.ids).map((id) => memberAt(world, args, id));
}

/** Takes one node. */
export function memberOf(world: World, args: Arguments): Member {
  const members = membersOf(world, args);
  if (members.length !== 1) return args.fail("expected one node");
  return members[0]!;
}

/** A node that must be there. */
export function memberAt(world: World, args: Arguments, id: NodeId): Member {
  return world.member(id) ?? args.fail(`there is no node ${id}`, args.command.words[1]);
}

/** Takes one node that runs. */
export function runningOf(world: World, args: Arguments): Member {
  const member = memberOf(world, args);
  if (!member.isUp) return args.fail(`node ${member.id} is down`, args.command.words[1]);
  return member;
}

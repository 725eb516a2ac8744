/**
 * Verbs for time: one deadline, some milliseconds, or until all is quiet; pauses and wrong clocks.
 *
 * Chapter: 11-simulation.
 */
import type { NodeId } from "#raft/types";
import type { Arguments } from "./arguments.ts";
import { type Context, membersOf, runningOf, type Verbs, worldOf } from "./context.ts";
import { advance, run, settle, timeOut } from "./time.ts";
import type { World } from "./world.ts";

/** Takes nodes if there are any left; undefined: all of them. */
function someNodes(world: World, args: Arguments): NodeId[] | undefined {
  if (args.isEmpty) return undefined;
  const ids = membersOf(world, args).map(({ id }) => id);
  args.end();
  return ids;
}

function elect(context: Context, args: Arguments): void {
  const world = worldOf(context, args);
  const member = runningOf(world, args);
  const ids = args.skip("with") ? someNodes(world, args) : undefined;
  args.end();
  // Voters that believe in a leader would not listen, so nobody has heard of one for a while.
  const timeouts = world.members.map(({ node }) => node.core?.status().leaderHeardAt ?? -1);
  if (Math.max(...timeouts) >= 0) world.now += 2000;
  timeOut(world, member);
  settle(world, ids);
  if (member.node.core?.role !== "leader") args.wrong(`node ${member.id} was not elected`);
  // A beginning, not what the scenario is about: one line says it.
  world.trace.take();
  context.said.push(`${member.id} is leader, term ${member.node.core!.term}`);
}

function resume(context: Context, args: Arguments): void {
  const world = worldOf(context, args);
  const member = runningOf(world, args);
  const order = args.maybeOneOf(["stalled", "deadline-first"] as const) ?? "stalled";
  args.end();
  member.isPaused = false;
  const inbox = member.inbox.splice(0);
  // As the driver does it: it knows that it was stalled, says so, and reads its mail first.
  if (order === "stalled") world.step(member, { kind: "stalled" });
  else world.step(member, { kind: "tick" });
  for (const packet of inbox) world.hand(packet);
}

function clock(context: Context, args: Arguments): void {
  const world = worldOf(context, args);
  const members = membersOf(world, args);
  const pairs = args.pairs(["rate", "jump"]);
  for (const member of members) {
    member.setClock(world.now, pairs.number("rate") ?? 1, pairs.number("jump") ?? 0);
  }
}

export const TIME_VERBS: Verbs = {
  timeout: {
    usage: "timeout 2",
    does: "Time moves to a node's own deadline, and that fires: nobody else's does.",
    run: (context, args) => {
      const world = worldOf(context, args);
      const member = runningOf(world, args);
      args.end();
      timeOut(world, member);
    },
  },
  tick: {
    usage: "tick 2",
    does: "A node looks at the clock.",
    run: (context, args) => {
      const world = worldOf(context, args);
      const member = runningOf(world, args);
      args.end();
      world.step(member, { kind: "tick" });
    },
  },
  stall: {
    usage: "stall 2",
    does: "A node's runtime says that it was stalled.",
    run: (context, args) => {
      const world = worldOf(context, args);
      world.step(runningOf(world, args), { kind: "stalled" });
    },
  },
  wait: {
    usage: "wait 150",
    does: "So many milliseconds pass, and nothing at all happens in them.",
    run: (context, args) => {
      const world = worldOf(context, args);
      world.now += args.number("milliseconds");
      args.end();
    },
  },
  advance: {
    usage: "advance 150 [1,2]",
    does: "Milliseconds pass; deadlines fire, but nothing arrives and nothing is synced.",
    run: (context, args) => {
      const world = worldOf(context, args);
      const ms = args.number("milliseconds");
      advance(world, ms, someNodes(world, args));
    },
  },
  run: {
    usage: "run 2000 [1,2]",
    does: "Milliseconds pass and everything works: packets arrive, disks sync, deadlines fire.",
    isMass: true,
    run: (context, args) => {
      const world = worldOf(context, args);
      const ms = args.number("milliseconds");
      run(world, ms, someNodes(world, args));
    },
  },
  settle: {
    usage: "settle [1,2]",
    does:
      "Everything under way arrives and is synced, until all is quiet; no time passes. With " +
      "nodes: only among them, what goes elsewhere is lost.",
    isMass: true,
    run: (context, args) => {
      const world = worldOf(context, args);
      settle(world, someNodes(world, args));
    },
  },
  elect: {
    usage: "elect 1 [with 1,2]",
    does:
      "The old leader falls silent, a node times out, and everything settles: it must lead then. " +
      "The outcome says no more than that.",
    isMass: true,
    run: elect,
  },
  pause: {
    usage: "pause 3",
    does: "A process stands still: what arrives waits in its inbox.",
    run: (context, args) => {
      const world = worldOf(context, args);
      runningOf(world, args).isPaused = true;
      args.end();
    },
  },
  resume: {
    usage: "resume 3 [stalled|deadline-first]",
    does: "It goes on: as the driver does after a stall, or with its deadline before its inbox.",
    isMass: true,
    run: resume,
  },
  clock: {
    usage: "clock 2 [rate=1.05] [jump=10000]",
    does: "From now on a node's clock runs so fast; it jumps ahead by so many milliseconds first.",
    run: clock,
  },
};

/**
 * Verbs for disks, processes and state machines: syncs, crashes, restarts, compaction, copies.
 *
 * Chapter: 11-simulation.
 */
import type { Arguments } from "./arguments.ts";
import { type Context, memberOf, membersOf, runningOf, type Verbs, worldOf } from "./context.ts";
import { DISK_STATES, type Member } from "./member.ts";

function sync(context: Context, args: Arguments): void {
  const world = worldOf(context, args);
  const members = membersOf(world, args);
  const isFile = args.skip("file");
  const count = args.maybeNumber();
  args.end();
  for (const member of members) {
    if (member.diskState === "hang") args.fail(`the disk of node ${member.id} hangs`);
    world.sync(member, isFile ? filesFirst(member) : count);
  }
}

/** Another file than the log's is synced on its own. @returns how many of its writes wait. */
function filesFirst({ node }: Member): number {
  const { pending } = node.disk;
  const chunks = pending.filter(({ kind }) => kind === "chunk");
  const records = pending.filter(({ kind }) => kind === "record");
  pending.splice(0, pending.length, ...chunks, ...records);
  return chunks.length;
}

function disk(context: Context, args: Arguments): void {
  const world = worldOf(context, args);
  const members = membersOf(world, args);
  const word = args.oneOf(["ok", ...DISK_STATES]);
  const syncMs = word === "slow" ? args.number("milliseconds for each sync") : 0;
  args.end();
  for (const member of members) {
    member.diskState = word === "ok" ? "ready" : word;
    member.syncMs = syncMs;
    member.underWay = undefined;
  }
}

function crash(context: Context, args: Arguments): void {
  const world = worldOf(context, args);
  const members = membersOf(world, args);
  const pairs = args.pairs(["writes", "applied"]);
  for (const member of members) {
    world.crash(member, pairs.number("writes") ?? 0, pairs.number("applied") ?? 0);
  }
}

function restart(context: Context, args: Arguments): void {
  const world = worldOf(context, args);
  const members = membersOf(world, args);
  args.end();
  for (const member of members) {
    if (member.isUp) args.fail(`node ${member.id} runs`, args.command.words[1]);
    world.start(member);
  }
}

function manual(context: Context, args: Arguments, isByHand: boolean): void {
  const world = worldOf(context, args);
  const members = membersOf(world, args);
  const what = args.oneOf(["apply", "copy"]);
  args.end();
  for (const member of members) member.habits[what] = !isByHand;
}

function apply(context: Context, args: Arguments): void {
  const world = worldOf(context, args);
  const member = runningOf(world, args);
  const count = args.maybeNumber();
  args.end();
  if (!member.node.hasWork) args.wrong(`node ${member.id} has nothing to apply`);
  world.act(member, (now) => member.node.work(now, count));
}

function copy(context: Context, args: Arguments): void {
  const world = worldOf(context, args);
  const { from, to } = args.link();
  const fails = args.skip("fails");
  args.end();
  const member = world.member(from);
  if (member?.node.copies.requests.some((request) => request.to === to) !== true) {
    args.wrong(`node ${from} needs no copy for node ${to}`);
  }
  world.act(member!, (now) => member!.node.makeCopy(now, to, fails));
}

function compact(context: Context, args: Arguments): void {
  const world = worldOf(context, args);
  const members = membersOf(world, args);
  const upTo = args.maybeNumber();
  args.end();
  for (const member of members) {
    const { machine } = member.node;
    // As the driver does: never beyond what the state machine has made durable.
    const to = Math.min(upTo ?? machine.durableIndex, machine.durableIndex);
    world.act(member, (now) => member.node.compact(now, to));
    world.trace.event(`${member.id} forgets entries up to ${member.node.log.base.index}`);
  }
}

/** The machine's file is of another log than the one that is there: an operator's mistake. */
function loseLog(context: Context, args: Arguments): void {
  const world = worldOf(context, args);
  const { node } = memberOf(world, args);
  const from = args.pairs(["from"]).number("from") ?? args.fail("expected from=");
  if (node.core !== undefined) args.fail(`node ${node.id} runs`);
  node.disk.log.truncateFrom(from);
}

export const DISK_VERBS: Verbs = {
  sync: {
    usage: "sync 2 [1|file]",
    does:
      "What waits for the disk is durable now, or the oldest so many writes of it, or only the " +
      "file of a snapshot that is being received.",
    run: sync,
  },
  disk: {
    usage: "disk 2 ok|instant|slow 500|hang|fail",
    does:
      "How a disk is from now on. instant: every write is durable at once. fail: the next sync " +
      "fails, and the process stops as the driver stops it.",
    run: disk,
  },
  crash: {
    usage: "crash 2 [writes=1] [applied=3]",
    does:
      "A process dies. Of what was not synced, the oldest so many writes are there all the same, " +
      "and so many applied entries that were not checkpointed.",
    run: crash,
  },
  restart: { usage: "restart 2", does: "It starts again from its disk.", run: restart },
  wipe: {
    usage: "wipe 2",
    does: "A process dies and its disk is empty.",
    run: (context, args) => {
      const world = worldOf(context, args);
      const member = memberOf(world, args);
      args.end();
      world.crash(member, 0, 0);
      member.node.wipe();
    },
  },
  "lose-log": {
    usage: "lose-log 2 from=5",
    does: "While the process is down, somebody removes entries from its log.",
    run: loseLog,
  },
  checkpoint: {
    usage: "checkpoint 2",
    does: "What the state machine has applied is durable there.",
    run: (context, args) => {
      const world = worldOf(context, args);
      for (const { node } of membersOf(world, args)) node.machine.checkpoint();
      args.end();
    },
  },
  compact: {
    usage: "compact 2 [5]",
    does: "The log forgets entries up to there, but nothing that the state machine could lose.",
    run: compact,
  },
  manual: {
    usage: "manual 2 apply|copy",
    does: "A node applies, or makes copies for its peers, only when told to.",
    run: (context, args) => manual(context, args, true),
  },
  automatic: {
    usage: "automatic 2 apply|copy",
    does: "It does so by itself again.",
    run: (context, args) => manual(context, args, false),
  },
  apply: { usage: "apply 2 [3]", does: "It applies what it may, or so many entries.", run: apply },
  copy: {
    usage: "copy 1->3 [fails]",
    does: "It makes the copy of its state machine that a peer needs, or cannot.",
    run: copy,
  },
};

/**
 * Verbs for the real Raft log on a simulated disk: writes, syncs, crashes, rot.
 *
 * Chapter: 11-simulation.
 */
import { CairnError } from "#base";
import { isPowerCut } from "#platform";
import type { DiskFaultPlan } from "#platform/types";
import type { LogChange } from "#replica/types";
import type { Arguments } from "./arguments.ts";
import type { Context, Verbs } from "./context.ts";
import {
  entriesText,
  entryName,
  entryOf,
  LogBench,
  type PlacedRecord,
  stateText,
} from "./log-bench.ts";
import { entriesOf } from "./message-text.ts";

const SEGMENT_BYTES = 4096;
const ENTRY_BYTES = 20;

function benchOf(context: Context, args: Arguments): LogBench {
  return context.bench ?? args.fail("there is no log yet", args.command.words[0]);
}

function openLogOf(context: Context, args: Arguments): NonNullable<LogBench["log"]> {
  return benchOf(context, args).log ?? args.fail("the log is not open", args.command.words[0]);
}

function make(context: Context, args: Arguments): void {
  const pairs = args.pairs(["segmentBytes", "capacityBytes", "seed"]);
  context.bench = new LogBench({
    segmentBytesMax: pairs.number("segmentBytes") ?? SEGMENT_BYTES,
    capacityBytes: pairs.number("capacityBytes"),
    seed: pairs.number("seed") ?? 1,
  });
  context.said.push(context.bench.open());
}

/** Does it and says `done`, or says which error came. */
async function attempt(context: Context, action: () => unknown, done = ""): Promise<void> {
  try {
    await action();
    if (done !== "") context.said.push(done);
  } catch (error) {
    const isCut = isPowerCut(error) || (error instanceof Error && isPowerCut(error.cause));
    if (!isCut && !(error instanceof CairnError)) throw error;
    context.said.push(isCut ? "the power is cut" : `failed: ${(error as CairnError).code}`);
  }
}

async function write(context: Context, args: Arguments): Promise<void> {
  const log = openLogOf(context, args);
  const pairs = args.pairs(["term", "vote", "cut", "entries", "bytes"]);
  const named = entriesOf(pairs.text("entries") ?? "") ?? pairs.fail("entries", "no entries");
  const cut = pairs.number("cut");
  const from = cut ?? log.lastIndex + 1;
  const bytes = pairs.number("bytes") ?? ENTRY_BYTES;
  const entries = named.map((entry, i) => entryOf(from + i, entry, bytes));
  const term = pairs.number("term");
  const change: LogChange = {
    ...(term === undefined ? {} : { hardState: { term, vote: pairs.number("vote") ?? 0 } }),
    ...(cut === undefined ? {} : { truncateFrom: cut }),
    ...(entries.length === 0 ? {} : { entries }),
  };
  await attempt(context, () => log.write(change));
}

function fault(context: Context, args: Arguments): void {
  const { disk } = benchOf(context, args);
  const operation = args.oneOf(["read", "write", "sync", "syncDir", "rename", "open"]);
  const kind = args.oneOf(["EIO", "ENOSPC"]);
  const pairs = args.pairs(["after", "times"]);
  const plan: DiskFaultPlan = {
    operation,
    fault: kind,
    after: pairs.number("after") ?? 0,
    times: pairs.number("times") ?? 1,
  };
  disk.plan(plan);
}

/** The newest record that holds this entry, or the newest hard state. */
function recordOf(bench: LogBench, args: Arguments): PlacedRecord {
  const name = args.word("a name, or vote");
  const found = bench.records().findLast(({ record }) => {
    if (name === "vote") return record.type === "hardState";
    return record.type === "entry" && entryName(record) === name;
  });
  return found ?? args.wrong(`there is no record of ${name}`);
}

function flip(context: Context, args: Arguments): void {
  const bench = benchOf(context, args);
  const { path, offset, bytes } = recordOf(bench, args);
  args.end();
  // The last byte of the payload: a term, a vote or the end of a name.
  bench.disk.flipBit(path, offset + bytes - 1, 1);
}

/** Every byte at which the end of the last records may be torn off, one after the other. */
function tears(context: Context, args: Arguments): void {
  const bench = benchOf(context, args);
  const count = args.pairs(["records"]).number("records") ?? 1;
  const last = bench.records().slice(-count);
  const outcomes: { state: string; from: number; to: number }[] = [];
  const begin = last[0]?.offset ?? 0;
  const end = (last.at(-1)?.offset ?? 0) + (last.at(-1)?.bytes ?? 0);
  const { path } = last.at(-1) ?? args.wrong("there is no record");
  if (last.some((record) => record.path !== path)) args.wrong("they lie in two segments");
  for (let at = begin; at <= end; at += 1) {
    const state = bench.tryOn(bench.cut(path, at));
    const newest = outcomes.at(-1);
    if (newest?.state === state) newest.to = at - begin;
    else outcomes.push({ state, from: at - begin, to: at - begin });
  }
  for (const { state, from, to } of outcomes) {
    const where = from === to ? `${from}` : `${from} to ${to}`;
    context.said.push(`${where} of ${end - begin} bytes: ${state}`);
  }
}

/** Many power cuts on copies of the disk; says which states came back. */
function crashes(context: Context, args: Arguments): void {
  const bench = benchOf(context, args);
  const seeds = args.pairs(["seeds"]).number("seeds") ?? 50;
  const states = new Set<string>();
  for (let seed = 1; seed <= seeds; seed += 1) states.add(bench.tryOn(bench.crashed(seed)));
  context.said.push(`${seeds} power cuts:`);
  for (const state of [...states].sort()) context.said.push(`  ${state}`);
}

/** Records of one segment are copied behind the end of another, as in a file that is used again. */
function graft(context: Context, args: Arguments): void {
  const { disk, segments } = benchOf(context, args);
  const pairs = args.pairs(["from", "to"]);
  const pathOf = (name: string): string =>
    segments[(pairs.number(name) ?? 0) - 1] ?? pairs.fail(name, "no such segment");
  const bench = benchOf(context, args);
  const source = pathOf("from");
  const target = pathOf("to");
  const all = bench.records();
  const moved = all.filter(({ path }) => path === source).at(-1);
  const lastThere = all.filter(({ path }) => path === target).at(-1);
  if (moved === undefined || lastThere === undefined) return args.wrong("a segment has no records");
  const bytes = disk.content(source).slice(moved.offset, moved.offset + moved.bytes);
  const file = disk.open(target, "read-write");
  file.write(lastThere.offset + lastThere.bytes, bytes);
  file.sync();
  file.close();
}

function remove(context: Context, args: Arguments): void {
  const { disk, segments } = benchOf(context, args);
  const number = args.number("which segment");
  args.end();
  const path = segments[number - 1] ?? args.wrong(`there are ${segments.length} segments`);
  disk.unlink(path);
}

async function read(context: Context, args: Arguments): Promise<void> {
  const log = openLogOf(context, args);
  const pairs = args.pairs(["from", "before"]);
  const from = pairs.number("from") ?? log.compactedIndex + 1;
  const before = pairs.number("before") ?? log.lastIndex + 1;
  await attempt(context, () => {
    context.said.push(`read ${entriesText(log.read(from, before))}`);
  });
}

export const LOG_VERBS: Verbs = {
  "log new": {
    usage: "log new [segmentBytes=4096] [capacityBytes=100000]",
    does: "An empty simulated disk, and the real Raft log on it.",
    run: make,
  },
  "log write": {
    usage: "log write [term=2 vote=1] [cut=3] [entries=x@2,y@2] [bytes=20]",
    does: "One write of the log, as one step of the core asks for it. Not durable yet.",
    run: write,
  },
  "log sync": {
    usage: "log sync",
    does: "What was written is durable, or the error is told.",
    run: (context, args) => attempt(context, () => openLogOf(context, args).sync(), "synced"),
  },
  "log compact": {
    usage: "log compact 5",
    does: "Entries up to there may go, in whole segments.",
    run: (context, args) => {
      const upTo = args.number("an index");
      const log = openLogOf(context, args);
      return attempt(context, async () => {
        context.said.push(`forgotten up to ${await log.compact(upTo)}`);
      });
    },
  },
  "log read": {
    usage: "log read [from=2] [before=5]",
    does: "Reads entries, from memory or from the disk.",
    run: read,
  },
  "log state": {
    usage: "log state",
    does: "Says what the open log holds.",
    run: (context, args) => {
      context.said.push(stateText(openLogOf(context, args)));
    },
  },
  "log kill": {
    usage: "log kill",
    does: "The process dies; all that was written is there. The log is opened again.",
    run: (context, args) => {
      const bench = benchOf(context, args);
      bench.disk = bench.disk.kill();
      context.said.push(bench.open());
    },
  },
  "log crash": {
    usage: "log crash [seed=1]",
    does: "The power fails: any part of what was not synced may be there. The log is opened again.",
    run: (context, args) => {
      const bench = benchOf(context, args);
      bench.disk = bench.disk.crash(args.pairs(["seed"]).number("seed") ?? 1);
      context.said.push(bench.open());
    },
  },
  "log power-cut": {
    usage: "log power-cut after=1",
    does: "The power will fail when the disk has done so many operations more.",
    run: (context, args) => {
      const { disk } = benchOf(context, args);
      disk.cutPowerAt(disk.operations + (args.pairs(["after"]).number("after") ?? 0));
    },
  },
  "log crashes": {
    usage: "log crashes seeds=50",
    does: "So many power cuts, each on a copy of the disk: every state that came back. The last verb.",
    run: crashes,
  },
  "log tears": {
    usage: "log tears [records=2]",
    does: "The file ends at each byte of its last records in turn: what opens then. The last verb.",
    run: tears,
  },
  "log flip": {
    usage: "log flip x|vote",
    does: "One bit rots in the record that holds an entry, or in that of the newest vote.",
    run: flip,
  },
  "log graft": {
    usage: "log graft from=1 to=2",
    does: "A record of one segment is found behind the end of another.",
    run: graft,
  },
  "log remove": { usage: "log remove 2", does: "A segment is gone.", run: remove },
  "log segments": {
    usage: "log segments",
    does: "Says how many records each segment holds.",
    run: (context, args) => {
      const bench = benchOf(context, args);
      const records = bench.records();
      for (const [i, path] of bench.segments.entries()) {
        const count = records.filter((record) => record.path === path).length;
        context.said.push(`segment ${i + 1}: ${count} records`);
      }
    },
  },
  "log fault": {
    usage: "log fault sync|write|read|... EIO|ENOSPC [after=2] [times=1]",
    does: "An operation of the disk will fail.",
    run: fault,
  },
  "log lock": {
    usage: "log lock",
    does: "A process locks the data directory.",
    run: (context, args) => {
      const { disk } = benchOf(context, args);
      return attempt(context, () => disk.lock("/LOCK"), "locked");
    },
  },
};

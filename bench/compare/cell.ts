/**
 * The child process: it does jobs that come as messages, one at a time, and answers each.
 *
 * Invariant: what is timed is the row's own work. Garbage of what came before is collected first;
 * each row is warmed up first; what was written is read back afterwards, off the clock.
 */
import { mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { serveParent } from "../harness/index.ts";
import { loadContender } from "./engines.ts";
import { type RowDefinition, rowNamed } from "./rows.ts";
import type { Answer, CellResult, Contender, Job, Store, Tally } from "./types.ts";
import { all, BATCH, inPieces, keysDrawn, keysShuffled } from "./workload.ts";

const NANOSECONDS_PER_MS = 1e6;
const DELAY_RESOLUTION_MS = 2;
/** Below this, a percentile of the delay says nothing. */
const DELAY_TICKS_MIN = 20;
/** Enough that the median is an opening in compiled code, as in a program that has run a while. */
const OPENINGS = 25;
const CHECKED_KEYS = 2000;
const WARM_UP_PART = 20;
/** A store whose files have not changed for so long has settled. */
const QUIET_MS = 1000;
const POLL_MS = 50;

// The parent sends nothing else.
serveParent((job) => answer(job as Job));

async function answer(job: Job): Promise<Answer> {
  const contender = await loadContender(job.engine);
  if (job.kind === "describe") {
    const { open: _, ...description } = contender;
    return { kind: "described", description };
  }
  if (job.kind === "prepare") {
    const start = performance.now();
    await prepare(contender, job.dir, job.keys);
    return { kind: "prepared", seconds: (performance.now() - start) / 1000 };
  }
  const row = rowNamed(job.row);
  const measured = row.call === "open" ? measureOpening : measureRow;
  return { kind: "cell", result: await measured(contender, row, job) };
}

/**
 * Fills a store the way it would have grown: all keys in random order, half of them again, closed,
 * opened, and left alone until nothing happens any more. No engine is compacted by hand.
 */
async function prepare(contender: Contender, dir: string, keys: number): Promise<void> {
  let store = await contender.open({ dir, durable: false });
  await inPieces(keysShuffled(keys, 1), BATCH, (piece) => store.batch(piece, 0));
  const again = keysDrawn(Math.ceil(keys / 2), { among: keys, seed: 2 });
  await inPieces(again, BATCH, (piece) => store.batch(piece, 1));
  await store.close();
  store = await contender.open({ dir, durable: false });
  await store.settled?.();
  if (keys > CHECKED_KEYS) await quiet(dir);
  await store.close();
}

async function quiet(dir: string): Promise<void> {
  const state = () =>
    readdirSync(dir, { recursive: true, encoding: "utf8" })
      .map((name) => `${name} ${statSync(join(dir, name), { throwIfNoEntry: false })?.size}`)
      .join();
  let seen = state();
  for (let calmMs = 0; calmMs < QUIET_MS; calmMs += POLL_MS) {
    await sleep(POLL_MS);
    const now = state();
    if (now !== seen) calmMs = 0;
    seen = now;
  }
}

async function measureRow(
  contender: Contender,
  row: RowDefinition,
  { dir, keys }: { readonly dir: string; readonly keys: number },
): Promise<CellResult> {
  const list = row.list(keys);
  const store = await contender.open({ dir, durable: row.call === "durablePuts" });
  if (row.start === "full") await warmUp(store, row, list);
  else await warmUpAside(contender, row, { list, dir: `${dir}-warm-up` });
  const tally: Tally = { operations: 0, bytes: 0, checksum: 0 };
  globalThis.gc?.();
  const delay = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS });
  delay.enable();
  const cpu = process.cpuUsage();
  const start = performance.now();
  const note = await row.run(store, list, tally);
  const elapsedMs = performance.now() - start;
  const spent = process.cpuUsage(cpu);
  delay.disable();
  const operations = tally.operations;
  if (row.start !== "full") await check(store, list, tally);
  if (row.racing === true) tally.checksum = 0;
  const closing = performance.now();
  await store.close();
  return {
    tally,
    microsecondsPerOperation: (elapsedMs * 1000) / operations,
    cpuMicrosecondsPerOperation: (spent.user + spent.system) / operations,
    loopDelayP99Ms:
      delay.count < DELAY_TICKS_MIN
        ? null
        : Math.max(0, delay.percentile(99) / NANOSECONDS_PER_MS - DELAY_RESOLUTION_MS),
    rssBytesMax: process.resourceUsage().maxRSS * 1024,
    closeMs: performance.now() - closing,
    ...(note === undefined ? {} : { note }),
  };
}

/** Before reading: code is compiled, and caches are as warm as a running program has them. */
async function warmUp(store: Store, row: RowDefinition, list: Uint32Array): Promise<void> {
  const unseen: Tally = { operations: 0, bytes: 0, checksum: 0 };
  if (row.call !== "scan") {
    const part = list.subarray(0, Math.max(BATCH, Math.floor(list.length / WARM_UP_PART)));
    await row.run(store, part, unseen);
    return;
  }
  const scan = store.scan(row.name === "readreverse");
  while (unseen.operations < list.length / WARM_UP_PART) await scan.more(unseen);
  await scan.close();
}

/** Before writing into an empty store: a part of it, in another one that is thrown away. */
async function warmUpAside(
  contender: Contender,
  row: RowDefinition,
  { list, dir }: { readonly list: Uint32Array; readonly dir: string },
): Promise<void> {
  mkdirSync(dir);
  const store = await contender.open({ dir, durable: row.call === "durablePuts" });
  await warmUp(store, row, list);
  await store.close();
  rmSync(dir, { recursive: true });
}

/** What was acknowledged must be there. Goes into the tally, so that engines must agree. */
async function check(store: Store, list: Uint32Array, tally: Tally): Promise<void> {
  const read: Tally = { operations: 0, bytes: 0, checksum: 0 };
  const step = Math.max(1, Math.floor(list.length / CHECKED_KEYS));
  const sample = list.filter((_, at) => at % step === 0);
  await inPieces(sample, BATCH, (piece) => store.gets(piece, read));
  tally.bytes += read.bytes;
  tally.checksum += read.checksum;
}

async function measureOpening(
  contender: Contender,
  row: RowDefinition,
  { dir, keys }: { readonly dir: string; readonly keys: number },
): Promise<CellResult> {
  const list = row.list(keys);
  const tally: Tally = { operations: 0, bytes: 0, checksum: 0 };
  const times: number[] = [];
  let cpuMicroseconds = 0;
  let closeMs = 0;
  for (let opening = 0; opening < OPENINGS; opening += 1) {
    globalThis.gc?.();
    const cpu = process.cpuUsage();
    const start = performance.now();
    const store = await contender.open({ dir, durable: false });
    await store.gets(all(list), tally);
    times.push((performance.now() - start) * 1000);
    const spent = process.cpuUsage(cpu);
    cpuMicroseconds += spent.user + spent.system;
    const closing = performance.now();
    await store.close();
    closeMs += performance.now() - closing;
  }
  times.sort((a, b) => a - b);
  return {
    tally,
    microsecondsPerOperation: times[(OPENINGS - 1) / 2]!,
    cpuMicrosecondsPerOperation: cpuMicroseconds / OPENINGS,
    loopDelayP99Ms: null,
    rssBytesMax: process.resourceUsage().maxRSS * 1024,
    closeMs: closeMs / OPENINGS,
  };
}

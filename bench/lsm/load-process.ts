/**
 * The process that holds a large store: it loads, opens, or waits to be killed, and says what that
 * cost. Nothing else runs in it, so that its memory is the engine's.
 *
 * Invariant: what it keeps itself is independent of the number of keys.
 */
import { monitorEventLoopDelay } from "node:perf_hooks";
import { createWriteBatch, openEngine } from "#lsm";
import type { Engine, EngineStats } from "#lsm/types";
import { keyOf, serveParent, valueFor } from "../harness/index.ts";

/** What is asked of the process. `keys`: of the whole store. */
export interface LoadTask {
  readonly kind: "nothing" | "load" | "open" | "write and wait";
  readonly dir: string;
  readonly keys: number;
}

/** What it answers. Bytes and milliseconds. */
export interface LoadAnswer {
  readonly kind: "done" | "failed";
  readonly reason?: string;
  /** Until the first read was answered. */
  readonly openMs: number;
  readonly elapsedMs: number;
  readonly rssBytesMax: number;
  /** How late the event loop was: while there was work, and at worst. */
  readonly delayP99Ms: number;
  readonly delayMaxMs: number;
  /** Keys of a sample that were found. */
  readonly found: number;
  readonly sampled: number;
  readonly stats: Pick<
    EngineStats,
    "writeAmplification" | "spaceAmplification" | "stalls" | "background"
  > | null;
}

const BATCH = 1000;
const SAMPLE = 1000;
/** Written and not flushed before the process is killed: most of a memtable. */
export const UNFLUSHED_KEYS = 100_000;
const DELAY_RESOLUTION_MS = 1;
const NANOSECONDS_PER_MS = 1e6;

serveParent((task) => perform(task as LoadTask));

async function perform({ kind, dir, keys }: LoadTask): Promise<LoadAnswer> {
  const delay = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS });
  const start = performance.now();
  if (kind === "nothing") return answer({ delay, openMs: 0, elapsedMs: 0, engine: null, found: 0 });
  const engine = openEngine({ dir });
  engine.get(keyOf(0));
  const openMs = performance.now() - start;
  const begun = performance.now();
  delay.enable();
  if (kind === "load") await write(engine, keys, shuffler(keys));
  if (kind === "write and wait") {
    await write(engine, Math.min(keys, UNFLUSHED_KEYS), (at) => at);
  }
  const elapsedMs = performance.now() - begun;
  if (kind === "load") await engine.idle();
  delay.disable();
  const found = countSample(engine, keys);
  const result = answer({ delay, openMs, elapsedMs, engine, found });
  if (kind !== "write and wait") await engine.close();
  return result;
}

async function write(engine: Engine, keys: number, order: (at: number) => number): Promise<void> {
  const batch = createWriteBatch();
  for (let from = 0; from < keys; from += BATCH) {
    batch.clear();
    for (let at = from; at < Math.min(keys, from + BATCH); at += 1) {
      const number = order(at);
      batch.put(keyOf(number), valueFor(number, 0));
    }
    await engine.write(batch);
    // A program that does nothing else is rare: whoever waits for the event loop gets it here.
    await new Promise(setImmediate);
  }
}

/** Every number below `count` once, in an order without order, and without a list of them. */
function shuffler(count: number): (at: number) => number {
  const bits = Math.max(2, Math.ceil(Math.log2(count)));
  const mask = 2 ** bits - 1;
  const half = Math.ceil(bits / 2);
  const mixed = (at: number) => {
    // Each step can be undone on numbers of so many bits, so no two inputs meet.
    let x = Math.imul(at, 0x9e3779b1) & mask;
    x ^= x >>> half;
    x = Math.imul(x, 0x85ebca6b) & mask;
    return x ^ (x >>> half);
  };
  return (at) => {
    let x = mixed(at);
    while (x >= count) x = mixed(x);
    return x;
  };
}

function countSample(engine: Engine, keys: number): number {
  const step = Math.max(1, Math.floor(keys / SAMPLE));
  let found = 0;
  for (let at = 0; at < SAMPLE; at += 1) {
    if (engine.get(keyOf((at * step) % keys)) !== undefined) found += 1;
  }
  return found;
}

function answer(of: {
  readonly delay: ReturnType<typeof monitorEventLoopDelay>;
  readonly openMs: number;
  readonly elapsedMs: number;
  readonly engine: Engine | null;
  readonly found: number;
}): LoadAnswer {
  const late = (nanoseconds: number) =>
    Math.max(0, nanoseconds / NANOSECONDS_PER_MS - DELAY_RESOLUTION_MS);
  return {
    kind: "done",
    openMs: of.openMs,
    elapsedMs: of.elapsedMs,
    rssBytesMax: process.resourceUsage().maxRSS * 1024,
    delayP99Ms: of.delay.count === 0 ? 0 : late(of.delay.percentile(99)),
    delayMaxMs: of.delay.count === 0 ? 0 : late(of.delay.max),
    found: of.found,
    sampled: of.engine === null ? 0 : SAMPLE,
    stats: of.engine === null ? null : statsOf(of.engine),
  };
}

function statsOf(engine: Engine): LoadAnswer["stats"] {
  const { writeAmplification, spaceAmplification, stalls, background } = engine.stats();
  return { writeAmplification, spaceAmplification, stalls, background };
}

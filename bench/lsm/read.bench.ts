/**
 * What does a read cost: hot, missing, cold, in order, and after a seek?
 *
 * The store was filled in random order and has settled; the page cache of the system holds it all.
 * `hot`: a hundredth of the keys, in the engine's cache. `cold`: any key, with a cache that holds a
 * hundredth of the data, so that nearly every read asks the system for a block; its peer is reading
 * 4 KiB at a random offset. Nothing is written or synced while the clock runs.
 */
import { closeSync, openSync, readSync, writeSync } from "node:fs";
import { join } from "node:path";
import { createWriteBatch, openEngine } from "#lsm";
import type { Engine } from "#lsm/types";
import {
  type Bench,
  KEY_BYTES,
  keyOf,
  randomNumbers,
  VALUE_BYTES,
  valueFor,
} from "../harness/index.ts";

const BATCH = 1000;
const HOT_PART = 100;
const BLOCK_BYTES = 4096;
const RAW_BLOCKS = 4096;
const CACHE_BYTES_MIN = 64 * 1024;
const KEY_STEP = 2;
const NANOSECONDS_PER_MICROSECOND = 1000;

export async function lookups(bench: Bench): Promise<void> {
  const { keys, dir } = await filled(bench);
  const reads = bench.parameter("reads", { small: 2000, canonical: 200_000 });
  const engine = openEngine({ dir });
  bench.defer(() => engine.close());
  const random = randomNumbers(5);
  const hot = Math.ceil(keys / HOT_PART);
  readAll(engine, { name: "warm-up", reads: hot, bench, number: (at) => KEY_STEP * at });
  const any = () => KEY_STEP * random(keys);
  readAll(engine, { name: "get, any", reads, bench, number: any });
  readAll(engine, { name: "get, hot", reads, bench, number: () => KEY_STEP * random(hot) });
  readAll(engine, { name: "get, missing", reads, bench, number: () => any() + 1 });
  for (const name of ["get, any", "get, hot", "get, missing"]) {
    bench.figure(name, bench.series(name).microsecondsAt(50), "µs at p50");
  }
}

export async function coldLookups(bench: Bench): Promise<void> {
  const { keys, dir } = await filled(bench);
  const reads = bench.parameter("reads", { small: 500, canonical: 50_000 });
  const dataBytes = keys * (KEY_BYTES + VALUE_BYTES);
  const cacheBytesMax = Math.max(CACHE_BYTES_MIN, Math.floor(dataBytes / HOT_PART));
  const engine = openEngine({ dir, cacheBytesMax });
  bench.defer(() => engine.close());
  const file = openSync(join(bench.directory(), "raw"), "w+");
  bench.defer(() => closeSync(file));
  const block = new Uint8Array(BLOCK_BYTES).fill(3);
  for (let at = 0; at < RAW_BLOCKS; at += 1) writeSync(file, block, 0, BLOCK_BYTES);
  const random = randomNumbers(6);
  const name = "get, cold";
  const raw = bench.series("read of 4 KiB");
  for (let done = 0; done < reads; done += BATCH) {
    readAll(engine, { name, reads: BATCH, bench, number: () => KEY_STEP * random(keys) });
    for (let at = 0; at < BATCH; at += 1) {
      const offset = random(RAW_BLOCKS) * BLOCK_BYTES;
      raw.measure(() => readSync(file, block, 0, BLOCK_BYTES, offset));
    }
  }
  bench.ratio("cold get at p50", {
    subject: bench.series(name).microsecondsAt(50),
    peer: raw.microsecondsAt(50),
    peerName: raw.name,
  });
}

export async function scansAndSeeks(bench: Bench): Promise<void> {
  const { keys, dir } = await filled(bench);
  const rounds = bench.parameter("rounds", { small: 1, canonical: 3 });
  const seeks = bench.parameter("seeks", { small: 200, canonical: 50_000 });
  const engine = openEngine({ dir });
  bench.defer(() => engine.close());
  for (const reverse of [false, true]) {
    const name = reverse ? "scan in reverse" : "scan";
    let best = Number.POSITIVE_INFINITY;
    for (let round = 0; round < rounds; round += 1) {
      const start = bench.now();
      const bytes = scan(engine, reverse);
      best = Math.min(best, bench.now() - start);
      bench.work(`${bytes}`);
    }
    bench.figure(name, best / keys / NANOSECONDS_PER_MICROSECOND, "µs for an entry");
  }
  const random = randomNumbers(7);
  const series = bench.series("seek and next");
  const iterator = engine.iterator();
  for (let at = 0; at < seeks; at += 1) {
    const key = keyOf(KEY_STEP * random(keys));
    series.measure(() => {
      iterator.seek(key);
      iterator.next();
    });
  }
  iterator.close();
  bench.figure("seek and next", series.microsecondsAt(50), "µs at p50");
}

function readAll(
  engine: Engine,
  of: {
    readonly name: string;
    readonly reads: number;
    readonly bench: Bench;
    number(at: number): number;
  },
): void {
  const series = of.bench.series(of.name);
  let bytes = 0;
  for (let at = 0; at < of.reads; at += 1) {
    const key = keyOf(of.number(at));
    bytes += series.measure(() => engine.get(key))?.length ?? 0;
  }
  of.bench.work(`${of.name} ${bytes}`);
}

function scan(engine: Engine, reverse: boolean): number {
  const iterator = engine.iterator({ reverse });
  let bytes = 0;
  while (iterator.next()) bytes += iterator.key.length + iterator.value.length;
  iterator.close();
  return bytes;
}

/** A store of even keys that has settled and is closed. */
async function filled(bench: Bench): Promise<{ readonly keys: number; readonly dir: string }> {
  const keys = bench.parameter("keys", { small: 3000, canonical: 1_000_000 });
  const dir = join(bench.directory(), "store");
  const engine = openEngine({ dir });
  const batch = createWriteBatch();
  const random = randomNumbers(3);
  for (let from = 0; from < 2 * keys; from += BATCH) {
    batch.clear();
    for (let at = from; at < from + BATCH; at += 1) {
      // The second pass is random, so that tables overlap as they do in a store that is used.
      const number = KEY_STEP * (at < keys ? at : random(keys));
      batch.put(keyOf(number), valueFor(number, at));
    }
    await engine.write(batch);
  }
  await engine.flush();
  await engine.idle();
  await engine.close();
  return { keys, dir };
}

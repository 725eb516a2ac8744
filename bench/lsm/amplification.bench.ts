/**
 * What do leveled and tiered compaction cost: bytes written for one byte of the user's, blocks read
 * for one lookup, bytes kept for one byte of live data?
 *
 * A store is filled and then overwritten several times, uniformly and by Zipf's law, with small
 * memtables and tables, so that several levels form. Flush and compaction run by `step` between
 * batches, so that the counts depend on nothing but the seed: these figures are exact, and the same
 * on every machine. Not measured: time. Nothing is synced by request.
 */
import { join } from "node:path";
import { createWriteBatch, openEngine } from "#lsm";
import type { Engine } from "#lsm/types";
import { type Bench, keyOf, randomNumbers, valueFor, zipfNumbers } from "../harness/index.ts";

const KIB = 1024;
const BATCH = 100;
const SEED = 4;
const SHAPES = [
  { picker: "leveled", levelRatio: 10 },
  { picker: "leveled", levelRatio: 4 },
  { picker: "tiered", levelRatio: 4 },
  { picker: "tiered", levelRatio: 8 },
] as const;

export function uniform(bench: Bench): Promise<void> {
  return amplification(bench, (keys) => {
    const random = randomNumbers(SEED);
    return () => random(keys);
  });
}

export function zipf(bench: Bench): Promise<void> {
  return amplification(bench, (keys) => zipfNumbers(keys, SEED));
}

async function amplification(bench: Bench, drawing: (keys: number) => () => number): Promise<void> {
  const keys = bench.parameter("keys", { small: 2000, canonical: 200_000 });
  const passes = bench.parameter("passes", { small: 3, canonical: 5 });
  const lookups = bench.parameter("lookups", { small: 500, canonical: 20_000 });
  const memtableKib = bench.parameter("memtableKib", { small: 32, canonical: 512 });
  for (const shape of SHAPES) {
    const name = `${shape.picker} ${shape.levelRatio}`;
    const engine = openEngine({
      dir: join(bench.directory(), "store"),
      background: "step",
      memtableBytesMax: memtableKib * KIB,
      tableBytesMax: (memtableKib * KIB) / 2,
      ...shape,
    });
    try {
      const draw = drawing(keys);
      for (let from = 0; from < keys; from += BATCH) await writeAndStep(engine, from, (at) => at);
      for (let from = 0; from < keys * (passes - 1); from += BATCH) {
        await writeAndStep(engine, from, draw);
      }
      const written = engine.stats();
      const found = lookUp(engine, lookups, draw);
      const { read, readAmplification, spaceAmplification } = engine.stats();
      bench.figure(`${name}: write amplification`, written.writeAmplification, "x");
      bench.figure(`${name}: blocks read for a lookup`, readAmplification, "");
      bench.figure(`${name}: tables asked for a lookup`, read.tables / Math.max(1, lookups), "");
      bench.figure(`${name}: space amplification`, spaceAmplification, "x");
      bench.work(`${name} ${found} ${written.written.compactionBytes} ${read.blocks}`);
    } finally {
      await engine.close();
    }
  }
}

async function writeAndStep(
  engine: Engine,
  from: number,
  numberAt: (at: number) => number,
): Promise<void> {
  const batch = createWriteBatch();
  for (let at = from; at < from + BATCH; at += 1) {
    const number = numberAt(at);
    batch.put(keyOf(number), valueFor(number, at));
  }
  await engine.write(batch);
  while (engine.step()) {
    // Each step is one flush or one compaction; all that is due is done before the next batch.
  }
}

function lookUp(engine: Engine, lookups: number, draw: () => number): number {
  let found = 0;
  for (let at = 0; at < lookups; at += 1) {
    if (engine.get(keyOf(draw())) !== undefined) found += 1;
  }
  return found;
}

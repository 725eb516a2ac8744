/**
 * What does one reader cost that is never closed?
 *
 * The same keys are overwritten again and again, once with a reader held open from the beginning,
 * once without. Three times on the way garbage is collected. Reported for each age of the reader:
 * versions that stay, and a scan of the newest state, both against the same without the reader; and
 * the reader's own scan at the end. Not synced.
 */
import type { Mvcc } from "#mvcc/types";
import { type Bench, keyOf, valueFor } from "../harness/index.ts";
import { countScan, LAYOUTS, NANOSECONDS_PER_MICROSECOND, openIn } from "./support.ts";

const BATCH = 100;
/** So often in a reader's life is looked at what it costs. */
const AGES = 3;

export async function heldOpen(bench: Bench): Promise<void> {
  const keys = bench.parameter("keys", { small: 100, canonical: 2000 });
  const overwrites = bench.parameter("overwrites", { small: 3, canonical: 30 });
  for (const layout of LAYOUTS) {
    const [free, held] = [await openIn(bench, { layout }), await openIn(bench, { layout })];
    for (const mvcc of [free, held]) await overwrite(mvcc, keys, 0);
    const reader = held.begin({ label: "never closed" });
    for (let round = 1; round <= overwrites; round += 1) {
      for (const mvcc of [free, held]) await overwrite(mvcc, keys, round);
      if (round % Math.ceil(overwrites / AGES) !== 0 && round !== overwrites) continue;
      await compare(bench, `${layout}, ${round} overwrites`, free, held);
    }
    const old = bench.now();
    const seen = countScan(reader);
    bench.figure(`${layout}: scan by the reader`, micro(bench.now() - old), "µs");
    bench.work(`${layout} ${seen} ${held.stats().versions}`);
    reader.abort();
  }
}

/** What the reader costs now. */
async function compare(bench: Bench, name: string, free: Mvcc, held: Mvcc): Promise<void> {
  const [without, behind] = [await free.collect(), await held.collect()];
  const [quick, slow] = [scanMicroseconds(bench, free), scanMicroseconds(bench, held)];
  const peerName = "without the reader";
  const versions = { subject: behind.versionsAfter, peer: without.versionsAfter, peerName };
  bench.ratio(`${name}: versions kept`, versions);
  bench.ratio(`${name}: scan of the newest state`, { subject: slow, peer: quick, peerName });
}

async function overwrite(mvcc: Mvcc, keys: number, round: number): Promise<void> {
  for (let from = 0; from < keys; from += BATCH) {
    const transaction = mvcc.begin();
    for (let number = from; number < Math.min(from + BATCH, keys); number += 1) {
      transaction.put(keyOf(number), valueFor(number, round));
    }
    await transaction.commit();
  }
}

function scanMicroseconds(bench: Bench, mvcc: Mvcc): number {
  const transaction = mvcc.begin();
  countScan(transaction);
  const start = bench.now();
  countScan(transaction);
  const ns = bench.now() - start;
  transaction.abort();
  return micro(ns);
}

const micro = (nanoseconds: number): number => nanoseconds / NANOSECONDS_PER_MICROSECOND;

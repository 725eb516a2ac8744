/**
 * Three layouts of versions, side by side: which one pays for what?
 *
 * The same work on each: fill, overwrite, look up the newest state and one from before the
 * overwrites, scan both, collect. The peer is the layout with timestamps in its keys. Not synced;
 * what fits into memory is in memory.
 */
import type { Mvcc } from "#mvcc/types";
import { type Bench, keyOf, randomNumbers, valueFor } from "../harness/index.ts";
import { countScan, LAYOUTS, NANOSECONDS_PER_MICROSECOND, openIn } from "./support.ts";

const BATCH = 100;

/** Microseconds for one operation of each kind. */
type Costs = Record<"overwrite" | "getNew" | "getOld" | "scanNew" | "scanOld" | "collect", number>;

const KINDS: Readonly<Record<keyof Costs, string>> = {
  overwrite: "put that overwrites",
  getNew: "lookup of the newest",
  getOld: "lookup ten versions back",
  scanNew: "key in a scan of the newest",
  scanOld: "key in a scan ten versions back",
  collect: "collection, for each version",
};

export async function sideBySide(bench: Bench): Promise<void> {
  const keys = bench.parameter("keys", { small: 200, canonical: 20_000 });
  const overwrites = bench.parameter("overwrites", { small: 2, canonical: 10 });
  const costs = new Map<string, Costs>();
  for (const layout of LAYOUTS) {
    const mvcc = await openIn(bench, { layout });
    costs.set(layout, await measure(bench, mvcc, keys, overwrites));
    bench.work(`${layout} ${mvcc.stats().versions}`);
    await mvcc.close();
  }
  const first = costs.get("timestamped")!;
  for (const kind of Object.keys(KINDS) as (keyof Costs)[]) {
    bench.figure(`timestamped: ${KINDS[kind]}`, first[kind], "µs");
    for (const layout of ["appended", "undo"]) {
      const subject = costs.get(layout)![kind];
      const of = { subject, peer: first[kind], peerName: "timestamped" };
      bench.ratio(`${layout}: ${KINDS[kind]}`, of);
    }
  }
}

async function measure(bench: Bench, mvcc: Mvcc, keys: number, overwrites: number): Promise<Costs> {
  await fill(mvcc, keys, 0);
  const old = mvcc.begin();
  const overwriting = bench.now();
  for (let round = 1; round <= overwrites; round += 1) await fill(mvcc, keys, round);
  const overwrite = (bench.now() - overwriting) / (keys * overwrites);
  const present = mvcc.begin();
  const lookups = Math.min(keys, 10_000);
  const random = randomNumbers(3);
  const each = (count: number, run: () => void): number => {
    const start = bench.now();
    run();
    return (bench.now() - start) / count;
  };
  const look = (transaction: typeof old) => () => {
    for (let i = 0; i < lookups; i += 1) transaction.get(keyOf(random(keys)));
  };
  const nanoseconds = {
    overwrite,
    getNew: each(lookups, look(present)),
    getOld: each(lookups, look(old)),
    scanNew: each(keys, () => void countScan(present)),
    scanOld: each(keys, () => void countScan(old)),
  };
  old.abort();
  present.abort();
  const collecting = bench.now();
  const { versionsBefore } = await mvcc.collect();
  const collect = (bench.now() - collecting) / versionsBefore;
  const all = Object.entries({ ...nanoseconds, collect });
  return Object.fromEntries(
    all.map(([kind, ns]) => [kind, ns / NANOSECONDS_PER_MICROSECOND]),
  ) as Costs;
}

async function fill(mvcc: Mvcc, keys: number, round: number): Promise<void> {
  for (let from = 0; from < keys; from += BATCH) {
    const transaction = mvcc.begin();
    for (let number = from; number < Math.min(from + BATCH, keys); number += 1) {
      transaction.put(keyOf(number), valueFor(number, round));
    }
    await transaction.commit();
  }
}

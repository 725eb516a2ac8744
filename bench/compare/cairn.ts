/**
 * Cairn in the comparison: the engine of chapter 04 with its worker thread.
 *
 * | row     | tried                                                                | taken     |
 * | ------- | -------------------------------------------------------------------- | --------- |
 * | puts    | waves of 256; 256 callers, which cost a quarter more processor time  | waves     |
 * | batch   | write, awaited; writeSync, the same                                  | write     |
 * | sync    | put with sync, awaited 310 µs; writeSync of one 207 (disk alone 180) | writeSync |
 * | scan    | next with its views; take(1000) with copies, a third slower          | next      |
 */
import { createWriteBatch, openEngine } from "#lsm";
import type { Engine } from "#lsm/types";
import { waves } from "./in-flight.ts";
import { CACHE_BYTES, WRITE_BUFFER_BYTES } from "./memory.ts";
import type { Contender, KeyList, Scan, Store, Tally } from "./types.ts";
import { versionOf } from "./version-of.ts";
import { BATCH, keyOf, valueFor } from "./workload.ts";

export const cairn: Contender = {
  name: "cairn",
  version: versionOf(),
  settings: "cache 32 MiB, memtable 16 MiB, no compression, worker thread for flush and compaction",
  durability: "survives kill; power loss takes at most the last writes",
  durabilitySynced: "survives power loss",
  api: {
    puts: "put(), 256 at once",
    batch: "write(batch of 1000), awaited",
    durablePuts: "writeSync(batch of one, { sync: true })",
    deletes: "delete(), 256 at once",
    gets: "get(), synchronous; a copy of the value",
    scan: "iterator next(), views of key and value",
    seeks: "one iterator: seek(), next()",
    open: "openEngine(), then get()",
  },
  open: ({ dir }) =>
    store(openEngine({ dir, cacheBytesMax: CACHE_BYTES, memtableBytesMax: WRITE_BUFFER_BYTES })),
};

function store(engine: Engine): Store {
  const reused = createWriteBatch();
  return {
    puts: (list, salt) =>
      waves(list, (number) => engine.put(keyOf(number), valueFor(number, salt))),
    batch({ keys, from, before }, salt) {
      reused.clear();
      for (let at = from; at < before; at += 1) {
        const number = keys[at]!;
        reused.put(keyOf(number), valueFor(number, salt));
      }
      return engine.write(reused);
    },
    durablePuts({ keys, from, before }, salt) {
      for (let at = from; at < before; at += 1) {
        const number = keys[at]!;
        reused.clear();
        reused.put(keyOf(number), valueFor(number, salt));
        engine.writeSync(reused, { sync: true });
      }
    },
    deletes: (list) => waves(list, (number) => engine.delete(keyOf(number))),
    gets: (list, tally) => gets(engine, list, tally),
    scan: (reverse) => scan(engine, reverse),
    seeks: (list, tally) => seeks(engine, list, tally),
    settled: () => engine.idle(),
    close: () => engine.close(),
  };
}

function gets(engine: Engine, { keys, from, before }: KeyList, tally: Tally): void {
  let bytes = 0;
  let checksum = 0;
  for (let at = from; at < before; at += 1) {
    const value = engine.get(keyOf(keys[at]!));
    if (value === undefined) continue;
    bytes += value.length;
    checksum += value[0]!;
  }
  tally.operations += before - from;
  tally.bytes += bytes;
  tally.checksum += checksum;
}

function scan(engine: Engine, reverse: boolean): Scan {
  const iterator = engine.iterator({ reverse });
  return {
    more(tally) {
      let count = 0;
      let bytes = 0;
      let checksum = 0;
      while (count < BATCH && iterator.next()) {
        const { key, value } = iterator;
        bytes += key.length + value.length;
        checksum += key[key.length - 1]! + value[0]!;
        count += 1;
      }
      tally.operations += count;
      tally.bytes += bytes;
      tally.checksum += checksum;
      return count === BATCH;
    },
    close: () => iterator.close(),
  };
}

function seeks(engine: Engine, { keys, from, before }: KeyList, tally: Tally): void {
  const iterator = engine.iterator();
  for (let at = from; at < before; at += 1) {
    iterator.seek(keyOf(keys[at]!));
    tally.operations += 1;
    if (!iterator.next()) continue;
    const { key, value } = iterator;
    tally.bytes += key.length + value.length;
    tally.checksum += key[key.length - 1]! + value[0]!;
  }
  iterator.close();
}

/**
 * LevelDB through `classic-level` in the comparison.
 *
 * | row   | tried (µs per operation, 300,000 keys)                                   | taken    |
 * | ----- | ------------------------------------------------------------------------ | -------- |
 * | puts  | waves of 256: 6.9; 256 callers: 5.5                                      | callers  |
 * | batch | array of 1000: 2.4; chained batch: 1.6                                   | chained  |
 * | gets  | getSync 2.7-3.6; get 5.2; getMany(1000) 2.8                              | getSync  |
 * | scan  | next 3.3; nextv(1000) 2.6; the same with a high-water mark of 1 MiB: 1.6 | the last |
 * | seeks | one iterator 44; a new iterator each 73-89                               | one      |
 *
 * Not taken: four `getMany(250)` at a time (1.9), because the read rows ask for one key after the
 * other; string keys (scan 1.3, seek 19, but gets 3.7), because keys are bytes for all engines.
 */
import { ClassicLevel } from "classic-level";
import { callers } from "./in-flight.ts";
import { CACHE_BYTES, WRITE_BUFFER_BYTES } from "./memory.ts";
import type { Contender, KeyList, Scan, Store, Tally } from "./types.ts";
import { versionOf } from "./version-of.ts";
import { BATCH, keyOf, valueFor } from "./workload.ts";

type Level = ClassicLevel<Buffer, Buffer>;

/** The default of 16 KiB ends a `nextv(1000)` after 140 entries. */
const HIGH_WATER_MARK_BYTES = 1024 * 1024;

export const classicLevel: Contender = {
  name: "classic-level",
  version: versionOf("classic-level"),
  settings:
    "cache 32 MiB, write buffer 16 MiB, Snappy (its default), " +
    "filters of 10 bits per key (built in), four threads of the process for writes",
  durability: "survives kill; power loss takes at most the last writes",
  durabilitySynced: "survives power loss",
  api: {
    puts: "put(), 256 callers",
    batch: "chained batch of 1000, awaited",
    durablePuts: "put(…, { sync: true }), awaited one by one",
    deletes: "del(), 256 callers",
    gets: "getSync(); a copy of the value",
    scan: "iterator nextv(1000), highWaterMarkBytes 1 MiB",
    seeks: "one iterator: seek(), await next()",
    open: "open(), then getSync()",
  },
  async open({ dir }) {
    const level: Level = new ClassicLevel(dir, {
      keyEncoding: "buffer",
      valueEncoding: "buffer",
      cacheSize: CACHE_BYTES,
      writeBufferSize: WRITE_BUFFER_BYTES,
    });
    await level.open();
    return store(level);
  },
};

function store(level: Level): Store {
  return {
    puts: (list, salt) =>
      callers(list, (number) => level.put(keyOf(number), valueFor(number, salt))),
    batch({ keys, from, before }, salt) {
      const chained = level.batch();
      for (let at = from; at < before; at += 1) {
        const number = keys[at]!;
        chained.put(keyOf(number), valueFor(number, salt));
      }
      return chained.write();
    },
    async durablePuts({ keys, from, before }, salt) {
      for (let at = from; at < before; at += 1) {
        const number = keys[at]!;
        await level.put(keyOf(number), valueFor(number, salt), { sync: true });
      }
    },
    deletes: (list) => callers(list, (number) => level.del(keyOf(number))),
    gets: (list, tally) => gets(level, list, tally),
    scan: (reverse) => scan(level, reverse),
    seeks: (list, tally) => seeks(level, list, tally),
    close: () => level.close(),
  };
}

function gets(level: Level, { keys, from, before }: KeyList, tally: Tally): void {
  let bytes = 0;
  let checksum = 0;
  for (let at = from; at < before; at += 1) {
    const value = level.getSync(keyOf(keys[at]!));
    if (value === undefined) continue;
    bytes += value.length;
    checksum += value[0]!;
  }
  tally.operations += before - from;
  tally.bytes += bytes;
  tally.checksum += checksum;
}

function scan(level: Level, reverse: boolean): Scan {
  const iterator = level.iterator({ reverse, highWaterMarkBytes: HIGH_WATER_MARK_BYTES });
  return {
    async more(tally) {
      const entries = await iterator.nextv(BATCH);
      let bytes = 0;
      let checksum = 0;
      for (const [key, value] of entries) {
        bytes += key.length + value.length;
        checksum += key[key.length - 1]! + value[0]!;
      }
      tally.operations += entries.length;
      tally.bytes += bytes;
      tally.checksum += checksum;
      return entries.length > 0;
    },
    close: () => iterator.close(),
  };
}

async function seeks(level: Level, { keys, from, before }: KeyList, tally: Tally): Promise<void> {
  const iterator = level.iterator();
  for (let at = from; at < before; at += 1) {
    iterator.seek(keyOf(keys[at]!));
    const entry = await iterator.next();
    tally.operations += 1;
    if (entry === undefined) continue;
    const [key, value] = entry;
    tally.bytes += key.length + value.length;
    tally.checksum += key[key.length - 1]! + value[0]!;
  }
  await iterator.close();
}

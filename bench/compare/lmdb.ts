/**
 * LMDB through `lmdb` in the comparison, in its safe default and, on request, without syncs.
 *
 * | row   | tried (µs per operation; writes at random into 1,000,000 keys)           | taken     |
 * | ----- | ------------------------------------------------------------------------ | --------- |
 * | puts  | waves of 256: 31-34; 256 callers: 53; a transactionSync of 256: 30-42    | waves     |
 * | puts  | the same, separateFlushed 46-56, commitDelay 1: 50, no overlapping 31-35 | default   |
 * | batch | transactionSync of 1000 with putSync: 1.3; batch(): 1.4                  | the first |
 * | sync  | overlappingSync off and putSync 300; await put, await flushed 600        | the first |
 * | gets  | getBinaryFast 1.0; getBinary 1.6; getMany(1000) 2.3                      | the first |
 * | scan  | getRange 0.7-1.0 in any form; getKeys and getBinaryFast 0.8              | getRange  |
 *
 * Without syncs, waves take 10 µs: an entry of its own, since power loss may then cost the whole
 * database, which it does not with any other engine here.
 */
import { open, type RootDatabase } from "lmdb";
import { waves } from "./in-flight.ts";
import type { Contender, KeyList, Scan, Store, Tally } from "./types.ts";
import { versionOf } from "./version-of.ts";
import { BATCH, keyOf, valueFor } from "./workload.ts";

type Database = RootDatabase<Buffer, Uint8Array>;

/** Address space, not memory: more than any store here needs, so that the map never moves. */
const MAP_BYTES = 16 * 1024 ** 3;
/** `TransactionFlags.NO_SYNC_FLUSH` of the library, which types it but does not export it. */
const NO_SYNC_FLUSH = 0x10000;

/** The library's defaults. */
export const lmdb: Contender = contender("lmdb", {
  noSync: false,
  settings: "memory map without a limit (page cache of the system), syncs overlapping",
  durability: "survives kill; power loss takes at most the last transactions",
});

/** With `noSync`, which its documentation discourages. */
export const lmdbNosync: Contender = contender("lmdb-nosync", {
  noSync: true,
  settings: "memory map without a limit (page cache of the system), noSync",
  durability: "survives kill; power loss may cost the whole database",
});

function contender(
  name: "lmdb" | "lmdb-nosync",
  kind: { readonly noSync: boolean; readonly settings: string; readonly durability: string },
): Contender {
  return {
    name,
    version: versionOf("lmdb"),
    settings: kind.settings,
    durability: kind.durability,
    durabilitySynced: "survives power loss",
    api: {
      puts: "put(), 256 at once",
      batch: "transactionSync() of 1000 putSync()",
      durablePuts: "putSync(), overlappingSync off",
      deletes: "remove(), 256 at once",
      gets: "getBinaryFast(); a view until the next get",
      scan: "getRange(), entry by entry",
      seeks: "getRange({ start, limit: 1 })",
      open: "open(), then getBinaryFast()",
    },
    open({ dir, durable }) {
      const database = open<Buffer, Uint8Array>({
        path: dir,
        encoding: "binary",
        keyEncoding: "binary",
        cache: false,
        mapSize: MAP_BYTES,
        noSync: kind.noSync && !durable,
        overlappingSync: !durable && !kind.noSync,
      });
      return store(database);
    },
  };
}

function store(database: Database): Store {
  return {
    puts: (list, salt) =>
      waves(list, (number) => database.put(keyOf(number), valueFor(number, salt))),
    batch({ keys, from, before }, salt) {
      database.transactionSync(() => {
        for (let at = from; at < before; at += 1) {
          const number = keys[at]!;
          database.putSync(keyOf(number), valueFor(number, salt));
        }
      }, NO_SYNC_FLUSH);
    },
    durablePuts({ keys, from, before }, salt) {
      for (let at = from; at < before; at += 1) {
        const number = keys[at]!;
        database.putSync(keyOf(number), valueFor(number, salt));
      }
    },
    deletes: (list) => waves(list, (number) => database.remove(keyOf(number))),
    gets: (list, tally) => gets(database, list, tally),
    scan: (reverse) => scan(database, reverse),
    seeks: (list, tally) => seeks(database, list, tally),
    close: () => database.close(),
  };
}

function gets(database: Database, { keys, from, before }: KeyList, tally: Tally): void {
  let bytes = 0;
  let checksum = 0;
  for (let at = from; at < before; at += 1) {
    const value = database.getBinaryFast(keyOf(keys[at]!));
    if (value === undefined) continue;
    bytes += value.length;
    checksum += value[0]!;
  }
  tally.operations += before - from;
  tally.bytes += bytes;
  tally.checksum += checksum;
}

function scan(database: Database, reverse: boolean): Scan {
  const entries = database.getRange({ reverse })[Symbol.iterator]();
  return {
    more(tally) {
      let count = 0;
      let bytes = 0;
      let checksum = 0;
      while (count < BATCH) {
        const step = entries.next();
        if (step.done === true) break;
        const { key, value } = step.value;
        bytes += key.length + value.length;
        checksum += key[key.length - 1]! + value[0]!;
        count += 1;
      }
      tally.operations += count;
      tally.bytes += bytes;
      tally.checksum += checksum;
      return count === BATCH;
    },
    close: () => void entries.return?.(),
  };
}

function seeks(database: Database, { keys, from, before }: KeyList, tally: Tally): void {
  for (let at = from; at < before; at += 1) {
    for (const { key, value } of database.getRange({ start: keyOf(keys[at]!), limit: 1 })) {
      tally.bytes += key.length + value.length;
      tally.checksum += key[key.length - 1]! + value[0]!;
    }
    tally.operations += 1;
  }
}

/**
 * SQLite through `better-sqlite3` in the comparison: a table `k BLOB PRIMARY KEY, v BLOB` without
 * rowid, in WAL mode, with an exclusive lock like the other engines but `lmdb`.
 *
 * | row   | tried (µs per operation, 300,000 keys)                                   | taken      |
 * | ----- | ------------------------------------------------------------------------ | ---------- |
 * | puts  | a transaction for 256: 14-18; alone: 15-18, but 8 and more in order | transaction |
 * | puts  | REPLACE 14-18; INSERT … ON CONFLICT DO UPDATE 16-24                      | REPLACE    |
 * | puts  | wal_autocheckpoint 1000: 17.5; 4096 pages: 13.6; pages of 8 KiB: 19.5    | 4096 pages |
 * | table | with rowid: write 12.7, get 3.5, scan 2.5; without: 15, 2.4, 1.5         | without    |
 * | gets  | get 3.2; pluck 3.2; pluck within one transaction 2.1-2.6                 | the last   |
 * | scan  | iterate 1.8; raw iterate 1.7; raw pages of 1000: 1.3-1.6; raw all 2.5    | pages      |
 */
import { join } from "node:path";
import Database from "better-sqlite3";
import { groups } from "./in-flight.ts";
import { CACHE_BYTES, WRITE_BUFFER_BYTES } from "./memory.ts";
import type { Contender, KeyList, Scan, Store, Tally } from "./types.ts";
import { versionOf } from "./version-of.ts";
import { BATCH, KEY_BYTES, keyOf, valueFor } from "./workload.ts";

type Entry = readonly [key: Buffer, value: Buffer];

const PAGE_BYTES = 4096;
/** Above every key of digits. */
const BEHIND_ALL = Buffer.alloc(KEY_BYTES, 0xff);
const SCHEMA = "CREATE TABLE IF NOT EXISTS t (k BLOB PRIMARY KEY, v BLOB NOT NULL) WITHOUT ROWID";

export const sqlite: Contender = {
  name: "better-sqlite3",
  version: versionOf("better-sqlite3"),
  settings: "page cache 32 MiB, checkpoint at 16 MiB of log, WAL mode, synchronous NORMAL",
  durability: "survives kill; power loss takes at most the last transactions",
  durabilitySynced: "survives power loss (synchronous FULL)",
  api: {
    puts: "prepared REPLACE, those in flight (256) in one transaction",
    batch: "prepared REPLACE, 1000 in a transaction",
    durablePuts: "prepared REPLACE, each its own transaction",
    deletes: "prepared DELETE, those in flight (256) in one transaction",
    gets: "prepared SELECT, pluck().get(), a thousand in a read transaction",
    scan: "prepared SELECT … LIMIT 1000, raw().all()",
    seeks: "prepared SELECT … LIMIT 1, raw().get(), within a read transaction",
    open: "new Database(), then get()",
  },
  open({ dir, durable }) {
    const database = new Database(join(dir, "data.sqlite"));
    database.pragma("locking_mode = EXCLUSIVE");
    database.pragma("journal_mode = WAL");
    database.pragma(`synchronous = ${durable ? "FULL" : "NORMAL"}`);
    database.pragma(`cache_size = ${-CACHE_BYTES / 1024}`);
    database.pragma(`wal_autocheckpoint = ${WRITE_BUFFER_BYTES / PAGE_BYTES}`);
    database.exec(SCHEMA);
    return store(database);
  },
};

/** What every row may need, prepared once. */
function prepared(database: Database.Database) {
  const page = (where: string, order: string) =>
    database
      .prepare<[Buffer], Entry>(
        `SELECT k, v FROM t WHERE ${where} ORDER BY ${order} LIMIT ${BATCH}`,
      )
      .raw();
  return {
    put: database.prepare<[Buffer, Buffer]>("REPLACE INTO t VALUES (?, ?)"),
    remove: database.prepare<[Buffer]>("DELETE FROM t WHERE k = ?"),
    get: database.prepare<[Buffer], Buffer>("SELECT v FROM t WHERE k = ?").pluck(),
    seek: database
      .prepare<[Buffer], Entry>("SELECT k, v FROM t WHERE k >= ? ORDER BY k LIMIT 1")
      .raw(),
    forward: page("k > ?", "k"),
    backward: page("k < ?", "k DESC"),
  };
}

type Prepared = ReturnType<typeof prepared>;

function store(database: Database.Database): Store {
  const statements = prepared(database);
  const { put, remove } = statements;
  const putAll = database.transaction(({ keys, from, before }: KeyList, salt: number) => {
    for (let at = from; at < before; at += 1) {
      const number = keys[at]!;
      put.run(keyOf(number), valueFor(number, salt));
    }
  });
  const removeAll = database.transaction(({ keys, from, before }: KeyList) => {
    for (let at = from; at < before; at += 1) remove.run(keyOf(keys[at]!));
  });
  const getAll = database.transaction((list: KeyList, tally: Tally) =>
    gets(statements, list, tally),
  );
  const seekAll = database.transaction((list: KeyList, tally: Tally) =>
    seeks(statements, list, tally),
  );
  return {
    puts: (list, salt) => groups(list, (group) => putAll(group, salt)),
    batch: (list, salt) => putAll(list, salt),
    durablePuts({ keys, from, before }, salt) {
      for (let at = from; at < before; at += 1) {
        const number = keys[at]!;
        put.run(keyOf(number), valueFor(number, salt));
      }
    },
    deletes: (list) => groups(list, (group) => removeAll(group)),
    gets: (list, tally) => getAll(list, tally),
    scan: (reverse) => scan(statements, reverse),
    seeks: (list, tally) => seekAll(list, tally),
    close: () => void database.close(),
  };
}

function gets({ get }: Prepared, { keys, from, before }: KeyList, tally: Tally): void {
  let bytes = 0;
  let checksum = 0;
  for (let at = from; at < before; at += 1) {
    const value = get.get(keyOf(keys[at]!));
    if (value === undefined) continue;
    bytes += value.length;
    checksum += value[0]!;
  }
  tally.operations += before - from;
  tally.bytes += bytes;
  tally.checksum += checksum;
}

function scan({ forward, backward }: Prepared, reverse: boolean): Scan {
  const page = reverse ? backward : forward;
  let last: Buffer = reverse ? BEHIND_ALL : Buffer.alloc(0);
  return {
    more(tally) {
      const entries = page.all(last);
      let bytes = 0;
      let checksum = 0;
      for (const [key, value] of entries) {
        bytes += key.length + value.length;
        checksum += key[key.length - 1]! + value[0]!;
      }
      tally.operations += entries.length;
      tally.bytes += bytes;
      tally.checksum += checksum;
      last = entries.at(-1)?.[0] ?? last;
      return entries.length === BATCH;
    },
    close: () => {},
  };
}

function seeks({ seek }: Prepared, { keys, from, before }: KeyList, tally: Tally): void {
  for (let at = from; at < before; at += 1) {
    const entry = seek.get(keyOf(keys[at]!));
    tally.operations += 1;
    if (entry === undefined) continue;
    const [key, value] = entry;
    tally.bytes += key.length + value.length;
    tally.checksum += key[key.length - 1]! + value[0]!;
  }
}

/**
 * What does applying through the state machine cost, against SQLite alone?
 *
 * The same single-row inserts, in transactions of the same size: entries that are decoded, bound,
 * answered as JSON and counted, against one prepared statement. Nothing here is synced for each
 * transaction (WAL, synchronous=NORMAL in both), because the Raft log is what makes entries durable.
 * Not measured: threads, consensus, HTTP.
 */
import { join } from "node:path";
import Database from "better-sqlite3";
import type { CommittedEntry } from "#replica/types";
import { encodeCommand, openSqliteMachine } from "#sqlite";
import type { SqlValue } from "#sqlite/types";
import type { Bench } from "../harness/index.ts";

const CREATE = "CREATE TABLE orders (id INTEGER PRIMARY KEY, customer TEXT, cents INTEGER)";
const INSERT = "INSERT INTO orders (customer, cents) VALUES (?, ?)";
const WARM_UP = 5;

function entryOf(index: number, sql: string, positional: readonly SqlValue[]): CommittedEntry {
  const rendering = {
    associative: false,
    blobArray: false,
    qualifyColumns: false,
    timings: false,
  };
  const statements = [{ sql, positional, named: [] }];
  return {
    index,
    term: 1,
    kind: "command",
    timeMs: index,
    seed: BigInt(index),
    payload: encodeCommand({ kind: "execute", statements, transaction: false, rendering }),
    proposalId: index,
  };
}

const values = (index: number): readonly [string, bigint] => [`customer ${index}`, BigInt(index)];

export function applyInserts(bench: Bench): void {
  const batches = bench.parameter("batches", { small: 20, canonical: 2000 });
  const batchEntries = bench.parameter("entries in a batch", { small: 64, canonical: 64 });
  const dir = bench.directory();
  const machine = openSqliteMachine({ path: join(dir, "machine.sqlite") });
  bench.defer(() => machine.close());
  const alone = new Database(join(dir, "alone.sqlite"));
  bench.defer(() => {
    alone.close();
  });
  alone.pragma("journal_mode = WAL");
  alone.pragma("synchronous = NORMAL");
  alone.exec(CREATE);
  machine.applyBatch([entryOf(1, CREATE, [])]);

  const insert = alone.prepare(INSERT);
  const insertAll = alone.transaction((rows: readonly (readonly [string, bigint])[]) => {
    for (const row of rows) insert.run(...row);
  });
  const ours = bench.series("machine, one batch");
  const theirs = bench.series("better-sqlite3, one transaction");
  let next = 2;
  for (let batch = -WARM_UP; batch < batches; batch += 1) {
    const indexes = Array.from({ length: batchEntries }, () => next++);
    const entries = indexes.map((index) => entryOf(index, INSERT, values(index)));
    const rows = indexes.map(values);
    if (batch < 0) {
      machine.applyBatch(entries);
      insertAll(rows);
    } else {
      ours.measure(() => machine.applyBatch(entries));
      theirs.measure(() => insertAll(rows));
    }
  }
  bench.work(machine.digest());
  bench.figure("entries applied", (batchEntries / ours.microsecondsAt(50)) * 1e6, "1/s");
  bench.ratio("one batch at p50", {
    subject: ours.microsecondsAt(50),
    peer: theirs.microsecondsAt(50),
    peerName: theirs.name,
  });
}

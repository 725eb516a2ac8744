/**
 * What does replication cost an insert, against the same insert with better-sqlite3 alone?
 *
 * Entries are applied as the replica hands them over: decoded, in one transaction a batch, with the
 * applied index and an answer each. The peer runs the same prepared statement in transactions of
 * the same size. WAL, synchronous=NORMAL on both sides. Not measured: consensus, HTTP, threads.
 * Syncs: only those of checkpoints.
 */
import { join } from "node:path";
import Database from "better-sqlite3";
import type { CommittedEntry } from "#replica/types";
import { encodeCommand, openSqliteMachine } from "#sqlite";
import type { Bench } from "../harness/index.ts";

const TIME_MS = 1_709_210_096_789;
const PLAIN = { associative: false, blobArray: false, qualifyColumns: false, timings: false };
const SCHEMA = "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, amount REAL)";
const INSERT = "INSERT INTO t (name, amount) VALUES (?, ?)";

function entry(index: number, sql: string, positional: (string | number)[]): CommittedEntry {
  const statements = [{ sql, positional, named: [] }];
  const payload = encodeCommand({
    kind: "execute",
    statements,
    transaction: false,
    rendering: PLAIN,
  });
  return {
    index,
    term: 1,
    kind: "command",
    timeMs: TIME_MS,
    seed: BigInt(index),
    payload,
    proposalId: index,
  };
}

function inserts(from: number, count: number): CommittedEntry[] {
  return Array.from({ length: count }, (_, at) =>
    entry(from + at, INSERT, [`name ${from + at}`, (from + at) / 2]),
  );
}

function compare(bench: Bench, batchSize: number, batches: number): void {
  const machine = openSqliteMachine({ path: join(bench.directory(), "machine.db") });
  bench.defer(() => machine.close());
  machine.applyBatch([entry(1, SCHEMA, [])]);
  const plain = new Database(join(bench.directory(), "plain.db"));
  bench.defer(() => void plain.close());
  plain.pragma("journal_mode = WAL");
  plain.exec(SCHEMA);
  const insert = plain.prepare(INSERT);
  const together = plain.transaction((from: number) => {
    for (let at = from; at < from + batchSize; at += 1) insert.run(`name ${at}`, at / 2);
  });
  const ours = bench.series(`cairn, ${batchSize} entries a batch`);
  const peer = bench.series(`better-sqlite3, ${batchSize} inserts a transaction`);
  for (let batch = 0; batch < batches; batch += 1) {
    const entries = inserts(2 + batch * batchSize, batchSize);
    ours.measure(() => machine.applyBatch(entries));
    peer.measure(() => together(2 + batch * batchSize));
  }
  bench.work(machine.digest());
  const subject = ours.microsecondsAt(50);
  bench.figure(`entries of ${batchSize} a batch`, (batchSize * 1e6) / subject, "entries/s");
  bench.ratio(`batches of ${batchSize} at p50`, {
    subject,
    peer: peer.microsecondsAt(50),
    peerName: "better-sqlite3 alone",
  });
}

export function applyOneByOne(bench: Bench): void {
  compare(bench, 1, bench.parameter("batches", { small: 200, canonical: 20_000 }));
}

export function applyInBatches(bench: Bench): void {
  compare(bench, 64, bench.parameter("batches", { small: 20, canonical: 2_000 }));
}

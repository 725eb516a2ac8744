/**
 * What do a copy for another replica, a digest and an installation cost those who write meanwhile?
 *
 * One thread, as the SQL writer's: batches of 64 inserts, one in each turn of the event loop, alone
 * and then beside a copy or a digest of the whole database. A batch waits at most for one step of
 * the other work, so what is reported is a batch together with the turn behind it. Not measured:
 * consensus, the wire. Syncs: those of checkpoints, of the copy, and of the installation.
 */
import { statSync } from "node:fs";
import { join } from "node:path";
import type { CommittedEntry } from "#replica/types";
import { encodeCommand, openSqliteMachine } from "#sqlite";
import type { SqliteMachine } from "#sqlite/types";
import type { Bench, Series } from "../harness/index.ts";

const TIME_MS = 1_709_210_096_789;
const PLAIN = { associative: false, blobArray: false, qualifyColumns: false, timings: false };
const SCHEMA = "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, amount REAL, note TEXT)";
const INSERT = "INSERT INTO t (name, amount, note) VALUES (?, ?, ?)";
const NOTE = "a note that makes the row about as long as rows are";
const BATCH = 64;
const BYTES_PER_MIB = 1024 * 1024;

function entry(index: number, sql: string, positional: (string | number)[]): CommittedEntry {
  const command = { statements: [{ sql, positional, named: [] }], transaction: false } as const;
  const payload = encodeCommand({ kind: "execute", ...command, rendering: PLAIN });
  const sealed = { timeMs: TIME_MS, seed: BigInt(index) };
  return { index, term: 1, kind: "command", ...sealed, payload, proposalId: 0 };
}

class Subject {
  readonly path: string;
  readonly machine: SqliteMachine;

  constructor(bench: Bench, name: string) {
    this.path = join(bench.directory(), name);
    this.machine = openSqliteMachine({ path: this.path });
    bench.defer(() => this.machine.close());
    this.machine.applyBatch([entry(1, SCHEMA, [])]);
  }

  batch(): void {
    const first = this.machine.appliedIndex() + 1;
    const entries = Array.from({ length: BATCH }, (_, at) =>
      entry(first + at, INSERT, [`name ${first + at}`, (first + at) / 2, NOTE]),
    );
    this.machine.applyBatch(entries);
  }

  /** Goes on with batches until the work is over, or so many were made. */
  async batches(series: Series, until: Promise<unknown> | number): Promise<void> {
    let isOver = false;
    if (typeof until !== "number") {
      void until.finally(() => {
        isOver = true;
      });
    }
    for (let made = 0; typeof until === "number" ? made < until : !isOver; made += 1) {
      await series.measureAsync(async () => {
        this.batch();
        await new Promise((resolve) => setImmediate(resolve));
      });
    }
  }
}

async function filled(bench: Bench): Promise<Subject> {
  const rows = bench.parameter("rows", { small: 4_000, canonical: 1_000_000 });
  const subject = new Subject(bench, "subject.db");
  for (let made = 0; made < rows; made += BATCH) subject.batch();
  return subject;
}

function compare(bench: Bench, what: string, ms: number): void {
  const [alone, beside] = [bench.series("batch alone"), bench.series(`batch beside ${what}`)];
  const at = (percentile: number, goal?: { atMost: number }): void =>
    bench.ratio(
      `batch beside ${what}, p${percentile}`,
      {
        subject: beside.microsecondsAt(percentile),
        peer: alone.microsecondsAt(percentile),
        peerName: "batch alone",
      },
      goal,
    );
  at(50);
  at(99);
  bench.figure(`${what} took`, ms, "ms");
}

export async function copyBesideWrites(bench: Bench): Promise<void> {
  const subject = await filled(bench);
  await subject.batches(bench.series("batch alone"), 200);
  const path = `${subject.path}.out`;
  const from = bench.now();
  const copying = subject.machine.snapshot(path);
  await subject.batches(bench.series("batch beside a copy"), copying);
  compare(bench, "a copy", (bench.now() - from) / 1e6);
  bench.figure("size of the copy", statSync(path).size / BYTES_PER_MIB, "MiB");
}

export async function digestBesideWrites(bench: Bench): Promise<void> {
  const subject = await filled(bench);
  await subject.batches(bench.series("batch alone"), 200);
  const digest = bench.series("digest, nobody writes");
  bench.work(digest.measure(() => subject.machine.digest()));
  const from = bench.now();
  const digesting = subject.machine.digestLater();
  await subject.batches(bench.series("batch beside a digest"), digesting);
  compare(bench, "a digest", (bench.now() - from) / 1e6);
}

export async function install(bench: Bench): Promise<void> {
  const subject = await filled(bench);
  const path = `${subject.path}.in`;
  const other = new Subject(bench, "other.db");
  const index = await bench.series("copy").measureAsync(() => subject.machine.snapshot(path));
  const mebibytes = statSync(path).size / BYTES_PER_MIB;
  const series = bench.series("installation");
  series.measure(() => other.machine.restore(path, index));
  bench.work(other.machine.digest());
  bench.figure("installation", mebibytes / (series.microsecondsAt(50) / 1e6), "MiB/s");
}

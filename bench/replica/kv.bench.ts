/**
 * What does the replicated key-value store add to the transactions below it, and to SQL beside it?
 *
 * Entries are applied as the replica hands them over: decoded, in one commit a batch, with the
 * applied index and an answer each, with sessions and without. The peer puts the same keys in
 * transactions of the same size. The joint machine applies batches of SQL alone, and is compared
 * with the SQL machine by itself. Not measured: consensus, HTTP, threads. Syncs: one mark for about
 * a thousand entries here, none for the peer.
 */
import { join } from "node:path";
import { openMvcc } from "#mvcc";
import { createNodeDisk } from "#platform";
import { createJointMachine, encodeKvCommand, openKvMachine } from "#replica";
import type { CommittedEntry } from "#replica/types";
import { encodeCommand, openSqliteMachine } from "#sqlite";
import type { Bench } from "../harness/index.ts";

const TIME_MS = 1_709_210_096_789;
const PLAIN = { associative: false, blobArray: false, qualifyColumns: false, timings: false };
const VALUE = new Uint8Array(100).fill(7);
const KEYS = 100_000;
const BATCH = 64;
const encoder = new TextEncoder();

const keyAt = (n: number): Uint8Array => encoder.encode(`key ${(n * 7919) % KEYS}`);

function entryOf(index: number, payload: Uint8Array): CommittedEntry {
  const sealed = { timeMs: TIME_MS, seed: BigInt(index), proposalId: index };
  return { index, term: 1, kind: "command", ...sealed, payload };
}

function putAt(index: number, session: number): CommittedEntry {
  const operation = { kind: "put", key: keyAt(index), value: VALUE } as const;
  const transaction = { conditions: [], success: [operation], failure: [] };
  const once = session === 0 ? null : { session, serial: index };
  return entryOf(index, encodeKvCommand({ kind: "transaction", once, transaction }));
}

export async function putsInBatches(bench: Bench): Promise<void> {
  const batches = bench.parameter("batches", { small: 20, canonical: 2_000 });
  const plain = await openKvMachine({ dir: join(bench.directory(), "plain") });
  bench.defer(() => plain.close());
  const sessions = await openKvMachine({ dir: join(bench.directory(), "sessions") });
  bench.defer(() => sessions.close());
  await sessions.applyBatch([entryOf(1, encodeKvCommand({ kind: "openSession" }))]);
  await plain.applyBatch([putAt(1, 0)]);
  const below = await openMvcc({ dir: join(bench.directory(), "mvcc") });
  bench.defer(() => below.close());
  const [ours, once, peer] = [
    bench.series(`cairn, ${BATCH} puts a batch`),
    bench.series(`cairn in a session, ${BATCH} puts a batch`),
    bench.series(`transactions alone, ${BATCH} puts each`),
  ];
  for (let batch = 0; batch < batches; batch += 1) {
    const first = 2 + batch * BATCH;
    const indexes = Array.from({ length: BATCH }, (_, at) => first + at);
    const [open, inSession] = [0, 1].map((session) => indexes.map((at) => putAt(at, session)));
    await ours.measureAsync(async () => plain.applyBatch(open ?? []));
    await once.measureAsync(async () => sessions.applyBatch(inSession ?? []));
    await peer.measureAsync(async () => {
      const transaction = below.begin();
      for (const at of indexes) transaction.put(keyAt(at), VALUE);
      await transaction.commit();
    });
  }
  bench.work(plain.digest());
  const subject = ours.microsecondsAt(50);
  bench.figure("entries", (BATCH * 1e6) / subject, "entries/s");
  const peerName = "transactions alone";
  bench.ratio("puts at p50", { subject, peer: peer.microsecondsAt(50), peerName });
  bench.ratio("puts in a session at p50", {
    subject: once.microsecondsAt(50),
    peer: subject,
    peerName: "puts without one",
  });
}

export async function sqlBesideKeys(bench: Bench): Promise<void> {
  const batches = bench.parameter("batches", { small: 20, canonical: 2_000 });
  const entry = (index: number, sql: string): CommittedEntry => {
    const statements = [{ sql, positional: [], named: [] }];
    const command = { statements, transaction: false, rendering: PLAIN } as const;
    return entryOf(index, encodeCommand({ kind: "execute", ...command }));
  };
  const alone = openSqliteMachine({ path: join(bench.directory(), "alone.db") });
  bench.defer(() => alone.close());
  const first = openSqliteMachine({ path: join(bench.directory(), "joint.db") });
  const kv = await openKvMachine({ dir: join(bench.directory(), "kv") });
  bench.defer(() => first.close());
  bench.defer(() => kv.close());
  const temporaryDir = join(bench.directory(), "copies");
  const joint = createJointMachine({ first, kv, disk: createNodeDisk(), temporaryDir });
  for (const machine of [alone, joint]) {
    await machine.applyBatch([entry(1, "CREATE TABLE t (id INTEGER PRIMARY KEY, n)")]);
  }
  const [subject, peer] = [bench.series("SQL beside keys"), bench.series("SQL alone")];
  for (let batch = 0; batch < batches; batch += 1) {
    const from = 2 + batch * BATCH;
    const entries = Array.from({ length: BATCH }, (_, at) =>
      entry(from + at, `INSERT INTO t (n) VALUES (1)`),
    );
    await subject.measureAsync(async () => joint.applyBatch(entries));
    await peer.measureAsync(async () => alone.applyBatch(entries));
  }
  bench.work(first.digest());
  bench.ratio(`batches of ${BATCH} inserts at p50`, {
    subject: subject.microsecondsAt(50),
    peer: peer.microsecondsAt(50),
    peerName: "SQL alone",
  });
}

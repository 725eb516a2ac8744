/**
 * SQL and keys as one machine, on one simulated disk, with the power failing at every operation.
 * Support for the tests.
 */
import { isPowerCut } from "#platform";
import type { SimulatedDisk } from "#platform/types";
import * as replica from "#replica";
import { createJointMachine, type JointMachine, type KvMachine } from "#replica";
import type { CommittedEntry } from "#replica/types";
import { encodeCommand, openSqliteMachine } from "#sqlite";
import type { SqliteMachine } from "#sqlite/types";
import { command, entryOf, freshDisk, openOn, put, worked } from "./support.ts";

const PLAIN = { associative: false, blobArray: false, qualifyColumns: false, timings: false };
export const COPY = "copies/in-30";
export const COPY_AT = 30;
export const LAST = 44;

/** Both machines, and the one that they make. */
export interface Pair {
  readonly sql: SqliteMachine;
  readonly kv: KvMachine;
  readonly joint: JointMachine;
}

export async function openPair(disk: SimulatedDisk): Promise<Pair> {
  disk.makeDir("sql");
  disk.makeDir("copies");
  const sql = openSqliteMachine({ path: "sql/db", memory: { disk }, checkpointBytes: 60_000 });
  const kv = await openOn(replica, disk);
  const joint = createJointMachine({ first: sql, kv, disk, temporaryDir: "kv-copies" });
  return { sql, kv, joint };
}

/** Entries of both, of nobody, and of sessions, so that each machine has some that it passes. */
export function entryAt(index: number): CommittedEntry {
  if (index === 1) return sqlEntry(1, "CREATE TABLE t (entry INTEGER PRIMARY KEY)");
  if (index === 2) return entryOf(replica, 2, { kind: "openSession" });
  if (index % 7 === 0) return { ...sqlEntry(index, ""), kind: "noop", payload: new Uint8Array(0) };
  if (index % 3 === 0) return sqlEntry(index, `INSERT INTO t VALUES (${index})`);
  const once = { session: 2, serial: Math.floor(index / 4) + 1 };
  const value = `${index} ${"x".repeat(300)}`;
  return entryOf(replica, index, command([put(`k${index % 5}`, value)], { once }));
}

function sqlEntry(index: number, sql: string): CommittedEntry {
  const statements = [{ sql, positional: [], named: [] }];
  const payload = encodeCommand({
    kind: "execute",
    statements,
    transaction: false,
    rendering: PLAIN,
  });
  return { index, term: 1, kind: "command", timeMs: 1, seed: 1n, payload, proposalId: index };
}

export async function applyJoint(pair: Pair, from: number, to: number): Promise<replica.Results> {
  const entries: CommittedEntry[] = [];
  for (let index = from; index <= to; index += 1) entries.push(entryAt(index));
  const outcome = pair.joint.applyBatch(entries);
  return outcome instanceof Promise ? worked(pair.kv, outcome) : outcome;
}

export async function finishLog(pair: Pair, last: number = LAST): Promise<void> {
  while (pair.joint.appliedIndex() < last) {
    const from = pair.joint.appliedIndex() + 1;
    await applyJoint(pair, from, Math.min(from + 3, last));
    while (pair.kv.step());
  }
}

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

/** Digest of both at an index, from machines that nothing happened to, and a copy at another. */
export async function undisturbed(): Promise<{ digest: string; copy: Uint8Array }> {
  const disk = freshDisk();
  const pair = await openPair(disk);
  await finishLog(pair, COPY_AT);
  await worked(pair.kv, pair.joint.snapshot(COPY));
  const copy = disk.content(COPY);
  await finishLog(pair);
  return { digest: hex(await pair.joint.digestLater()), copy };
}

export function placeCopy(disk: SimulatedDisk, content: Uint8Array): void {
  disk.makeDir("copies");
  const file = disk.open(COPY, "read-write");
  file.truncate(0);
  file.write(0, content);
  file.sync();
  file.close();
  disk.syncDir("copies");
}

/** Applies some, installs the copy, applies the rest, until the power goes. */
export async function playJoint(disk: SimulatedDisk, told: { durable: number }): Promise<void> {
  const pair = await openPair(disk);
  for (let from = 1; from <= 15; from += 3) await applyJoint(pair, from, from + 2);
  pair.sql.checkpoint();
  await worked(pair.kv, pair.kv.checkpoint());
  told.durable = pair.joint.durableIndex();
  await worked(pair.kv, pair.joint.restore(COPY, COPY_AT));
  told.durable = pair.joint.durableIndex();
  await finishLog(pair);
  await worked(pair.kv, pair.kv.close());
  pair.sql.close();
  told.durable = LAST;
}

/**
 * One run with the power failing at one operation; what is left is replayed from where it is, as a
 * node does it.
 *
 * @returns what is wrong; undefined if nothing is.
 */
export async function crashJoint(
  story: { digest: string; copy: Uint8Array },
  at: { point: number; seed: number },
): Promise<string | undefined> {
  const disk = freshDisk();
  placeCopy(disk, story.copy);
  disk.cutPowerAt(at.point);
  const told = { durable: 0 };
  try {
    await playJoint(disk, told);
  } catch (error) {
    if (!isPowerCut(error)) throw error;
  }
  const after = at.seed % 3 === 0 ? disk.kill() : disk.crash(at.seed);
  const pair = await openPair(after);
  const applied = pair.joint.appliedIndex();
  if (applied < told.durable) return `at ${applied}, and ${told.durable} was durable`;
  // A machine that took the copy may be ahead; then the log begins behind it, and it goes on.
  if (applied < COPY_AT && pair.joint.newestIndex() >= COPY_AT) {
    await worked(pair.kv, pair.joint.restore(COPY, COPY_AT));
    if (pair.joint.appliedIndex() !== COPY_AT) return "the installation did not finish";
  }
  await finishLog(pair);
  const digest = hex(await pair.joint.digestLater());
  if (digest !== story.digest) return `another digest, found at ${applied}`;
  if (after.list("kv-copies").length > 0) return "files are left on their way";
  return undefined;
}

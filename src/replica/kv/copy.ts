/**
 * The whole state read beside the batches: as a digest, or as a file.
 *
 * Both read one transaction of the store below, a bit at each turn of the event loop. The digest is
 * SHA-256 over every row in the order of the keys: key and value, each with its length (u32 LE) in
 * front. Rows of the clients and of sessions count; generation and applied index do not, because
 * they may differ where states are equal. Invariant: the state is that of the moment in which the
 * transaction began.
 * Chapter: 08-replica.
 */
import { createHash } from "node:crypto";
import { type Bytes, CairnError } from "#base";
import { directoryOf, putU32, U32_BYTES } from "#bytes";
import type { Transaction } from "#mvcc/types";
import { atTurnEnd } from "#platform";
import type { Disk } from "#platform/types";
import type { Index } from "#raft/types";
import { generationFrom, type StateRow, withoutGeneration } from "./layout.ts";
import { type CopyRow, writeCopy } from "./snapshot-codec.ts";

/** Less than a batch takes. */
const DIGEST_STEP_BYTES = 64 * 1024;

/** Digest of one generation, at once. */
export function digestNow(transaction: Transaction, generation: number): Bytes {
  const steps = digestSteps(transaction, generation);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/** The same, a bit at each turn; ends the transaction. */
export async function digestInTurns(transaction: Transaction, generation: number): Promise<Bytes> {
  return inTurns(transaction, digestSteps(transaction, generation));
}

/** What a copy is made of. */
export interface CopyRequest {
  /** Is ended by it. */
  readonly transaction: Transaction;
  readonly state: StateRow;
  readonly disk: Disk;
  /** A new file. */
  readonly path: string;
}

/**
 * Writes a copy, synced, a bit at each turn.
 *
 * @throws `DISK_EXISTS` and other codes of the disk; no file is left then.
 */
export async function copyInTurns(request: CopyRequest): Promise<Index> {
  const { transaction, state, disk, path } = request;
  if (disk.exists(path)) {
    transaction.abort();
    throw new CairnError("DISK_EXISTS", `replica: kv: ${path} is there already`);
  }
  try {
    const file = disk.open(path, "create-new");
    try {
      const rows = rowsOf(transaction, state.generation);
      await inTurns(transaction, writeCopy(file, state, rows));
      file.sync();
    } finally {
      file.close();
    }
    disk.syncDir(directoryOf(path));
    return state.appliedIndex;
  } catch (error) {
    transaction.abort();
    if (disk.exists(path)) disk.unlink(path);
    throw error;
  }
}

async function inTurns<T>(transaction: Transaction, steps: Generator<undefined, T>): Promise<T> {
  try {
    for (;;) {
      const step = steps.next();
      if (step.done) return step.value;
      await new Promise<void>(atTurnEnd);
    }
  } finally {
    transaction.abort();
  }
}

function* digestSteps(transaction: Transaction, generation: number): Generator<undefined, Bytes> {
  const hash = createHash("sha256");
  const length = new Uint8Array(U32_BYTES);
  let bytes = 0;
  for (const row of rowsOf(transaction, generation)) {
    for (const part of row) {
      putU32(length, 0, part.length);
      hash.update(length).update(part);
      bytes += part.length;
    }
    if (bytes < DIGEST_STEP_BYTES) continue;
    bytes = 0;
    yield;
  }
  return new Uint8Array(hash.digest());
}

function* rowsOf(transaction: Transaction, generation: number): Generator<CopyRow> {
  const range = { from: generationFrom(generation), before: generationFrom(generation + 1) };
  for (const [key, value] of transaction.scan(range)) yield [withoutGeneration(key), value];
}

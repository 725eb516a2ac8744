/**
 * Puts a copy in the place of the present state.
 *
 * The copy is written beside the state, as the next generation, in as many commits as it takes; one
 * last commit, synced, makes it the present one. Then the old one is removed. Invariants: nothing
 * of a copy is believed before all of it was read and its checksums compared; after a crash at any
 * point the state is the old one or the new one, and what is neither goes at the next opening.
 * Chapter: 08-replica.
 */
import { type Bytes, CairnError } from "#base";
import { directoryOf } from "#bytes";
import type { Mvcc, Transaction } from "#mvcc/types";
import type { Disk, FileHandle } from "#platform/types";
import type { Index } from "#raft/types";
import {
  dataEnd,
  decodeSession,
  encodeState,
  GENERATIONS_FROM,
  generationFrom,
  inGeneration,
  isSessionKey,
  type SessionRow,
  STATE_KEY,
  type StateRow,
} from "./layout.ts";
import { type CopyHeader, readCopyBlocks, readCopyHeader } from "./snapshot-codec.ts";

/** Rows that one commit removes: each costs a key in the log and in memory. */
const REMOVED_ROWS_MAX = 2000;

/** What a copy is put into. */
export interface RestoreTarget {
  readonly mvcc: Mvcc;
  readonly disk: Disk;
  readonly state: StateRow;
}

/**
 * Makes a copy the present state, durably, and removes the file and the state that was.
 *
 * @returns the new state.
 * @throws `REPLICA_SNAPSHOT_INVALID` and `DISK_NOT_FOUND`, with nothing changed; as commits.
 */
export async function installCopy(
  { mvcc, disk, state }: RestoreTarget,
  path: string,
  index: Index,
): Promise<StateRow> {
  if (!disk.exists(path)) {
    if (state.appliedIndex === index) return state;
    const at = `the store is at ${state.appliedIndex}`;
    throw new CairnError("DISK_NOT_FOUND", `replica: kv: no copy ${path} at ${index}, and ${at}`);
  }
  const file = disk.open(path, "read");
  const generation = state.generation + 1;
  let next: StateRow;
  try {
    const header = checkCopy(file, path, index);
    for (const rows of readCopyBlocks(file, path)) {
      await commitRows(mvcc, (transaction) => {
        for (const [key, value] of rows) transaction.put(inGeneration(generation, key), value);
      });
    }
    next = { ...header, generation };
    const transaction = mvcc.begin();
    transaction.put(STATE_KEY, encodeState(next));
    // All commits before this one are in the same log: its sync covers them.
    await transaction.commit({ sync: true });
  } finally {
    file.close();
  }
  disk.unlink(path);
  disk.syncDir(directoryOf(path));
  await removeOthers(mvcc, generation);
  return next;
}

/** Removes the rows of every generation but one. */
export async function removeOthers(mvcc: Mvcc, generation: number): Promise<void> {
  await removeRange(mvcc, GENERATIONS_FROM, generationFrom(generation));
  await removeRange(mvcc, generationFrom(generation + 1), undefined);
}

/** The sessions of a generation. */
export function* readSessions(transaction: Transaction, generation: number): Generator<SessionRow> {
  const range = { from: dataEnd(generation), before: generationFrom(generation + 1) };
  for (const [key, value] of transaction.scan(range)) {
    if (isSessionKey(key)) yield decodeSession(key, value);
  }
}

/** Reads all of it once. */
function checkCopy(file: FileHandle, path: string, index: Index): CopyHeader {
  const header = readCopyHeader(file, path);
  if (header.appliedIndex !== index) {
    const problem = `has applied index ${header.appliedIndex}, want ${index}`;
    throw new CairnError("REPLICA_SNAPSHOT_INVALID", `replica: kv: copy ${path} ${problem}`);
  }
  const blocks = readCopyBlocks(file, path);
  while (blocks.next().done !== true);
  return header;
}

async function removeRange(mvcc: Mvcc, first: Bytes, before: Bytes | undefined): Promise<void> {
  for (let from = first; ; ) {
    const keys: Bytes[] = [];
    const reading = mvcc.begin({ readOnly: true });
    try {
      for (const [key] of reading.scan({ from, ...(before === undefined ? {} : { before }) })) {
        keys.push(key);
        if (keys.length === REMOVED_ROWS_MAX) break;
      }
    } finally {
      reading.abort();
    }
    if (keys.length === 0) return;
    await commitRows(mvcc, (transaction) => {
      for (const key of keys) transaction.delete(key);
    });
    from = keys[keys.length - 1]!;
  }
}

async function commitRows(mvcc: Mvcc, write: (transaction: Transaction) => void): Promise<void> {
  const transaction = mvcc.begin();
  write(transaction);
  await transaction.commit();
}

/**
 * Stores of transactions for tests: on a simulated disk, with small limits, worked by hand. Support
 * for the tests.
 */
import { openMvcc } from "#mvcc";
import type { Mvcc, MvccModule, MvccOptions, ScanOptions, Transaction } from "#mvcc/types";
import { createSimulatedClock, createSimulatedDisk, seededRandom } from "#platform";
import type { Disk, SimulatedClock, SimulatedDisk } from "#platform/types";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export const DIR = "db";
export const LAYOUTS = ["timestamped", "appended", "undo"] as const;

export const b = (text: string): Uint8Array => encoder.encode(text);
export const s = (bytes: Uint8Array | undefined): string | undefined =>
  bytes === undefined ? undefined : decoder.decode(bytes);

/** What opens a store: the module itself, or one with a mistake in it. */
export type Subject = Pick<MvccModule, "openMvcc">;

/** Limits that a few small writes reach. */
const SMALL = {
  memtableBytesMax: 4096,
  tableBytesMax: 4096,
  levelZeroCompactRuns: 2,
  logBytesPerSync: 0,
} as const;

/** A store, its disk and its clock. */
export interface Fresh {
  readonly mvcc: Mvcc;
  readonly disk: SimulatedDisk;
  readonly clock: SimulatedClock;
}

/** A new store on a new disk. */
export async function fresh(
  options: Partial<MvccOptions> = {},
  subject: Subject = { openMvcc },
): Promise<Fresh> {
  const disk = createSimulatedDisk();
  const clock = createSimulatedClock();
  return { mvcc: await open(disk, { clock, ...options }, subject), disk, clock };
}

/** Opens what is on a disk. */
export function open(
  disk: Disk,
  options: Partial<MvccOptions> = {},
  subject: Subject = { openMvcc },
): Promise<Mvcc> {
  return subject.openMvcc({
    dir: DIR,
    clock: createSimulatedClock(),
    random: seededRandom(1),
    ...options,
    engine: { ...SMALL, disk, background: "step", ...options.engine },
  });
}

/** Does all background work. */
export function drain(mvcc: Mvcc): void {
  while (mvcc.step());
}

/** Works by hand whenever writes are held back, until a promise is settled. */
export async function worked<T>(mvcc: Mvcc, promise: Promise<T>): Promise<T> {
  let isOver = false;
  const watched = promise.finally(() => {
    isOver = true;
  });
  // Whoever gets the result hears of its failure.
  watched.catch(() => undefined);
  for (let turns = 0; !isOver; turns += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    if (turns > 0 && !isOver) mvcc.step();
  }
  return watched;
}

/** Commits changes in a transaction of their own; null deletes. @returns its timestamp. */
export async function commit(
  mvcc: Mvcc,
  changes: Readonly<Record<string, string | null>>,
): Promise<number> {
  const transaction = mvcc.begin();
  write(transaction, changes);
  return worked(mvcc, transaction.commit());
}

/** Puts, and deletes where the value is null. */
export function write(
  transaction: Transaction,
  changes: Readonly<Record<string, string | null>>,
): void {
  for (const [key, value] of Object.entries(changes)) {
    if (value === null) transaction.delete(b(key));
    else transaction.put(b(key), b(value));
  }
}

/** What a transaction sees of a range. */
export function seen(transaction: Transaction, options: ScanOptions = {}): Record<string, string> {
  const content: Record<string, string> = {};
  for (const [key, value] of transaction.scan(options)) content[s(key)!] = s(value)!;
  return content;
}

/** What a new transaction sees. */
export function content(mvcc: Mvcc): Record<string, string> {
  const transaction = mvcc.begin();
  const all = seen(transaction);
  transaction.abort();
  return all;
}

/**
 * Transfers between two accounts, with the power failing at every operation of the disk. Support
 * for the tests.
 *
 * One run: transfer until the power goes, let the crash keep some of what was unsynced, open, look;
 * then commit once more, crash again, open, look.
 */
import { isCairnError } from "#base";
import type { Mvcc, MvccOptions, Transaction } from "#mvcc/types";
import { createSimulatedClock, createSimulatedDisk, isPowerCut } from "#platform";
import type { SimulatedDisk } from "#platform/types";
import { b, content, drain, open, type Subject, seen, write } from "./support.ts";

/** What a run throws when a promise is broken. */
export class Broken extends Error {
  override readonly name = "Broken";
}

const TRANSFERS = 14;
const TOTAL = 100;
/** Every so many transfers everything is flushed, compacted and collected. */
const COLLECT_EVERY = 5;
/** Makes a few commits fill a memtable. */
const PADDING = "x".repeat(300);

/** What the caller knows when the power goes. */
interface Told {
  /** Transfers that were acknowledged. */
  transfers: number;
  /** The highest timestamp that was told. */
  timestamp: number;
  /** Of each transfer that was acknowledged, in order. */
  readonly moments: number[];
}

/** Disk operations of the whole history: the crash points. */
export async function crashPoints(
  subject: Subject,
  options: Partial<MvccOptions>,
): Promise<number> {
  const disk = createSimulatedDisk();
  await play(subject, disk, options, { transfers: 0, timestamp: 0, moments: [] });
  return disk.operations;
}

/** One run. @throws Broken */
export async function crashRun(
  subject: Subject,
  options: Partial<MvccOptions>,
  at: { readonly point: number; readonly seed: number },
): Promise<void> {
  const disk = createSimulatedDisk({ seed: at.point + 1 });
  disk.cutPowerAt(at.point);
  const told: Told = { transfers: 0, timestamp: 0, moments: [] };
  try {
    await play(subject, disk, options, told);
  } catch (error) {
    if (!wasPowerCut(error)) throw error;
  }
  const again = disk.crash(at.seed);
  await look(subject, again, options, told);
  await look(subject, again.crash(at.seed + 1), options, told);
}

async function play(
  subject: Subject,
  disk: SimulatedDisk,
  options: Partial<MvccOptions>,
  told: Told,
): Promise<void> {
  const clock = createSimulatedClock();
  const mvcc = await open(disk, { clock, ...options }, subject);
  for (let transfers = told.transfers + 1; transfers <= TRANSFERS; transfers += 1) {
    const transaction = mvcc.begin();
    write(transaction, {
      from: String(TOTAL - transfers),
      [`note/${transfers % 3}`]: `${transfers} ${PADDING}`,
      to: String(transfers),
    });
    const timestamp = await transaction.commit({ sync: true });
    told.transfers = transfers;
    told.timestamp = timestamp;
    told.moments.push(timestamp);
    // The horizon moves with every other transfer.
    clock.advance(600);
    if (transfers % COLLECT_EVERY === 0) await mvcc.collect();
    else drain(mvcc);
  }
  await mvcc.close();
}

/** Opens, compares with what was told, and commits once more. */
async function look(
  subject: Subject,
  disk: SimulatedDisk,
  options: Partial<MvccOptions>,
  told: Told,
): Promise<void> {
  const mvcc = await open(disk, { ...options, retentionMs: Number.POSITIVE_INFINITY }, subject);
  const state = content(mvcc);
  const transfers = Number(state["to"] ?? 0);
  const expected =
    transfers === 0 ? {} : { from: String(TOTAL - transfers), to: String(transfers) };
  if (state["from"] !== expected.from || state["to"] !== expected.to) {
    throw new Broken(`T2: half of a transfer: from ${state["from"]}, to ${state["to"]}`);
  }
  const note = Number.parseInt(state[`note/${transfers % 3}`] ?? "0", 10);
  if (note !== transfers) throw new Broken(`T2: transfer ${transfers} with note ${note}`);
  if (transfers < told.transfers) {
    throw new Broken(`T2: ${told.transfers} transfers were acknowledged, ${transfers} are there`);
  }
  lookBack(mvcc, told.moments);
  const transaction = mvcc.begin();
  write(transaction, { witness: String(told.timestamp) });
  const timestamp = await transaction.commit({ sync: true });
  if (timestamp <= told.timestamp) {
    throw new Broken(`T3: ${timestamp} after a restart, and ${told.timestamp} was told before`);
  }
  told.timestamp = timestamp;
  const reader = mvcc.begin();
  if (reader.get(b("witness")) === undefined) throw new Broken("T3: a commit is not seen");
  if (Object.keys(seen(reader)).length === 0) throw new Broken("T1: a scan finds nothing");
  reader.abort();
}

/** Every moment that is not refused is as it was: nothing was given up that may still be read. */
function lookBack(mvcc: Mvcc, moments: readonly number[]): void {
  for (const [position, at] of moments.entries()) {
    let reader: Transaction;
    try {
      reader = mvcc.begin({ at });
    } catch (error) {
      if (!isCairnError(error, "MVCC_SNAPSHOT_TOO_OLD")) throw error;
      continue;
    }
    const { from, to } = seen(reader);
    reader.abort();
    if (Number(to) === position + 1 && Number(from) === TOTAL - Number(to)) continue;
    throw new Broken(`T6: transfer ${position + 1} at ${at} reads as from ${from}, to ${to}`);
  }
}

/** An engine reports the end of the power in its own words; the cause is still the disk's. */
export function wasPowerCut(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (isPowerCut(cause)) return true;
  }
  return false;
}

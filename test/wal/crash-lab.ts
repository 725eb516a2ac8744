/**
 * Runs histories on a disk whose power fails, and judges what recovery finds. Support for the
 * tests.
 *
 * One crash run: play a history up to a crash point, cut the power, let the crash keep some of what
 * was unsynced, recover; crash again inside a recovery, recover; append more, crash, recover.
 */
import type { Bytes } from "#base";
import { isCairnError } from "#base";
import { createSimulatedDisk, isPowerCut, seededRandom } from "#platform";
import type { Disk, DiskFaultPlan, Random, SimulatedDisk } from "#platform/types";
import type { Wal, WalModule, WalOptions } from "#wal/types";
import { scaled } from "../support/seeds.ts";
import {
  adopt,
  createModel,
  judge,
  judgeSame,
  type Model,
  OracleViolation,
  type Recovered,
} from "./model.ts";

/** One call on the log. */
export type Step =
  | { readonly do: "append" | "commit"; readonly bytes: number }
  | { readonly do: "sync" | "syncAsync" | "reopen" }
  /** Keeps this many of the newest durable records, at least. */
  | { readonly do: "forget"; readonly keep: number }
  /** Removes this many of the newest records. */
  | { readonly do: "cut"; readonly count: number };

/** A sequence of calls and the options of the log. */
export interface History {
  readonly name: string;
  readonly options: Pick<WalOptions, "segmentBytesMax" | "preallocateBytes">;
  readonly steps: readonly Step[];
}

/** The log under test, and what stands between it and the disk. */
export interface Subject {
  readonly openWal: WalModule["openWal"];
  readonly wrap?: (disk: Disk) => Disk;
}

export const DIR = "log";

/** Opens the log and recovers it. Damage is a violation: nothing was damaged. */
export function recover(
  subject: Subject,
  disk: Disk,
  history: History,
): Recovered & { readonly wal: Wal } {
  const records: { lsn: number; payload: Bytes }[] = [];
  const options = { ...history.options, disk: subject.wrap?.(disk) ?? disk, dir: DIR };
  try {
    const { wal, report } = subject.openWal(options, (record) => {
      if (records.push(record) > RECORDS_MAX) throw new OracleViolation("W4: records without end");
    });
    return { wal, report, records };
  } catch (error) {
    if (isCairnError(error, "WAL_CORRUPT")) {
      throw new OracleViolation(`W6: a sound log was refused: ${error.message}`);
    }
    throw error;
  }
}

/** Far more than any history appends. */
const RECORDS_MAX = 10_000;

/**
 * Plays a history and keeps the model in step. Ends early when the power goes or the log is
 * poisoned.
 */
export async function play(
  subject: Subject,
  disk: SimulatedDisk,
  history: History,
): Promise<{ readonly model: Model; readonly ended: "whole" | "power cut" | "failed" }> {
  const model = createModel();
  try {
    let { wal } = recover(subject, disk, history);
    for (const step of history.steps) {
      if (step.do === "reopen") {
        await wal.close();
        model.acked = model.next - 1;
        const again = recover(subject, disk, history);
        judge(model, again);
        wal = again.wal;
      } else {
        await take(step, wal, model);
      }
    }
    return { model, ended: "whole" };
  } catch (error) {
    if (isPowerCut(error)) return { model, ended: "power cut" };
    if (isCairnError(error) && error.code !== "WAL_CORRUPT") return { model, ended: "failed" };
    throw error;
  }
}

async function take(step: Exclude<Step, { do: "reopen" }>, wal: Wal, model: Model): Promise<void> {
  switch (step.do) {
    case "append":
      wal.append(remember(model, step.bytes));
      break;
    case "commit":
      await wal.commit(remember(model, step.bytes));
      break;
    case "sync":
      wal.sync();
      model.acked = model.next - 1;
      break;
    case "syncAsync":
      await wal.syncAsync();
      model.acked = model.next - 1;
      break;
    case "forget":
      forget(wal, model, step.keep);
      break;
    case "cut":
      cut(wal, model, step.count);
      break;
  }
  model.acked = Math.max(model.acked, wal.durableLsn);
}

function forget(wal: Wal, model: Model, keep: number): void {
  const lsn = Math.max(wal.firstLsn, wal.durableLsn + 1 - keep);
  model.firstMax = Math.max(model.firstMax, lsn);
  wal.truncateBefore(lsn);
  model.firstMin = wal.firstLsn;
  model.firstMax = wal.firstLsn;
}

function cut(wal: Wal, model: Model, count: number): void {
  const lsn = Math.max(wal.firstLsn - 1, wal.nextLsn - 1 - count);
  // Until the call returns, the log may be whole or cut.
  model.acked = Math.min(model.acked, lsn);
  wal.truncateAfter(lsn);
  for (let gone = lsn + 1; gone < model.next; gone += 1) model.payloads.delete(gone);
  model.next = lsn + 1;
}

/** Every payload differs from all others, so that a record in the wrong place is noticed. */
let payloadCount = 0;

function remember(model: Model, bytes: number): Bytes {
  payloadCount += 1;
  const payload = new Uint8Array(bytes);
  for (let i = 0; i < bytes; i += 1) payload[i] = (payloadCount * 151 + i * 7 + (i >> 8)) & 0xff;
  model.payloads.set(model.next, payload);
  model.next += 1;
  return payload;
}

/** Seeds from 1 on, `count` times CAIRN_SCALE. A violation names its crash point and seed. */
export function crashSeeds(count: number): number[] {
  return Array.from({ length: scaled(count) }, (_, i) => i + 1);
}

/** How many crash points a history has. */
export async function crashPoints(subject: Subject, history: History): Promise<number> {
  const disk = createSimulatedDisk();
  const { ended } = await play(subject, disk, history);
  if (ended !== "whole")
    throw new Error(`history ${history.name} does not run to its end: ${ended}`);
  return disk.operations;
}

/** One crash run, several seeds sharing the history up to the crash point. @returns the runs. */
export async function crashAt(
  subject: Subject,
  history: History,
  at: { readonly point: number; readonly seeds: readonly number[] },
): Promise<number> {
  const disk = createSimulatedDisk({ seed: at.point + 1 });
  disk.cutPowerAt(at.point);
  const { model } = await play(subject, disk, history);
  for (const seed of at.seeds) {
    naming(`${history.name}, crash point ${at.point}, seed ${seed}`, () => {
      afterCrash(subject, history, { disk: disk.crash(seed), model, random: seededRandom(seed) });
    });
  }
  return at.seeds.length;
}

/**
 * Runs in which a planned fault poisons the log, which is then reopened with and without a reboot.
 * @returns the runs: none if the history never meets the fault.
 */
export async function faultRun(
  subject: Subject,
  history: History,
  fault: DiskFaultPlan,
  seed: number,
): Promise<number> {
  const disk = createSimulatedDisk({ seed });
  disk.plan(fault);
  const { model } = await play(subject, disk, history);
  if (!disk.trace.some((line) => line.failed)) return 0;
  const text = `${history.name}, ${fault.fault} at ${fault.operation} ${fault.after}, seed ${seed}`;
  naming(text, () => {
    const random = seededRandom(seed);
    afterCrash(subject, history, { disk: disk.crash(seed), model, random });
    afterCrash(subject, history, { disk: disk.kill(), model, random });
  });
  return 2;
}

/** What follows a crash, and is checked: see the head of this file. */
function afterCrash(
  subject: Subject,
  history: History,
  state: { readonly disk: SimulatedDisk; readonly model: Model; readonly random: Random },
): void {
  const { model, random } = state;
  const [disk, second] = [state.disk.kill(), state.disk.kill()];
  const before = disk.operations;
  const first = recover(subject, disk, history);
  judge(model, first);
  const recoveryOperations = disk.operations - before;

  second.cutPowerAt(second.operations + random.below(recoveryOperations + 1));
  try {
    recover(subject, second, history);
  } catch (error) {
    if (!isPowerCut(error)) throw error;
  }
  const again = recover(subject, second.crash(random.below(SEEDS)), history);
  judge(model, again);

  // What recovery handed out was seen, so it counts as acknowledged from here on.
  const more = adopt(first);
  for (let i = 0; i < MORE; i += 1) {
    // Often as large as the record that was lost there: if that one's successor is still behind it
    // on disk, it would fit exactly behind the new one.
    const lostBytes = model.payloads.get(more.next)?.length ?? 0;
    const bytes = random.below(2) === 0 ? lostBytes : 1 + random.below(MORE_BYTES_MAX);
    first.wal.append(remember(more, bytes));
    if (random.below(2) === 0) {
      first.wal.sync();
      more.acked = more.next - 1;
    }
  }
  const last = disk.crash(random.below(SEEDS));
  const final = recover(subject, last, history);
  judge(more, final);
  judgeSame(final, recover(subject, last.kill(), history));
}

const SEEDS = 2 ** 31;
const MORE = 3;
/** A little over two sectors: records that fit a sector hide torn writes. */
const MORE_BYTES_MAX = 1200;

/** Runs a check; a violation says where it was found. */
export function naming(text: string, run: () => void): void {
  try {
    run();
  } catch (error) {
    if (!(error instanceof OracleViolation)) throw error;
    throw new OracleViolation(`${text}: ${error.message}`, { cause: error });
  }
}

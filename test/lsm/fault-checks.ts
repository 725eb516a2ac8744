/**
 * Disks that fail and fill up under a running engine. Support for the tests.
 *
 * A run: play a history while planned faults hit; after each call everything that readers see is
 * compared with the model. Then the fault is over: the same engine, after some background work,
 * takes writes again. At the end the power is cut, and what was acknowledged must be there.
 */
import { isCairnError } from "#base";
import { createSimulatedDisk, seededRandom } from "#platform";
import type { DiskFaultPlan, DiskOperation, SimulatedDisk } from "#platform/types";
import { afterCrash, judgeTables, judgeTidy, naming } from "./crash-lab.ts";
import { type History, type HistoryOptions, KEYS, type Step, type WriteStep } from "./histories.ts";
import { createModel, judgeAlive, OracleViolation, readState, settleUnknown } from "./oracle.ts";
import {
  judgeReaders,
  openLife,
  type Play,
  type Subject,
  startPlay,
  stepOnce,
  take,
} from "./player.ts";

/** Operations whose failure concerns writers, and nobody who reads. */
export const WRITING: readonly DiskOperation[] = [
  ...(["write", "sync", "syncDir", "rename", "unlink", "truncate", "open"] as const),
];

/** What a call may fail with when the disk fails. */
const CODES: readonly string[] = ["LSM_WRITE_REFUSED", "LSM_STALLED", "DISK_IO", "DISK_FULL"];

/** Makes each operation of each kind fail, one per run, until the history meets none. */
export async function failingDisk(
  subject: Subject,
  history: History,
  effort: { readonly stride: number; readonly times: readonly number[] },
): Promise<number> {
  let runs = 0;
  for (const operation of WRITING) {
    for (let after = 0, isMet = true; isMet; after += effort.stride) {
      for (const times of effort.times) {
        const fault = (after + times) % 2 === 0 ? "EIO" : "ENOSPC";
        isMet = await faultRun(subject, history, { operation, fault, after, times });
        if (isMet) runs += 1;
      }
    }
  }
  return runs;
}

/** One run with one planned fault. @returns whether the history met it. */
export async function faultRun(
  subject: Subject,
  history: History,
  fault: DiskFaultPlan,
): Promise<boolean> {
  const disk = createSimulatedDisk({ seed: fault.after + 1 });
  const life = openLife(subject, disk, history.options);
  const place = `${history.name}: ${fault.fault} at ${fault.operation} ${fault.after}, ${fault.times ?? 1} times`;
  disk.plan(fault);
  const play = startPlay(life, createModel(KEYS), history.options);
  await naming(place, async () => {
    for (const step of history.steps) if (step.do !== "reopen") await takeFailing(play, step);
  });
  if (!disk.trace.some((line) => line.failed)) return false;
  await naming(place, () => goOn(play, history));
  return true;
}

/** Makes a call that may fail. Reads must be right whatever happens. */
export async function takeFailing(play: Play, step: Step): Promise<boolean> {
  let hasFailed = false;
  try {
    await take(play, step);
  } catch (error) {
    if (!isCairnError(error)) throw error;
    if (!CODES.includes(error.code)) {
      throw new OracleViolation(`${step.do} failed with ${error.code}: ${error.message}`);
    }
    hasFailed = true;
  }
  settleUnknown(
    play.model,
    reading(() => readState(play.life.engine, KEYS, "get")),
  );
  reading(() => judgeReaders(play, play.calls % 2 === 0 ? "forward" : "reverse"));
  return hasFailed;
}

/** Readers are not to feel a fault of a write. */
function reading<Value>(read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    if (!isCairnError(error)) throw error;
    throw new OracleViolation(`a read failed with ${error.code}: ${error.message}`);
  }
}

/** Far more than the work that a history leaves, and than a fault lasts. */
const STEPS_MAX = 400;

/** The fault is over: the engine carries on, and a power cut takes nothing durable. */
export async function goOn(play: Play, history: History): Promise<void> {
  for (let i = 0; i < STEPS_MAX && stepOnce(play.life); i += 1);
  let tries = 0;
  while (await takeFailing(play, SYNCED)) {
    tries += 1;
    if (tries > TRIES_MAX)
      throw new OracleViolation("L8: the disk is well, and writes are refused");
    stepOnce(play.life);
  }
  if (await takeFailing(play, { do: "flush" })) throw new OracleViolation("a flush fails for ever");
  for (const step of AFTERWARDS) {
    if (await takeFailing(play, step)) throw new OracleViolation(`${step.do} fails for ever`);
  }
  for (const { iterator } of play.iterators.splice(0)) iterator.close();
  for (const { snapshot } of play.snapshots.splice(0)) snapshot.close();
  for (let i = 0; i < STEPS_MAX && stepOnce(play.life); i += 1);
  // A file that could not be removed stays until the next opening.
  judgeTables(play.life.engine);
  const { model, life } = play;
  const random = seededRandom(play.calls);
  const crashed = { disk: life.disk.crash(play.calls), model, random, loss: "power" as const };
  afterCrash(life.subject, history, crashed);
}

const TRIES_MAX = 5;
const put = (key: number, bytes: number, sync: boolean): WriteStep => ({
  do: "write",
  changes: [{ key, bytes }],
  sync,
  blocking: false,
});
const SYNCED: Step = put(3, 120, true);
const AFTERWARDS: readonly Step[] = [
  put(4, 300, false),
  put(5, 200, true),
  { do: "step", times: 2 },
  put(4, 50, false),
  put(6, 70, true),
];

/** Fills the disk while a history runs, then gives space back. @returns whether a call failed. */
export async function fullDisk(
  subject: Subject,
  history: History,
  capacityBytes: number,
): Promise<boolean> {
  const disk = createSimulatedDisk({ capacityBytes: capacityBytes + BALLAST_BYTES });
  const ballast = disk.open(BALLAST, "create-new");
  ballast.truncate(BALLAST_BYTES);
  ballast.close();
  let hasFailed = false;
  await naming(`${history.name}, room for ${capacityBytes} bytes`, async () => {
    const life = openLifeOrFull(subject, disk, history.options);
    if (life === null) {
      hasFailed = true;
      return;
    }
    const play = startPlay(life, createModel(KEYS), history.options);
    for (const step of history.steps) {
      if (step.do !== "reopen" && (await takeFailing(play, step))) hasFailed = true;
    }
    disk.unlink(BALLAST);
    await goOn(play, history);
  });
  return hasFailed;
}

const BALLAST = "ballast";
const BALLAST_BYTES = 100_000;

function openLifeOrFull(
  subject: Subject,
  disk: SimulatedDisk,
  options: HistoryOptions,
): ReturnType<typeof openLife> | null {
  try {
    return openLife(subject, disk, options);
  } catch (error) {
    if (isCairnError(error, "DISK_FULL")) return null;
    throw error;
  }
}

/** Makes each operation of an opening fail; the next opening must find everything. */
export async function failingOpening(subject: Subject, history: History): Promise<number> {
  const disk = createSimulatedDisk();
  const play = startPlay(
    openLife(subject, disk, history.options),
    createModel(KEYS),
    history.options,
  );
  for (const step of history.steps) await take(play, step);
  let runs = 0;
  for (const operation of [...WRITING, "read"] as const) {
    for (let after = 0, isMet = true; isMet; after += 1) {
      const copy = disk.kill();
      copy.plan({ operation, fault: after % 2 === 0 ? "EIO" : "ENOSPC", after });
      isMet = false;
      try {
        openLife(subject, copy, history.options);
      } catch (error) {
        if (!isCairnError(error)) throw error;
        isMet = true;
        runs += 1;
        await naming(`${history.name}: opening, ${operation} ${after} fails`, () => {
          const life = openLife(subject, copy, history.options);
          judgeAlive(KEYS, play.model.now, readState(life.engine, KEYS, "forward"));
          judgeTidy(life.engine, copy);
        });
      }
    }
  }
  return runs;
}

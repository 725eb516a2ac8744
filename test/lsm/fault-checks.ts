/**
 * Disks that fail and fill up under a running engine. Support for the tests.
 *
 * A run: play a history while planned faults hit; after each call everything that readers see is
 * compared with the model. Then the fault is over: the same engine, after some background work,
 * takes writes again. At the end the power is cut, and what was acknowledged must be there.
 */
import { isCairnError } from "#base";
import { createSimulatedDisk, seededRandom } from "#platform";
import type { Disk, DiskFaultPlan, DiskOperation, SimulatedDisk } from "#platform/types";
import { afterCrash, judgeTables, judgeTidy, naming } from "./crash-lab.ts";
import { type History, type HistoryOptions, KEYS, type Step, type WriteStep } from "./histories.ts";
import { forwarding, passedOn } from "./mistakes/mistake.ts";
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

/** Operations that fail, one after the other. */
const FAILING: readonly DiskOperation[] = [
  ...(["write", "sync", "syncDir", "rename", "unlink", "truncate", "open", "read"] as const),
];
/** Those whose failure readers may feel. */
const READING: readonly DiskOperation[] = ["open", "read"];

/** What a call may fail with when the disk fails. */
const CODES: readonly string[] = ["LSM_WRITE_REFUSED", "LSM_STALLED", "DISK_IO", "DISK_FULL"];

/** How many operations of each kind fail, and for how many times in a row, by turns. */
export interface FaultEffort {
  /** Of each kind, evenly spaced; each takes three runs. */
  readonly perKind: number;
  readonly times: readonly number[];
  /** Default: all kinds. */
  readonly kinds?: readonly DiskOperation[];
  /** Crashes soon after each fault, each at another moment. Default 2. */
  readonly crashes?: number;
}

/** Makes operations of each kind fail, one per run. @returns the runs. */
export async function failingDisk(
  subject: Subject,
  history: History,
  effort: FaultEffort,
): Promise<number> {
  const counts = await countOperations(subject, history);
  let runs = 0;
  for (const operation of effort.kinds ?? FAILING) {
    const count = counts.get(operation) ?? 0;
    const stride = Math.max(1, count / effort.perKind);
    for (let place = 0; place < count; place += stride) {
      const after = Math.floor(place);
      const times = effort.times[runs % effort.times.length]!;
      const fault = after % 2 === 0 ? "EIO" : "ENOSPC";
      await faultRun(subject, history, { operation, fault, after, times });
      runs += 1;
      if (READING.includes(operation)) continue;
      for (let seed = 1; seed <= (effort.crashes ?? CRASHES_DEFAULT); seed += 1) {
        await crashWhileHealing(subject, history, { operation, fault, after, times }, seed);
        runs += 1;
      }
    }
  }
  return runs;
}

function withoutReopening({ steps }: History): readonly Step[] {
  return steps.filter((step) => step.do !== "reopen");
}

/** How often the disk is asked for each operation while a history is played on an open engine. */
async function countOperations(
  subject: Subject,
  history: History,
): Promise<Map<DiskOperation, number>> {
  const counts = new Map<DiskOperation, number>();
  const count = (operation: DiskOperation): void => {
    counts.set(operation, (counts.get(operation) ?? 0) + 1);
  };
  // Opening what exists, and reading, leave no trace on the disk.
  const wrap = (disk: Disk): Disk =>
    forwarding(subject.wrap?.(disk) ?? disk, {
      handle: (handle) => {
        count("open");
        const read = (offset: number, target: Uint8Array): number => {
          count("read");
          return handle.read(offset, target);
        };
        return { ...passedOn(handle), read };
      },
    });
  const disk = createSimulatedDisk();
  const life = openLife({ ...subject, wrap }, disk, history.options);
  counts.clear();
  const before = disk.operations;
  const play = startPlay(life, createModel(KEYS), history.options);
  for (const step of withoutReopening(history)) await takeFailing(play, step);
  for (const { operation } of disk.trace.slice(before)) if (operation !== "open") count(operation);
  return counts;
}

/** One run with one planned fault, which is over in the end. */
async function faultRun(subject: Subject, history: History, fault: DiskFaultPlan): Promise<void> {
  const disk = createSimulatedDisk({ seed: fault.after + 1 });
  const life = openLife(subject, disk, history.options);
  const what = `${fault.fault} at ${fault.operation} ${fault.after}, ${fault.times ?? 1} times`;
  const place = `${history.name}: ${what}`;
  const readFaults = READING.includes(fault.operation) ? (fault.times ?? 1) : 0;
  disk.plan(fault);
  const play = startPlay(life, createModel(KEYS), history.options);
  await naming(place, async () => {
    for (const step of withoutReopening(history)) await takeFailing(play, step, readFaults);
  });
  await naming(place, () => goOn(play, history, readFaults));
}

/**
 * One run in which the power goes soon after the fault was met, while the engine still works to be
 * well again.
 */
async function crashWhileHealing(
  subject: Subject,
  history: History,
  fault: DiskFaultPlan,
  seed: number,
): Promise<void> {
  const disk = createSimulatedDisk({ seed });
  const life = openLife(subject, disk, history.options);
  const random = seededRandom(fault.after * 1000 + seed);
  disk.plan(fault);
  const play = startPlay(life, createModel(KEYS), history.options);
  const what = `${fault.fault} at ${fault.operation} ${fault.after}, ${fault.times ?? 1} times`;
  const place = `${history.name}: ${what}, then a crash, seed ${seed}`;
  await naming(place, async () => {
    let left = Number.POSITIVE_INFINITY;
    for (const step of withoutReopening(history)) {
      await takeFailing(play, step);
      left -= 1;
      if (left > CALLS_AFTERWARDS && disk.trace.some((line) => line.failed)) {
        left = random.below(CALLS_AFTERWARDS + 1);
      }
      if (left <= 0) break;
    }
    for (let i = random.below(CALLS_AFTERWARDS); i > 0; i -= 1) stepOnce(life);
    const crashed = disk.crash(random.below(SEEDS));
    afterCrash(subject, history, { disk: crashed, model: play.model, random, loss: "power" });
  });
}

const CALLS_AFTERWARDS = 5;
const CRASHES_DEFAULT = 2;
const SEEDS = 2 ** 31;

/**
 * Makes a call that may fail. Reads must be right whatever happens.
 *
 * @param readFaults - reads in a row that may fail. @returns whether the call failed.
 */
export async function takeFailing(play: Play, step: Step, readFaults = 0): Promise<boolean> {
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
  // An iterator that has failed keeps failing.
  if (hasFailed) for (const { iterator } of play.iterators.splice(0)) iterator.close();
  const { life, model } = play;
  settleUnknown(
    model,
    reading(readFaults, () => readState(life.engine, KEYS, "get")),
  );
  reading(readFaults, () => judgeReaders(play, play.calls % 2 === 0 ? "forward" : "reverse"));
  return hasFailed;
}

/** Readers are not to feel a fault of a write. One of their own is over after a while. */
function reading<Value>(readFaults: number, read: () => Value): Value {
  for (let left = readFaults; ; left -= 1) {
    try {
      return read();
    } catch (error) {
      if (!isCairnError(error)) throw error;
      if (left > 0 && CODES.includes(error.code)) continue;
      throw new OracleViolation(`a read failed with ${error.code}: ${error.message}`);
    }
  }
}

/** Far more than the work that a history leaves, and than a fault lasts. */
const STEPS_MAX = 60;

/** The fault is over: the engine carries on, and a power cut takes nothing durable. */
async function goOn(play: Play, history: History, readFaults = 0): Promise<void> {
  for (let i = 0; i < STEPS_MAX; i += 1) stepOnce(play.life);
  for (const step of AFTERWARDS) {
    let tries = 0;
    while (await takeFailing(play, step, readFaults)) {
      tries += 1;
      if (tries > TRIES_MAX) {
        throw new OracleViolation(`L8: the disk is well, and ${step.do} still fails`);
      }
      for (let i = 0; i < STEPS_MAX; i += 1) stepOnce(play.life);
    }
  }
  for (const { iterator } of play.iterators.splice(0)) iterator.close();
  for (const { snapshot } of play.snapshots.splice(0)) snapshot.close();
  for (let i = 0; i < STEPS_MAX && stepOnce(play.life); i += 1);
  // A file that could not be removed stays until the next opening.
  reading(readFaults, () => judgeTables(play.life.engine));
  const { model, life } = play;
  const random = seededRandom(play.calls);
  const crashed = { disk: life.disk.crash(play.calls), model, random, loss: "power" as const };
  afterCrash(life.subject, history, crashed);
}

const TRIES_MAX = 2;
const put = (key: number, bytes: number, sync: boolean): WriteStep => ({
  do: "write",
  changes: [{ key, bytes }],
  sync,
  blocking: false,
});
const AFTERWARDS: readonly Step[] = [
  put(3, 120, true),
  { do: "flush" },
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
    for (const step of withoutReopening(history)) {
      if (await takeFailing(play, step)) hasFailed = true;
    }
    disk.unlink(BALLAST);
    disk.syncDir("");
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
  for (const operation of FAILING) {
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

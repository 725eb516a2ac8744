/**
 * The crash tests of the manifest as functions of the manifest under test, so that planted mistakes
 * face the same ones.
 *
 * Each returns how many crash runs it made and throws a `ManifestViolation` at the first violation.
 */
import { createSimulatedDisk, isPowerCut, seededRandom } from "#platform";
import type { DiskFaultPlan, SimulatedDisk } from "#platform/types";
import { scaled } from "../support/seeds.ts";
import {
  applyUntilDone,
  type ManifestHistory,
  type ManifestModel,
  type ManifestSubject,
  ManifestViolation,
  playManifest,
  recoverManifest,
} from "./manifest-lab.ts";

/** Cuts the power at every crash point of a history, and goes on from there. */
export async function manifestPowerCuts(
  subject: ManifestSubject,
  history: ManifestHistory,
  seedCount: number,
): Promise<number> {
  const whole = createSimulatedDisk();
  await playManifest(subject, whole, { history, random: seededRandom(1) });
  let runs = 0;
  for (let point = 0; point <= whole.operations; point += 1) {
    const disk = createSimulatedDisk({ seed: point + 1 });
    disk.cutPowerAt(point);
    const { model } = await playManifest(subject, disk, { history, random: seededRandom(1) });
    for (let seed = 1; seed <= scaled(seedCount); seed += 1) {
      const text = `${history.name}, crash point ${point}, seed ${seed}`;
      await named(text, () =>
        afterCrash(subject, { disk: disk.crash(seed), model, history, seed }),
      );
      runs += 1;
    }
    const killed = `${history.name}, killed at ${point}`;
    await named(killed, () => afterCrash(subject, { disk: disk.kill(), model, history, seed: 1 }));
    runs += 1;
  }
  return runs;
}

/**
 * Lets each operation of a history fail once. The edit is tried again until it works; later the
 * power is cut. What worked must be there, whatever failed before.
 */
export async function manifestFaults(
  subject: ManifestSubject,
  history: ManifestHistory,
  seedCount: number,
): Promise<number> {
  let runs = 0;
  for (const operation of ["open", "write", "sync", "rename", "syncDir", "unlink"] as const) {
    for (let after = 0, met = true; met; after += 1) {
      for (const times of [1, 3]) {
        const fault = after % 2 === 1 ? "ENOSPC" : "EIO";
        met = await faultRun(subject, history, {
          plan: { operation, fault, after, times },
          seeds: scaled(seedCount),
        });
        if (met) runs += scaled(seedCount);
      }
    }
  }
  return runs;
}

async function faultRun(
  subject: ManifestSubject,
  history: ManifestHistory,
  given: { readonly plan: DiskFaultPlan; readonly seeds: number },
): Promise<boolean> {
  const { operation, fault, after, times } = given.plan;
  const text = `${history.name}, ${fault} at ${operation} ${after}, ${times} times`;
  const failing = async (cutAt: number | null) => {
    const disk = createSimulatedDisk({ seed: after + 1 });
    disk.plan(given.plan);
    if (cutAt !== null) disk.cutPowerAt(cutAt);
    const { model } = await playManifest(subject, disk, { history, random: seededRandom(1) });
    return { disk, model };
  };
  const whole = await failing(null);
  const failed = whole.disk.trace.find((line) => line.failed);
  if (failed === undefined) return false;
  for (let seed = 1; seed <= given.seeds; seed += 1) {
    // The power goes somewhere behind the fault.
    const random = seededRandom(seed * 1000 + after);
    const left = whole.disk.operations - failed.sequence;
    const cutAt = failed.sequence + 1 + random.below(left);
    const { disk, model } = await failing(cutAt);
    const name = `${text}, crash point ${cutAt}, seed ${seed}`;
    await named(name, () => afterCrash(subject, { disk: disk.crash(seed), model, history, seed }));
  }
  return true;
}

/** Crashes inside of recovery, recovers, edits, crashes, recovers. */
async function afterCrash(
  subject: ManifestSubject,
  at: {
    readonly disk: SimulatedDisk;
    readonly model: ManifestModel;
    readonly history: ManifestHistory;
    readonly seed: number;
  },
): Promise<void> {
  const { rollBytes } = at.history;
  const random = seededRandom(at.seed);
  const copy = (model: ManifestModel) => ({ ...model, doubtful: [...model.doubtful] });
  const [disk, second] = [at.disk.kill(), at.disk.kill()];
  const before = disk.operations;
  const model = copy(at.model);
  const opened = recoverManifest(subject, disk, { model, rollBytes });
  const recoveryOperations = disk.operations - before;

  second.cutPowerAt(second.operations + random.below(recoveryOperations + 1));
  try {
    recoverManifest(subject, second, { model: copy(at.model), rollBytes });
  } catch (error) {
    if (!isPowerCut(error)) throw error;
  }
  recoverManifest(subject, second.crash(random.below(1000)), { model: copy(at.model), rollBytes });

  await applyUntilDone({ opened, model, random }, "apply");
  await applyUntilDone({ opened, model, random }, "applyAsync");
  const third = disk.crash(random.below(1000));
  recoverManifest(subject, third, { model, rollBytes });
  recoverManifest(subject, third.kill(), { model, rollBytes });
}

async function named(text: string, run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (!(error instanceof ManifestViolation)) throw error;
    throw new ManifestViolation(`${text}: ${error.message}`, { cause: error });
  }
}

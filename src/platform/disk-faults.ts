/**
 * The planned faults of a simulated disk, and which operation meets which.
 *
 * Invariant: every plan counts only the operations that it could fail: `hang` and `slow` see calls
 * of `syncAsync`, `EIO` and `ENOSPC` see everything when it takes effect.
 */
import { CairnError } from "#base";
import type { DiskFault, DiskFaultPlan, DiskOperation } from "./types.ts";

interface Countdown {
  readonly plan: DiskFaultPlan;
  passes: number;
  left: number;
}

class Faults {
  #countdowns: Countdown[] = [];

  plan(plan: DiskFaultPlan): void {
    const { operation, fault, after, times = 1, delayMs } = plan;
    if (!(Number.isInteger(after) && after >= 0 && Number.isInteger(times) && times >= 1)) {
      throw new RangeError(`platform: fault after ${after}, ${times} times`);
    }
    if (isDelay(fault) && operation !== "sync") {
      throw new TypeError(`platform: fault ${fault} concerns sync, not ${operation}`);
    }
    if ((fault === "slow") !== (delayMs !== undefined)) {
      throw new TypeError("platform: delayMs belongs to the fault slow");
    }
    this.#countdowns.push({ plan, passes: after, left: times });
  }

  /** The error fault that this operation meets, or null. Counts the operation. */
  error(operation: DiskOperation, path: string): "EIO" | "ENOSPC" | null {
    if (this.#countdowns.length === 0) return null;
    const fault = this.#next(operation, path, false)?.fault;
    return fault === "EIO" || fault === "ENOSPC" ? fault : null;
  }

  /** The delay that this `syncAsync` meets, or null. Counts the call. */
  delay(path: string): DiskFaultPlan | null {
    if (this.#countdowns.length === 0) return null;
    return this.#next("sync", path, true);
  }

  #next(operation: DiskOperation, path: string, delays: boolean): DiskFaultPlan | null {
    let met: DiskFaultPlan | null = null;
    for (const countdown of this.#countdowns) {
      const { plan } = countdown;
      if (plan.operation !== operation || isDelay(plan.fault) !== delays) continue;
      if (plan.path !== undefined && !path.includes(plan.path)) continue;
      if (countdown.passes > 0) countdown.passes -= 1;
      else if (met === null) {
        met = plan;
        countdown.left -= 1;
      }
    }
    if (met !== null) this.#countdowns = this.#countdowns.filter(({ left }) => left > 0);
    return met;
  }
}

/** Planned faults of one disk. */
export type DiskFaults = Faults;

/** Makes an empty plan. */
export function createDiskFaults(): DiskFaults {
  return new Faults();
}

/** The error that the fault shows as. */
export function faultError(
  fault: "EIO" | "ENOSPC",
  at: { readonly operation: DiskOperation; readonly path: string },
): CairnError {
  const [code, what] =
    fault === "EIO"
      ? (["DISK_IO", "input/output error"] as const)
      : (["DISK_FULL", "no space left on device"] as const);
  return new CairnError(code, `platform: ${at.path}: ${at.operation}: ${what} (simulated)`, {
    details: { path: at.path, operation: at.operation },
  });
}

function isDelay(fault: DiskFault): boolean {
  return fault === "hang" || fault === "slow";
}

/**
 * What a log does after a failure: nothing any more. Step 01.8.
 *
 * Invariant: after the first error from the disk nothing is written and nothing acknowledged (W7).
 */
import { CairnError, errorText } from "#base";

/** Stands in front of everything that touches the disk. */
export interface Guard {
  readonly isPoisoned: boolean;
  /** @throws `WAL_CLOSED`, or `WAL_POISONED` with the first failure as its cause. */
  check(): void;
  /** Does the work. If it fails, the log is poisoned. @throws what `work` throws. */
  run<T>(work: () => T): T;
  /** As `run`, for work that takes a while. */
  runAsync<T>(work: () => Promise<T>): Promise<T>;
  /** From now on, `check` throws `WAL_CLOSED`. */
  close(): void;
}

/** Makes a guard that lets everything pass. */
export function createGuard(): Guard {
  let poison: { readonly cause: unknown } | null = null;
  let isClosed = false;
  return {
    get isPoisoned() {
      return poison !== null;
    },
    check() {
      if (isClosed) throw new CairnError("WAL_CLOSED", "wal: the log is closed");
      if (poison === null) return;
      const { cause } = poison;
      throw new CairnError("WAL_POISONED", `wal: failed before: ${errorText(cause)}`, { cause });
    },
    run(work) {
      try {
        return work();
      } catch (cause) {
        poison ??= { cause };
        throw cause;
      }
    },
    async runAsync(work) {
      try {
        return await work();
      } catch (cause) {
        poison ??= { cause };
        throw cause;
      }
    },
    close() {
      isClosed = true;
    },
  };
}

/**
 * What a log does after a failure: nothing any more. Step 01.8.
 *
 * Invariant: after the first error from the disk nothing is written and nothing acknowledged (W7).
 */
import { CairnError } from "#base";

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

/** Makes a guard that lets everything pass. Step 01.8: until something has failed. */
export function createGuard(): Guard {
  let isClosed = false;
  return {
    get isPoisoned() {
      // Step 01.8: true after the first failure.
      return false;
    },
    check() {
      if (isClosed) throw new CairnError("WAL_CLOSED", "wal: the log is closed");
      // Step 01.8: refuse with WAL_POISONED after the first failure.
    },
    // Step 01.8: remember the first failure of both.
    run: (work) => work(),
    runAsync: (work) => work(),
    close() {
      isClosed = true;
    },
  };
}

/**
 * What a log does after a failure: nothing any more. Step 01.8.
 *
 * Invariant: after the first error from the disk nothing is written and nothing acknowledged (W7).
 *
 * Written by a reader who had only the pages of chapter 01: neither the reference nor the solution.
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

/** Makes a guard that lets everything pass until something has failed, and nothing after it. */
export function createGuard(): Guard {
  let isClosed = false;
  let failure: { readonly error: unknown } | null = null;

  /** Remembers the first failure. */
  function fail(error: unknown): never {
    failure ??= { error };
    throw error;
  }

  function refuseIfPoisoned(): void {
    if (failure === null) return;
    const message = `wal: refused after a failure, open it again: ${errorText(failure.error)}`;
    throw new CairnError("WAL_POISONED", message, { cause: failure.error });
  }

  return {
    get isPoisoned() {
      return failure !== null;
    },
    check() {
      if (isClosed) throw new CairnError("WAL_CLOSED", "wal: the log is closed");
      refuseIfPoisoned();
    },
    run(work) {
      refuseIfPoisoned();
      try {
        return work();
      } catch (error) {
        return fail(error);
      }
    },
    async runAsync(work) {
      refuseIfPoisoned();
      try {
        const result = await work();
        // Another call may have failed in the meantime: then this one proves nothing.
        refuseIfPoisoned();
        return result;
      } catch (error) {
        return fail(error);
      }
    },
    close() {
      isClosed = true;
    },
  };
}

/**
 * Callers who wait for the background to get somewhere.
 *
 * Invariant: each is settled once: when what it waits for is true, or when something has failed
 * since it began to wait.
 * Chapter: 04-lsm
 */

interface Waiter {
  readonly isTrue: () => boolean;
  /** What must not fail meanwhile. */
  readonly failures: readonly string[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Those who wait. */
export type Waiters = WaiterList;

/** Nobody waits yet. */
export function createWaiters(): Waiters {
  return new WaiterList();
}

class WaiterList {
  #waiters: Waiter[] = [];

  /** Waits until something is true. It is looked at whenever `look` is called. */
  wait(isTrue: () => boolean, failures: readonly string[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiters.push({ isTrue, failures, resolve, reject });
    });
  }

  /** Something has changed. */
  look(): void {
    if (this.#waiters.length === 0) return;
    this.#waiters = this.#waiters.filter(({ isTrue, resolve }) => {
      if (!isTrue()) return true;
      resolve();
      return false;
    });
  }

  /** Something has failed. */
  reject(what: string, error: unknown): void {
    this.#waiters = this.#waiters.filter(({ failures, reject }) => {
      if (!failures.includes(what)) return true;
      reject(error);
      return false;
    });
  }

  /** Nothing more will happen. */
  rejectAll(error: unknown): void {
    for (const { reject } of this.#waiters.splice(0)) reject(error);
  }
}

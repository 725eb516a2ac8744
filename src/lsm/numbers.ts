/**
 * One counter of file numbers for two threads (L7).
 *
 * Invariant: a number is handed out once, whichever thread asks.
 * Chapter: 04-lsm
 */
import { assert } from "#base";
import type { Numbers } from "./file-names.ts";

/** Numbers that a worker can share: post `memory`, and wrap it again on the other side. */
export interface SharedNumbers extends Numbers {
  readonly memory: SharedArrayBuffer;
}

/** Starts the counter. */
export function createSharedNumbers(first: number): SharedNumbers {
  const numbers = openSharedNumbers(new SharedArrayBuffer(BigInt64Array.BYTES_PER_ELEMENT));
  numbers.raise(first);
  return numbers;
}

/** The counter of another thread. */
export function openSharedNumbers(memory: SharedArrayBuffer): SharedNumbers {
  return new AtomicCounter(memory);
}

class AtomicCounter implements SharedNumbers {
  readonly memory: SharedArrayBuffer;
  readonly #next: BigInt64Array;

  constructor(memory: SharedArrayBuffer) {
    this.memory = memory;
    this.#next = new BigInt64Array(memory);
  }

  get next(): number {
    return Number(Atomics.load(this.#next, 0));
  }

  take(): number {
    const number = Number(Atomics.add(this.#next, 0, 1n));
    assert(Number.isSafeInteger(number), "lsm: numbers of files do not run out");
    return number;
  }

  raise(number: number): void {
    for (;;) {
      const next = Atomics.load(this.#next, 0);
      if (next >= BigInt(number)) return;
      if (Atomics.compareExchange(this.#next, 0, next, BigInt(number)) === next) return;
    }
  }
}

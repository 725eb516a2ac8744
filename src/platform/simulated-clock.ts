/**
 * A clock that moves when told.
 *
 * Callbacks run in order of time, then of registration; those for an idle thread run last among
 * those of their moment. Invariant: while a callback runs, `now` is the moment it was due.
 *
 * Promises are not timers: what a callback resolves goes on only when the test next awaits.
 * Chapter: 11-simulation.
 */
import { assert, type Cancel, type Ms } from "#base";
import type { SimulatedClock } from "./types.ts";

/** How the clock is made. */
export interface SimulatedClockOptions {
  /** What `now` starts from. Default 0. */
  readonly startMs?: Ms;
  /** What `wallTime` starts from. Default 1,700,000,000,000, a day in 2023. */
  readonly wallTimeMs?: Ms;
}

const WALL_TIME_MS = 1_700_000_000_000;

interface Waiting {
  readonly due: Ms;
  readonly idle: boolean;
  readonly sequence: number;
  run: (() => void) | null;
}

class MovedClock implements SimulatedClock {
  #now: Ms;
  readonly #wallOffset: Ms;
  /** A binary heap: the parent of the entry at i is at (i - 1) / 2, and comes before it. */
  readonly #heap: Waiting[] = [];
  #sequence = 0;
  #running = false;

  constructor({ startMs = 0, wallTimeMs = WALL_TIME_MS }: SimulatedClockOptions) {
    this.#now = startMs;
    this.#wallOffset = wallTimeMs - startMs;
  }

  now(): Ms {
    return this.#now;
  }

  wallTime(): Ms {
    return this.#now + this.#wallOffset;
  }

  after(ms: Ms, f: () => void): Cancel {
    if (!(ms >= 0)) throw new RangeError(`platform: delay of ${ms} ms, must be 0 or more`);
    return this.#add(this.#now + ms, false, f);
  }

  whenIdle(f: () => void): Cancel {
    return this.#add(this.#now, true, f);
  }

  advance(ms: Ms): void {
    if (!(ms >= 0)) throw new RangeError(`platform: advance by ${ms} ms, must be 0 or more`);
    this.#assertIdle();
    const target = this.#now + ms;
    while (this.nextDue() <= target) this.#runNext();
    this.#now = target;
  }

  advanceToNext(): boolean {
    this.#assertIdle();
    if (this.nextDue() === Number.POSITIVE_INFINITY) return false;
    this.#runNext();
    return true;
  }

  nextDue(): Ms {
    while (this.#heap[0]?.run === null) this.#pop();
    return this.#heap[0]?.due ?? Number.POSITIVE_INFINITY;
  }

  #assertIdle(): void {
    assert(!this.#running, "platform: a callback does not move the simulated clock");
  }

  #runNext(): void {
    const { due, run } = this.#pop();
    this.#now = due;
    this.#running = true;
    try {
      run?.();
    } finally {
      this.#running = false;
    }
  }

  #add(due: Ms, idle: boolean, run: () => void): Cancel {
    const waiting: Waiting = { due, idle, sequence: this.#sequence, run };
    this.#sequence += 1;
    this.#push(waiting);
    return () => {
      // Cancelled entries stay in the heap until they come up: finding them would cost more.
      waiting.run = null;
    };
  }

  #push(waiting: Waiting): void {
    const heap = this.#heap;
    let at = heap.length;
    while (at > 0) {
      const parentAt = (at - 1) >> 1;
      const parent = heap[parentAt];
      if (parent === undefined || !isBefore(waiting, parent)) break;
      heap[at] = parent;
      at = parentAt;
    }
    heap[at] = waiting;
  }

  #pop(): Waiting {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop();
    assert(top !== undefined && last !== undefined, "platform: only a waiting callback is run");
    if (top === last) return top;
    let at = 0;
    for (;;) {
      const left = heap[2 * at + 1];
      const right = heap[2 * at + 2];
      if (left === undefined) break;
      const takeRight = right !== undefined && isBefore(right, left);
      const child = takeRight ? right : left;
      if (!isBefore(child, last)) break;
      heap[at] = child;
      at = 2 * at + (takeRight ? 2 : 1);
    }
    heap[at] = last;
    return top;
  }
}

/** Makes a clock that stands still until it is moved. Callbacks must not move it themselves. */
export function createSimulatedClock(options: SimulatedClockOptions = {}): SimulatedClock {
  return new MovedClock(options);
}

function isBefore(a: Waiting, b: Waiting): boolean {
  if (a.due !== b.due) return a.due < b.due;
  if (a.idle !== b.idle) return b.idle;
  return a.sequence < b.sequence;
}

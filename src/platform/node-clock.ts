/**
 * The clock of this machine.
 *
 * Invariant: no callback runs before its time by the same clock that `now` reads. Node's timers
 * count whole milliseconds from the start of the loop's turn and may fire a fraction early; a lease
 * must not end early, so such a callback waits again.
 */
import type { Cancel, Ms } from "#base";
import type { Clock } from "./types.ts";

/** Longest wait that a timer of Node holds, 24.8 days; it turns longer ones into 1 ms. */
const DELAY_MS_MAX = 2 ** 31 - 1;

class NodeClock implements Clock {
  now(): Ms {
    return performance.now();
  }

  wallTime(): Ms {
    return Date.now();
  }

  after(ms: Ms, f: () => void): Cancel {
    if (!(ms >= 0 && ms <= DELAY_MS_MAX)) {
      throw new RangeError(`platform: delay of ${ms} ms, must be 0 to ${DELAY_MS_MAX}`);
    }
    const due = performance.now() + ms;
    let timer: ReturnType<typeof setTimeout>;
    const fire = (): void => {
      const left = due - performance.now();
      if (left <= 0) f();
      else timer = setTimeout(fire, Math.ceil(left));
    };
    timer = setTimeout(fire, Math.ceil(ms));
    return () => clearTimeout(timer);
  }

  /**
   * An immediate runs after the sockets and messages that this turn of the loop has found ready.
   * What became ready while those were handled is found by the next turn, so it takes two.
   */
  whenIdle(f: () => void): Cancel {
    let immediate = setImmediate(() => {
      immediate = setImmediate(f);
    });
    return () => clearImmediate(immediate);
  }
}

/** Makes the clock of this process. Waiting callbacks keep the process alive. */
export function createNodeClock(): Clock {
  return new NodeClock();
}

/**
 * Milliseconds on a clock that all threads of this process share, and that never goes back: for
 * moments that one thread tells another.
 */
export function processTime(): Ms {
  return Number(process.hrtime.bigint()) / 1e6;
}

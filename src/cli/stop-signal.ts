/**
 * The wish of a person, or of the system, that this program stops; as something to wait on.
 *
 * Invariant: the first wish asks for a graceful stop, any later one for a stop at once.
 */
import type { Cancel, Ms } from "#base";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Under `npm start`, one Ctrl-C arrives twice: from the terminal, and handed on by npm. A person
 * does not press it again that fast.
 */
const ECHO_MS: Ms = 300;

/** Two stages of a wish. */
export interface StopSignals {
  readonly stop: AbortSignal;
  readonly kill: AbortSignal;
  /** Gives the signals back to the system's own treatment. */
  readonly release: Cancel;
}

/**
 * Takes the signals that ask this process to end. A terminal or pipe that is gone counts as well.
 */
export function takeStopSignals(): StopSignals {
  const stop = new AbortController();
  const kill = new AbortController();
  let firstAt = Number.POSITIVE_INFINITY;
  const wish = (): void => {
    if (stop.signal.aborted && performance.now() - firstAt > ECHO_MS) kill.abort();
    firstAt = Math.min(firstAt, performance.now());
    stop.abort();
  };
  for (const signal of SIGNALS) process.on(signal, wish);
  // Nobody reads any more, as in `cairn cluster | head`. Never taken back: a write may fail late.
  process.stdout.on("error", () => stop.abort());
  return {
    stop: stop.signal,
    kill: kill.signal,
    release() {
      for (const signal of SIGNALS) process.off(signal, wish);
    },
  };
}

/** Waits `ms`, or until `signal` is aborted. */
export function pauseUnless(signal: AbortSignal, ms: Ms): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done);
  });
}

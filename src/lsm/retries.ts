/**
 * What has failed is left alone for a while, longer each time.
 *
 * Invariant: each thing that rests is tried again by itself, unless it was tried again before.
 * Chapter: 04-lsm
 */
import type { Cancel, Ms } from "#base";
import type { Clock } from "#platform/types";

/** The first rest. Each next one is twice as long. */
const REST_MS_MIN: Ms = 100;
/** Somebody who has freed space does not want to wait longer than this. */
const REST_MS_MAX: Ms = 5000;

interface Rest {
  readonly from: Ms;
  readonly cancel: Cancel;
}

/** Things that rest, by name. */
export type Retries<Name extends string> = RestingThings<Name>;

/** @param onDue - something may be tried again. */
export function createRetries<Name extends string>(clock: Clock, onDue: () => void): Retries<Name> {
  return new RestingThings(clock, onDue);
}

class RestingThings<Name extends string> {
  readonly #clock: Clock;
  readonly #onDue: () => void;
  readonly #rests = new Map<Name, Rest>();
  readonly #nextMs = new Map<Name, Ms>();

  constructor(clock: Clock, onDue: () => void) {
    this.#clock = clock;
    this.#onDue = onDue;
  }

  isResting(name: Name): boolean {
    return this.#rests.has(name);
  }

  /** It has failed. */
  rest(name: Name): void {
    const ms = this.#nextMs.get(name) ?? REST_MS_MIN;
    this.#nextMs.set(name, Math.min(ms * 2, REST_MS_MAX));
    this.#rests.get(name)?.cancel();
    const cancel = this.#clock.after(ms, () => {
      this.#rests.delete(name);
      this.#onDue();
    });
    this.#rests.set(name, { from: this.#clock.now(), cancel });
  }

  /** Ends rests: all, or those that have lasted for the shortest time by now. */
  wake(which: "all" | "rested"): void {
    const now = this.#clock.now();
    for (const [name, { from, cancel }] of this.#rests) {
      if (which === "rested" && now - from < REST_MS_MIN) continue;
      cancel();
      this.#rests.delete(name);
    }
  }

  /** The disk works: the next failure is a first one again. */
  worked(): void {
    this.#nextMs.clear();
  }
}

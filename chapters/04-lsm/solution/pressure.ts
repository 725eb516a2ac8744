/**
 * When writes are held back, and for how long (04.9).
 *
 * Invariant: while writes are stopped, work is due that will let them go on (L8).
 * Chapter: 04-lsm, step 04.9
 */
import type { Ms } from "#base";
import type { StallReason } from "#lsm/reference";

/** What is looked at. */
export interface PressureState {
  readonly levelZeroRuns: number;
  readonly frozenMemtables: number;
  /** The active memtable should be frozen before more goes into it. */
  readonly isActiveFull: boolean;
}

/** From where on writes are stopped. */
export interface PressureLimits {
  readonly levelZeroStopRuns: number;
  readonly frozenMemtablesMax: number;
}

/** Why a write has to wait; null: it has not. */
export function pressureOf(state: PressureState, limits: PressureLimits): StallReason | null {
  if (state.isActiveFull && state.frozenMemtables >= limits.frozenMemtablesMax) {
    return "memtables wait for their flush";
  }
  return state.levelZeroRuns >= limits.levelZeroStopRuns ? "level 0 is full" : null;
}

/** Counts stops and their time. */
export interface StallMeter {
  readonly stops: number;
  /** A write was turned away. */
  stopped(now: Ms): void;
  /** Nothing is in the way any more. */
  released(now: Ms): void;
  /** Time stopped in all, the present stop included. */
  stopMs(now: Ms): Ms;
}

/** Nothing was stopped so far. */
export function createStallMeter(): StallMeter {
  let [stops, past] = [0, 0];
  let since: Ms | null = null;
  return {
    get stops() {
      return stops;
    },
    stopped(now) {
      if (since !== null) return;
      since = now;
      stops += 1;
    },
    released(now) {
      if (since !== null) past += now - since;
      since = null;
    },
    stopMs: (now) => past + (since === null ? 0 : now - since),
  };
}

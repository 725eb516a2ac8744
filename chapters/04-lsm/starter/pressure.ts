/**
 * When writes are held back, and for how long (04.9).
 *
 * Chapter: 04-lsm, step 04.9
 */
import { type Ms, notWritten } from "#base";
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

/**
 * Why a write has to wait: "memtables wait for their flush" when the active memtable is full and
 * cannot be frozen, "level 0 is full" at the stop limit. Null: it has not to wait.
 */
export function pressureOf(_state: PressureState, _limits: PressureLimits): StallReason | null {
  return notWritten("04.9", "pressureOf");
}

/** Counts stops and their time. */
export interface StallMeter {
  readonly stops: number;
  /** A write was turned away. Several of one stop are one. */
  stopped(now: Ms): void;
  /** Nothing is in the way any more. */
  released(now: Ms): void;
  /** Time stopped in all, the present stop included. */
  stopMs(now: Ms): Ms;
}

/** Nothing was stopped so far. */
export function createStallMeter(): StallMeter {
  return notWritten("04.9", "createStallMeter");
}

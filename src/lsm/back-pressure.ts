/**
 * When writes are held back, and why (L8).
 *
 * Compaction must keep up with writes, or each lookup asks more and more runs. Slowing each write
 * down a little comes first, because many short delays hurt less than one long one.
 *
 * Invariant: as long as writes are stopped, background work is due that will let them go on, or the
 * disk has failed and they are refused.
 * Chapter: 04-lsm, "Back-pressure"
 */
import type { Ms } from "#base";
import type { StallReason } from "./types.ts";

/** What is looked at. */
export interface PressureState {
  readonly levelZeroRuns: number;
  readonly frozenMemtables: number;
  /** The active memtable has reached its limit, and should be frozen before more goes into it. */
  readonly isActiveFull: boolean;
  readonly isLogFailed: boolean;
  /** The last flush failed, or the manifest did. */
  readonly isFlushFailed: boolean;
  /** The last compaction failed, or the manifest did. */
  readonly isCompactionFailed: boolean;
}

/** From where on writes are held back. */
export interface PressureLimits {
  readonly levelZeroSlowdownRuns: number;
  readonly levelZeroStopRuns: number;
  readonly frozenMemtablesMax: number;
}

/** How hard, and why. */
export interface Pressure {
  readonly effect: "none" | "slow" | "stop" | "refuse";
  readonly reason: StallReason | null;
}

const NONE: Pressure = { effect: "none", reason: null };
const LONG: Pressure = { effect: "slow", reason: "level 0 is long" };
const FULL: Pressure = { effect: "stop", reason: "level 0 is full" };
const FROZEN: Pressure = { effect: "stop", reason: "memtables wait for their flush" };
const FAILED: Pressure = { effect: "refuse", reason: "the disk failed" };

/** Judges a state. */
export function pressureOf(state: PressureState, limits: PressureLimits): Pressure {
  if (state.isLogFailed) return FAILED;
  if (state.isActiveFull && state.frozenMemtables >= limits.frozenMemtablesMax) {
    return state.isFlushFailed ? FAILED : FROZEN;
  }
  if (state.levelZeroRuns >= limits.levelZeroStopRuns) {
    return state.isCompactionFailed ? FAILED : FULL;
  }
  if (state.levelZeroRuns >= limits.levelZeroSlowdownRuns) return LONG;
  return NONE;
}

/** Counts stalls. */
export type StallMeter = Meter;

/** Nothing was held back so far. */
export function createStallMeter(): StallMeter {
  return new Meter();
}

class Meter {
  slowdowns = 0;
  slowdownMs: Ms = 0;
  stops = 0;
  #stopMs: Ms = 0;
  #stoppedAt: Ms | null = null;

  slowed(ms: Ms): void {
    this.slowdowns += 1;
    this.slowdownMs += ms;
  }

  /** A write has to wait, or has been turned away. */
  stopped(now: Ms): void {
    if (this.#stoppedAt !== null) return;
    this.#stoppedAt = now;
    this.stops += 1;
  }

  get isStopped(): boolean {
    return this.#stoppedAt !== null;
  }

  /** Writes go on. */
  released(now: Ms): void {
    if (this.#stoppedAt === null) return;
    this.#stopMs += now - this.#stoppedAt;
    this.#stoppedAt = null;
  }

  /** Time stopped, the present stop included. */
  stopMs(now: Ms): Ms {
    return this.#stopMs + (this.#stoppedAt === null ? 0 : now - this.#stoppedAt);
  }
}

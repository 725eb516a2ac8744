/**
 * Who is reading, and from where on nobody reads any more.
 *
 * Invariant: the horizon is never above a timestamp that an open transaction reads at, nor above
 * one at which somebody may still begin (T6, T7).
 * Chapter: 06-mvcc, step 06.7
 */
import type { Ms } from "#base";
import type { Clock } from "#platform/types";
import type { OldReader, Timestamp } from "./types.ts";

/** An open transaction, as garbage collection sees it. */
export interface Reader {
  readonly label: string;
  readonly readTimestamp: Timestamp;
  /** When it began, on the clock. */
  readonly beganMs: Ms;
  /** Versions that had been written when it began. */
  readonly versionsBefore: number;
  /** Whether somebody was told of it. */
  isReported: boolean;
}

/** Limits beyond which a reader is reported, and how long the past is kept. */
export interface ReaderLimits {
  readonly retentionMs: Ms;
  readonly readerAgeMsMax: Ms;
  readonly readerVersionsMax: number;
  readonly onOldReader: ((reader: OldReader) => void) | undefined;
}

/** So many moments of the past are remembered, spread over the retention. */
const SAMPLES = 64;

/** The open transactions of one store. */
export type Readers = OpenReaders;

/** @param floor - nobody may read below it: what was given up before the store was opened. */
export function createReaders(clock: Clock, limits: ReaderLimits, floor: Timestamp): Readers {
  return new OpenReaders(clock, limits, floor);
}

class OpenReaders {
  readonly #clock: Clock;
  readonly #limits: ReaderLimits;
  /** In the order of their beginning, and so of their timestamps. */
  readonly #present = new Set<Reader>();
  /** Those that read in the past. */
  readonly #past = new Set<Reader>();
  /** What was visible when: oldest first. */
  readonly #samples: { readonly ms: Ms; readonly timestamp: Timestamp }[] = [];
  /** Of the newest moment that is older than the retention. */
  #floor: Timestamp;

  constructor(clock: Clock, limits: ReaderLimits, floor: Timestamp) {
    this.#clock = clock;
    this.#limits = limits;
    this.#floor = floor;
  }

  get open(): number {
    return this.#present.size + this.#past.size;
  }

  add(reader: Reader, isPast: boolean): void {
    (isPast ? this.#past : this.#present).add(reader);
  }

  remove(reader: Reader): void {
    if (!this.#present.delete(reader)) this.#past.delete(reader);
  }

  /** Who reads at the oldest timestamp; undefined: nobody. */
  oldest(): Reader | undefined {
    let [oldest] = this.#present;
    for (const reader of this.#past) {
      if (oldest === undefined || reader.readTimestamp < oldest.readTimestamp) oldest = reader;
    }
    return oldest;
  }

  /** Notes what is visible now; called whenever that may have changed. */
  sample(visible: Timestamp): void {
    const { retentionMs } = this.#limits;
    if (retentionMs === 0) return;
    const ms = this.#clock.now();
    const last = this.#samples.at(-1);
    if (last !== undefined && ms - last.ms < retentionMs / SAMPLES) return;
    this.#samples.push({ ms, timestamp: visible });
  }

  /** The oldest timestamp at which a transaction may begin. */
  floor(visible: Timestamp): Timestamp {
    const { retentionMs } = this.#limits;
    if (retentionMs === 0) return visible;
    const until = this.#clock.now() - retentionMs;
    while ((this.#samples[0]?.ms ?? Number.POSITIVE_INFINITY) <= until) {
      this.#floor = Math.max(this.#floor, this.#samples.shift()!.timestamp);
    }
    return this.#floor;
  }

  /** Nobody reads below this, now or later. */
  horizon(visible: Timestamp): Timestamp {
    return Math.min(this.floor(visible), this.oldest()?.readTimestamp ?? visible);
  }

  describe(reader: Reader, versions: number): OldReader {
    return {
      label: reader.label,
      timestamp: reader.readTimestamp,
      ageMs: this.#clock.now() - reader.beganMs,
      versionsSince: versions - reader.versionsBefore,
    };
  }

  /** Reports whoever is beyond the limits, once. */
  report(versions: number): void {
    const { readerAgeMsMax, readerVersionsMax, onOldReader } = this.#limits;
    for (const reader of [...this.#present, ...this.#past]) {
      const old = this.describe(reader, versions);
      if (old.ageMs < readerAgeMsMax && old.versionsSince < readerVersionsMax) {
        // Those behind it in the set began later.
        if (this.#present.has(reader)) continue;
      } else if (!reader.isReported) {
        reader.isReported = true;
        onOldReader?.(old);
      }
    }
  }
}

/**
 * What happened, as a fingerprint and as the last lines.
 *
 * Invariant: every frame that arrives and every line goes into the fingerprint, with its time; two
 * runs with one fingerprint took one course. Chapter: 11-simulation.
 */
import type { Bytes, Ms } from "#base";
import { crc32c } from "#bytes";

const LINES_MAX = 500;
/** Times have fractions; those below a microsecond are rounding. */
const PER_MS = 1000;

const encoder = new TextEncoder();

/** See the file's header. */
export class RealTrace {
  hash = 0;
  steps = 0;
  frames = 0;
  readonly #lines: string[] = [];

  /** The last lines, oldest first. */
  get last(): readonly string[] {
    return this.#lines;
  }

  frame(now: Ms, from: number, to: number, frame: Bytes): void {
    this.frames += 1;
    this.#mix(`${Math.round(now * PER_MS)} ${from} ${to}`);
    this.hash = crc32c(frame, this.hash);
  }

  note(now: Ms, text: string): void {
    this.#mix(`${Math.round(now * PER_MS)} ${text}`);
    this.#lines.push(`${now.toFixed(1).padStart(9)}  ${text}`);
    if (this.#lines.length > 2 * LINES_MAX) this.#lines.splice(0, LINES_MAX);
  }

  #mix(text: string): void {
    this.steps += 1;
    this.hash = crc32c(encoder.encode(text), this.hash);
  }
}

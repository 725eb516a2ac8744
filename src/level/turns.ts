/**
 * Gives the event loop its turn during long reads.
 *
 * Reads of the engine are synchronous, and promises that are already settled never let a socket or
 * a message from the engine's thread through: without a pause now and then, a program that reads a
 * million entries with `await` would do nothing else. Invariant: at most `READS_PER_TURN` reads in
 * a row.
 */
import { atTurnEnd } from "#lsm";

/** Some two milliseconds of reading. A turn costs a few microseconds. */
export const READS_PER_TURN = 1000;

/** Counts reads of one database. */
export interface Turns {
  /** Notes reads. @returns whether it is time to let others run. */
  spend(reads: number): boolean;
  /** Resolves when everything has run that was waiting. */
  take(): Promise<void>;
}

/** Starts to count. */
export function createTurns(): Turns {
  let left = READS_PER_TURN;
  return {
    spend(reads) {
      left -= reads;
      return left <= 0;
    },
    take() {
      left = READS_PER_TURN;
      return new Promise(atTurnEnd);
    },
  };
}

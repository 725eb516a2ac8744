/**
 * Up to which timestamp everything is there: where new transactions read.
 *
 * Commits get their timestamps in one order and may be through in another. A reader must not see a
 * later one without an earlier one, so what is visible ends before the first that is under way.
 *
 * Invariant: what is visible only grows, and whoever's commit has been told sees it (T3).
 * Chapter: 06-mvcc, step 06.3
 */
import type { Timestamp } from "./types.ts";

interface Pending {
  readonly timestamp: Timestamp;
  isSettled: boolean;
  readonly tell: () => void;
}

/** The commits under way. */
export interface Visible {
  /** Everything up to here is there. */
  readonly timestamp: Timestamp;
  /** A commit is under way. @returns to be called when it is through, or has failed. */
  start(timestamp: Timestamp): { settle(): void; readonly visible: Promise<void> };
}

/** @param timestamp - everything up to here is there. */
export function createVisible(timestamp: Timestamp): Visible {
  const pending: Pending[] = [];
  let visible = timestamp;
  const advance = (): void => {
    while (pending[0]?.isSettled) {
      const { timestamp: through, tell } = pending.shift()!;
      visible = through;
      tell();
    }
  };
  return {
    get timestamp() {
      return visible;
    },
    start(started) {
      let tell = (): void => undefined;
      const told = new Promise<void>((resolve) => {
        tell = resolve;
      });
      const one: Pending = { timestamp: started, isSettled: false, tell: () => tell() };
      pending.push(one);
      return {
        settle() {
          one.isSettled = true;
          advance();
        },
        visible: told,
      };
    },
  };
}

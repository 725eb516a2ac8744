/**
 * One behind the other: work that must see what the work before it has done.
 *
 * Invariant: a failure of one turn ends only that turn.
 * Chapter: 06-mvcc
 */

/** Hands out turns. */
export interface Turns {
  /** Does `work` when everything taken before is over. Rejects as `work` does. */
  take<T>(work: () => Promise<T>): Promise<T>;
}

/** Makes an idle one. */
export function createTurns(): Turns {
  let last: Promise<unknown> = Promise.resolve();
  return {
    take<T>(work: () => Promise<T>): Promise<T> {
      const turn = last.then(work);
      // Whoever took the turn hears of its failure; the next one goes on.
      last = turn.catch(() => undefined);
      return turn;
    },
  };
}

/**
 * Which versions of a key survive when they are written anew (L5).
 *
 * Readers stand at the snapshots and at "now", which is above everything. They cut the sequences
 * into intervals.
 *
 * 1. Of each interval the newest version is kept, for nobody can see the others.
 * 2. Of deletions that are neighbours after that, the oldest is enough: what a reader of a newer
 *    one finds without it is a deletion all the same.
 * 3. Such a deletion goes too if it hides nothing: no older version of its key is kept, and no
 *    older table may hold one.
 *
 * Rules 2 and 3 ask what comes later, so a deletion waits until its key's next version that stays,
 * or the key's end.
 *
 * Invariant: every reader sees the same before and after, and nothing that could go is kept.
 * Chapter: 04-lsm
 */
import type { Bytes, Sequence } from "#base";
import { compareBytes } from "#bytes";
import type { KeySpan } from "./parts.ts";

/** What becomes of a version. */
export const Verdict = {
  /** It goes. */
  drop: 0,
  /** Write what waits, and then this version. */
  keep: 1,
  /** A deletion: it is what waits now. What waited before goes. */
  wait: 2,
} as const;
export type Verdict = (typeof Verdict)[keyof typeof Verdict];

/** Judges versions in the order of a cursor. */
export interface KeepRule {
  /** Judges the next version. `isNewKey`: it is the newest of its key in this job. */
  judge(isNewKey: boolean, sequence: Sequence, isDeletion: boolean): Verdict;
  /** Before a version that is kept: the deletion to be written first; 0 if none waits. */
  takeWaiting(): Sequence;
  /**
   * At the end of a key: the deletion to be written yet, 0 if there is none. Keys only go up from
   * call to call.
   */
  endKey(key: Bytes): Sequence;
}

/**
 * Makes the rule for one job.
 *
 * @param snapshots - ascending, without repeats.
 * @param older - spans of the tables that may hold older versions; null: any key may have some.
 */
export function createKeepRule(
  snapshots: readonly Sequence[],
  older: readonly KeySpan[] | null,
): KeepRule {
  return new Rule(snapshots, older === null ? null : uniteSpans(older));
}

/** The same keys as spans that do not touch, ascending. */
export function uniteSpans(spans: readonly KeySpan[]): KeySpan[] {
  const united: KeySpan[] = [];
  const ascending = [...spans].sort((a, b) => compareBytes(a.smallest, b.smallest));
  for (const span of ascending) {
    const last = united.at(-1);
    if (last === undefined || compareBytes(last.largest, span.smallest) < 0) {
      united.push({ smallest: span.smallest, largest: span.largest });
    } else if (compareBytes(last.largest, span.largest) < 0) {
      united[united.length - 1] = { smallest: last.smallest, largest: span.largest };
    }
  }
  return united;
}

class Rule implements KeepRule {
  readonly #snapshots: readonly Sequence[];
  /** Null: every key. */
  readonly #older: readonly KeySpan[] | null;
  /** Spans before this one lie below every key that is still to come. */
  #span = 0;
  /** Of the version before this one, of the same key. */
  #interval = 0;
  /** Of the deletion that waits; 0: none does. */
  #waiting: Sequence = 0;

  constructor(snapshots: readonly Sequence[], older: readonly KeySpan[] | null) {
    this.#snapshots = snapshots;
    this.#older = older;
  }

  judge(isNewKey: boolean, sequence: Sequence, isDeletion: boolean): Verdict {
    const interval = this.#snapshots.length === 0 ? 0 : this.#intervalOf(sequence);
    if (!isNewKey && interval === this.#interval) return Verdict.drop;
    this.#interval = interval;
    if (!isDeletion) return Verdict.keep;
    this.#waiting = sequence;
    return Verdict.wait;
  }

  takeWaiting(): Sequence {
    const waiting = this.#waiting;
    this.#waiting = 0;
    return waiting;
  }

  endKey(key: Bytes): Sequence {
    const waiting = this.takeWaiting();
    return waiting !== 0 && this.#olderMayHold(key) ? waiting : 0;
  }

  #olderMayHold(key: Bytes): boolean {
    const older = this.#older;
    if (older === null) return true;
    while (this.#span < older.length && compareBytes(older[this.#span]!.largest, key) < 0) {
      this.#span += 1;
    }
    return this.#span < older.length && compareBytes(older[this.#span]!.smallest, key) <= 0;
  }

  /** Position of the first reader that can see this version; the last one is "now". */
  #intervalOf(sequence: Sequence): number {
    const snapshots = this.#snapshots;
    let from = 0;
    let before = snapshots.length;
    while (from < before) {
      const middle = (from + before) >>> 1;
      if (snapshots[middle]! < sequence) from = middle + 1;
      else before = middle;
    }
    return from;
  }
}

/**
 * What a serializable transaction has read: keys, and ranges with the gaps between their keys.
 *
 * A key that does not exist can be in no set of keys, so a scan is remembered as the range that it
 * has passed. It grows as the scan moves on: who stops early has not read the rest.
 *
 * Invariant: every key whose presence, absence or value the transaction may have used is in here.
 * Chapter: 06-mvcc, step 06.6
 */
import type { KeyText } from "./key-text.ts";

/** A range that a scan has passed. Null: no end on that side. */
interface ReadRange {
  from: KeyText | null;
  before: KeyText | null;
}

/** The reads of one transaction. */
export interface ReadSet {
  addKey(key: KeyText): void;
  /** Starts the range of a scan, empty at first. */
  startRange(scan: {
    readonly from: KeyText | null;
    readonly before: KeyText | null;
    readonly reverse: boolean;
  }): PassedRange;
  /** Whether a change to `key` changes what was read. */
  includes(key: KeyText): boolean;
}

/** The range of one scan. */
export interface PassedRange {
  /** The scan has come to this key. */
  passed(key: KeyText): void;
  /** The scan has come to its end. */
  ended(): void;
}

/** Makes an empty set. */
export function createReadSet(): ReadSet {
  return new Reads();
}

class Reads implements ReadSet {
  readonly #keys = new Set<KeyText>();
  readonly #ranges: ReadRange[] = [];

  addKey(key: KeyText): void {
    this.#keys.add(key);
  }

  startRange(scan: {
    readonly from: KeyText | null;
    readonly before: KeyText | null;
    readonly reverse: boolean;
  }): PassedRange {
    const { from, before, reverse } = scan;
    const start = reverse ? before : from;
    let range: ReadRange | null = null;
    const grow = (end: KeyText | null): void => {
      if (range === null) {
        range = { from: start, before: start };
        this.#ranges.push(range);
      }
      if (reverse) range.from = end;
      else range.before = end;
    };
    return {
      // Behind the key there may be another one that was not looked at.
      passed: (key) => grow(reverse ? key : textAfter(key)),
      ended: () => grow(reverse ? from : before),
    };
  }

  includes(key: KeyText): boolean {
    if (this.#keys.has(key)) return true;
    return this.#ranges.some(
      ({ from, before }) => (from === null || key >= from) && (before === null || key < before),
    );
  }
}

/** The lowest text above a key. */
function textAfter(key: KeyText): KeyText {
  return `${key}\0`;
}

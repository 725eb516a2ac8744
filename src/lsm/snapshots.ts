/**
 * The sequences at which somebody reads: open snapshots and iterators.
 *
 * Held in a list that is sorted by itself: a new reader reads at the newest sequence, which is at
 * or above all others. Invariant: ascending, without repeats, each with a count above 0.
 * Chapter: 04-lsm
 */
import { assert, type Sequence } from "#base";
import type { Snapshot } from "./types.ts";

interface Held {
  readonly sequence: Sequence;
  count: number;
}

/** Sequences that are held. */
export interface Snapshots {
  /** Highest sequence held; 0 when there is none. */
  readonly newest: Sequence;
  /** Snapshots that are open, without iterators. */
  readonly open: number;
  /** Ascending, without repeats. */
  list(): Sequence[];
  /** Holds a sequence until `release`. @param sequence - at or above `newest`, or held already. */
  hold(sequence: Sequence): void;
  release(sequence: Sequence): void;
  /** A snapshot for the caller. */
  take(sequence: Sequence): Snapshot;
  /**
   * The sequence of a caller's snapshot.
   *
   * @throws TypeError for one of another engine; RangeError for a closed one.
   */
  sequenceOf(snapshot: Snapshot): Sequence;
}

/** Nobody reads yet. */
export function createSnapshots(): Snapshots {
  return new HeldSequences();
}

class HeldSequences implements Snapshots {
  readonly #held: Held[] = [];
  newest: Sequence = 0;
  open = 0;

  list(): Sequence[] {
    return this.#held.map(({ sequence }) => sequence);
  }

  hold(sequence: Sequence): void {
    const last = this.#held[this.#held.length - 1];
    if (last === undefined || sequence > last.sequence) {
      this.#held.push({ sequence, count: 1 });
      this.newest = sequence;
      return;
    }
    const held = this.#held[this.#find(sequence)];
    assert(held !== undefined, `lsm: a reader at ${sequence} joins one that is held`);
    held.count += 1;
  }

  release(sequence: Sequence): void {
    const index = this.#find(sequence);
    const held = this.#held[index];
    assert(held !== undefined, `lsm: sequence ${sequence} is held`);
    held.count -= 1;
    if (held.count > 0) return;
    this.#held.splice(index, 1);
    this.newest = this.#held[this.#held.length - 1]?.sequence ?? 0;
  }

  take(sequence: Sequence): Snapshot {
    this.hold(sequence);
    this.open += 1;
    return new HeldSnapshot(this, sequence);
  }

  sequenceOf(snapshot: Snapshot): Sequence {
    if (!(snapshot instanceof HeldSnapshot) || snapshot.owner !== this) {
      throw new TypeError("lsm: snapshot: not one of this engine");
    }
    if (snapshot.isClosed) throw new RangeError("lsm: snapshot: closed");
    return snapshot.sequence;
  }

  /** The place of a held sequence, or -1. */
  #find(sequence: Sequence): number {
    let from = 0;
    let before = this.#held.length;
    while (from < before) {
      const middle = (from + before) >>> 1;
      if (this.#held[middle]!.sequence < sequence) from = middle + 1;
      else before = middle;
    }
    return this.#held[from]?.sequence === sequence ? from : -1;
  }
}

class HeldSnapshot implements Snapshot {
  readonly owner: HeldSequences;
  readonly sequence: Sequence;
  isClosed = false;

  constructor(owner: HeldSequences, sequence: Sequence) {
    this.owner = owner;
    this.sequence = sequence;
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.owner.open -= 1;
    this.owner.release(this.sequence);
  }
}

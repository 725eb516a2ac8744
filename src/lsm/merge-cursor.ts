/**
 * Merges cursors, newest first, into one.
 *
 * Order: key ascending; of equal keys, the newer cursor's entries first; within a cursor, its own
 * order. The rank of a cursor decides, never a sequence: every version in a newer source is newer
 * (L1), and that is what is true of them, whatever a table says of its sequences.
 *
 * When a source throws, the merged cursor passes that error on, once, and is at no entry from then
 * on, for good: the sources no longer stand where the merge thinks, and half a merge would show
 * versions that a lost one hides. Later moves do nothing; `close` works as ever.
 *
 * Invariant: going forward, each source is at its first entry behind the current one, and
 * `#order` holds those that have one, nearest first; going back, the mirror image.
 * Chapter: 04-lsm
 */
import type { Bytes, Cursor, Sequence } from "#base";
import { compareBytes } from "#bytes";
import { keyAfter, NO_BYTES } from "./held-bytes.ts";

/** Stands in for a source where there is no entry. */
const NOWHERE: Cursor = {
  valid: false,
  key: NO_BYTES,
  value: NO_BYTES,
  sequence: 0,
  isDeletion: false,
  seekFirst: () => {},
  seekLast: () => {},
  seek: () => {},
  seekBefore: () => {},
  next: () => {},
  prev: () => {},
  close: () => {},
};

/** Makes the cursor. It owns its sources from then on: closing it closes them. */
export function mergeCursors(newestFirst: readonly Cursor[]): Cursor {
  return new MergeCursor(newestFirst);
}

class MergeCursor implements Cursor {
  /** By rank: 0 is the newest. */
  readonly #sources: readonly Cursor[];
  /** By rank: the key that the source is at, as a view. */
  readonly #keys: Bytes[];
  /** Ranks of the sources that are at an entry; the first `#count` hold. */
  readonly #order: Int32Array;
  #count = 0;
  /** The source of the current entry: the one of rank `#order[0]`. */
  #top: Cursor = NOWHERE;
  /** 1: forward. -1: back. */
  #direction: 1 | -1 = 1;
  #failed = false;
  #closed = false;

  constructor(newestFirst: readonly Cursor[]) {
    this.#sources = [...newestFirst];
    this.#keys = newestFirst.map(() => NO_BYTES);
    this.#order = new Int32Array(newestFirst.length);
  }

  get valid(): boolean {
    return this.#count !== 0;
  }

  get key(): Bytes {
    return this.#count === 0 ? NO_BYTES : this.#keys[this.#order[0]!]!;
  }

  get value(): Bytes {
    return this.#top.value;
  }

  get sequence(): Sequence {
    return this.#top.sequence;
  }

  get isDeletion(): boolean {
    return this.#top.isDeletion;
  }

  seekFirst(): void {
    this.#seekAll(1, (source) => source.seekFirst());
  }

  seekLast(): void {
    this.#seekAll(-1, (source) => source.seekLast());
  }

  seek(key: Bytes): void {
    this.#seekAll(1, (source) => source.seek(key));
  }

  seekBefore(key: Bytes): void {
    this.#seekAll(-1, (source) => source.seekBefore(key));
  }

  next(): void {
    if (this.#count === 0) return;
    try {
      if (this.#direction !== 1) this.#turn(1);
      this.#top.next();
      this.#settleTop();
    } catch (error) {
      this.#fail();
      throw error;
    }
  }

  prev(): void {
    if (this.#count === 0) return;
    try {
      if (this.#direction !== -1) this.#turn(-1);
      this.#top.prev();
      this.#settleTop();
    } catch (error) {
      this.#fail();
      throw error;
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#fail();
    const errors: unknown[] = [];
    for (const source of this.#sources) {
      try {
        source.close();
      } catch (error) {
        errors.push(error);
      }
    }
    // The first says what went wrong; those behind it are most likely the same.
    if (errors.length > 0) throw errors[0];
  }

  #fail(): void {
    this.#failed = true;
    this.#empty();
  }

  #empty(): void {
    this.#count = 0;
    this.#top = NOWHERE;
  }

  #seekAll(direction: 1 | -1, seek: (source: Cursor) => void): void {
    if (this.#failed) return;
    try {
      for (const source of this.#sources) seek(source);
      this.#direction = direction;
      this.#arrange();
    } catch (error) {
      this.#fail();
      throw error;
    }
  }

  /**
   * Turns round at the current entry. The other sources are sent by key, not by a step: a memtable
   * that is being written may have got entries between where it stands and here.
   */
  #turn(direction: 1 | -1): void {
    const current = this.#order[0]!;
    const key = this.#keys[current]!;
    const after = keyAfter(key);
    const here = after.subarray(0, key.length);
    for (let rank = 0; rank < this.#sources.length; rank += 1) {
      if (rank === current) continue;
      // With the same key, a newer source comes before the current entry, an older one behind it.
      const border = rank < current ? after : here;
      if (direction === 1) this.#sources[rank]!.seek(border);
      else this.#sources[rank]!.seekBefore(border);
    }
    this.#direction = direction;
    this.#arrange(current);
  }

  /** Puts all sources in order; `first` is the nearest, whatever its key. */
  #arrange(first = -1): void {
    const order = this.#order;
    this.#count = 0;
    for (let rank = 0; rank < this.#sources.length; rank += 1) {
      const source = this.#sources[rank]!;
      if (!source.valid) continue;
      this.#keys[rank] = source.key;
      if (rank === first) continue;
      let place = this.#count;
      for (; place > 0 && this.#isBefore(rank, order[place - 1]!); place -= 1) {
        order[place] = order[place - 1]!;
      }
      order[place] = rank;
      this.#count += 1;
    }
    if (first >= 0) {
      order.copyWithin(1, 0, this.#count);
      order[0] = first;
      this.#count += 1;
    }
    this.#top = this.#count === 0 ? NOWHERE : this.#sources[order[0]!]!;
  }

  /** After the first source has moved: finds its new place among the others. */
  #settleTop(): void {
    const top = this.#top;
    const order = this.#order;
    const rank = order[0]!;
    if (!top.valid) {
      order.copyWithin(0, 1, this.#count);
      this.#count -= 1;
      this.#top = this.#count === 0 ? NOWHERE : this.#sources[order[0]!]!;
      return;
    }
    this.#keys[rank] = top.key;
    // Mostly one source, the oldest, has most entries: then it stays first, after one comparison.
    if (this.#count === 1 || this.#isBefore(rank, order[1]!)) return;
    let from = 2;
    let before = this.#count;
    while (from < before) {
      const middle = (from + before) >>> 1;
      if (this.#isBefore(rank, order[middle]!)) before = middle;
      else from = middle + 1;
    }
    for (let place = 1; place < from; place += 1) order[place - 1] = order[place]!;
    order[from - 1] = rank;
    this.#top = this.#sources[order[0]!]!;
  }

  /** Whether the entry of one source comes before that of another, in the direction of travel. */
  #isBefore(rank: number, other: number): boolean {
    const order = compareBytes(this.#keys[rank]!, this.#keys[other]!);
    return (order === 0 ? rank - other : order) * this.#direction < 0;
  }
}

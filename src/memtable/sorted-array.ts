/**
 * A sorted array of references: nothing is simpler, and below some thousand keys nothing is faster.
 *
 * Invariant: the keys of neighbours ascend. A new key moves all behind it, so that filling the
 * array takes time in the square of the number of keys, unless they come in order.
 * Chapter: 02-memtable, step 02.1
 */
import type { Bytes } from "#base";
import { compareKey, type Entries } from "./arena.ts";
import { type KeyOrder, NOWHERE, type OrderedKeys, type Position } from "./order.ts";

const LENGTH_INITIAL = 64;

/** Makes an empty array over the keys of an arena. */
export function createSortedArray(entries: Entries): KeyOrder {
  return new SortedArray(entries);
}

/** What is sorted already, to be walked and never written. */
export function openSortedArray(entries: Entries, references: Uint32Array): OrderedKeys {
  return new SortedArray(entries, references);
}

class SortedArray implements KeyOrder {
  keys = 0;
  changes = 0;
  readonly #entries: Entries;
  #references: Uint32Array;
  /** Where the last search has ended, and whether the key is there. */
  #at = 0;
  #isFound = false;

  constructor(entries: Entries, references?: Uint32Array) {
    this.#entries = entries;
    this.#references = references ?? new Uint32Array(LENGTH_INITIAL);
    if (references !== undefined) this.keys = references.length;
  }

  get bytes(): number {
    return this.keys * Uint32Array.BYTES_PER_ELEMENT;
  }

  find(key: Bytes): number {
    this.#search(key);
    return this.#isFound ? this.#references[this.#at]! : 0;
  }

  locate(key: Bytes): number {
    const last = this.keys - 1;
    if (last >= 0 && compareKey(this.#entries, key, this.#references[last]!, 0) > 0) {
      this.#at = this.keys;
      this.#isFound = false;
      return 0;
    }
    return this.find(key);
  }

  place(_key: Bytes, reference: number): void {
    if (!this.#isFound) {
      if (this.keys === this.#references.length) this.#grow();
      this.#references.copyWithin(this.#at + 1, this.#at, this.keys);
      this.keys += 1;
      this.changes += 1;
    }
    this.#references[this.#at] = reference;
  }

  first(): Position {
    return this.keys === 0 ? NOWHERE : 0;
  }

  last(): Position {
    return this.keys - 1;
  }

  atOrAbove(key: Bytes): Position {
    this.#search(key);
    return this.#at < this.keys ? this.#at : NOWHERE;
  }

  below(key: Bytes): Position {
    this.#search(key);
    return this.#at - 1;
  }

  after(position: Position): Position {
    return position + 1 < this.keys ? position + 1 : NOWHERE;
  }

  before(position: Position): Position {
    return position - 1;
  }

  referenceAt(position: Position): number {
    return this.#references[position]!;
  }

  copyReferences(target: Uint32Array): boolean {
    target.set(this.#references.subarray(0, this.keys));
    return true;
  }

  #search(key: Bytes): void {
    let low = 0;
    let high = this.keys;
    this.#isFound = false;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const order = compareKey(this.#entries, key, this.#references[middle]!, 0);
      if (order === 0) {
        this.#isFound = true;
        low = middle;
        break;
      }
      if (order > 0) low = middle + 1;
      else high = middle;
    }
    this.#at = low;
  }

  #grow(): void {
    const references = new Uint32Array(Math.max(LENGTH_INITIAL, this.#references.length * 2));
    references.set(this.#references);
    this.#references = references;
  }
}

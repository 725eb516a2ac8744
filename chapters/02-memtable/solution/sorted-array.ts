/**
 * A sorted array of entries: a search halves it again and again, a new key moves what is behind it.
 *
 * Invariant: the keys of neighbours ascend as bytes.
 * Chapter: 02-memtable, steps 02.1 and 02.4
 */
import type { Bytes } from "#base";
import { compareBytes, copyBytes } from "#bytes";
import type { KeyEntry, KeyOrder } from "./order.ts";

/** Makes an empty sorted array. */
export function createSortedArray(): KeyOrder {
  return new SortedArray();
}

class SortedArray implements KeyOrder {
  readonly #entries: KeyEntry[] = [];

  find(key: Bytes): KeyEntry | undefined {
    const entry = this.#entries[this.#placeOf(key)];
    return entry !== undefined && compareBytes(entry.key, key) === 0 ? entry : undefined;
  }

  findOrAdd(key: Bytes): KeyEntry {
    const known = this.find(key);
    if (known !== undefined) return known;
    const entry: KeyEntry = { key: copyBytes(key), newest: null };
    this.#entries.splice(this.#placeOf(key), 0, entry);
    return entry;
  }

  atOrAfter(key: Bytes): KeyEntry | undefined {
    return this.#entries[this.#placeOf(key)];
  }

  after(entry: KeyEntry): KeyEntry | undefined {
    // Where an entry stands changes whenever a key comes in below it: look for it by its key.
    return this.#entries[this.#placeOf(entry.key) + 1];
  }

  below(key?: Bytes): KeyEntry | undefined {
    const place = key === undefined ? this.#entries.length : this.#placeOf(key);
    return this.#entries[place - 1];
  }

  /** Where the key is, or where it would have to go: the number of keys below it. */
  #placeOf(key: Bytes): number {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareBytes(this.#entries[middle]!.key, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

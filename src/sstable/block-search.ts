/**
 * Which block may hold a key: a binary search over numbers.
 *
 * All keys between the smallest and the largest begin with what these two have in common. The six
 * bytes behind that make a number, the head. Searching compares heads, which lie side by side in
 * memory, and looks at bytes only where heads are equal.
 *
 * Invariant: the block found is the first whose separator is at or above the key, so it holds the
 * newest version of the key if the table has one (S7).
 * Chapter: 03-sstable
 */
import type { Bytes } from "#base";
import { compareBytes } from "#bytes";
import type { BlockList } from "./index-block.ts";
import { headOf, sharedBytes } from "./separator.ts";

/** Answers of {@link BlockSearch.headWithin} for keys that the table cannot have. */
export const BELOW = -1;
export const ABOVE = -2;

/** A table's index, ready to be searched. */
export type BlockSearch = Search;

/** Prepares a search. @param bounds - of the table; all separators lie within. */
export function createBlockSearch(
  blocks: BlockList,
  bounds: { readonly smallest: Bytes; readonly largest: Bytes },
): BlockSearch {
  return new Search(blocks, bounds.smallest, bounds.largest);
}

class Search {
  readonly #blocks: BlockList;
  readonly #smallest: Bytes;
  readonly #largest: Bytes;
  readonly #prefixBytes: number;
  /** Filled as searches come by, so that opening a table for one key is quick. 0: not known yet. */
  readonly #heads: Float64Array;
  readonly #headMin: number;
  readonly #headMax: number;

  constructor(blocks: BlockList, smallest: Bytes, largest: Bytes) {
    this.#blocks = blocks;
    this.#smallest = smallest;
    this.#largest = largest;
    const prefix = sharedBytes(smallest, largest);
    this.#prefixBytes = prefix;
    this.#headMin = headOf(smallest, prefix, smallest.length);
    this.#headMax = headOf(largest, prefix, largest.length);
    this.#heads = new Float64Array(blocks.count);
  }

  /** Bytes of memory for the search. */
  get memoryBytes(): number {
    return this.#heads.byteLength;
  }

  /** The head of a key within the table's bounds; else {@link BELOW} or {@link ABOVE}. */
  headWithin(key: Bytes): number {
    const prefixBytes = this.#prefixBytes;
    const smallest = this.#smallest;
    const stop = Math.min(prefixBytes, key.length);
    for (let i = 0; i < stop; i += 1) {
      if (key[i] !== smallest[i]) return key[i]! < smallest[i]! ? BELOW : ABOVE;
    }
    if (key.length < prefixBytes) return BELOW;
    const head = headOf(key, prefixBytes, key.length);
    if (head <= this.#headMin) {
      if (head < this.#headMin || compareBytes(key, smallest) < 0) return BELOW;
    }
    if (head >= this.#headMax) {
      if (head > this.#headMax || compareBytes(key, this.#largest) > 0) return ABOVE;
    }
    return head;
  }

  /** The first block whose separator is at or above the key. @param head - by headWithin. */
  find(key: Bytes, head: number): number {
    const heads = this.#heads;
    let low = 0;
    // The last separator is the largest key, so the answer is at most the last block.
    let high = heads.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = heads[middle]! || this.#headAt(middle);
      if (other < head || (other === head && this.#isBelow(middle, key))) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #headAt(block: number): number {
    const { keys, keyAt, keyBytes } = this.#blocks;
    const at = keyAt[block]!;
    const head = headOf(keys, at + this.#prefixBytes, at + keyBytes[block]!);
    this.#heads[block] = head;
    return head;
  }

  /** Whether a separator is below a key with the same prefix. */
  #isBelow(block: number, key: Bytes): boolean {
    const { keys, keyAt, keyBytes } = this.#blocks;
    const at = keyAt[block]!;
    const length = keyBytes[block]!;
    const stop = Math.min(length, key.length);
    for (let i = this.#prefixBytes; i < stop; i += 1) {
      const byte = keys[at + i]!;
      if (byte !== key[i]) return byte < key[i]!;
    }
    return length < key.length;
  }
}

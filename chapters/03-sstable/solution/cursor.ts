/**
 * Moves over the versions of a table, forwards and backwards.
 *
 * Invariant: a cursor is at a version of the block that it has read, or at none. A method that
 * throws leaves it at none.
 * Chapter: 03-sstable, step 03.8
 */
import { assert, type Bytes, type Cursor, type Sequence } from "#base";
import { compareBytes } from "#bytes";
import { findBlock, type IndexEntry } from "./sparse-index.ts";
import type { Version } from "./version.ts";

const NO_BYTES: Bytes = new Uint8Array(0);

/** Makes a cursor that is at no version. @param read - all versions of a block, in order. */
export function createTableCursor(
  index: readonly IndexEntry[],
  read: (block: number) => readonly Version[],
): Cursor {
  return new TableCursor(index, read);
}

class TableCursor implements Cursor {
  readonly #index: readonly IndexEntry[];
  readonly #read: (block: number) => readonly Version[];
  #block = 0;
  #versions: readonly Version[] = [];
  /** The version in the block; the cursor is valid if there is one of this number. */
  #at = 0;

  constructor(index: readonly IndexEntry[], read: (block: number) => readonly Version[]) {
    this.#index = index;
    this.#read = read;
  }

  get valid(): boolean {
    return this.#at >= 0 && this.#at < this.#versions.length;
  }

  get key(): Bytes {
    return this.#versions[this.#at]?.key ?? NO_BYTES;
  }

  get value(): Bytes {
    return this.#versions[this.#at]?.value ?? NO_BYTES;
  }

  get sequence(): Sequence {
    return this.#versions[this.#at]?.sequence ?? 0;
  }

  get isDeletion(): boolean {
    return this.#versions[this.#at]?.value === null;
  }

  seekFirst(): void {
    this.#enter(0);
    this.#at = 0;
  }

  seekLast(): void {
    this.#enter(this.#index.length - 1);
    this.#at = this.#versions.length - 1;
  }

  seek(key: Bytes): void {
    this.#enter(findBlock(this.#index, key));
    this.#at = this.#countBelow(key);
    if (this.#at === this.#versions.length) this.#enterNext();
  }

  seekBefore(key: Bytes): void {
    this.#enter(Math.min(findBlock(this.#index, key), this.#index.length - 1));
    this.#at = this.#countBelow(key) - 1;
    if (this.#at < 0) this.#enterPrevious();
  }

  next(): void {
    assert(this.valid, "sstable: a cursor moves on only from an entry");
    this.#at += 1;
    if (this.#at === this.#versions.length) this.#enterNext();
  }

  prev(): void {
    assert(this.valid, "sstable: a cursor moves back only from an entry");
    this.#at -= 1;
    if (this.#at < 0) this.#enterPrevious();
  }

  close(): void {
    this.#versions = [];
  }

  /** Reads a block; beyond the last one there is nothing. */
  #enter(block: number): void {
    // First of all no version: reading may throw.
    this.#versions = [];
    this.#block = block;
    if (block >= 0 && block < this.#index.length) this.#versions = this.#read(block);
  }

  #enterNext(): void {
    this.#enter(this.#block + 1);
    this.#at = 0;
  }

  #enterPrevious(): void {
    this.#enter(this.#block - 1);
    this.#at = this.#versions.length - 1;
  }

  /** Versions of the block whose key is below `key`. */
  #countBelow(key: Bytes): number {
    let low = 0;
    let high = this.#versions.length;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (compareBytes(this.#versions[middle]!.key, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

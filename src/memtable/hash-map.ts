/**
 * A hash table that knows no order, and makes it when somebody asks for it.
 *
 * Invariant: `#sorted` holds keys ascending, and misses only those that came since it was made.
 * Asking for a place brings it up to date; stepping on from a place does not.
 * Confessed: the hash is not keyed, so chosen keys can be made to collide, and then slow it down.
 * Chapter: 02-memtable
 */
import type { Bytes } from "#base";
import { compareEntries, compareKey, type Entries } from "./arena.ts";
import { doubled } from "./btree-nodes.ts";
import { type KeyOrder, NOWHERE, type Position } from "./order.ts";
import { sortIds } from "./sort.ts";

const SLOTS_INITIAL = 128;
/** FNV-1a with 32 bits. */
const FNV_START = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** Makes an empty hash table over the keys of an arena. */
export function createHashMap(entries: Entries): KeyOrder {
  return new HashMap(entries);
}

class HashMap implements KeyOrder {
  keys = 0;
  changes = 0;
  readonly #entries: Entries;
  /** Keys are numbered as they come: by number, the reference and the hash. */
  #references: Uint32Array = new Uint32Array(SLOTS_INITIAL / 2);
  #hashes: Uint32Array = new Uint32Array(SLOTS_INITIAL / 2);
  /** The number of a key plus 1, at or behind the slot that its hash says; 0 where free. */
  #slots: Uint32Array = new Uint32Array(SLOTS_INITIAL);
  /** Numbers of keys, in order of the keys. */
  #sorted: Uint32Array = new Uint32Array(0);
  /** Where the last search has ended: a slot, and the hash. */
  #slot = 0;
  #hash = 0;

  constructor(entries: Entries) {
    this.#entries = entries;
  }

  get bytes(): number {
    const words = this.keys * 2 + this.#slots.length + this.#sorted.length;
    return words * Uint32Array.BYTES_PER_ELEMENT;
  }

  find(key: Bytes): number {
    this.#search(key);
    const numbered = this.#slots[this.#slot]!;
    return numbered === 0 ? 0 : this.#references[numbered - 1]!;
  }

  locate(key: Bytes): number {
    // Room first, so that the slot that is found stays the right one.
    if (this.keys === this.#references.length) this.#grow();
    return this.find(key);
  }

  place(_key: Bytes, reference: number): void {
    const numbered = this.#slots[this.#slot]!;
    if (numbered !== 0) {
      this.#references[numbered - 1] = reference;
      return;
    }
    this.#references[this.keys] = reference;
    this.#hashes[this.keys] = this.#hash;
    this.keys += 1;
    this.#slots[this.#slot] = this.keys;
  }

  first(): Position {
    this.#sortNew();
    return this.keys === 0 ? NOWHERE : 0;
  }

  last(): Position {
    this.#sortNew();
    return this.keys - 1;
  }

  atOrAbove(key: Bytes): Position {
    this.#sortNew();
    const at = this.#placeOf(key);
    return at < this.keys ? at : NOWHERE;
  }

  below(key: Bytes): Position {
    this.#sortNew();
    return this.#placeOf(key) - 1;
  }

  after(position: Position): Position {
    return position + 1 < this.#sorted.length ? position + 1 : NOWHERE;
  }

  before(position: Position): Position {
    return position - 1;
  }

  referenceAt(position: Position): number {
    return this.#references[this.#sorted[position]!]!;
  }

  copyReferences(target: Uint32Array): boolean {
    target.set(this.#references.subarray(0, this.keys));
    return false;
  }

  #search(key: Bytes): void {
    let hash = FNV_START;
    for (let i = 0; i < key.length; i += 1) hash = Math.imul(hash ^ key[i]!, FNV_PRIME);
    hash >>>= 0;
    const slots = this.#slots;
    const mask = slots.length - 1;
    let slot = hash & mask;
    for (let numbered = slots[slot]!; numbered !== 0; numbered = slots[slot]!) {
      if (this.#hashes[numbered - 1] === hash) {
        const reference = this.#references[numbered - 1]!;
        if (compareKey(this.#entries, key, reference, 0) === 0) break;
      }
      slot = (slot + 1) & mask;
    }
    this.#slot = slot;
    this.#hash = hash;
  }

  /** Doubles everything. At most half of the slots are in use, so that searches end soon. */
  #grow(): void {
    this.#references = doubled(this.#references);
    this.#hashes = doubled(this.#hashes);
    const slots = new Uint32Array(this.#slots.length * 2);
    const mask = slots.length - 1;
    for (let id = 0; id < this.keys; id += 1) {
      let slot = this.#hashes[id]! & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = id + 1;
    }
    this.#slots = slots;
  }

  /** Sorts the keys that came since the last time, and merges them in. */
  #sortNew(): void {
    const known = this.#sorted;
    if (known.length === this.keys) return;
    const isNew = Uint32Array.from(
      { length: this.keys - known.length },
      (_, i) => known.length + i,
    );
    const added = sortIds(this.#entries, this.#references, isNew);
    const sorted = new Uint32Array(this.keys);
    let taken = 0;
    for (let i = 0; i < added.length; i += 1) {
      const before = this.#placeAmong(known, taken, this.#references[added[i]!]!);
      sorted.set(known.subarray(taken, before), taken + i);
      sorted[before + i] = added[i]!;
      taken = before;
    }
    sorted.set(known.subarray(taken), taken + added.length);
    this.#sorted = sorted;
    this.changes += 1;
  }

  /** Where a new key belongs in a sorted list, from `from` on. */
  #placeAmong(sorted: Uint32Array, from: number, reference: number): number {
    let low = from;
    let high = sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = this.#references[sorted[middle]!]!;
      if (compareEntries(this.#entries, reference, other) > 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The first place at or above a key. */
  #placeOf(key: Bytes): number {
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const reference = this.#references[this.#sorted[middle]!]!;
      if (compareKey(this.#entries, key, reference, 0) > 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

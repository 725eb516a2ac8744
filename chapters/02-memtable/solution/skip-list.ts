/**
 * A skip list: a sorted chain, and express lanes above it that stop at some of its towers.
 *
 * Invariant: each level is a chain with strictly ascending keys, and a part of the level below.
 * Chapter: 02-memtable, steps 02.2 and 02.4. Source: Pugh 1990
 */
import type { Bytes } from "#base";
import { compareBytes, copyBytes } from "#bytes";
import { drawHeight, SKIP_LEVELS_MAX } from "./heights.ts";
import type { KeyEntry, KeyOrder } from "./order.ts";

/** A skip list, with a look inside. */
export interface SkipList extends KeyOrder {
  /** The keys on each level in use, the lowest and fullest one first. Empty: no keys. */
  levels(): Bytes[][];
  /** Towers whose key the last search has compared. */
  readonly hops: number;
}

/** How a skip list is made. */
export interface SkipListOptions {
  /** The height of each new tower: 1 to `SKIP_LEVELS_MAX`. Default: drawn by chance. */
  readonly heightOf?: () => number;
}

/** Makes an empty skip list. */
export function createSkipList(options: SkipListOptions = {}): SkipList {
  return new Towers(options.heightOf ?? (() => drawHeight()));
}

/** An entry with its links: `next[level]` is the next tower that reaches that level. */
interface Tower extends KeyEntry {
  readonly next: (Tower | undefined)[];
}

class Towers implements SkipList {
  hops = 0;
  readonly #heightOf: () => number;
  /** Where every level starts. It stands below all keys, and has none itself. */
  readonly #head: Tower = { key: new Uint8Array(0), newest: null, next: [undefined] };
  /** For each level, the last tower below the key that was searched for. */
  readonly #path: Tower[] = new Array<Tower>(SKIP_LEVELS_MAX).fill(this.#head);

  constructor(heightOf: () => number) {
    this.#heightOf = heightOf;
  }

  find(key: Bytes): KeyEntry | undefined {
    const tower = this.#search(key);
    return tower !== undefined && compareBytes(tower.key, key) === 0 ? tower : undefined;
  }

  findOrAdd(key: Bytes): KeyEntry {
    const known = this.find(key);
    if (known !== undefined) return known;
    const height = this.#heightOf();
    const tower: Tower = { key: copyBytes(key), newest: null, next: [] };
    for (let level = 0; level < height; level += 1) {
      // On a level that was empty so far the path says the head, as it has from the start.
      const previous = this.#path[level]!;
      tower.next[level] = previous.next[level];
      previous.next[level] = tower;
    }
    return tower;
  }

  atOrAfter(key: Bytes): KeyEntry | undefined {
    return this.#search(key);
  }

  after(entry: KeyEntry): KeyEntry | undefined {
    return (entry as Tower).next[0];
  }

  below(key?: Bytes): KeyEntry | undefined {
    this.#search(key);
    const tower = this.#path[0]!;
    return tower === this.#head ? undefined : tower;
  }

  levels(): Bytes[][] {
    if (this.#head.next[0] === undefined) return [];
    return this.#head.next.map((first, level) => {
      const keys: Bytes[] = [];
      for (let tower = first; tower !== undefined; tower = tower.next[level]) keys.push(tower.key);
      return keys;
    });
  }

  /** Fills the path. @returns the first tower at or above `key`; without a key, none is. */
  #search(key?: Bytes): Tower | undefined {
    let at = this.#head;
    this.hops = 0;
    for (let level = this.#head.next.length - 1; level >= 0; level -= 1) {
      let next = at.next[level];
      while (next !== undefined && this.#isBelow(next, key)) {
        at = next;
        next = at.next[level];
      }
      this.#path[level] = at;
    }
    return this.#path[0]!.next[0];
  }

  #isBelow(tower: Tower, key: Bytes | undefined): boolean {
    this.hops += 1;
    return key === undefined || compareBytes(tower.key, key) < 0;
  }
}

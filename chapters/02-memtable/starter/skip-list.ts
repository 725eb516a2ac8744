/**
 * A skip list: a sorted chain, and express lanes above it that stop at some of its towers.
 *
 * Invariant: each level is a chain with strictly ascending keys, and a part of the level below.
 * Chapter: 02-memtable, steps 02.2 and 02.4. Source: Pugh 1990
 */
import { type Bytes, notWritten } from "#base";
import { drawHeight } from "./heights.ts";
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

class Towers implements SkipList {
  hops = 0;
  /** Ask it once for each new tower. */
  readonly heightOf: () => number;

  constructor(heightOf: () => number) {
    this.heightOf = heightOf;
  }

  find(_key: Bytes): KeyEntry | undefined {
    return notWritten("02.2", "Towers.find");
  }

  findOrAdd(_key: Bytes): KeyEntry {
    return notWritten("02.2", "Towers.findOrAdd");
  }

  levels(): Bytes[][] {
    return notWritten("02.2", "Towers.levels");
  }

  atOrAfter(_key: Bytes): KeyEntry | undefined {
    return notWritten("02.4", "Towers.atOrAfter");
  }

  after(_entry: KeyEntry): KeyEntry | undefined {
    return notWritten("02.4", "Towers.after");
  }

  below(_key?: Bytes): KeyEntry | undefined {
    return notWritten("02.4", "Towers.below");
  }
}

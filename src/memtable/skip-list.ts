/**
 * A skip list: a sorted chain with express lanes above it, whose stops are drawn by chance.
 *
 * A node is words in one array: the reference, then the next node on each of its levels. Its
 * height is 1, and one more with chance 1/4, and so on: it is found again only by following links.
 *
 * Invariant: each level is a chain with strictly ascending keys, and a part of the one below it.
 * Worst case: when all heights are equal a search meets every key. Chance makes that unlikely, and
 * nobody can force it who cannot foresee the draws.
 * Chapter: 02-memtable, steps 02.2 and 02.3. Source: Pugh 1990; LevelDB's 12 levels and 1 in 4.
 */
import type { Bytes } from "#base";
import { compareKey, type Entries, keyOf } from "./arena.ts";
import { doubled } from "./btree-nodes.ts";
import { type KeyOrder, NOWHERE, type Position } from "./order.ts";

/** 4^12 keys before the highest level holds more than one node or so. */
export const SKIP_LEVELS_MAX = 12;
/** Chance for one level more. Pugh: as fast as 1/2, with two thirds of the links. */
export const SKIP_CHANCE = 1 / 4;
const WORDS_INITIAL = 1024;
/** The links of the head, where every level starts. It has no key. */
const HEAD = 0;
const FIRST_NODE = 1 + SKIP_LEVELS_MAX;
const END = 0;
/** Any start but 0 will do; this one is the golden ratio in 32 bits. */
const XORSHIFT_START = 0x9e3779b9;
const TWO_32 = 2 ** 32;

/** A skip list, with a look inside for those who learn it. */
export interface SkipList extends KeyOrder {
  /** The references on each level in use, the lowest and fullest one first. */
  levels(): number[][];
  /** Nodes that the last search has looked at. */
  readonly hops: number;
}

/**
 * Makes an empty skip list over the keys of an arena.
 *
 * @param random - from 0 (included) to 1 (excluded). Default: a fixed series, the same for all, so
 * that an adversary who chooses keys by their heights could slow it down.
 */
export function createSkipList(entries: Entries, random: () => number = xorshift()): SkipList {
  return new LinkedTowers(entries, random);
}

/** Marsaglia's xorshift with 32 bits: three shifts, and good enough to draw heights. */
function xorshift(): () => number {
  let state = XORSHIFT_START;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / TWO_32;
  };
}

class LinkedTowers implements SkipList {
  keys = 0;
  /** Nodes never move, so a position is good for ever. */
  readonly changes = 0;
  hops = 0;
  readonly #entries: Entries;
  readonly #random: () => number;
  #words: Uint32Array = new Uint32Array(WORDS_INITIAL);
  #wordsUsed: number = FIRST_NODE;
  /** Levels in use. */
  #height = 1;
  /** For each level, the last node below the key that was searched for. */
  readonly #path = new Uint32Array(SKIP_LEVELS_MAX);
  /** The node with the key that was searched for, or `END`. */
  #found = END;

  constructor(entries: Entries, random: () => number) {
    this.#entries = entries;
    this.#random = random;
  }

  get bytes(): number {
    return this.#wordsUsed * Uint32Array.BYTES_PER_ELEMENT;
  }

  find(key: Bytes): number {
    this.#search(key);
    return this.#found === END ? 0 : this.#words[this.#found]!;
  }

  locate(key: Bytes): number {
    return this.find(key);
  }

  place(_key: Bytes, reference: number): void {
    if (this.#found !== END) {
      this.#words[this.#found] = reference;
      return;
    }
    const height = this.#drawHeight();
    // On levels that were empty so far the path says the head, as it has from the start.
    this.#height = Math.max(this.#height, height);
    const node = this.#wordsUsed;
    while (node + 1 + height > this.#words.length) this.#words = doubled(this.#words);
    this.#wordsUsed = node + 1 + height;
    const words = this.#words;
    words[node] = reference;
    for (let level = 0; level < height; level += 1) {
      const link = this.#path[level]! + 1 + level;
      words[node + 1 + level] = words[link]!;
      words[link] = node;
    }
    this.keys += 1;
  }

  first(): Position {
    return this.#orNowhere(this.#words[HEAD + 1]!);
  }

  last(): Position {
    const words = this.#words;
    let node = HEAD;
    for (let level = this.#height - 1; level >= 0; level -= 1) {
      while (words[node + 1 + level] !== END) node = words[node + 1 + level]!;
    }
    return this.#orNowhere(node);
  }

  atOrAbove(key: Bytes): Position {
    this.#search(key);
    return this.#orNowhere(this.#words[this.#path[0]! + 1]!);
  }

  below(key: Bytes): Position {
    this.#search(key);
    return this.#orNowhere(this.#path[0]!);
  }

  after(position: Position): Position {
    return this.#orNowhere(this.#words[position + 1]!);
  }

  /** Links lead forwards only, so going back is a search. */
  before(position: Position): Position {
    return this.below(keyOf(this.#entries, this.#words[position]!));
  }

  referenceAt(position: Position): number {
    return this.#words[position]!;
  }

  copyReferences(target: Uint32Array): boolean {
    const words = this.#words;
    let copied = 0;
    for (let node = words[HEAD + 1]!; node !== END; node = words[node + 1]!) {
      target[copied] = words[node]!;
      copied += 1;
    }
    return true;
  }

  levels(): number[][] {
    return Array.from({ length: this.#height }, (_, level) => {
      const references: number[] = [];
      let node = this.#words[HEAD + 1 + level]!;
      for (; node !== END; node = this.#words[node + 1 + level]!) {
        references.push(this.#words[node]!);
      }
      return references;
    });
  }

  #search(key: Bytes): void {
    const words = this.#words;
    let node = HEAD;
    let hops = 0;
    let known = END;
    let isEqual = false;
    for (let level = this.#height - 1; level >= 0; level -= 1) {
      for (;;) {
        const next = words[node + 1 + level]!;
        // A tower that stopped the search one level higher stops it here as well.
        if (next === END || next === known) break;
        hops += 1;
        const order = compareKey(this.#entries, key, words[next]!, 0);
        if (order <= 0) {
          known = next;
          isEqual = order === 0;
          break;
        }
        node = next;
      }
      this.#path[level] = node;
    }
    this.#found = isEqual ? known : END;
    this.hops = hops;
  }

  #drawHeight(): number {
    let height = 1;
    while (height < SKIP_LEVELS_MAX && this.#random() < SKIP_CHANCE) height += 1;
    return height;
  }

  #orNowhere(node: number): Position {
    return node === END ? NOWHERE : node;
  }
}

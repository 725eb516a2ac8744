/**
 * Nodes of the B+ tree, all of one kind in flat arrays: slot `i` of node `n` is at `n * SLOTS + i`.
 *
 * A node holds the keys from its lower fence (included) to its upper fence (excluded). Every key
 * between two fences starts with what these two share, so a node may leave those bytes out of its
 * heads, and never has to check that a key has them.
 *
 * Invariant: the heads of a node are those behind its `skips` bytes, which all its keys share.
 * Chapter: 02-memtable
 */
import type { Entries } from "./arena.ts";
import { headOfEntry } from "./heads.ts";

/** Keys in a node. Measured: 32 needs more levels, 128 moves more at each insertion. */
export const SLOTS = 64;
const BYTES_PER_SLOT = Float64Array.BYTES_PER_ELEMENT + Uint32Array.BYTES_PER_ELEMENT;
const WORDS_PER_NODE = 6;

/** Leaves, or inner nodes. */
export interface NodePool {
  heads: Float64Array;
  /** In a leaf the entry, in an inner node an entry that has the child's lowest possible key. */
  references: Uint32Array;
  /** In an inner node the child of each slot; leaves have none. */
  children: Uint32Array;
  counts: Uint32Array;
  skips: Uint32Array;
  /** Fences, as references to entries that have the key; 0 where there is no end. */
  lowers: Uint32Array;
  uppers: Uint32Array;
  /** Neighbours of a leaf, plus 1; 0 where there is none. */
  nexts: Uint32Array;
  previous: Uint32Array;
  nodes: number;
}

/** Makes a pool without nodes. */
export function createNodePool(kind: "leaves" | "inner"): NodePool {
  const nodes = 2;
  return {
    heads: new Float64Array(nodes * SLOTS),
    references: new Uint32Array(nodes * SLOTS),
    children: new Uint32Array(kind === "inner" ? nodes * SLOTS : 0),
    counts: new Uint32Array(nodes),
    skips: new Uint32Array(nodes),
    lowers: new Uint32Array(nodes),
    uppers: new Uint32Array(nodes),
    nexts: new Uint32Array(nodes),
    previous: new Uint32Array(nodes),
    nodes: 0,
  };
}

/** Memory that the nodes in use take. */
export function bytesOfPool(pool: NodePool): number {
  return pool.nodes * (SLOTS * BYTES_PER_SLOT + WORDS_PER_NODE * Uint32Array.BYTES_PER_ELEMENT);
}

/** Adds an empty node. @returns its number. */
export function addNode(pool: NodePool): number {
  if (pool.nodes === pool.counts.length) {
    pool.heads = doubledFloats(pool.heads);
    for (const name of WORD_ARRAYS) pool[name] = doubled(pool[name]);
  }
  pool.nodes += 1;
  return pool.nodes - 1;
}

const WORD_ARRAYS = [
  "references",
  "children",
  "counts",
  "skips",
  "lowers",
  "uppers",
  "nexts",
  "previous",
] as const;

/** The same numbers in an array of twice the length. */
export function doubled(old: Uint32Array): Uint32Array {
  const array = new Uint32Array(old.length * 2);
  array.set(old);
  return array;
}

function doubledFloats(old: Float64Array): Float64Array {
  const array = new Float64Array(old.length * 2);
  array.set(old);
  return array;
}

/**
 * Puts a reference with its head into a slot, and moves what is there, and behind it, one slot on.
 * There must be a free slot. The arguments are not one object because this is done for each key.
 */
export function insertSlot(
  pool: NodePool,
  node: number,
  slot: number,
  reference: number,
  head: number,
): void {
  const { heads, references } = pool;
  const at = node * SLOTS + slot;
  const end = node * SLOTS + pool.counts[node]!;
  for (let i = end; i > at; i -= 1) {
    heads[i] = heads[i - 1]!;
    references[i] = references[i - 1]!;
  }
  heads[at] = head;
  references[at] = reference;
  pool.counts[node] = end - node * SLOTS + 1;
}

/** Moves the slots from `from` on into `right`, an empty node, and takes it in between. */
export function splitNode(pool: NodePool, node: number, right: number, from: number): void {
  const [start, before] = [node * SLOTS + from, node * SLOTS + pool.counts[node]!];
  pool.heads.copyWithin(right * SLOTS, start, before);
  pool.references.copyWithin(right * SLOTS, start, before);
  if (pool.children.length > 0) pool.children.copyWithin(right * SLOTS, start, before);
  pool.counts[right] = before - start;
  pool.counts[node] = from;
  pool.skips[right] = pool.skips[node]!;
  pool.uppers[right] = pool.uppers[node]!;
  const next = pool.nexts[node]!;
  pool.nexts[right] = next;
  pool.previous[right] = node + 1;
  pool.nexts[node] = right + 1;
  if (next !== 0) pool.previous[next - 1] = right + 1;
}

/** Tells whether two neighbours in a node have the same head, so that only their keys differ. */
export function hasTies(pool: NodePool, node: number): boolean {
  const { heads } = pool;
  const before = node * SLOTS + pool.counts[node]!;
  for (let i = node * SLOTS + 1; i < before; i += 1) {
    if (heads[i] === heads[i - 1]) return true;
  }
  return false;
}

/** Takes the heads of a node anew, behind `skip` bytes that all its keys share. */
export function takeHeads(pool: NodePool, node: number, skip: number, entries: Entries): void {
  pool.skips[node] = skip;
  const start = node * SLOTS;
  for (let i = start; i < start + pool.counts[node]!; i += 1) {
    const reference = pool.references[i]!;
    // The leftmost child of all has no lowest key, and its head is never looked at.
    pool.heads[i] = reference === 0 ? 0 : headOfEntry(entries, reference, skip);
  }
}

/**
 * A B+ tree in memory that keeps its keys in the arena and looks at them as little as it can.
 *
 * A search compares heads (see heads.ts), which lie side by side in one array, and follows a
 * reference to a key only where heads are equal. At the edges of the tree, where a node has no
 * fence, heads leave out what all keys of the tree share; when a key comes that does not share it,
 * only the nodes at the edges take their heads anew.
 *
 * Invariant: `skips` of a node is at most what its fences share, or, without fences, what all keys
 * share. Leaves are linked in order; all are at the same depth.
 * Chapter: 02-memtable
 */
import type { Bytes } from "#base";
import { copyBytes } from "#bytes";
import { compareKey, type Entries, sharedBytes } from "./arena.ts";
import {
  addNode,
  bytesOfPool,
  createNodePool,
  hasTies,
  insertSlot,
  type NodePool,
  SLOTS,
  splitNode,
  takeHeads,
} from "./btree-nodes.ts";
import { HEAD_BYTES, headOf, headOfEntry } from "./heads.ts";
import { type KeyOrder, NOWHERE, type Position } from "./order.ts";

/** Inner nodes have 32 children or more, so ten levels hold more keys than there are references. */
const LEVELS_MAX = 10;

/** Makes an empty tree over the keys of an arena. */
export function createBTree(entries: Entries): KeyOrder {
  return new BTree(entries);
}

class BTree implements KeyOrder {
  keys = 0;
  changes = 0;
  readonly #entries: Entries;
  readonly #leaves: NodePool = createNodePool("leaves");
  readonly #inner: NodePool = createNodePool("inner");
  #root = 0;
  /** Levels of inner nodes. */
  #levels = 0;
  /** The leftmost leaf stays the one that was made first. */
  readonly #firstLeaf: number = addNode(this.#leaves);
  #lastLeaf: number = this.#firstLeaf;
  /** What all keys share: the first bytes of this. */
  #prefix: Bytes = new Uint8Array(0);
  #prefixBytes = 0;
  /** Whether the last new key was the largest: then the next one may be too. */
  #isAppending = false;
  /** Where the last descent has ended, and whether the key is there. */
  #leaf = 0;
  #slot = 0;
  #isFound = false;
  /** The inner nodes that it went through, root first, and the slots that it took. */
  readonly #pathNodes = new Uint32Array(LEVELS_MAX);
  readonly #pathSlots = new Uint32Array(LEVELS_MAX);

  constructor(entries: Entries) {
    this.#entries = entries;
  }

  get bytes(): number {
    return bytesOfPool(this.#leaves) + bytesOfPool(this.#inner);
  }

  find(key: Bytes): number {
    if (this.#sharedPrefix(key) < this.#prefixBytes) return 0;
    this.#descend(key);
    return this.#isFound ? this.#leaves.references[this.#leaf * SLOTS + this.#slot]! : 0;
  }

  locate(key: Bytes): number {
    if (this.keys === 0) this.#keepPrefix(key);
    const shared = this.#sharedPrefix(key);
    if (shared < this.#prefixBytes) this.#shrinkPrefix(shared);
    if (this.#isAppending && this.#isBehindLast(key)) return 0;
    this.#descend(key);
    return this.#isFound ? this.#leaves.references[this.#leaf * SLOTS + this.#slot]! : 0;
  }

  place(key: Bytes, reference: number): void {
    const leaves = this.#leaves;
    if (this.#isFound) {
      leaves.references[this.#leaf * SLOTS + this.#slot] = reference;
      return;
    }
    this.keys += 1;
    this.changes += 1;
    const [leaf, slot] = [this.#leaf, this.#slot];
    const count = leaves.counts[leaf]!;
    this.#isAppending = slot === count && leaf === this.#lastLeaf;
    if (count === SLOTS) {
      this.#splitLeaf(key, reference);
      return;
    }
    const head = headOf(key, leaves.skips[leaf]!, key.length);
    insertSlot(leaves, leaf, slot, reference, head);
  }

  first(): Position {
    return this.keys === 0 ? NOWHERE : this.#firstLeaf * SLOTS;
  }

  last(): Position {
    return this.keys === 0 ? NOWHERE : this.#lastOf(this.#lastLeaf);
  }

  atOrAbove(key: Bytes): Position {
    const side = this.#sideOf(key);
    if (side !== 0) return side < 0 ? this.first() : NOWHERE;
    this.#descend(key);
    if (this.#slot < this.#leaves.counts[this.#leaf]!) return this.#leaf * SLOTS + this.#slot;
    const next = this.#leaves.nexts[this.#leaf]!;
    return next === 0 ? NOWHERE : (next - 1) * SLOTS;
  }

  below(key: Bytes): Position {
    const side = this.#sideOf(key);
    if (side !== 0) return side < 0 ? NOWHERE : this.last();
    this.#descend(key);
    return this.#before(this.#leaf, this.#slot);
  }

  after(position: Position): Position {
    const leaf = Math.floor(position / SLOTS);
    if (position + 1 < leaf * SLOTS + this.#leaves.counts[leaf]!) return position + 1;
    const next = this.#leaves.nexts[leaf]!;
    return next === 0 ? NOWHERE : (next - 1) * SLOTS;
  }

  before(position: Position): Position {
    const leaf = Math.floor(position / SLOTS);
    return this.#before(leaf, position - leaf * SLOTS);
  }

  referenceAt(position: Position): number {
    return this.#leaves.references[position]!;
  }

  copyReferences(target: Uint32Array): boolean {
    const { references, counts, nexts } = this.#leaves;
    let copied = 0;
    for (let leaf = this.#firstLeaf; leaf >= 0; leaf = nexts[leaf]! - 1) {
      const start = leaf * SLOTS;
      target.set(references.subarray(start, start + counts[leaf]!), copied);
      copied += counts[leaf]!;
    }
    return true;
  }

  /** Goes down to the leaf and slot of a key that shares the prefix of all keys. */
  #descend(key: Bytes): void {
    let node = this.#root;
    let skip = -1;
    let head = 0;
    for (let level = 0; level < this.#levels; level += 1) {
      const nodeSkip = this.#inner.skips[node]!;
      if (nodeSkip !== skip) {
        skip = nodeSkip;
        head = headOf(key, skip, key.length);
      }
      // The leftmost child takes whatever is below the second one's lowest key.
      let slot = this.#search(this.#inner, node, 1, key, head);
      if (!this.#isFound) slot -= 1;
      this.#pathNodes[level] = node;
      this.#pathSlots[level] = slot;
      node = this.#inner.children[node * SLOTS + slot]!;
    }
    const leafSkip = this.#leaves.skips[node]!;
    if (leafSkip !== skip) head = headOf(key, leafSkip, key.length);
    this.#leaf = node;
    this.#slot = this.#search(this.#leaves, node, 0, key, head);
  }

  /** The first slot of a node, from `from` on, whose key is at or above `key`. */
  #search(pool: NodePool, node: number, from: number, key: Bytes, head: number): number {
    const { heads } = pool;
    const start = node * SLOTS;
    const end = start + pool.counts[node]!;
    let low = start + from;
    // Halves without a branch: which way a search goes is what a processor cannot foresee.
    let count = end - low;
    while (count > 1) {
      const half = count >>> 1;
      low += half & -(heads[low + half - 1]! < head);
      count -= half;
    }
    if (count === 1) low += +(heads[low]! < head);
    this.#isFound = false;
    if (low < end && heads[low] === head) low = this.#searchTies(pool, node, low, key, head);
    return low - start;
  }

  /** Continues a search among neighbours with the same head, by their keys. */
  #searchTies(pool: NodePool, node: number, from: number, key: Bytes, head: number): number {
    const end = node * SLOTS + pool.counts[node]!;
    const known = pool.skips[node]! + HEAD_BYTES;
    let low = from;
    let high = from + 1;
    while (high < end && pool.heads[high] === head) high += 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const order = compareKey(this.#entries, key, pool.references[middle]!, known);
      if (order === 0) {
        this.#isFound = true;
        return middle;
      }
      if (order > 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Splits the full leaf that was descended to, and puts the key into the half that it is for. */
  #splitLeaf(key: Bytes, reference: number): void {
    const leaves = this.#leaves;
    const [leaf, slot] = [this.#leaf, this.#slot];
    // Keys that come in order leave full leaves behind.
    const from = this.#isAppending ? SLOTS : SLOTS / 2;
    const right = addNode(leaves);
    splitNode(leaves, leaf, right, from);
    if (leaf === this.#lastLeaf) this.#lastLeaf = right;
    const goesRight = slot > from || from === SLOTS;
    const target = goesRight ? right : leaf;
    const head = headOf(key, leaves.skips[target]!, key.length);
    insertSlot(leaves, target, goesRight ? slot - from : slot, reference, head);
    this.#setFence(leaves, leaf, right);
    this.#addChild(this.#levels - 1, leaf, right);
  }

  /** The lowest key of a new right half is the fence between the halves. */
  #setFence(pool: NodePool, left: number, right: number): void {
    const fence = pool.references[right * SLOTS]!;
    pool.uppers[left] = fence;
    pool.lowers[right] = fence;
    this.#sharpen(pool, left);
    this.#sharpen(pool, right);
  }

  /** Where heads are equal in a node, leaves out as much as its keys share, to tell them apart. */
  #sharpen(pool: NodePool, node: number): void {
    if (!hasTies(pool, node)) return;
    const [lower, upper] = [pool.lowers[node]!, pool.uppers[node]!];
    const isEdge = lower === 0 || upper === 0;
    const shared = isEdge ? this.#prefixBytes : sharedBytes(this.#entries, lower, upper);
    if (shared > pool.skips[node]!) takeHeads(pool, node, shared, this.#entries);
  }

  /** Makes `right` known to the inner node at a level of the path, behind `left`. */
  #addChild(level: number, left: number, right: number): void {
    const inner = this.#inner;
    const pool = level === this.#levels - 1 ? this.#leaves : inner;
    const fence = pool.lowers[right]!;
    if (level < 0) {
      this.#addRoot(left, right, fence);
      return;
    }
    const node = this.#pathNodes[level]!;
    const slot = this.#pathSlots[level]! + 1;
    if (inner.counts[node]! < SLOTS) {
      this.#insertChild(node, slot, fence, right);
      return;
    }
    const from = this.#isAppending ? SLOTS : SLOTS / 2;
    const half = addNode(inner);
    splitNode(inner, node, half, from);
    const goesRight = slot > from || from === SLOTS;
    this.#insertChild(goesRight ? half : node, goesRight ? slot - from : slot, fence, right);
    this.#setFence(inner, node, half);
    this.#addChild(level - 1, node, half);
  }

  #insertChild(node: number, slot: number, fence: number, child: number): void {
    const inner = this.#inner;
    const start = node * SLOTS;
    inner.children.copyWithin(start + slot + 1, start + slot, start + inner.counts[node]!);
    inner.children[start + slot] = child;
    const head = fence === 0 ? 0 : headOfEntry(this.#entries, fence, inner.skips[node]!);
    insertSlot(inner, node, slot, fence, head);
  }

  #addRoot(left: number, right: number, fence: number): void {
    const root = addNode(this.#inner);
    this.#inner.skips[root] = this.#prefixBytes;
    this.#insertChild(root, 0, 0, left);
    this.#insertChild(root, 1, fence, right);
    this.#root = root;
    this.#levels += 1;
  }

  /** Finds out cheaply that a key goes to the end of the last leaf, and that there is room. */
  #isBehindLast(key: Bytes): boolean {
    const leaves = this.#leaves;
    const count = leaves.counts[this.#lastLeaf]!;
    if (count === SLOTS) return false;
    const last = leaves.references[this.#lastLeaf * SLOTS + count - 1]!;
    if (compareKey(this.#entries, key, last, this.#prefixBytes) <= 0) return false;
    this.#leaf = this.#lastLeaf;
    this.#slot = count;
    this.#isFound = false;
    return true;
  }

  #keepPrefix(key: Bytes): void {
    this.#prefix = copyBytes(key);
    this.#prefixBytes = key.length;
    this.#leaves.skips[this.#firstLeaf] = key.length;
  }

  /** How much of what all keys share `key` has too. */
  #sharedPrefix(key: Bytes): number {
    const prefix = this.#prefix;
    const count = Math.min(key.length, this.#prefixBytes);
    let i = 0;
    while (i < count && key[i] === prefix[i]) i += 1;
    return i;
  }

  /** Below 0: the key comes before all keys; above 0: behind all; 0: it shares their prefix. */
  #sideOf(key: Bytes): number {
    if (this.keys === 0) return 1;
    const shared = this.#sharedPrefix(key);
    if (shared === this.#prefixBytes) return 0;
    return shared === key.length ? -1 : key[shared]! - this.#prefix[shared]!;
  }

  /** All keys share less from now on. Only the nodes at the edges stood on that. */
  #shrinkPrefix(prefixBytes: number): void {
    this.#prefixBytes = prefixBytes;
    let left = this.#root;
    let right = this.#root;
    for (let level = 0; level < this.#levels; level += 1) {
      this.#shrinkSkip(this.#inner, left);
      this.#shrinkSkip(this.#inner, right);
      left = this.#inner.children[left * SLOTS]!;
      right = this.#inner.children[right * SLOTS + this.#inner.counts[right]! - 1]!;
    }
    this.#shrinkSkip(this.#leaves, left);
    this.#shrinkSkip(this.#leaves, right);
  }

  #shrinkSkip(pool: NodePool, node: number): void {
    if (pool.skips[node]! <= this.#prefixBytes) return;
    takeHeads(pool, node, this.#prefixBytes, this.#entries);
  }

  #before(leaf: number, slot: number): Position {
    if (slot > 0) return leaf * SLOTS + slot - 1;
    const previous = this.#leaves.previous[leaf]!;
    return previous === 0 ? NOWHERE : this.#lastOf(previous - 1);
  }

  #lastOf(leaf: number): Position {
    return leaf * SLOTS + this.#leaves.counts[leaf]! - 1;
  }
}

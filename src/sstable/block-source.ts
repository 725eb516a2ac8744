/**
 * Gets the data blocks of one table: from the cache, or from the file with a check.
 *
 * The block that was loaded last lies in `bytes`, from `from` on, `size` bytes of it. It stays
 * there until the next block is loaded by anybody on this thread: lookups copy what they need
 * before.
 *
 * Invariant: a block is checked when it comes from the file, and only then (S3).
 * Chapter: 03-sstable
 */
import type { Bytes } from "#base";
import { ABSENT, SLOT_BYTES, type SlabCache } from "./block-cache.ts";
import { inflateBlock } from "./compression.ts";
import { sstableCorrupt } from "./corruption.ts";
import { type BlockList, contentBytes } from "./index-block.ts";
import type { TableFile } from "./parts.ts";
import { BlockType, blockSeed, checkBlock, TRAILER_BYTES, tableSeed } from "./trailer.ts";

/** What lookups and cursors have cost. */
export interface ReadCounts {
  blocks: number;
  bytes: number;
  filtered: number;
}

/** A larger block gets an array that is dropped after use. */
const SCRATCH_BYTES_MAX = 1024 * 1024;
/** Where a block lies that is not kept: one for all tables of the thread. */
let scratch: Bytes = new Uint8Array(2 * SLOT_BYTES);

export type BlockSource = Source;

export function createBlockSource(
  file: TableFile,
  id: number,
  blocks: BlockList,
  cache: SlabCache | null,
): BlockSource {
  return new Source(file, id, blocks, cache);
}

class Source {
  /** The block loaded last. */
  bytes: Bytes = scratch;
  from = 0;
  size = 0;

  readonly blocks: BlockList;
  /** Where the cache has each block. */
  readonly slots: Int32Array;
  readonly reads: ReadCounts = { blocks: 0, bytes: 0, filtered: 0 };
  readonly #file: TableFile;
  readonly #seed: number;
  readonly #cache: SlabCache | null;

  constructor(file: TableFile, id: number, blocks: BlockList, cache: SlabCache | null) {
    this.#file = file;
    this.#seed = tableSeed(id);
    this.blocks = blocks;
    this.#cache = cache;
    this.slots = new Int32Array(cache === null ? 0 : blocks.count).fill(ABSENT);
  }

  /** Loads a block. @throws `SSTABLE_CORRUPT`, disk errors. */
  load(block: number, fillCache: boolean): void {
    const cache = this.#cache;
    if (cache === null) return this.#loadUncached(block);
    const slot = this.slots[block]!;
    if (slot >= 0) {
      cache.hits += 1;
      cache.referenced[slot] = 1;
      this.bytes = cache.chunks[slot >>> cache.shift]!;
      this.from = (slot & cache.mask) * SLOT_BYTES;
      this.size = cache.sizes[slot]!;
    } else if (slot === ABSENT) {
      cache.misses += 1;
      if (fillCache) this.#loadInto(cache, block);
      else this.#loadUncached(block);
    } else {
      const large = cache.largeAt(slot);
      cache.hits += 1;
      large.referenced = true;
      this.#point(large.bytes, 0, large.size);
    }
  }

  /** Whether the cache has a block. */
  isCached(block: number): boolean {
    return this.#cache !== null && this.slots[block] !== ABSENT;
  }

  /** Reads blocks from `first` to `before` with one call, unchecked, to `target` at `from`. */
  readRun(first: number, before: number, target: Bytes, from: number): void {
    const { offsets } = this.blocks;
    const offset = offsets[first]!;
    const count = offsets[before]! - offset;
    this.#read(offset, target.subarray(from, from + count), before - first);
  }

  /** Checks a block that lies in `bytes`, and makes it the one that is loaded. */
  open(block: number, bytes: Bytes, from: number): void {
    const size = contentBytes(this.blocks, block);
    const type = this.#check(block, bytes, from, size);
    if (type === BlockType.plain) this.#point(bytes, from, size);
    else this.#pointAtInflated(block, bytes.subarray(from, from + size));
  }

  /** Gives the cache back what it holds of this table. */
  close(): void {
    this.#cache?.release(this);
  }

  /** The error for a block that contradicts itself although its checksum is right. */
  contradiction(block: number): Error {
    return this.#corrupt(block, "the block contradicts itself");
  }

  #loadUncached(block: number): void {
    const stored = contentBytes(this.blocks, block) + TRAILER_BYTES;
    const target = scratchOf(stored);
    this.readRun(block, block + 1, target, 0);
    this.open(block, target, 0);
  }

  #loadInto(cache: SlabCache, block: number): void {
    const size = contentBytes(this.blocks, block);
    if (size + TRAILER_BYTES > SLOT_BYTES) return this.#loadLarge(cache, block);
    const slot = cache.take();
    if (slot === ABSENT) return this.#loadUncached(block);
    const bytes = cache.chunks[slot >>> cache.shift]!;
    const from = (slot & cache.mask) * SLOT_BYTES;
    let kept = 0;
    try {
      this.readRun(block, block + 1, bytes, from);
      this.open(block, bytes, from);
      kept = this.bytes === bytes ? this.size : this.#moveTo(bytes, from);
    } finally {
      if (kept === 0) cache.giveBack(slot);
    }
    if (kept > 0) cache.commit(slot, kept, this, block);
    else this.#keepLoaded(cache, block);
  }

  /** Moves the loaded block, which was deflated, into a slot. @returns its size; 0: too large. */
  #moveTo(bytes: Bytes, from: number): number {
    if (this.size > SLOT_BYTES) return 0;
    bytes.set(this.bytes, from);
    this.#point(bytes, from, this.size);
    return this.size;
  }

  #loadLarge(cache: SlabCache, block: number): void {
    const stored = contentBytes(this.blocks, block) + TRAILER_BYTES;
    if (!cache.fitsLarge(stored)) return this.#loadUncached(block);
    const own = new Uint8Array(stored);
    this.readRun(block, block + 1, own, 0);
    this.open(block, own, 0);
    this.#keepLoaded(cache, block);
  }

  /** Keeps the loaded block, which lies in an array of its own. */
  #keepLoaded(cache: SlabCache, block: number): void {
    if (cache.fitsLarge(this.bytes.length)) cache.keepLarge(this.bytes, this.size, this, block);
  }

  #point(bytes: Bytes, from: number, size: number): void {
    this.bytes = bytes;
    this.from = from;
    this.size = size;
  }

  #pointAtInflated(block: number, stored: Bytes): void {
    const plain = inflateBlock(stored);
    if (typeof plain === "string") throw this.#corrupt(block, plain);
    this.#point(plain, 0, plain.length);
  }

  #check(block: number, bytes: Bytes, from: number, size: number): BlockType {
    const seed = blockSeed(this.#seed, this.blocks.offsets[block]!);
    const type = checkBlock(bytes, from, size, seed);
    if (typeof type === "string") throw this.#corrupt(block, type);
    return type;
  }

  #read(offset: number, target: Bytes, blocks: number): void {
    const got = this.#file.handle.read(offset, target);
    this.reads.blocks += blocks;
    this.reads.bytes += got;
    if (got === target.length) return;
    const place = { path: this.#file.path, offset: offset + got };
    throw sstableCorrupt(place, "the file has become shorter");
  }

  #corrupt(block: number, problem: string): Error {
    const place = { path: this.#file.path, offset: this.blocks.offsets[block]! };
    return sstableCorrupt(place, `block ${block}: ${problem}`);
  }
}

/** Room for a block that nobody keeps. The size was compared with the file's. */
function scratchOf(bytes: number): Bytes {
  if (bytes <= scratch.length) return scratch;
  if (bytes > SCRATCH_BYTES_MAX) return new Uint8Array(bytes);
  scratch = new Uint8Array(Math.min(SCRATCH_BYTES_MAX, bytes * 2));
  return scratch;
}

/**
 * Blocks in memory: slots of one size in a few large arrays, so that a hit costs two array reads
 * and the garbage collector has nothing to look at.
 *
 * Each table keeps, for each of its blocks, the number of its slot. The slot knows table and block
 * in turn, to tell them when it is given to another (CLOCK: a hand goes round and takes the first
 * slot that was not used since it last came by). Blocks too large for a slot are kept as arrays of
 * their own, in at most half of the budget.
 *
 * Invariant: a table's number for a block is that of the slot that holds it, or ABSENT; memory for
 * slots and large blocks together is never above `bytesMax`.
 * Chapter: 03-sstable. Source: CLOCK, Corbató 1968.
 */
import { assert, type Bytes } from "#base";
import type { BlockCache } from "./types.ts";

/** A block of the default size, with its trailer, fills a slot. */
export const SLOT_BYTES = 4096;
/** What a table notes for a block that is not in the cache. Lower: a large block. */
export const ABSENT = -1;
const LARGE_FIRST = ABSENT - 1;

/** Slots are allocated in chunks of at most 2^8, a megabyte: an idle engine stays small. */
const CHUNK_SHIFT_MAX = 8;
/** There are at least so many chunks, so that a small cache also grows step by step. */
const CHUNKS_MIN = 16;
/** One block may take this part of the budget; all large ones have a right to half of it. */
const LARGE_PART_MAX = 8;
const LARGE_SHARE = 2;

/** Who has blocks in the cache. */
export interface CacheOwner {
  /** For each block: its slot, ABSENT, or the number of a large block. */
  readonly slots: Int32Array;
}

interface LargeBlock {
  readonly bytes: Bytes;
  readonly size: number;
  readonly owner: CacheOwner;
  readonly block: number;
  referenced: boolean;
}

/** Makes a cache. @throws RangeError unless `bytesMax` is a whole number from 0. */
export function createBlockCache(bytesMax: number): BlockCache {
  return new SlabCache(bytesMax);
}

/** The cache as the tables see it. @throws TypeError for one that was not made here. */
export function slabOf(cache: BlockCache): SlabCache {
  if (cache instanceof SlabCache) return cache;
  throw new TypeError("sstable: the cache was not made by createBlockCache");
}

class SlabCache implements BlockCache {
  readonly bytesMax: number;
  hits = 0;
  misses = 0;

  /** A slot is in chunk `slot >>> shift`, at `(slot & mask) * SLOT_BYTES`. */
  readonly shift: number;
  readonly mask: number;
  readonly chunks: Bytes[] = [];
  /** Bytes in use, and whether the slot was used since the hand last came by. By slot. */
  readonly sizes: Uint32Array;
  readonly referenced: Uint8Array;

  readonly #chunksMax: number;
  readonly #chunkBytes: number;
  readonly #owners: (CacheOwner | null)[] = [];
  readonly #ownerBlocks: Uint32Array;
  #free: number[] = [];
  #used = 0;
  #hand = 0;

  readonly #large: (LargeBlock | null)[] = [];
  readonly #largeFree: number[] = [];
  #largeBytes = 0;
  #largeHand = 0;

  constructor(bytesMax: number) {
    if (!(Number.isSafeInteger(bytesMax) && bytesMax >= 0)) {
      throw new RangeError(`sstable: a cache of ${bytesMax} bytes`);
    }
    this.bytesMax = bytesMax;
    const slots = Math.floor(bytesMax / SLOT_BYTES);
    let shift = 0;
    while (shift < CHUNK_SHIFT_MAX && 2 << shift <= slots / CHUNKS_MIN) shift += 1;
    this.shift = shift;
    this.mask = (1 << shift) - 1;
    this.#chunkBytes = SLOT_BYTES << shift;
    this.#chunksMax = Math.floor(bytesMax / this.#chunkBytes);
    const slotsMax = this.#chunksMax << shift;
    this.sizes = new Uint32Array(slotsMax);
    this.referenced = new Uint8Array(slotsMax);
    this.#ownerBlocks = new Uint32Array(slotsMax);
  }

  get bytes(): number {
    return this.#used * SLOT_BYTES + this.#largeBytes;
  }

  /** A slot to fill, then to `commit` or to `giveBack`. @returns ABSENT if there is none. */
  take(): number {
    let slot = this.#free.pop();
    if (slot === undefined && this.#grow()) slot = this.#free.pop();
    if (slot === undefined) slot = this.#evict();
    if (slot !== ABSENT) this.#used += 1;
    return slot;
  }

  /** The slot now holds this block. */
  commit(slot: number, size: number, owner: CacheOwner, block: number): void {
    this.sizes[slot] = size;
    // Not yet referenced: what is read only once goes first.
    this.referenced[slot] = 0;
    this.#owners[slot] = owner;
    this.#ownerBlocks[slot] = block;
    owner.slots[block] = slot;
  }

  giveBack(slot: number): void {
    this.#owners[slot] = null;
    this.#used -= 1;
    this.#free.push(slot);
  }

  /** Whether a block so large could be kept. */
  fitsLarge(bytes: number): boolean {
    return bytes <= this.bytesMax / LARGE_PART_MAX;
  }

  /** Keeps a block that fits no slot. `bytes` belongs to the cache from now on. */
  keepLarge(bytes: Bytes, size: number, owner: CacheOwner, block: number): void {
    const count = bytes.length;
    assert(this.fitsLarge(count), "sstable: a large block is asked about before it is kept");
    const share = this.bytesMax / LARGE_SHARE;
    while (this.chunks.length * this.#chunkBytes + this.#largeBytes + count > this.bytesMax) {
      if (this.#largeBytes + count > share) this.#evictLarge();
      else this.#dropChunk();
    }
    const index = this.#largeFree.pop() ?? this.#large.length;
    this.#large[index] = { bytes, size, owner, block, referenced: false };
    this.#largeBytes += count;
    owner.slots[block] = LARGE_FIRST - index;
  }

  /** A large block by the number that its table notes. */
  largeAt(number: number): LargeBlock {
    const kept = this.#large[LARGE_FIRST - number];
    assert(kept !== undefined && kept !== null, "sstable: a large block that is noted is there");
    return kept;
  }

  /** Forgets all blocks of a table. */
  release(owner: CacheOwner): void {
    const { slots } = owner;
    for (let block = 0; block < slots.length; block += 1) {
      const slot = slots[block]!;
      if (slot === ABSENT) continue;
      slots[block] = ABSENT;
      if (slot >= 0) this.giveBack(slot);
      else this.#forgetLarge(LARGE_FIRST - slot);
    }
  }

  /** Allocates one more chunk, if the budget has room. */
  #grow(): boolean {
    if (this.chunks.length === this.#chunksMax) return false;
    const room = this.bytesMax - (this.chunks.length + 1) * this.#chunkBytes;
    const share = this.bytesMax / LARGE_SHARE;
    while (this.#largeBytes > room && this.#largeBytes > share) this.#evictLarge();
    if (this.#largeBytes > room) return false;
    const first = this.chunks.length << this.shift;
    // Slots are written before they are read, so nobody needs the zeros.
    this.chunks.push(new Uint8Array(Buffer.allocUnsafeSlow(this.#chunkBytes).buffer));
    for (let slot = first; slot <= first + this.mask; slot += 1) {
      this.#owners[slot] = null;
      this.#free.push(slot);
    }
    return true;
  }

  /** Empties the slot that the hand finds. Only where no slot is free. */
  #evict(): number {
    const count = this.chunks.length << this.shift;
    // Two rounds: the first may only take marks away. A slot that is being filled has no owner.
    for (let step = 0; step < 2 * count; step += 1) {
      const slot = this.#hand < count ? this.#hand : 0;
      this.#hand = slot + 1;
      const owner = this.#owners[slot];
      if (owner === null || owner === undefined) continue;
      if (this.referenced[slot] === 1) this.referenced[slot] = 0;
      else {
        this.#vacate(slot, owner);
        this.#used -= 1;
        return slot;
      }
    }
    return ABSENT;
  }

  #vacate(slot: number, owner: CacheOwner): void {
    owner.slots[this.#ownerBlocks[slot]!] = ABSENT;
    this.#owners[slot] = null;
  }

  /** Gives the memory of the last chunk to large blocks. */
  #dropChunk(): void {
    const first = (this.chunks.length - 1) << this.shift;
    assert(first >= 0, "sstable: large blocks leave half of the budget");
    for (let slot = first; slot < this.chunks.length << this.shift; slot += 1) {
      const owner = this.#owners[slot];
      if (owner === null || owner === undefined) continue;
      this.#vacate(slot, owner);
      this.#used -= 1;
    }
    this.#free = this.#free.filter((slot) => slot < first);
    this.chunks.pop();
  }

  #evictLarge(): void {
    for (;;) {
      const index = this.#largeHand < this.#large.length ? this.#largeHand : 0;
      this.#largeHand = index + 1;
      const kept = this.#large[index];
      assert(kept !== undefined, "sstable: there is a large block to evict");
      if (kept === null) continue;
      if (kept.referenced) kept.referenced = false;
      else return this.#forgetLarge(index);
    }
  }

  #forgetLarge(index: number): void {
    const kept = this.#large[index];
    assert(kept !== undefined && kept !== null, "sstable: a large block is forgotten once");
    kept.owner.slots[kept.block] = ABSENT;
    this.#largeBytes -= kept.bytes.length;
    this.#large[index] = null;
    this.#largeFree.push(index);
  }
}

export type { SlabCache };

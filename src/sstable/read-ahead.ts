/**
 * The blocks of one cursor: copied out of the cache, or read ahead in pieces that grow.
 *
 * Invariant: the block that was entered last stays where it is until the next one is entered.
 * Chapter: 03-sstable
 */
import type { Bytes } from "#base";
import type { BlockSource } from "./block-source.ts";

/** A seek that goes on into a second block is still a short one. */
const BLOCKS_BEFORE_READ_AHEAD = 2;
/** The first piece; each later one is twice as large. */
const PIECE_BYTES_FIRST = 16 * 1024;
const OWN_CAPACITY_FIRST = 4096;
const EMPTY: Bytes = new Uint8Array(0);

export type ReadAhead = Pieces;

export function createReadAhead(
  source: BlockSource,
  fillCache: boolean,
  bytesMax: number,
): ReadAhead {
  return new Pieces(source, fillCache, bytesMax);
}

class Pieces {
  /** The block entered last: `size` bytes of `bytes`, from `from` on. */
  bytes: Bytes = EMPTY;
  from = 0;
  size = 0;

  readonly #source: BlockSource;
  readonly #fillCache: boolean;
  readonly #bytesMax: number;
  /** Copies of single blocks. */
  #own: Bytes = EMPTY;
  /** Blocks from `#first` to `#before`, as they lie in the file. */
  #piece: Bytes = EMPTY;
  #first = 0;
  #before = 0;
  /** Blocks entered in a row, in one direction. */
  #run = 0;
  #direction = 0;
  #pieceBytes = PIECE_BYTES_FIRST;

  constructor(source: BlockSource, fillCache: boolean, bytesMax: number) {
    this.#source = source;
    this.#fillCache = fillCache;
    this.#bytesMax = bytesMax;
  }

  /** Enters a block. @param step - 1 or -1 when a scan goes on; 0 after a seek. */
  enter(block: number, step: -1 | 0 | 1): void {
    if (step === 0 || step === -this.#direction) this.#run = 0;
    this.#direction = step;
    this.#run += 1;
    const isAhead = block >= this.#first && block < this.#before;
    if (!isAhead || step === 0) {
      const isScan = step !== 0 && this.#run > BLOCKS_BEFORE_READ_AHEAD && this.#bytesMax > 0;
      if (this.#source.isCached(block) || !(isScan || isAhead)) return this.#copy(block);
      if (!isAhead) this.#readPiece(block, step);
    }
    const from = this.#offset(block) - this.#offset(this.#first);
    const source = this.#source;
    source.open(block, this.#piece, from);
    this.#point(source.bytes, source.from, source.size);
  }

  close(): void {
    this.#own = EMPTY;
    this.#piece = EMPTY;
    this.#before = this.#first;
    this.bytes = EMPTY;
  }

  /** Takes a block from the cache or the file, and copies it. */
  #copy(block: number): void {
    const source = this.#source;
    source.load(block, this.#fillCache);
    const { bytes, from, size } = source;
    if (this.#own.length < size) this.#own = new Uint8Array(Math.max(OWN_CAPACITY_FIRST, size));
    this.#own.set(bytes.subarray(from, from + size));
    this.#point(this.#own, 0, size);
  }

  /** Reads a piece that begins, or going back ends, with this block. */
  #readPiece(block: number, step: number): void {
    const limit = Math.min(this.#pieceBytes, this.#bytesMax);
    this.#pieceBytes = Math.min(this.#pieceBytes * 2, Math.max(PIECE_BYTES_FIRST, this.#bytesMax));
    let first = block;
    let before = block + 1;
    if (step > 0) {
      const { count } = this.#source.blocks;
      while (before < count && this.#offset(before + 1) - this.#offset(first) <= limit) before += 1;
    } else {
      while (first > 0 && this.#offset(before) - this.#offset(first - 1) <= limit) first -= 1;
    }
    // What fails in between must not be taken for a piece later.
    this.#before = this.#first;
    const bytes = this.#offset(before) - this.#offset(first);
    if (this.#piece.length < bytes) this.#piece = new Uint8Array(bytes);
    this.#source.readRun(first, before, this.#piece, 0);
    this.#first = first;
    this.#before = before;
  }

  #offset(block: number): number {
    return this.#source.blocks.offsets[block]!;
  }

  #point(bytes: Bytes, from: number, size: number): void {
    this.bytes = bytes;
    this.from = from;
    this.size = size;
  }
}

/**
 * Gathers the bytes of a table and writes them in large pieces.
 *
 * The open block lies at the end, from `blockAt` on, so that a block is put together right where it
 * is written from.
 *
 * Invariant: only closed blocks are written to the file, in order and once.
 * Chapter: 03-sstable
 */
import type { Bytes } from "#base";
import type { FileHandle } from "#platform/types";

/** Large enough that the system call does not show, small enough for the second cache level. */
const PIECE_BYTES = 256 * 1024;
/** Room for the blocks that follow, so that the memory is rarely moved. */
const SPARE_BYTES = 64 * 1024;

export type TableOutput = Output;

export function createTableOutput(handle: FileHandle): TableOutput {
  return new Output(handle);
}

class Output {
  readonly #handle: FileHandle;
  #written = 0;
  /** What is not yet in the file. */
  bytes: Bytes = new Uint8Array(PIECE_BYTES + SPARE_BYTES);
  /** Where the open block begins in `bytes`. */
  blockAt = 0;
  /** Where `bytes` are used up to. */
  end = 0;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  /** Offset in the file where the open block will begin. */
  get blockOffset(): number {
    return this.#written + this.blockAt;
  }

  /** Bytes of the file, the open block included. */
  get fileBytes(): number {
    return this.#written + this.end;
  }

  /** Makes room for so many bytes behind `end`. May move `bytes`. */
  reserve(count: number): void {
    if (this.end + count <= this.bytes.length) return;
    this.flush();
    const needed = this.end + count;
    if (needed <= this.bytes.length) return;
    const grown = new Uint8Array(needed + Math.min(needed, PIECE_BYTES));
    grown.set(this.bytes.subarray(0, this.end));
    this.bytes = grown;
  }

  /** Appends bytes to the open block. */
  append(bytes: Bytes): void {
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.end);
    this.end += bytes.length;
  }

  /** The open block is complete; the next one begins behind it. */
  closeBlock(): void {
    this.blockAt = this.end;
    if (this.end >= PIECE_BYTES) this.flush();
  }

  /** Writes every closed block. */
  flush(): void {
    if (this.blockAt === 0) return;
    this.#handle.write(this.#written, this.bytes.subarray(0, this.blockAt));
    this.#written += this.blockAt;
    this.bytes.copyWithin(0, this.blockAt, this.end);
    this.end -= this.blockAt;
    this.blockAt = 0;
    // One huge value must not keep its memory until the end of the table.
    if (this.end === 0 && this.bytes.length > 4 * PIECE_BYTES) {
      this.bytes = new Uint8Array(PIECE_BYTES + SPARE_BYTES);
    }
  }
}

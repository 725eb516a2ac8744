/**
 * Reads a data block: its restarts, and its entries one behind the other.
 *
 * An entry may have its first `shared` bytes in common with the key before it and not store them.
 * Our builder never does that; the reference does, except at the offsets that its restarts name.
 *
 * Invariant (from step 03.6 on): whatever the bytes are, nothing outside of the block is read, and
 * a block that contradicts itself is BYTES_MALFORMED (S4).
 * Chapter: 03-sstable, steps 03.1 and 03.6
 */
import { type Bytes, notWritten } from "#base";
import type { Version } from "./version.ts";

/** Where the entries of a block end and its restarts begin. */
export interface Restarts {
  readonly count: number;
  readonly entriesEnd: number;
}

/** Reads the end of a block. The shape is a proposal: only `readBlock` is checked. */
export function readRestarts(_block: Bytes): Restarts {
  return notWritten("03.1", "readRestarts");
}

/**
 * Reads the entry at `offset`. The shape is a proposal: step 03.2 will be glad of it.
 *
 * @param keyBefore - key of the entry before it; for a restart no bytes.
 */
export function readEntry(
  _block: Bytes,
  _offset: number,
  _entriesEnd: number,
  _keyBefore?: Bytes,
): { readonly version: Version; readonly next: number } {
  return notWritten("03.1", "readEntry");
}

/** All versions of a block, in order. Keys and values may be views. @throws BYTES_MALFORMED */
export function readBlock(_block: Bytes): Version[] {
  return notWritten("03.1", "readBlock");
}

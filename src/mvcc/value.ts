/**
 * A value in the engine, or the note that there is none.
 *
 * | offset | bytes | field | type  | meaning                      |
 * | -----: | ----: | ----- | ----- | ---------------------------- |
 * |      0 |     1 | kind  | u8    | 0: a deletion; 1: a value    |
 * |      1 |     n | value | bytes | as given; none in a deletion |
 *
 * Kind 0 is what the engine's compaction looks for (`src/lsm/superseded.ts`).
 * Chapter: 06-mvcc
 */
import type { Bytes } from "#base";
import { copyBytes } from "#bytes";

const DELETION = 0;
const VALUE = 1;

/** What a deletion is stored as. */
export const DELETED: Bytes = Uint8Array.of(DELETION);

/** Small arrays are cut from a larger one: making one of their own costs more than filling it. */
const SLAB_BYTES = 64 * 1024;
const CUT_BYTES_MAX = 4 * 1024;

let slab: Bytes = new Uint8Array(SLAB_BYTES);
let slabUsed = 0;

function allocate(bytes: number): Bytes {
  if (bytes > CUT_BYTES_MAX) return new Uint8Array(bytes);
  if (slabUsed + bytes > SLAB_BYTES) {
    slab = new Uint8Array(SLAB_BYTES);
    slabUsed = 0;
  }
  slabUsed += bytes;
  return slab.subarray(slabUsed - bytes, slabUsed);
}

/** Packs a value: a copy. */
export function packValue(value: Bytes): Bytes {
  const packed = allocate(1 + value.length);
  packed[0] = VALUE;
  packed.set(value, 1);
  return packed;
}

/** Whether what is stored is a value. */
export function isValue(stored: Bytes): boolean {
  return stored[0] === VALUE;
}

/** The value that is stored: a copy. */
export function unpackValue(stored: Bytes): Bytes {
  return copyBytes(stored, 1);
}

/**
 * Reads a data block: its restarts, and its entries one behind the other.
 *
 * An entry may have its first `shared` bytes in common with the key before it and not store them.
 * Our builder never does that; the reference does, except at the offsets that its restarts name.
 *
 * Invariant: whatever the bytes are, nothing outside of the block is read, and a block that
 * contradicts itself is BYTES_MALFORMED (S4).
 * Chapter: 03-sstable, steps 03.1 and 03.6
 */
import type { Bytes } from "#base";
import { getU32, getVarint, U32_BYTES } from "#bytes";
import { malformed } from "./damage.ts";
import type { Version } from "./version.ts";

/** The smallest block: one restart and the number of restarts. */
const RESTARTS_BYTES_MIN = 2 * U32_BYTES;
const NO_KEY: Bytes = new Uint8Array(0);

/** Where the entries of a block end and its restarts begin. */
export interface Restarts {
  readonly count: number;
  readonly entriesEnd: number;
}

/** Reads the end of a block. @throws BYTES_MALFORMED */
export function readRestarts(block: Bytes): Restarts {
  if (block.length < RESTARTS_BYTES_MIN) malformed(`a block of ${block.length} bytes`);
  const count = getU32(block, block.length - U32_BYTES);
  if (count < 1 || count > block.length / U32_BYTES - 1) malformed(`${count} restarts`);
  return { count, entriesEnd: block.length - (count + 1) * U32_BYTES };
}

/** Where the entry of a restart begins. */
export function restartAt(block: Bytes, { entriesEnd }: Restarts, index: number): number {
  return getU32(block, entriesEnd + index * U32_BYTES);
}

/**
 * Reads the entry at `offset`.
 *
 * @param keyBefore - key of the entry before it; for a restart no bytes.
 * @throws BYTES_MALFORMED
 */
export function readEntry(
  block: Bytes,
  offset: number,
  entriesEnd: number,
  keyBefore: Bytes = NO_KEY,
): { readonly version: Version; readonly next: number } {
  const shared = getVarint(block, offset);
  const unshared = getVarint(block, shared.next);
  const tag = getVarint(block, unshared.next);
  const sequence = getVarint(block, tag.next);
  const keyAt = sequence.next;
  const valueAt = keyAt + unshared.value;
  const isDeletion = tag.value % 2 === 1;
  const next = valueAt + Math.floor(tag.value / 2);
  // Before a byte is cut out: `subarray` would quietly give fewer bytes than were asked for.
  if (next > entriesEnd) malformed(`the entry at ${offset} ends behind the entries`);
  if (shared.value > keyBefore.length) malformed(`the entry at ${offset} shares too much`);
  if (isDeletion && tag.value !== 1) malformed(`the deletion at ${offset} has a value`);
  if (sequence.value < 1) malformed(`the entry at ${offset} has no sequence`);
  const suffix = block.subarray(keyAt, valueAt);
  const key = shared.value === 0 ? suffix : joined(keyBefore.subarray(0, shared.value), suffix);
  const value = isDeletion ? null : block.subarray(valueAt, next);
  return { version: { key, value, sequence: sequence.value }, next };
}

/** All versions of a block, in order. Keys and values are views. @throws BYTES_MALFORMED */
export function readBlock(block: Bytes): Version[] {
  const { entriesEnd } = readRestarts(block);
  const versions: Version[] = [];
  for (let offset = 0; offset < entriesEnd; ) {
    const entry = readEntry(block, offset, entriesEnd, versions.at(-1)?.key);
    versions.push(entry.version);
    offset = entry.next;
  }
  if (versions.length === 0) malformed("a block without entries");
  return versions;
}

function joined(head: Bytes, tail: Bytes): Bytes {
  const whole = new Uint8Array(head.length + tail.length);
  whole.set(head);
  whole.set(tail, head.length);
  return whole;
}

/**
 * Heads: the first bytes of a key that are worth comparing, as one number.
 *
 * Keys that stand near each other share a prefix. Behind it, six bytes fit into a number that a
 * processor compares at once, without a look at the key. Equal heads decide nothing.
 *
 * Invariant: of two keys that share `skip` bytes, the one with the smaller head comes first.
 * Chapter: 02-memtable
 */
import type { Bytes } from "#base";
import { type Entries, keyBytesOf, keyStart } from "./arena.ts";

/** A number of JavaScript holds 53 bits exactly: six whole bytes. */
export const HEAD_BYTES = 6;
const BYTE_VALUES = 256;
const THREE_BYTES_VALUES = 2 ** 24;

/**
 * The head of a key that lies in `bytes`; what the key lacks counts as zeros.
 *
 * @param start - where the key's head starts: behind what is shared.
 * @param before - where the key ends.
 */
export function headOf(bytes: Bytes, start: number, before: number): number {
  if (start + HEAD_BYTES > before) return shortHead(bytes, start, before);
  const high = (bytes[start]! << 16) | (bytes[start + 1]! << 8) | bytes[start + 2]!;
  const low = (bytes[start + 3]! << 16) | (bytes[start + 4]! << 8) | bytes[start + 5]!;
  return high * THREE_BYTES_VALUES + low;
}

function shortHead(bytes: Bytes, start: number, before: number): number {
  let head = 0;
  for (let i = start; i < start + HEAD_BYTES; i += 1) {
    head = head * BYTE_VALUES + (i < before ? bytes[i]! : 0);
  }
  return head;
}

/** The head of an entry's key. @param skip - bytes to leave out. */
export function headOfEntry(entries: Entries, reference: number, skip: number): number {
  const start = keyStart(reference);
  return headOf(entries.bytes, start + skip, start + keyBytesOf(entries.words, reference));
}

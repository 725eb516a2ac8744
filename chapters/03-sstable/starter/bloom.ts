/**
 * The Bloom filter: "no" is certain, "maybe" is wrong now and then.
 *
 * | offset | bytes | field  | type  | meaning                                             |
 * | -----: | ----: | ------ | ----- | --------------------------------------------------- |
 * |      0 |     1 | probes | u8    | bits set for each key, 1 to 30                      |
 * |      1 |     n | bits   | bytes | bit b is bit b % 8, from the low end, of byte b / 8 |
 *
 * Probe i of a key is bit (a + i * b) % 2^32 % (8 * n), where a and b are its two hashes.
 *
 * Invariant: a key that was added is never answered with "no" (S6).
 * Chapter: 03-sstable, step 03.4
 */
import { type Bytes, notWritten } from "#base";

/** The smallest filter. */
export const BITS_MIN = 64;
export const PROBES_MAX = 30;
/** The constants of the two hashes: part of the format. */
export const MIX_A = 0x85eb_ca6b;
export const MIX_B = 0xc2b2_ae35;
export const SEED_A = 0x9e37_79b9;
export const SEED_B = 0x6a09_e667;

/** Two hashes of a key: whole numbers from 0 to 2^32 - 1, the second one odd. */
export function hashKey(_key: Bytes): readonly [a: number, b: number] {
  return notWritten("03.4", "hashKey");
}

/** Bits per key for this share of false positives, such as 0.01: ln(1 / share) / (ln 2)^2. */
export function bitsPerKeyFor(_falsePositives: number): number {
  return notWritten("03.4", "bitsPerKeyFor");
}

/** Makes the content of a filter block. @param bitsPerKey - 0: no filter, no bytes. */
export function buildFilter(_keys: readonly Bytes[], _bitsPerKey: number): Bytes {
  return notWritten("03.4", "buildFilter");
}

/** A filter to ask. */
export interface Filter {
  /** False: the key was not added, for certain. */
  mayContain(key: Bytes): boolean;
}

/** Opens the content of a filter block. @returns null for no bytes. @throws BYTES_MALFORMED */
export function openFilter(_content: Bytes): Filter | null {
  return notWritten("03.4", "openFilter");
}

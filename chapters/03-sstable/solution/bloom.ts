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
import type { Bytes } from "#base";
import { malformed } from "./damage.ts";

const BITS_MIN = 64;
const PROBES_MAX = 30;
const MIX_A = 0x85eb_ca6b;
const MIX_B = 0xc2b2_ae35;
const SEED_A = 0x9e37_79b9;
const SEED_B = 0x6a09_e667;

/** Two hashes of a key: whole numbers from 0 to 2^32 - 1, the second one odd. */
export function hashKey(key: Bytes): readonly [a: number, b: number] {
  let a = SEED_A;
  let b = SEED_B;
  let i = 0;
  for (; i + 4 <= key.length; i += 4) {
    const word = key[i]! | (key[i + 1]! << 8) | (key[i + 2]! << 16) | (key[i + 3]! << 24);
    a = Math.imul(a ^ word, MIX_A);
    a ^= a >>> 15;
    b = Math.imul(b ^ word, MIX_B);
    b ^= b >>> 13;
  }
  let rest = 0;
  for (; i < key.length; i += 1) rest = (rest << 8) | key[i]!;
  a = finish(a ^ rest, key.length);
  b = finish(b ^ Math.imul(rest, MIX_A), key.length);
  return [a >>> 0, (b | 1) >>> 0];
}

function finish(hash: number, length: number): number {
  let h = hash ^ Math.imul(length, SEED_A);
  h = Math.imul(h ^ (h >>> 16), MIX_A);
  h = Math.imul(h ^ (h >>> 13), MIX_B);
  return h ^ (h >>> 16);
}

/** The bits of a key, one for each probe. */
function* probesOf(key: Bytes, probes: number, bits: number): Generator<number> {
  const [a, b] = hashKey(key);
  let hash = a;
  for (let i = 0; i < probes; i += 1) {
    yield hash % bits;
    // Bit operations give signed numbers; `>>> 0` makes it a number from 0 to 2^32 - 1 again.
    hash = (hash + b) >>> 0;
  }
}

/** Bits per key for this share of false positives, such as 0.01: ln(1 / share) / (ln 2)^2. */
export function bitsPerKeyFor(falsePositives: number): number {
  return Math.log(1 / falsePositives) / Math.LN2 ** 2;
}

/** Makes the content of a filter block. @param bitsPerKey - 0: no filter, no bytes. */
export function buildFilter(keys: readonly Bytes[], bitsPerKey: number): Bytes {
  if (bitsPerKey === 0) return new Uint8Array(0);
  const content = new Uint8Array(1 + Math.ceil(Math.max(BITS_MIN, keys.length * bitsPerKey) / 8));
  const probes = Math.min(PROBES_MAX, Math.max(1, Math.round(bitsPerKey * Math.LN2)));
  const bits = (content.length - 1) * 8;
  content[0] = probes;
  for (const key of keys) {
    for (const bit of probesOf(key, probes, bits)) content[1 + (bit >>> 3)]! |= 1 << (bit & 7);
  }
  return content;
}

/** A filter to ask. */
export interface Filter {
  /** False: the key was not added, for certain. */
  mayContain(key: Bytes): boolean;
}

/** Opens the content of a filter block. @returns null for no bytes. @throws BYTES_MALFORMED */
export function openFilter(content: Bytes): Filter | null {
  if (content.length === 0) return null;
  const probes = content[0]!;
  const bits = (content.length - 1) * 8;
  if (bits === 0) malformed("a filter without bits");
  if (probes < 1 || probes > PROBES_MAX) malformed(`a filter with ${probes} probes`);
  return {
    mayContain(key) {
      for (const bit of probesOf(key, probes, bits)) {
        if ((content[1 + (bit >>> 3)]! & (1 << (bit & 7))) === 0) return false;
      }
      return true;
    },
  };
}

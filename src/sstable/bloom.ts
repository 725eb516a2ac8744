/**
 * The Bloom filter: "no" is certain, "maybe" is wrong about once in a hundred times.
 *
 * | offset | bytes | field  | type  | meaning                                             |
 * | -----: | ----: | ------ | ----- | --------------------------------------------------- |
 * |      0 |     1 | probes | u8    | bits set for each key, 1 to 30                      |
 * |      1 |     n | bits   | bytes | bit b is bit b % 8, from the low end, of byte b / 8 |
 *
 * Two 32-bit hashes a and b of a key give its probes: bit (a + i * b) % 2^32 % (8 * n) for i from
 * 0. b is made odd and the number of bits is even, so b is never 0 modulo that number, which would
 * set one bit over and over (Kirsch and Mitzenmacher, "Less Hashing, Same Performance").
 *
 * Every step is taken in 32 bits: `Math.imul` for products, `>>> 0` where a number is compared or
 * divided, since bit operations of JavaScript give signed results.
 *
 * Invariant: a key that was added is never answered with "no" (S6).
 * Chapter: 03-sstable
 */
import { assert, type Bytes } from "#base";

const PROBES_OFFSET = 0;
const BITS_OFFSET = PROBES_OFFSET + 1;
/** The best number of probes is bits per key times ln 2. */
const LN_2 = Math.LN2;
const PROBES_MAX = 30;
/** A smaller filter would be mostly ones after two keys. */
const BITS_MIN = 64;
const BITS_PER_BYTE = 8;
/** 2^29 - 1: the number of bits then fits 32 bits. */
const FILTER_BYTES_MAX = 2 ** 29 - 1;

/** Hashes are kept in pairs. */
const PAIR = 2;
/** Keys that a new builder has room for. */
const CAPACITY_FIRST = 1024;

/** Two odd constants with many bits set; the same as in the finalizer of MurmurHash3. */
const MIX_A = 0x85eb_ca6b;
const MIX_B = 0xc2b2_ae35;
/** Two different beginnings, from the golden ratio and the square root of two. */
const SEED_A = 0x9e37_79b9;
const SEED_B = 0x6a09_e667;

/**
 * Hashes a key into two words, `pair[at]` and `pair[at + 1]`. The second one is odd.
 *
 * Four bytes at a time go into two lanes with different factors; the length goes in at the end, so
 * that trailing zeros count.
 */
function hashKey(key: Bytes, pair: Uint32Array, at: number): void {
  const { length } = key;
  const whole = length & ~3;
  let a = SEED_A;
  let b = SEED_B;
  let i = 0;
  for (; i < whole; i += 4) {
    const word = key[i]! | (key[i + 1]! << 8) | (key[i + 2]! << 16) | (key[i + 3]! << 24);
    a = Math.imul(a ^ word, MIX_A);
    a ^= a >>> 15;
    b = Math.imul(b ^ word, MIX_B);
    b ^= b >>> 13;
  }
  let rest = 0;
  for (; i < length; i += 1) rest = (rest << 8) | key[i]!;
  a = finish(a ^ rest, length);
  b = finish(b ^ Math.imul(rest, MIX_A), length);
  pair[at] = a;
  pair[at + 1] = b | 1;
}

function finish(hash: number, length: number): number {
  let h = hash ^ Math.imul(length, SEED_A);
  h = Math.imul(h ^ (h >>> 16), MIX_A);
  h = Math.imul(h ^ (h >>> 13), MIX_B);
  return h ^ (h >>> 16);
}

/** Gathers the hashes of distinct keys; the size of the filter is known only at the end. */
export type FilterBuilder = Builder;

/** Starts a filter. @param bitsPerKey - 0: there is to be none. */
export function createFilterBuilder(bitsPerKey: number): FilterBuilder {
  return new Builder(bitsPerKey);
}

class Builder {
  readonly #bitsPerKey: number;
  #hashes = new Uint32Array(CAPACITY_FIRST * PAIR);
  #count = 0;

  constructor(bitsPerKey: number) {
    this.#bitsPerKey = bitsPerKey;
  }

  /** Bytes that {@link finish} will make, about. */
  get bytes(): number {
    return Math.ceil((this.#count * this.#bitsPerKey) / BITS_PER_BYTE);
  }

  add(key: Bytes): void {
    if (this.#bitsPerKey === 0) return;
    const at = this.#count * PAIR;
    if (at === this.#hashes.length) {
      const grown = new Uint32Array(at * 2);
      grown.set(this.#hashes);
      this.#hashes = grown;
    }
    hashKey(key, this.#hashes, at);
    this.#count += 1;
  }

  /** The content of the filter block; empty if there is to be none. */
  finish(): Bytes {
    if (this.#bitsPerKey === 0) return new Uint8Array(0);
    const wanted = Math.max(BITS_MIN, this.#count * this.#bitsPerKey);
    const bytes = Math.min(FILTER_BYTES_MAX, Math.ceil(wanted / BITS_PER_BYTE));
    const content = new Uint8Array(BITS_OFFSET + bytes);
    const probes = probesFor(this.#bitsPerKey);
    content[PROBES_OFFSET] = probes;
    const bits = bytes * BITS_PER_BYTE;
    // A remainder by division: for whole numbers below 2^32 it is exact, and much quicker than `%`,
    // which for numbers of 32 bits without sign means the remainder of doubles.
    for (let at = 0; at < this.#count * PAIR; at += PAIR) {
      let hash = this.#hashes[at]!;
      const step = this.#hashes[at + 1]!;
      for (let i = 0; i < probes; i += 1) {
        const bit = hash - Math.floor(hash / bits) * bits;
        content[BITS_OFFSET + (bit >>> 3)]! |= 1 << (bit & 7);
        hash = (hash + step) >>> 0;
      }
    }
    return content;
  }
}

function probesFor(bitsPerKey: number): number {
  return Math.min(PROBES_MAX, Math.max(1, Math.round(bitsPerKey * LN_2)));
}

/** A filter to ask. */
export type Filter = OpenFilter;

class OpenFilter {
  readonly #content: Bytes;
  readonly #probes: number;
  readonly #bits: number;
  readonly #pair = new Uint32Array(PAIR);

  /** @param content - checked by {@link decodeFilter}; not copied. */
  constructor(content: Bytes) {
    this.#content = content;
    this.#probes = content[PROBES_OFFSET]!;
    this.#bits = (content.length - BITS_OFFSET) * BITS_PER_BYTE;
    assert(this.#bits > 0, "sstable: a filter has bits");
  }

  /** False: the key was not added, for certain. */
  mayContain(key: Bytes): boolean {
    const content = this.#content;
    const bits = this.#bits;
    hashKey(key, this.#pair, 0);
    let hash = this.#pair[0]!;
    const step = this.#pair[1]!;
    for (let i = this.#probes; i > 0; i -= 1) {
      const bit = hash - Math.floor(hash / bits) * bits;
      if ((content[BITS_OFFSET + (bit >>> 3)]! & (1 << (bit & 7))) === 0) return false;
      hash = (hash + step) >>> 0;
    }
    return true;
  }
}

/**
 * Decodes the content of a filter block.
 *
 * @returns null if the table has no filter; what is wrong, in words.
 */
export function decodeFilter(content: Bytes): Filter | null | string {
  if (content.length === 0) return null;
  const bytes = content.length - BITS_OFFSET;
  if (bytes === 0 || bytes > FILTER_BYTES_MAX) return `filter of ${bytes} bytes`;
  const probes = content[PROBES_OFFSET]!;
  if (probes < 1 || probes > PROBES_MAX) return `filter with ${probes} probes`;
  return new OpenFilter(content);
}

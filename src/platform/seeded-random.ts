/**
 * Chance from a seed: the same seed gives the same draws on every machine, and in a browser.
 *
 * Counter-based: draw number n is a hash of (seed, n). The hash is the finalizer of MurmurHash3
 * (public domain, Austin Appleby): xor-shifts spread high bits downwards, odd multiplications
 * spread low bits upwards, and both can be undone, so no two inputs collide within one round.
 * Not for secrets. Chapter: 11-simulation.
 */
import type { Bytes } from "#base";
import type { Random } from "./types.ts";

const TWO_32 = 2 ** 32;

/** 2^32 divided by the golden ratio, made odd: keeps the words of a seed from cancelling out. */
const GOLDEN = 0x9e3779b9;

function mix32(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/**
 * Folds numbers into one seed, so that each purpose can have a stream of its own: a draw for one
 * purpose then does not shift the draws for another.
 *
 * @param parts - safe integers; order matters.
 * @returns a whole number from 0 to 2^32 - 1.
 */
export function mixSeeds(...parts: readonly number[]): number {
  let h = GOLDEN;
  for (const part of parts) {
    if (!Number.isSafeInteger(part)) throw new RangeError(`platform: seed ${part} is no integer`);
    h = mix32(h ^ mix32(part % TWO_32)) + GOLDEN;
    h = mix32(h ^ mix32(Math.floor(part / TWO_32)));
  }
  return h >>> 0;
}

class SeededRandom implements Random {
  readonly #keyA: number;
  readonly #keyB: number;
  #draws = 0;

  constructor(seed: number) {
    this.#keyA = mixSeeds(seed, 0);
    this.#keyB = mixSeeds(seed, 1);
  }

  below(before: number): number {
    if (!(before >= 1 && before <= TWO_32)) {
      throw new RangeError(`platform: random below ${before}, must be 1 to 2^32`);
    }
    // The product never rounds up to `before`: it stays below by one part in 2^32, and a double
    // holds 53 bits. The bias is below one part in 2^32 for each value, far from what tests see.
    return Math.floor(this.fraction() * before);
  }

  fraction(): number {
    return this.#next() / TWO_32;
  }

  bytes(count: number): Bytes {
    const bytes = new Uint8Array(count);
    for (let i = 0; i < count; i += 4) {
      let word = this.#next();
      for (let j = i; j < count && j < i + 4; j += 1) {
        bytes[j] = word & 0xff;
        word >>>= 8;
      }
    }
    return bytes;
  }

  #next(): number {
    this.#draws = (this.#draws + 1) | 0;
    return mix32(mix32(this.#draws ^ this.#keyA) + this.#keyB);
  }
}

/**
 * Makes a source of chance that repeats itself for the same seed.
 *
 * @param seed - any safe integer.
 */
export function seededRandom(seed: number): Random {
  return new SeededRandom(seed);
}

/**
 * Chance from the operating system.
 *
 * Invariant: `below` is unbiased: a draw from the incomplete last stretch is thrown away.
 */
import { randomFillSync } from "node:crypto";
import type { Bytes } from "#base";
import type { Random } from "./types.ts";

const TWO_32 = 2 ** 32;

/** Words drawn ahead: one call to the system costs more than filling all of them. */
const POOL_WORDS = 256;
/** More is asked of the operating system directly. */
const POOLED_BYTES_MAX = 64;

class NodeRandom implements Random {
  readonly #pool = new Uint32Array(POOL_WORDS);
  #used = POOL_WORDS;

  below(before: number): number {
    if (!(Number.isInteger(before) && before >= 1 && before <= TWO_32)) {
      throw new RangeError(`platform: random below ${before}, must be 1 to 2^32`);
    }
    const usable = TWO_32 - (TWO_32 % before);
    let word = this.#next();
    while (word >= usable) word = this.#next();
    return word % before;
  }

  fraction(): number {
    return this.#next() / TWO_32;
  }

  bytes(count: number): Bytes {
    if (count > POOLED_BYTES_MAX) return randomFillSync(new Uint8Array(count));
    // A call for a few bytes costs microseconds; the pool has paid for many of them at once.
    const bytes = new Uint8Array(count);
    for (let at = 0; at < count; at += 4) {
      const word = this.#next();
      for (let byte = at; byte < Math.min(at + 4, count); byte += 1) {
        bytes[byte] = word >>> (8 * (byte - at));
      }
    }
    return bytes;
  }

  #next(): number {
    if (this.#used === POOL_WORDS) {
      randomFillSync(this.#pool);
      this.#used = 0;
    }
    const word = this.#pool[this.#used] ?? 0;
    // A word handed out is wiped, so that it cannot be read from memory later.
    this.#pool[this.#used] = 0;
    this.#used += 1;
    return word;
  }
}

/** Makes a source of chance that nobody can predict. */
export function nodeRandom(): Random {
  return new NodeRandom();
}

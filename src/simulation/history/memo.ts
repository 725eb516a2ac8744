/**
 * The configurations that a search has seen: which operations were done, and in which state.
 *
 * Everything before the first open answer is done, and nothing after it has been called; so a
 * configuration is that answer's place, the state, and one bit for each operation that was under
 * way at that moment. Rows of numbers in one array, and a hash table of row numbers beside it.
 *
 * Invariant: a row is stored once. Chapter: 11-simulation.
 */

const ROWS_FIRST = 256;
/** Rows to places in the hash table: at least two places for each row. */
const PLACES_PER_ROW = 2;
/** Place and state come before the bits. */
const HEAD_WORDS = 2;
const BITS_PER_WORD = 32;

/** Numbers of MurmurHash3's rounds (public domain, Austin Appleby). */
const MIX_A = 0xcc9e2d51 | 0;
const MIX_B = 0x1b873593;
const FINISH_A = 0x85ebca6b | 0;
const FINISH_B = 0xc2b2ae35 | 0;

/** A growing set of rows of the same width. */
export class Memo {
  readonly #width: number;
  #rows: Int32Array;
  #table: Int32Array;
  #count = 0;

  /** @param bits - the largest number of operations that are under way at one time. */
  constructor(bits: number) {
    this.#width = HEAD_WORDS + Math.max(1, Math.ceil(bits / BITS_PER_WORD));
    this.#rows = new Int32Array(ROWS_FIRST * this.#width);
    this.#table = new Int32Array(ROWS_FIRST * PLACES_PER_ROW);
  }

  /** Begins a row. It is stored by {@link commit}, and forgotten if another one is begun. */
  begin(place: number, state: number): void {
    if ((this.#count + 1) * this.#width > this.#rows.length) this.#grow();
    const at = this.#count * this.#width;
    this.#rows[at] = place;
    this.#rows[at + 1] = state;
    this.#rows.fill(0, at + HEAD_WORDS, at + this.#width);
  }

  /** Sets a bit of the row that was begun. */
  setBit(bit: number): void {
    const at = this.#count * this.#width + HEAD_WORDS + (bit >>> 5);
    this.#rows[at] = this.#rows[at]! | (1 << (bit & (BITS_PER_WORD - 1)));
  }

  /** Stores the row that was begun. @returns whether it is new. */
  commit(): boolean {
    const mask = this.#table.length - 1;
    let slot = this.#hash(this.#count) & mask;
    for (;;) {
      const found = this.#table[slot]!;
      if (found === 0) break;
      if (this.#isSame(found - 1, this.#count)) return false;
      slot = (slot + 1) & mask;
    }
    this.#count += 1;
    this.#table[slot] = this.#count;
    return true;
  }

  #hash(row: number): number {
    let h = 0;
    for (let at = row * this.#width; at < (row + 1) * this.#width; at += 1) {
      const word = Math.imul(this.#rows[at]!, MIX_A);
      h ^= Math.imul((word << 15) | (word >>> 17), MIX_B);
      h = Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64;
    }
    h = Math.imul(h ^ (h >>> 16), FINISH_A);
    h = Math.imul(h ^ (h >>> 13), FINISH_B);
    return h ^ (h >>> 16);
  }

  #isSame(left: number, right: number): boolean {
    const rows = this.#rows;
    const a = left * this.#width;
    const b = right * this.#width;
    for (let word = 0; word < this.#width; word += 1) {
      if (rows[a + word] !== rows[b + word]) return false;
    }
    return true;
  }

  #grow(): void {
    const rows = new Int32Array(this.#rows.length * 2);
    rows.set(this.#rows);
    this.#rows = rows;
    this.#table = new Int32Array(this.#table.length * 2);
    const mask = this.#table.length - 1;
    for (let row = 0; row < this.#count; row += 1) {
      let slot = this.#hash(row) & mask;
      while (this.#table[slot] !== 0) slot = (slot + 1) & mask;
      this.#table[slot] = row + 1;
    }
  }
}

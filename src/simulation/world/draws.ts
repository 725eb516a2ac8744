/**
 * Chance that survives shrinking: each draw is a hash of the seed, what it is for, whom it
 * concerns, and how many of the kind there were before.
 *
 * With one sequential generator, a single fault that is left out would change every later draw.
 * Here it changes only what depends on it. Chapter: 11-simulation.
 */

const TWO_32 = 2 ** 32;
/** Odd numbers with well spread bits: multiplying by one mixes, and can be undone. */
const MIX_A = 0x85ebca6b;
const MIX_B = 0xc2b2ae35;
const MIX_C = 0x9e3779b1;

/** What a draw is for. Numbers are part of every seed's meaning: only add. */
export const Stream = {
  options: 1,
  faults: 2,
  operations: 3,
  clients: 4,
  loss: 5,
  double: 6,
  delay: 7,
  late: 8,
  damage: 9,
  disk: 10,
  apply: 11,
  core: 12,
  clock: 13,
  crash: 14,
  target: 15,
  ties: 16,
  copy: 17,
  heal: 18,
  wake: 19,
} as const;
export type Stream = (typeof Stream)[keyof typeof Stream];

/** Draws of one seed. */
export class Draws {
  readonly #low: number;
  readonly #high: number;

  constructor(seed: number) {
    this.#low = Math.imul(seed | 0, MIX_C);
    this.#high = Math.imul(Math.floor(seed / TWO_32) + 1, MIX_A);
  }

  /** From 0 to below 1. */
  fraction(stream: Stream, a: number, b: number, n: number): number {
    let h = Math.imul(this.#low ^ stream, MIX_A) ^ this.#high;
    h = Math.imul(h ^ (h >>> 16) ^ Math.imul(a, MIX_C), MIX_B);
    h = Math.imul(h ^ (h >>> 13) ^ Math.imul(b, MIX_A), MIX_C);
    h = Math.imul(h ^ (h >>> 16) ^ Math.imul(n, MIX_B), MIX_A);
    h = Math.imul(h ^ (h >>> 13), MIX_B);
    return ((h ^ (h >>> 16)) >>> 0) / TWO_32;
  }

  /** A whole number from 0 to below `before`. */
  below(before: number, stream: Stream, a: number, b: number, n: number): number {
    return Math.floor(this.fraction(stream, a, b, n) * before);
  }

  /** One draw after the other, for what is decided before a run. */
  sequence(stream: Stream, a = 0): DrawSequence {
    return new DrawSequence(this, stream, a);
  }
}

/** See {@link Draws.sequence}. */
export class DrawSequence {
  readonly #draws: Draws;
  readonly #stream: Stream;
  readonly #a: number;
  #count = 0;

  constructor(draws: Draws, stream: Stream, a: number) {
    this.#draws = draws;
    this.#stream = stream;
    this.#a = a;
  }

  fraction(): number {
    this.#count += 1;
    return this.#draws.fraction(this.#stream, this.#a, 0, this.#count);
  }

  /** From 0 to below `before`. */
  below(before: number): number {
    return Math.floor(this.fraction() * before);
  }

  /** From `from` to `to`, both possible. */
  between(from: number, to: number): number {
    return from + this.below(to - from + 1);
  }

  /** True in so many of a hundred cases. */
  percent(chance: number): boolean {
    return this.fraction() * 100 < chance;
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)]!;
  }
}

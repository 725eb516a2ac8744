/**
 * How high a tower becomes: chance, and nothing else.
 *
 * Invariant: a height is 1 to `SKIP_LEVELS_MAX`, and each level more costs another draw.
 * Chapter: 02-memtable, step 02.3
 */

/** Chance for one level more. With 1/4 a tower has 1.33 links on average, with 1/2 it has 2. */
export const SKIP_CHANCE: number = 1 / 4;
/** 4^12 keys, before the highest level holds more than a key or so. */
export const SKIP_LEVELS_MAX = 12;

/** Any start but 0 will do. */
const XORSHIFT_START = 0x9e3779b9;
const TWO_32 = 2 ** 32;
let state: number = XORSHIFT_START;

/** Marsaglia's xorshift with 32 bits. Given: the default for `drawHeight`. */
export function xorshift(): number {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) / TWO_32;
}

/**
 * Draws the height of a tower: 1, and one more for as long as chance says so. A draw below
 * `SKIP_CHANCE` is a yes.
 *
 * @param random - from 0 (included) to 1 (excluded).
 */
export function drawHeight(random: () => number = xorshift): number {
  let height = 1;
  while (height < SKIP_LEVELS_MAX && random() < SKIP_CHANCE) height += 1;
  return height;
}

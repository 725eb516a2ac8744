/**
 * Chance without a sequence: a number is a hash of what it is drawn for.
 *
 * Taking one draw away changes no other, so a scenario can be edited in one place without being
 * reshuffled everywhere else. Invariant: same arguments, same number, on every machine.
 * Chapter: 11-simulation.
 */

/** Odd constants with well mixed bits, from MurmurHash3's finalizer and the golden ratio. */
const GOLDEN = 0x9e3779b1;
const MIX_A = 0x85ebca6b;
const MIX_B = 0xc2b2ae35;

/** Two to the 32nd: how many values a mixed word has. */
const WORDS = 4_294_967_296;

function mix(word: number): number {
  let hash = word;
  hash = Math.imul(hash ^ (hash >>> 16), MIX_A);
  hash = Math.imul(hash ^ (hash >>> 13), MIX_B);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/**
 * A number from 0 to below 1.
 *
 * @param stream - what it is for: two purposes never share their numbers.
 * @param n - which draw of this purpose it is.
 */
export function draw(seed: number, stream: number, n: number): number {
  const word = mix(mix(mix(seed ^ GOLDEN) ^ Math.imul(stream, GOLDEN)) ^ n);
  return word / WORDS;
}

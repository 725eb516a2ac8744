/**
 * The lists of keys that every engine is given.
 *
 * Keys are even numbers, so that odd numbers lie between existing keys.
 *
 * Invariant: everything follows from the seeds, so that all engines see the same work.
 */
import { randomNumbers } from "../harness/index.ts";
import type { KeyList } from "./types.ts";

export { KEY_BYTES, keyOf, VALUE_BYTES, valueFor } from "../harness/index.ts";

/** Single writes that wait for their answer at the same time, for every engine. */
export const IN_FLIGHT = 256;
/** Writes of a batch. */
export const BATCH = 1000;

/** All existing keys, ascending. */
export function keysInOrder(count: number): Uint32Array {
  return Uint32Array.from({ length: count }, (_, at) => 2 * at);
}

/** All existing keys, each once, shuffled. */
export function keysShuffled(count: number, seed: number): Uint32Array {
  const keys = keysInOrder(count);
  const random = randomNumbers(seed);
  for (let at = count - 1; at > 0; at -= 1) {
    const other = random(at + 1);
    const key = keys[at]!;
    keys[at] = keys[other]!;
    keys[other] = key;
  }
  return keys;
}

/** Some of the first `among` keys, at random, with repetitions. `between`: keys not there. */
export function keysDrawn(
  count: number,
  from: { readonly among: number; readonly seed: number; readonly between?: boolean },
): Uint32Array {
  const random = randomNumbers(from.seed);
  const odd = from.between === true ? 1 : 0;
  return Uint32Array.from({ length: count }, () => 2 * random(from.among) + odd);
}

/** The whole of a list. */
export function all(keys: Uint32Array): KeyList {
  return { keys, from: 0, before: keys.length };
}

/** Calls for each piece of a list, in order. */
export async function inPieces(
  keys: Uint32Array,
  size: number,
  piece: (list: KeyList) => Promise<void> | void,
): Promise<void> {
  for (let from = 0; from < keys.length; from += size) {
    const done = piece({ keys, from, before: Math.min(keys.length, from + size) });
    if (done !== undefined) await done;
  }
}

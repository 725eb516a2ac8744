/**
 * Numbers that follow Zipf's law: a few come often, most come rarely, as in real loads. The
 * exponent is that of YCSB, 0.99; which numbers are the frequent ones is scattered, as there.
 */
import { randomNumbers } from "./workload.ts";

const EXPONENT = 0.99;
const UNIT = 2 ** 31;

/**
 * Draws numbers below `count`. The same seed draws the same.
 *
 * @param exponent - 0: all are equally frequent.
 */
export function zipfNumbers(count: number, seed: number, exponent = EXPONENT): () => number {
  const random = randomNumbers(seed);
  const sums = new Float64Array(count);
  let sum = 0;
  for (let rank = 0; rank < count; rank += 1) {
    sum += 1 / (rank + 1) ** exponent;
    sums[rank] = sum;
  }
  const scattered = Uint32Array.from({ length: count }, (_, at) => at);
  for (let at = count - 1; at > 0; at -= 1) {
    const other = random(at + 1);
    const one = scattered[at]!;
    scattered[at] = scattered[other]!;
    scattered[other] = one;
  }
  return () => scattered[rankOf(sums, (random(UNIT) / UNIT) * sum)]!;
}

/** The first rank whose sum exceeds a value. */
function rankOf(sums: Float64Array, value: number): number {
  let low = 0;
  let high = sums.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sums[middle]! > value) high = middle;
    else low = middle + 1;
  }
  return low;
}

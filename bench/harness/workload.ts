/**
 * Keys and values for benchmarks of stores, so that all of them measure the same kind of data.
 *
 * A key is 16 decimal digits. A value is 100 bytes, 50 random ones twice, so that half of it can be
 * compressed away, as in LevelDB's `db_bench`. Nothing is allocated while the clock runs: keys come
 * from a ring, values are views of a pool.
 *
 * Invariant: everything follows from fixed seeds. A key of the ring stays as it is until 4096 more
 * were asked for; a value never changes.
 */
export const KEY_BYTES = 16;
export const VALUE_BYTES = 100;

/** More than are ever in flight: batches of 1000 and pieces of 1000 reads. */
const RING_SLOTS = 4096;
const ZERO = 48;
const GROUP = 10_000;
const GROUP_DIGITS = 4;
/** A prime, so that the values of a key in successive passes differ. */
const VALUES = 10_007;
const VALUE_SEED = 2011;

const groups = digitGroups();
const ring = Array.from({ length: RING_SLOTS }, () => Buffer.alloc(KEY_BYTES, ZERO));
const values = valuePool();
let slot = 0;

/** The key of a number below 10^12: 16 digits. Valid until 4096 more keys were made. */
export function keyOf(number: number): Buffer {
  slot = (slot + 1) % RING_SLOTS;
  const key = ring[slot]!;
  const low = number % GROUP;
  const rest = (number - low) / GROUP;
  const middle = rest % GROUP;
  copyGroup(key, KEY_BYTES - GROUP_DIGITS, low);
  copyGroup(key, KEY_BYTES - 2 * GROUP_DIGITS, middle);
  copyGroup(key, KEY_BYTES - 3 * GROUP_DIGITS, (rest - middle) / GROUP);
  return key;
}

/** The value that belongs to a key in the pass with this salt. Never changes. */
export function valueFor(number: number, salt: number): Buffer {
  return values[(number + salt) % VALUES]!;
}

/** Numbers from a seed: xorshift, as good as shuffling needs. */
export function randomNumbers(seed: number): (below: number) => number {
  let state = seed | 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

function copyGroup(key: Buffer, offset: number, group: number): void {
  const at = group * GROUP_DIGITS;
  key[offset] = groups[at]!;
  key[offset + 1] = groups[at + 1]!;
  key[offset + 2] = groups[at + 2]!;
  key[offset + 3] = groups[at + 3]!;
}

/** The digits of 0000 to 9999 after one another: cheaper than dividing. */
function digitGroups(): Uint8Array {
  const digits = new Uint8Array(GROUP * GROUP_DIGITS);
  for (let group = 0; group < GROUP; group += 1) {
    const text = String(group).padStart(GROUP_DIGITS, "0");
    for (let at = 0; at < GROUP_DIGITS; at += 1) {
      digits[group * GROUP_DIGITS + at] = text.charCodeAt(at);
    }
  }
  return digits;
}

function valuePool(): Buffer[] {
  const random = randomNumbers(VALUE_SEED);
  const pool = Buffer.alloc(VALUES * VALUE_BYTES);
  const half = VALUE_BYTES / 2;
  for (let start = 0; start < pool.length; start += VALUE_BYTES) {
    for (let at = start; at < start + half; at += 1) {
      pool[at] = random(256);
      pool[at + half] = pool[at]!;
    }
  }
  return Array.from({ length: VALUES }, (_, at) =>
    pool.subarray(at * VALUE_BYTES, (at + 1) * VALUE_BYTES),
  );
}

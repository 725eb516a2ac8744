/**
 * Keys that are awkward for somebody: each family has a trap for a structure that looks at keys in
 * part, by prefixes or by their first bytes.
 *
 * Invariant: a family is a function of the number and the chance that it is given.
 */
import type { Random } from "#platform/types";

/** Makes `count` keys, as texts of one character a byte; some may be equal. */
export type KeyFamily = (count: number, random: Random) => string[];

const text = (bytes: Uint8Array): string => String.fromCharCode(...bytes);
const from = (count: number, make: (i: number) => string): string[] =>
  Array.from({ length: count }, (_, i) => make(i));

export const keyFamilies: Readonly<Record<string, KeyFamily>> = {
  "random bytes": (count, random) => from(count, () => text(random.bytes(16))),
  "numbers in decimals": (count, random) =>
    from(count, () => String(random.below(1e6)).padStart(16, "0")),
  "a few names with numbers": (count, random) =>
    from(count, (i) => `${["user", "post", "po", ""][i % 4]}!${random.below(count * 4)}`),
  "bytes of 0, 1 and 255 of any length": (count, random) =>
    from(count, () =>
      from(random.below(12), () => String.fromCharCode([0, 1, 255][random.below(3)]!)).join(""),
    ),
  "prefixes of each other": (count, random) =>
    from(count, (i) => "ab".repeat(random.below(i + 1) % 150)),
  "zeros at the end": (count, random) =>
    from(count, () => `k${random.below(count / 4 + 1)}${"\0".repeat(random.below(9))}`),
  "long, and different only far behind": (count, random) =>
    from(count, () => `${"x".repeat(120)}${random.below(count)}`),
  "a prefix that shrinks byte by byte": (count, random) =>
    from(count, (i) => {
      const kept = Math.max(0, 40 - Math.floor((i * 41) / count));
      return `${"p".repeat(kept)}${String.fromCharCode(random.below(256))}${random.below(1e9)}`;
    }),
  "groups below a common prefix": (count, random) =>
    from(count, () => {
      const group = random.below(7);
      return `${"group".repeat(group)}/${"y".repeat(group * 5)}${random.below(1e5)}`;
    }),
};

export const keyFamilyNames: readonly string[] = Object.keys(keyFamilies);

/** Orders in which keys may come. */
export const arrivals: Readonly<Record<string, (keys: string[], random: Random) => string[]>> = {
  "as drawn": (keys) => keys,
  ascending: (keys) => [...keys].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0)),
  descending: (keys) => [...keys].sort((a, b) => (a < b ? 1 : a > b ? -1 : 0)),
  "from both ends": (keys) => {
    const sorted = [...keys].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
    return sorted.map((_, i) => sorted[i % 2 === 0 ? i / 2 : sorted.length - (i + 1) / 2]!);
  },
};

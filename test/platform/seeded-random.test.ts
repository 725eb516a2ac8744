/**
 * Chance, seeded and from the system. Method: ranges at their ends, repeatability, and counts over
 * many draws with limits so wide that a fair source passes always.
 */

import { describe, expect, test } from "vitest";
import { mixSeeds, nodeRandom, type Random, seededRandom } from "#platform";

const TWO_32 = 2 ** 32;

describe.each([
  ["seeded", (): Random => seededRandom(7)],
  ["node", nodeRandom],
])("the %s source", (_, make) => {
  test("draws every value below the limit, about equally often", () => {
    const random = make();
    const counts = new Array<number>(7).fill(0);
    for (let draw = 0; draw < 70_000; draw += 1) {
      const value = random.below(7);
      counts[value] = (counts[value] ?? 0) + 1;
    }
    expect(counts).toHaveLength(7);
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(800);
  });

  test("takes 1 and 2^32 as limits, and nothing beyond", () => {
    const random = make();
    expect(random.below(1)).toBe(0);
    let highest = 0;
    for (let draw = 0; draw < 1000; draw += 1) highest = Math.max(highest, random.below(TWO_32));
    expect(highest).toBeGreaterThan(TWO_32 * 0.9);
    expect(highest).toBeLessThan(TWO_32);
    for (const limit of [0, -1, TWO_32 + 1, Number.NaN]) {
      expect(() => random.below(limit)).toThrow(RangeError);
    }
  });

  test("draws fractions from 0 to 1, with an even mean", () => {
    const random = make();
    let sum = 0;
    for (let draw = 0; draw < 10_000; draw += 1) {
      const fraction = random.fraction();
      expect(fraction >= 0 && fraction < 1).toBe(true);
      sum += fraction;
    }
    expect(Math.abs(sum / 10_000 - 0.5)).toBeLessThan(0.05);
  });

  test("fills arrays of any length, all bits in use", () => {
    const random = make();
    for (const count of [0, 1, 3, 4, 5, 1000]) expect(random.bytes(count)).toHaveLength(count);
    const bytes = random.bytes(4096);
    let ones = 0;
    for (const byte of bytes) for (let bit = 0; bit < 8; bit += 1) ones += (byte >> bit) & 1;
    expect(Math.abs(ones - 4096 * 4)).toBeLessThan(1000);
    expect(new Set(bytes).size).toBe(256);
  });
});

test("a seed repeats its draws, on every machine", () => {
  const draws = (seed: number): number[] => {
    const random = seededRandom(seed);
    return Array.from({ length: 4 }, () => random.below(TWO_32));
  };
  expect(draws(1)).toEqual(draws(1));
  expect(draws(1)).toMatchInlineSnapshot(`
    [
      2056038874,
      69639332,
      4166575442,
      3737375235,
    ]
  `);
  const seen = new Set([0, 1, 2, -1, TWO_32, TWO_32 + 1, 2 ** 53 - 1].map((s) => `${draws(s)}`));
  expect(seen.size).toBe(7);
});

test("neighbouring seeds start far apart", () => {
  const counts = new Array<number>(10).fill(0);
  for (let seed = 1; seed <= 10_000; seed += 1) {
    const value = seededRandom(seed).below(10);
    counts[value] = (counts[value] ?? 0) + 1;
  }
  for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(200);
});

test("folded seeds depend on every part and on their order", () => {
  const parts = [[], [0], [1], [0, 1], [1, 0], [1, 0, 0], [TWO_32], [TWO_32 + 1], [-1]];
  expect(new Set(parts.map((part) => mixSeeds(...part))).size).toBe(parts.length);
  expect(() => mixSeeds(0.5)).toThrow(RangeError);
  expect(() => seededRandom(Number.NaN)).toThrow(RangeError);
});

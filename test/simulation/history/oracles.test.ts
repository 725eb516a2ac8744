/**
 * The three oracles: silent on runs that are right, and loud at the very event that breaks a
 * promise. Method: by hand for each promise; then a replicated register that is right, and the same
 * with one event changed.
 */
import { expect, test } from "vitest";
import type { Random } from "#platform/types";
import {
  createPredecessorOracle,
  createPromiseOracle,
  createReadOracle,
  type RegisterValue,
  type Violation,
} from "#simulation";
import { forEachSeed } from "../../support/seeds.ts";

test("G11: a read returns at or above what was committed when it was called", () => {
  const oracle = createReadOracle();
  const first = oracle.called();
  expect(oracle.returned(first, 0)).toBeUndefined();
  oracle.committed(7);
  const second = oracle.called();
  oracle.committed(9);
  // A node that lags behind tells what it knows; that takes nothing back.
  oracle.committed(3);
  expect(oracle.returned(second, 7)).toBeUndefined();
  expect(oracle.returned(second, 9)).toBeUndefined();
  expect(oracle.returned(first, 0)).toBeUndefined();
  expect(oracle.returned(second, 6)).toEqual({
    rule: "G11",
    text: "a read returned at index 6; 7 was committed when it was called",
  });
  expect(oracle.returned(oracle.called(), 8)?.rule).toBe("G11");
});

test("G13: a write in its usual course breaks nothing, on any number of nodes", () => {
  const oracle = createPromiseOracle();
  oracle.committed("w1", 5);
  for (let node = 0; node < 3; node += 1) expect(oracle.applied("w1", 5)).toBeUndefined();
  expect(oracle.acknowledged("w1", 5)).toBeUndefined();
  expect(oracle.acknowledged("w1", 5)).toBeUndefined();
  expect(oracle.refused("w2")).toBeUndefined();
  // Repeated by its client: twice in the log, applied at the first place only.
  oracle.committed("w3", 6);
  oracle.committed("w3", 8);
  expect(oracle.applied("w3", 6)).toBeUndefined();
  expect(oracle.acknowledged("w3", 6)).toBeUndefined();
  expect(oracle.end()).toEqual([]);
});

test("G13: a write may be acknowledged by a node before this one has applied it", () => {
  const oracle = createPromiseOracle();
  oracle.committed("w1", 5);
  expect(oracle.acknowledged("w1", 5)).toBeUndefined();
  expect(oracle.end().map(({ text }) => text)).toEqual([
    "write w1 was acknowledged, and is nowhere applied",
  ]);
  expect(oracle.applied("w1", 5)).toBeUndefined();
  expect(oracle.end()).toEqual([]);
});

test.each<[string, (oracle: ReturnType<typeof createPromiseOracle>) => Violation | undefined]>([
  ["is acknowledged at index 5, and was never committed", (oracle) => oracle.acknowledged("w", 5)],
  ["is applied at index 5, and was never committed", (oracle) => oracle.applied("w", 5)],
  [
    "is applied at index 6, and was applied at 5",
    (oracle) => {
      oracle.committed("w", 5);
      oracle.applied("w", 5);
      return oracle.applied("w", 6);
    },
  ],
  [
    "is acknowledged at index 6, and was applied at 5",
    (oracle) => {
      oracle.committed("w", 5);
      oracle.applied("w", 5);
      return oracle.acknowledged("w", 6);
    },
  ],
  [
    "was refused, and is applied at index 5",
    (oracle) => {
      oracle.refused("w");
      oracle.committed("w", 5);
      return oracle.applied("w", 5);
    },
  ],
  [
    "was applied at index 5, and is refused",
    (oracle) => {
      oracle.committed("w", 5);
      oracle.applied("w", 5);
      return oracle.refused("w");
    },
  ],
  [
    "was acknowledged, and is refused",
    (oracle) => {
      oracle.committed("w", 5);
      oracle.acknowledged("w", 5);
      return oracle.refused("w");
    },
  ],
  [
    "was refused, and is acknowledged",
    (oracle) => {
      oracle.refused("w");
      return oracle.acknowledged("w", 5);
    },
  ],
])("G13: a write %s", (what, play) => {
  expect(play(createPromiseOracle())).toEqual({ rule: "G13", text: `write w ${what}` });
});

test("G14: what a write wrote over is the newest committed write below it", () => {
  const oracle = createPredecessorOracle();
  oracle.committed(3, "a", 1);
  oracle.committed(4, "b", 2);
  oracle.committed(7, "a", 3);
  expect(oracle.acknowledged(3, "a", null)).toBeUndefined();
  expect(oracle.acknowledged(4, "b", null)).toBeUndefined();
  expect(oracle.acknowledged(7, "a", 1)).toBeUndefined();
  expect(oracle.acknowledged(7, "a", null)).toEqual({
    rule: "G14",
    text: "the write of a at index 7 says that it wrote over null; below it is 1, of index 3",
  });
  expect(oracle.acknowledged(7, "a", 3)?.rule).toBe("G14");
  expect(oracle.acknowledged(5, "a", 1)?.text).toMatch(/no write of a is committed there$/);
  expect(oracle.acknowledged(4, "a", 1)?.text).toMatch(/no write of a is committed there$/);
  expect(() => oracle.committed(7, "a", 4)).toThrow(RangeError);
});

interface Write {
  readonly index: number;
  readonly key: string;
  readonly value: number;
  readonly previous: RegisterValue;
}

/** A log of writes as one correct node applies it. */
function writesOf(random: Random): Write[] {
  const newest = new Map<string, number>();
  let index = 0;
  return Array.from({ length: 20 + random.below(60) }, (_, value) => {
    index += 1 + random.below(3);
    const key = `k${random.below(4)}`;
    const previous = newest.get(key) ?? null;
    newest.set(key, value);
    return { index, key, value, previous };
  });
}

test("G14: a vanished commit is noticed by the next write of its key", () => {
  forEachSeed(300, (_, random) => {
    const right = createPredecessorOracle();
    const writes = writesOf(random);
    for (const { index, key, value, previous } of writes) {
      right.committed(index, key, value);
      expect(right.acknowledged(index, key, previous)).toBeUndefined();
    }
    // One node lost this write: the next of its key answers as if it had never been.
    const lost = writes[random.below(writes.length)]!;
    const next = writes.find(({ key, index }) => key === lost.key && index > lost.index);
    if (next === undefined) return;
    expect(right.acknowledged(next.index, next.key, lost.previous)?.rule).toBe("G14");
  });
});

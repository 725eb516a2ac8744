/**
 * When a version may die (step 04.7). Method: brute force. For small lists of versions, every
 * subset is tried; what the rule keeps must be one that no reader can tell from the whole, and no
 * smaller one may be.
 */
import { describe, expect, test } from "vitest";
import type { Bytes, Sequence } from "#base";
import { createKeepRule, Verdict } from "#lsm";
import type { Random } from "#platform/types";
import { forEachSeed } from "../support/seeds.ts";

const KEY: Bytes = Uint8Array.of(5);
const NOW: Sequence = Number.MAX_SAFE_INTEGER;
const span = (smallest: number, largest: number) => ({
  smallest: Uint8Array.of(smallest),
  largest: Uint8Array.of(largest),
});

/** Negative: a deletion of that sequence. */
type Version = number;

/** What the rule keeps of one key, newest first. */
function kept(
  versions: readonly Version[],
  snapshots: readonly Sequence[],
  older: Parameters<typeof createKeepRule>[1],
): Version[] {
  const rule = createKeepRule(snapshots, older);
  const result: Version[] = [];
  const write = (sequence: Sequence) => void (sequence !== 0 && result.push(-sequence));
  for (const [index, version] of versions.entries()) {
    const verdict = rule.judge(index === 0, Math.abs(version), version < 0);
    expect(verdict === Verdict.wait).toBe(verdict !== Verdict.drop && version < 0);
    if (verdict !== Verdict.keep) continue;
    write(rule.takeWaiting());
    result.push(version);
  }
  write(rule.endKey(KEY));
  expect(rule.endKey(KEY)).toBe(0);
  return result;
}

/** What every reader sees: the value's sequence, 0 for nothing. */
function views(versions: readonly Version[], snapshots: readonly Sequence[]): number[] {
  return [...snapshots, NOW].map((reader) => {
    const version = versions.find((candidate) => Math.abs(candidate) <= reader) ?? 0;
    return Math.max(0, version);
  });
}

function subsets(versions: readonly Version[]): Version[][] {
  const count = 1 << versions.length;
  return Array.from({ length: count }, (_, bits) => versions.filter((__, i) => (bits >> i) & 1));
}

function randomVersions(random: Random): { versions: Version[]; snapshots: Sequence[] } {
  const versions: Version[] = [];
  const snapshots: Sequence[] = [];
  for (let sequence = 20; sequence >= 10; sequence -= 1) {
    const wanted = versions.length < 7 && random.below(2) === 0;
    if (wanted) versions.push(random.below(2) === 0 ? sequence : -sequence);
  }
  for (let sequence = 5; sequence <= 20; sequence += 1) {
    if (random.below(5) === 0) snapshots.push(sequence);
  }
  return { versions, snapshots };
}

/** Whether no reader can tell one list from the other, whatever the older tables hold. */
function alike(
  lists: readonly [readonly Version[], readonly Version[]],
  snapshots: readonly Sequence[],
  olders: readonly (readonly Version[])[],
): boolean {
  return olders.every((older) => {
    const [a, b] = lists.map((list) => views([...list, ...older], snapshots).join());
    return a === b;
  });
}

describe("04.7 the keep rule", () => {
  test("04.7 no reader can tell, and nothing that could go is kept", () => {
    forEachSeed(1500, (_, random) => {
      const { versions, snapshots } = randomVersions(random);
      for (const mayHold of [true, false]) {
        const older = mayHold ? [span(1, 2), span(4, 9)] : [span(1, 4), span(6, 9)];
        const olders = mayHold ? [[], [3], [-3], [7, 3], [-7, 3], [-6]] : [[]];
        const result = kept(versions, snapshots, older);
        expect(alike([versions, result], snapshots, olders)).toBe(true);
        const smallest = Math.min(
          ...subsets(versions)
            .filter((subset) => alike([versions, subset], snapshots, olders))
            .map((subset) => subset.length),
        );
        expect(result.length, `${versions} for ${snapshots}: ${result}`).toBe(smallest);
      }
    });
  });

  test("04.7 a deletion stays while an older table may hold its key", () => {
    const from = (...spans: [number, number][]) => spans.map(([a, b]) => span(a, b));
    expect(kept([-9, 8], [], from([5, 5]))).toEqual([-9]);
    expect(kept([-9, 8], [], from([1, 9]))).toEqual([-9]);
    expect(kept([-9, 8], [], from([6, 9], [1, 2], [2, 5]))).toEqual([-9]);
    expect(kept([-9, 8], [], from([1, 4], [6, 9]))).toEqual([]);
    expect(kept([-9, 8], [], from())).toEqual([]);
    expect(kept([-9, 8], [], null)).toEqual([-9]);
  });

  test("04.7 a deletion stays while a snapshot needs what it hides", () => {
    expect(kept([-9, 8], [8], [])).toEqual([-9, 8]);
    expect(kept([-9, 8], [7], [])).toEqual([]);
    expect(kept([-9, 8], [9], [])).toEqual([]);
    expect(kept([-9, 8, 3], [5], [])).toEqual([-9, 3]);
  });

  test("04.7 each snapshot keeps the version that it sees", () => {
    expect(kept([9, 7, 5, 3], [], [])).toEqual([9]);
    expect(kept([9, 7, 5, 3], [8], [])).toEqual([9, 7]);
    expect(kept([9, 7, 5, 3], [3, 4, 6], [])).toEqual([9, 5, 3]);
    expect(kept([9, 7, 5, 3], [2, 10], [])).toEqual([9]);
  });

  test("04.7 spans of older tables are passed in key order, each key once", () => {
    forEachSeed(200, (_, random) => {
      const spans = Array.from({ length: random.below(6) }, () => {
        const smallest = random.below(40);
        return span(smallest, smallest + random.below(8));
      });
      const rule = createKeepRule([], spans);
      for (let key = 0; key < 50; key += 1 + random.below(3)) {
        rule.judge(true, 7, true);
        const mayHold = spans.some(({ smallest, largest }) => {
          return smallest[0]! <= key && key <= largest[0]!;
        });
        expect(rule.endKey(Uint8Array.of(key))).toBe(mayHold ? 7 : 0);
      }
    });
  });
});

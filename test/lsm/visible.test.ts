/**
 * What a reader at a sequence sees (step 04.2). Method: random versions, readers, bounds and
 * directions against a list that was made by looking each key up; sources spoil their views.
 */
import { describe, expect, test } from "vitest";
import type { Bytes, Sequence } from "#base";
import { compareBytes } from "#bytes";
import { createVisibleCursor, mergeCursors, type VisibleCursor, type VisibleOptions } from "#lsm";
import type { Random } from "#platform/types";
import { forEachSeed } from "../support/seeds.ts";
import {
  arrayCursor,
  compareEntries,
  type Entry,
  randomEntries,
  randomKey,
} from "./array-cursor.ts";

const NOW: Sequence = Number.MAX_SAFE_INTEGER;
const bytes = (...values: number[]): Bytes => Uint8Array.of(...values);

type Pair = [key: Bytes, value: Bytes];

/** What is seen, the slow way. */
function seen(entries: readonly Entry[], options: VisibleOptions): Pair[] {
  const { at, gte, gt, lte, lt, reverse } = options;
  const visible = entries.filter(({ sequence }) => sequence <= at);
  const pairs = visible
    .filter((entry, i) => i === 0 || compareBytes(visible[i - 1]!.key, entry.key) !== 0)
    .filter(({ key }) => gte === undefined || compareBytes(key, gte) >= 0)
    .filter(({ key }) => gt === undefined || compareBytes(key, gt) > 0)
    .filter(({ key }) => lte === undefined || compareBytes(key, lte) <= 0)
    .filter(({ key }) => lt === undefined || compareBytes(key, lt) < 0)
    .flatMap(({ key, value }): Pair[] => (value === null ? [] : [[key, value]]));
  return reverse ? pairs.reverse() : pairs;
}

function pairAt({ key, value }: VisibleCursor): Pair {
  return [Uint8Array.from(key), Uint8Array.from(value)];
}

function readOn(cursor: VisibleCursor): Pair[] {
  const pairs: Pair[] = [];
  while (cursor.next()) pairs.push(pairAt(cursor));
  return pairs;
}

function randomOptions(random: Random, versions: number): VisibleOptions {
  const lower = ["gte", "gt", null][random.below(3)];
  const upper = ["lte", "lt", null][random.below(3)];
  return {
    at: random.below(3) === 0 ? NOW : random.below(versions + 2),
    reverse: random.below(2) === 0,
    ...(lower && { [lower]: randomKey(random) }),
    ...(upper && { [upper]: randomKey(random) }),
  };
}

/** A merged cursor over the entries, spread over sources by age. */
function layered(random: Random, entries: readonly Entry[]): ReturnType<typeof mergeCursors> {
  const byAge = [...entries].sort((a, b) => b.sequence - a.sequence);
  const sources: Entry[][] = [[]];
  for (const entry of byAge) {
    sources.at(-1)!.push(entry);
    if (random.below(8) === 0) sources.push([]);
  }
  return mergeCursors(sources.map((source) => arrayCursor(source.sort(compareEntries))));
}

describe("04.2 what a reader sees", () => {
  test("04.2 the newest version at or below the reader, no deletions, within bounds", () => {
    forEachSeed(1500, (_, random) => {
      const entries = randomEntries(random, random.below(30));
      const options = randomOptions(random, entries.length);
      const cursor = createVisibleCursor(layered(random, entries), options);
      expect(readOn(cursor)).toEqual(seen(entries, options));
      expect(cursor.next()).toBe(false);
      cursor.close();
    });
  });

  test("04.2 a seek leads to the nearest entry in the direction of travel, and no further", () => {
    forEachSeed(600, (_, random) => {
      const entries = randomEntries(random, 10 + random.below(30));
      const options = randomOptions(random, entries.length);
      const model = seen(entries, options);
      const cursor = createVisibleCursor(layered(random, entries), options);
      const sign = options.reverse ? -1 : 1;
      let place = 0;
      for (let i = 0; i < 30; i += 1) {
        if (random.below(3) === 0) {
          const key = randomKey(random);
          cursor.seek(key);
          place = model.filter((pair) => sign * compareBytes(pair[0], key) < 0).length;
        }
        const pair = model[place];
        expect(cursor.next()).toBe(pair !== undefined);
        if (pair !== undefined) expect(pairAt(cursor)).toEqual(pair);
        place = Math.min(place + 1, model.length);
      }
    });
  });

  test("04.2 a deletion ends the search: older versions of the key stay hidden", () => {
    const entries = [
      { key: bytes(1), value: null, sequence: 9 },
      { key: bytes(1), value: bytes(7), sequence: 4 },
      { key: bytes(2), value: bytes(8), sequence: 5 },
    ];
    for (const reverse of [false, true]) {
      const at = (sequence: Sequence) =>
        readOn(createVisibleCursor(arrayCursor(entries), { at: sequence, reverse })).length;
      expect([at(NOW), at(9), at(8), at(4), at(3)]).toEqual([1, 1, 2, 1, 0]);
    }
  });

  test("04.2 a seek to the cursor's own key stays there, although that key is a view", () => {
    const entries = [1, 2, 3].map((n) => ({ key: bytes(n), value: bytes(n), sequence: n }));
    for (const reverse of [false, true]) {
      // The key belongs to the first source, and the second is asked for it after that has moved.
      const first = reverse ? 2 : 0;
      const sources = [[entries[first]!], entries.filter((_, i) => i !== first)];
      const merged = mergeCursors(sources.map((source) => arrayCursor(source)));
      const cursor = createVisibleCursor(merged, { at: NOW, reverse });
      cursor.next();
      cursor.seek(cursor.key);
      expect(readOn(cursor).map(([key]) => key[0])).toEqual(reverse ? [3, 2, 1] : [1, 2, 3]);
    }
  });

  test("04.2 bounds are copied", () => {
    const entries = [1, 2, 3].map((n) => ({ key: bytes(n), value: bytes(n), sequence: n }));
    const [gte, lt] = [bytes(2), bytes(3)];
    const cursor = createVisibleCursor(arrayCursor(entries), { at: NOW, gte, lt });
    gte[0] = 0;
    lt[0] = 9;
    expect(readOn(cursor).map(([key]) => key[0])).toEqual([2]);
  });

  test("04.2 large keys and values come through whole", () => {
    forEachSeed(3, (_, random) => {
      const entries = [100, 24, 25, 3000, 0, 64, 65].map((length, i) => ({
        key: Uint8Array.of(i, ...random.bytes(length)),
        value: random.bytes(length * 7),
        sequence: i + 1,
      }));
      for (const reverse of [false, true]) {
        const cursor = createVisibleCursor(arrayCursor(entries), { at: NOW, reverse });
        expect(readOn(cursor)).toEqual(seen(entries, { at: NOW, reverse }));
      }
    });
  });
});

test("04.2 a cursor that has failed keeps failing, and what it gave before was right", () => {
  forEachSeed(200, (_, random) => {
    const entries = randomEntries(random, 10);
    const options = { at: NOW, reverse: random.below(2) === 0 };
    const expected = seen(entries, options);
    // Ten entries and the end are eleven moves; one of them fails.
    const source = arrayCursor(entries, { failAtMove: random.below(11) });
    const cursor = createVisibleCursor(source, options);
    const pairs: Pair[] = [];
    expect(() => {
      while (cursor.next()) pairs.push(pairAt(cursor));
    }).toThrow("fails");
    expect(pairs).toEqual(expected.slice(0, pairs.length));
    const { moves } = source;
    expect(() => cursor.next()).toThrow("fails");
    expect(() => cursor.seek(bytes(1))).toThrow("fails");
    expect(source.moves).toBe(moves);
    cursor.close();
    expect(source.closed).toBe(true);
  });
});

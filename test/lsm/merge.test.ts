/**
 * Merging cursors (step 04.1). Method: random sources against one sorted list, walked at random in
 * both directions; the sources spoil their views when they move, and fail on demand.
 */
import { describe, expect, test } from "vitest";
import type { Bytes } from "#base";
import { compareBytes } from "#bytes";
import { createRunCursor, mergeCursors } from "#lsm";
import { createMemtable } from "#memtable";
import type { Random } from "#platform/types";
import { forEachSeed } from "../support/seeds.ts";
import {
  arrayCursor,
  compareEntries,
  type Entry,
  entryAt,
  randomEntries,
  randomKey,
  readAll,
} from "./array-cursor.ts";
import { cutIntoTables, metaOf, walkTogether } from "./compaction-support.ts";

const bytes = (...values: number[]): Bytes => Uint8Array.of(...values);
const put = (key: number, sequence: number): Entry => ({
  key: bytes(key),
  value: bytes(sequence),
  sequence,
});
const remove = (key: number, sequence: number): Entry => ({
  key: bytes(key),
  value: null,
  sequence,
});

/** Sources, newest first, and what they are as one list: by key, then by rank. */
function randomSources(random: Random): { sources: Entry[][]; merged: Entry[] } {
  const sources: Entry[][] = [];
  // Sequences overlap between sources at will: the rank must decide.
  for (let rank = random.below(10); rank > 0; rank -= 1) {
    sources.push(randomEntries(random, random.below(12), { sequence: random.below(20) }));
  }
  const merged = sources
    .flatMap((entries, rank) => entries.map((entry, place) => ({ entry, rank, place })))
    .sort((a, b) => compareBytes(a.entry.key, b.entry.key) || a.rank - b.rank || a.place - b.place)
    .map(({ entry }) => entry);
  return { sources, merged };
}

describe("04.1 order", () => {
  test("04.1 entries of equal keys come newest source first, and deletions pass through", () => {
    const newest = [remove(2, 9)];
    const middle = [put(1, 8), put(2, 7), put(2, 5)];
    const oldest = [put(1, 4), put(2, 3), put(3, 1)];
    const merged = mergeCursors([newest, middle, oldest].map((entries) => arrayCursor(entries)));
    expect(readAll(merged).map(({ sequence }) => sequence)).toEqual([8, 4, 9, 7, 5, 3, 1]);
    merged.seek(bytes(2));
    expect(merged.isDeletion).toBe(true);
    expect(merged.value).toHaveLength(0);
  });

  test("04.1 the rank of a source decides, not a sequence", () => {
    const merged = mergeCursors([arrayCursor([put(1, 0)]), arrayCursor([put(1, 50)])]);
    expect(readAll(merged).map(({ sequence }) => sequence)).toEqual([0, 50]);
  });

  test("04.1 nothing merged is nothing", () => {
    for (const merged of [mergeCursors([]), mergeCursors([arrayCursor([]), arrayCursor([])])]) {
      merged.seekFirst();
      expect(merged.valid).toBe(false);
      merged.seekBefore(bytes(1));
      expect(merged.valid).toBe(false);
      merged.close();
    }
  });

  test("04.1 any number of sources is one sorted list, walked in any way", () => {
    forEachSeed(400, (_, random) => {
      const { sources, merged } = randomSources(random);
      const cursor = mergeCursors(sources.map((entries) => arrayCursor(entries)));
      expect(readAll(cursor)).toEqual(merged);
      walkTogether(random, cursor, arrayCursor(merged), 60);
    });
  });

  test("04.1 a memtable that is written during a walk never puts the merge out of order", () => {
    forEachSeed(300, (_, random) => {
      const memtable = createMemtable();
      let sequence = 100;
      const write = (): void => {
        sequence += 1;
        memtable.put(randomKey(random), bytes(1), sequence);
      };
      for (let i = random.below(4); i > 0; i -= 1) write();
      const old = arrayCursor(randomEntries(random, 12));
      const cursor = mergeCursors([memtable.cursor(), old]);
      cursor.seek(randomKey(random));
      for (let i = 0; i < 40 && cursor.valid; i += 1) {
        const last = entryAt(cursor)!;
        for (let writes = random.below(3); writes > 0; writes -= 1) write();
        const forward = random.below(2) === 0;
        if (forward) cursor.next();
        else cursor.prev();
        if (!cursor.valid) break;
        expect(compareEntries(entryAt(cursor)!, last)).toSatisfy((order: number) =>
          forward ? order > 0 : order < 0,
        );
      }
    });
  });
});

describe("04.1 failing sources", () => {
  test("04.1 an error surfaces once, and the merge is at no entry from then on", () => {
    forEachSeed(300, (_, random) => {
      const { sources, merged } = randomSources(random);
      if (sources.length === 0) return;
      const failing = random.below(sources.length);
      const failAtMove = random.below(8);
      const cursors = sources.map((entries, rank) =>
        arrayCursor(entries, rank === failing ? { failAtMove } : {}),
      );
      const cursor = mergeCursors(cursors);
      const seen: Entry[] = [];
      let errors = 0;
      try {
        for (cursor.seekFirst(); cursor.valid; cursor.next()) seen.push(entryAt(cursor)!);
        cursor.seekLast();
      } catch {
        errors += 1;
        const moves = cursors.map((source) => source.moves);
        for (let i = 0; i < 3; i += 1) {
          expect(cursor.valid).toBe(false);
          cursor.next();
          cursor.prev();
          cursor.seekFirst();
          cursor.seekLast();
          cursor.seek(bytes(1));
          cursor.seekBefore(bytes(1));
        }
        expect(cursors.map((source) => source.moves)).toEqual(moves);
      }
      expect(seen).toEqual(merged.slice(0, seen.length));
      if (errors === 0) expect(seen).toEqual(merged);
      cursor.close();
      expect(cursors.every((source) => source.closed)).toBe(true);
    });
  });

  test("04.1 closing closes every source, also when one of them throws", () => {
    const cursors = [{}, { failAtClose: true }, {}].map((faults) => arrayCursor([], faults));
    const cursor = mergeCursors(cursors);
    expect(() => cursor.close()).toThrow("closing fails");
    expect(cursors.map((source) => source.closed)).toEqual([true, true, true]);
    cursor.close();
  });
});

describe("a run", () => {
  test("the tables of a run are one sorted list, and at most one is open at a time", () => {
    forEachSeed(200, (_, random) => {
      const entries = randomEntries(random, random.below(30));
      const tables = cutIntoTables(random, entries);
      let open = 0;
      const cursor = createRunCursor(
        tables.map((table, index) => metaOf(index, table)),
        ({ id }) => {
          open += 1;
          expect(open).toBe(1);
          const inner = arrayCursor(tables[id]!);
          const close = inner.close;
          inner.close = () => {
            open -= 1;
            close();
          };
          return inner;
        },
      );
      expect(readAll(cursor)).toEqual(entries);
      walkTogether(random, cursor, arrayCursor(entries), 60);
      cursor.close();
      expect(open).toBe(0);
      expect(cursor.valid).toBe(false);
      cursor.close();
    });
  });

  test("a table that cannot be opened leaves a run at no entry", () => {
    const tables = [[put(1, 1)], [put(2, 2)]];
    const cursor = createRunCursor(
      tables.map((table, index) => metaOf(index, table)),
      ({ id }) => {
        if (id === 1) throw new Error("cannot be opened");
        return arrayCursor(tables[id]!);
      },
    );
    cursor.seekFirst();
    expect(cursor.valid).toBe(true);
    expect(() => cursor.next()).toThrow("cannot be opened");
    expect(cursor.valid).toBe(false);
  });
});

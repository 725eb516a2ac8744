/**
 * What the tests of cursors and compactions share.
 */
import { expect } from "vitest";
import type { Cursor } from "#base";
import { compareBytes } from "#bytes";
import type { Random } from "#platform/types";
import type { TableMeta } from "#sstable/types";
import { type Entry, entryAt, randomKey } from "./array-cursor.ts";

/** Moves two cursors at random in the same way, and compares them after each move. */
export function walkTogether(random: Random, cursor: Cursor, model: Cursor, moves: number): void {
  let direction = random.below(2);
  for (let i = 0; i < moves; i += 1) {
    const dice = model.valid ? random.below(12) : 0;
    if (dice === 0) {
      const key = randomKey(random);
      const seeks = [
        (c: Cursor) => c.seekFirst(),
        (c: Cursor) => c.seekLast(),
        (c: Cursor) => c.seek(key),
        (c: Cursor) => c.seekBefore(key),
      ];
      const seek = seeks[random.below(seeks.length)]!;
      seek(cursor);
      seek(model);
    } else {
      if (dice === 1) direction = 1 - direction;
      for (const c of [cursor, model]) direction === 0 ? c.next() : c.prev();
    }
    expect(entryAt(cursor)).toEqual(entryAt(model));
  }
}

/** Cuts sorted entries into tables, between keys. */
export function cutIntoTables(random: Random, entries: readonly Entry[]): Entry[][] {
  const tables: Entry[][] = [];
  for (const entry of entries) {
    const last = tables.at(-1)?.at(-1);
    const isNewKey = last !== undefined && compareBytes(last.key, entry.key) !== 0;
    if (last === undefined || (isNewKey && random.below(3) === 0)) tables.push([]);
    tables.at(-1)!.push(entry);
  }
  return tables;
}

/** What is known of a table that is an array. */
export function metaOf(id: number, entries: readonly Entry[]): TableMeta {
  const sequences = entries.map(({ sequence }) => sequence);
  return {
    id,
    bytes: 100 * entries.length,
    entries: entries.length,
    deletions: entries.filter(({ value }) => value === null).length,
    smallest: entries[0]!.key,
    largest: entries.at(-1)!.key,
    sequenceMin: Math.min(...sequences),
    sequenceMax: Math.max(...sequences),
  };
}

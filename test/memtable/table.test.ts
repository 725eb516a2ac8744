/**
 * The rules of the contract, one by one, on every structure. Method: small tables against the model
 * (rules.ts), and what the model does not know: extremes, refusals, and cursors that are left open.
 */
import { describe, expect, test } from "vitest";
import { InvariantError } from "#base";
import * as memtable from "#memtable";
import { createMemtable } from "#memtable";
import type { MemtableStructure } from "#memtable/types";
import { structures } from "./checks.ts";
import { bytesOf, lookupText, textOf } from "./model.ts";
import {
  boundsAreHalfOpen,
  buffersUsedAgain,
  deletionsGrow,
  frozenNeverChanges,
  overwritesDoNotLeak,
  sizeIsNearTheTruth,
  threeOutcomes,
  versionsAtSequences,
} from "./rules.ts";

describe.each(structures)("%s", (structure) => {
  const subject = { module: memtable, structure };

  test("02.1 absent, deleted and empty differ; deletions are recorded, and undone", () => {
    threeOutcomes(subject);
  });

  test("02.1 the caller's buffers may be used again", () => buffersUsedAgain(subject));

  test("02.1 a reader at a sequence sees the newest version at or below it", () => {
    versionsAtSequences(subject);
  });

  test("02.4 a scan includes its lower bound and excludes its upper one", () => {
    boundsAreHalfOpen(subject);
  });

  test("02.5 deletions alone make the table grow", () => deletionsGrow(subject));

  test("02.5 the size is near what keys and values take", () => sizeIsNearTheTruth(subject));

  test("02.5 overwriting what nobody reads does not leak", () => overwritesDoNotLeak(subject));

  test("02.5 a frozen table never changes", () => frozenNeverChanges(subject));
});

describe.each(structures)("%s, at its limits", (structure) => {
  test("keys and values of megabytes are kept whole", () => {
    const table = createMemtable({ structure });
    const large = new Uint8Array(3 * 2 ** 20).fill(7);
    const larger = new Uint8Array(3 * 2 ** 20 + 1).fill(7);
    table.put(large, larger, 1);
    table.put(larger, new Uint8Array(0), 2);
    table.put(new Uint8Array(0), large, 3);
    expect([...table.scan()].map(({ key, value }) => [key.length, value!.length])).toEqual([
      [0, large.length],
      [large.length, larger.length],
      [larger.length, 0],
    ]);
    const found = table.get(large);
    expect(found.kind === "value" && found.value.every((byte) => byte === 7)).toBe(true);
  });

  test("sequences up to the largest whole number are kept exactly", () => {
    const table = createMemtable({ structure });
    const sequences = [1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 52 + 1, Number.MAX_SAFE_INTEGER];
    for (const sequence of sequences) table.put(bytesOf("k"), bytesOf(`${sequence}`), sequence);
    table.delete(bytesOf("gone"), Number.MAX_SAFE_INTEGER - 1);
    for (const at of sequences) {
      expect(lookupText(table.get(bytesOf("k"), at))).toBe(`value ${at}`);
    }
    expect([...table.scan()].map(({ sequence }) => sequence)).toEqual([
      Number.MAX_SAFE_INTEGER - 1,
      ...sequences.toReversed(),
    ]);
    expect([table.sequenceMin, table.sequenceMax]).toEqual([1, Number.MAX_SAFE_INTEGER]);
  });

  test("a sequence that is none is refused, and one that is too low is our bug", () => {
    const table = createMemtable({ structure });
    for (const sequence of [0, -1, 1.5, Number.NaN, 2 ** 53]) {
      expect(() => table.put(bytesOf("k"), bytesOf("v"), sequence)).toThrow(RangeError);
    }
    expect(table.entries).toBe(0);
    table.put(bytesOf("k"), bytesOf("v"), 5);
    expect(() => table.delete(bytesOf("k"), 5)).toThrow(InvariantError);
    expect(() => table.put(bytesOf("k"), bytesOf("w"), 4, 0)).toThrow(InvariantError);
    expect([...table.scan()].map(({ sequence }) => sequence)).toEqual([5]);
  });

  test("an empty table is empty from everywhere", () => {
    const table = createMemtable({ structure });
    const cursor = table.cursor();
    const moves = [
      () => cursor.seekFirst(),
      () => cursor.seekLast(),
      () => cursor.seek(bytesOf("")),
      () => cursor.seekBefore(bytesOf("x")),
    ];
    for (const move of moves) {
      move();
      expect(cursor.valid).toBe(false);
    }
    expect([table.entries, table.sequenceMin, table.sequenceMax]).toEqual([0, 0, 0]);
    expect(table.get(bytesOf("")).kind).toBe("absent");
  });
});

describe.each(structures)("%s, with cursors", (structure) => {
  test("a cursor goes back and forth, and only from an entry", () => {
    const table = createMemtable({ structure });
    const cursor = table.cursor();
    expect(() => cursor.next()).toThrow(InvariantError);
    expect(() => cursor.prev()).toThrow(InvariantError);
    for (const [i, key] of ["a", "b", "c"].entries()) table.put(bytesOf(key), bytesOf("v"), i + 1);
    const seen: string[] = [];
    cursor.seekFirst();
    for (const move of ["next", "prev", "next", "next", "prev"] as const) {
      cursor[move]();
      seen.push(textOf(cursor.key));
    }
    expect(seen).toEqual(["b", "a", "b", "c", "b"]);
    cursor.close();
    cursor.close();
    expect(cursor.valid).toBe(false);
  });

  test("a scan that is given up lets go of what it stood at", () => {
    const table = createMemtable({ structure });
    table.put(bytesOf("k"), new Uint8Array(100), 1, 0);
    for (const { sequence } of table.scan()) if (sequence === 1) break;
    const before = table.approximateBytes();
    table.put(bytesOf("k"), new Uint8Array(100), 2, 0);
    expect(table.approximateBytes()).toBe(before);
  });
});

test("what is no option is refused", () => {
  const structure = "tree" as MemtableStructure;
  expect(() => createMemtable({ structure })).toThrow(/unknown structure "tree"/);
  for (const bytesInitial of [-1, 0.5, Number.NaN]) {
    expect(() => createMemtable({ bytesInitial })).toThrow(RangeError);
  }
});

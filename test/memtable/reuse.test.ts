/**
 * Memory of a table that is done, used by the next one. Method: fill both with different content,
 * and look at the second; with and without a reader of the first.
 */
import { describe, expect, test } from "vitest";
import { createMemtable } from "#memtable";
import type { Memtable, MemtableStructure } from "#memtable/types";

const STRUCTURES: MemtableStructure[] = ["btree", "skiplist", "map", "array"];
const text = new TextEncoder();
const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes.slice());

function filled(table: Memtable, word: string, count: number): Memtable {
  for (let i = 0; i < count; i += 1) {
    table.put(text.encode(`${word}${i}`), text.encode(`${word} is ${i}`), i + 1);
  }
  return table;
}

const contentOf = (table: Memtable) =>
  [...table.scan()].map(({ key, value }) => [decode(key), value && decode(value)]);

describe.each(STRUCTURES)("%s", (structure) => {
  test("02.5 memory that was used before shows nothing of its old content", () => {
    const old = filled(createMemtable({ structure }), "old", 500);
    old.freeze();
    const next = filled(createMemtable({ structure, reuse: old }), "new", 300);
    next.delete(text.encode("new7"), 1000);
    const fresh = filled(createMemtable({ structure }), "new", 300);
    fresh.delete(text.encode("new7"), 1000);
    expect(contentOf(next)).toEqual(contentOf(fresh));
    expect(next.get(text.encode("old3"))).toEqual({ kind: "absent" });
  });

  test("02.5 a table that is still read keeps its memory", () => {
    const old = filled(createMemtable({ structure }), "old", 50);
    old.freeze();
    const cursor = old.cursor();
    cursor.seekFirst();
    filled(createMemtable({ structure, reuse: old }), "new", 50);
    let seen = 0;
    for (; cursor.valid; cursor.next()) {
      expect(decode(cursor.key)).toMatch(/^old/);
      expect(decode(cursor.value)).toMatch(/^old is/);
      seen += 1;
    }
    expect(seen).toBe(50);
    cursor.close();
  });

  test("02.5 a table that may still be written is not taken over", () => {
    const open = createMemtable({ structure });
    expect(() => createMemtable({ structure, reuse: open })).toThrow(/frozen/);
  });

  test("02.5 a second use that needs more memory grows as ever", () => {
    const old = filled(createMemtable({ structure, bytesInitial: 64 }), "old", 1);
    old.freeze();
    const next = filled(createMemtable({ structure, bytesInitial: 64, reuse: old }), "new", 2000);
    expect(next.entries).toBe(2000);
    expect(decode((next.get(text.encode("new1999")) as { value: Uint8Array }).value)).toBe(
      "new is 1999",
    );
  });
});

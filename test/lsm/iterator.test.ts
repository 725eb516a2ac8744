/**
 * Iterators and snapshots: one moment, held (L4). Method: change everything behind a reader's back,
 * and look whether it sees any of it.
 */
import { describe, expect, test } from "vitest";
import type { Engine, EngineIterator, IteratorOptions } from "#lsm/types";
import { b, contentOf, drain, filler, fresh, s } from "./engine-support.ts";

function keysOf(iterator: EngineIterator): string[] {
  const keys: string[] = [];
  while (iterator.next()) keys.push(s(iterator.key)!);
  return keys;
}

function keysIn(engine: Engine, options: IteratorOptions): string {
  const iterator = engine.iterator(options);
  const keys = keysOf(iterator);
  iterator.close();
  return keys.join("");
}

/** Keys a to f over memtable, frozen memtable, level 0 and level 1. */
async function spread(): Promise<ReturnType<typeof fresh>> {
  const made = fresh({ levelZeroCompactRuns: 9 });
  const { engine } = made;
  await engine.put(b("b"), b("old"));
  await engine.put(b("e"), b("1"));
  await engine.compact();
  await engine.put(b("a"), b("1"));
  await engine.put(b("x"), b("1"));
  await engine.flush();
  await engine.put(b("d"), filler(4096));
  await engine.put(b("b"), b("new"));
  await engine.put(b("c"), b("1"));
  await engine.put(b("f"), b("1"));
  await engine.delete(b("x"));
  return made;
}

describe("what an iterator goes over", () => {
  test("is all layers, newest version first, without what was deleted", async () => {
    const { engine } = await spread();
    expect(engine.stats().frozenMemtables).toBe(1);
    expect(keysIn(engine, {})).toBe("abcdef");
    expect(keysIn(engine, { reverse: true })).toBe("fedcba");
    expect(contentOf(engine)["b"]).toBe("new");
  });

  test("ends at its bounds, in both directions, also where no key is", async () => {
    const { engine } = await spread();
    const bounds: [IteratorOptions, string][] = [
      [{ gte: b("b"), lt: b("e") }, "bcd"],
      [{ gt: b("b"), lte: b("e") }, "cde"],
      [{ gte: b("bb"), lte: b("dd") }, "cd"],
      [{ gt: b("f") }, ""],
      [{ lt: b("a") }, ""],
      [{ gte: b("d"), lt: b("d") }, ""],
      [{ gte: b("e"), lt: b("b") }, ""],
    ];
    for (const [options, keys] of bounds) {
      expect(keysIn(engine, options)).toBe(keys);
      expect(keysIn(engine, { ...options, reverse: true })).toBe([...keys].reverse().join(""));
    }
  });

  test("can be sought, and stays inside its bounds", async () => {
    const { engine } = await spread();
    const iterator = engine.iterator({ gte: b("b"), lte: b("e") });
    for (const [to, rest] of [
      ["d", "de"],
      ["a", "bcde"],
      ["cc", "de"],
      ["z", ""],
      ["c", "cde"],
    ]) {
      iterator.seek(b(to!));
      expect(keysOf(iterator).join("")).toBe(rest);
    }
    iterator.close();
    const back = engine.iterator({ gte: b("b"), lte: b("e"), reverse: true });
    back.seek(b("cc"));
    expect(keysOf(back).join("")).toBe("cb");
    back.seek(b("z"));
    expect(keysOf(back).join("")).toBe("edcb");
    back.close();
  });

  test("can be taken in pieces, which belong to the caller", async () => {
    const { engine } = await spread();
    const iterator = engine.iterator();
    const first = iterator.take(2);
    const rest = iterator.take(99);
    expect(first.map(([key]) => s(key)).join("")).toBe("ab");
    expect(rest.map(([key]) => s(key)).join("")).toBe("cdef");
    expect(iterator.take(1)).toEqual([]);
    expect(() => iterator.take(-1)).toThrow(RangeError);
    iterator.close();
  });
});

describe("a moment that is held", () => {
  test("an iterator sees nothing of what comes later, and its files stay", async () => {
    const { engine, disk } = await spread();
    const iterator = engine.iterator();
    iterator.next();
    const before = engine.verify().tables;
    for (const key of "abcdefgh") await engine.put(b(key), b("later"));
    await engine.delete(b("c"));
    await engine.compact();
    drain(engine);
    expect(keysOf(iterator).join("")).toBe("bcdef");
    expect(engine.stats().iterators).toBe(1);
    expect(disk.list("db").filter((name) => name.endsWith(".sst")).length).toBeGreaterThan(before);
    iterator.close();
    iterator.close();
    drain(engine);
    const left = disk.list("db").filter((name) => name.endsWith(".sst"));
    expect(left).toHaveLength(engine.verify().tables);
    expect(() => iterator.next()).toThrow(expect.objectContaining({ code: "LSM_CLOSED" }));
  });

  test("a snapshot shows the same through flush, compaction and overwrites", async () => {
    const { engine } = await spread();
    const snapshot = engine.snapshot();
    const old = keysIn(engine, { snapshot });
    for (let round = 0; round < 3; round += 1) {
      for (const key of "abcdefgh") await engine.put(b(key), b(`round ${round}`));
      await engine.delete(b("a"));
      await engine.compact();
      expect(keysIn(engine, { snapshot })).toBe(old);
      expect(s(engine.get(b("b"), { snapshot }))).toBe("new");
      expect(engine.has(b("g"), { snapshot })).toBe(false);
      expect(engine.has(b("a"))).toBe(false);
    }
    expect(engine.stats().snapshots).toBe(1);
    snapshot.close();
    snapshot.close();
    expect(() => engine.get(b("b"), { snapshot })).toThrow(RangeError);
    await engine.compact();
    expect(engine.stats().levels).toMatchObject([{ entries: 7, deletions: 0 }]);
  });

  test("snapshots of one moment are let go one by one", async () => {
    const { engine } = fresh();
    await engine.put(b("key"), b("old"));
    const [first, second] = [engine.snapshot(), engine.snapshot()];
    await engine.put(b("key"), b("new"));
    const third = engine.snapshot();
    first.close();
    await engine.compact();
    expect(s(engine.get(b("key"), { snapshot: second }))).toBe("old");
    expect(s(engine.get(b("key"), { snapshot: third }))).toBe("new");
    expect(third.sequence).toBe(second.sequence + 1);
  });

  test("a snapshot of another engine is refused", () => {
    const { engine } = fresh();
    const { engine: other } = fresh();
    expect(() => engine.get(b("a"), { snapshot: other.snapshot() })).toThrow(TypeError);
  });
});

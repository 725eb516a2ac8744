/**
 * The engine as its callers see it, on a simulated disk. Method: small limits, so that a few writes
 * reach every layer; background work is done by hand.
 */
import { describe, expect, test } from "vitest";
import { createWriteBatch, openEngine } from "#lsm";
import { createSimulatedDisk } from "#platform";
import {
  b,
  batchOf,
  contentOf,
  drain,
  filler,
  fillMemtable,
  fresh,
  open,
  s,
} from "./engine-support.ts";

describe("04.2 reading what was written", () => {
  test("a key has the value that was put last, in every layer", async () => {
    const { engine } = fresh();
    for (const value of ["one", "two", "three"]) {
      await engine.put(b("key"), b(value));
      expect(s(engine.get(b("key")))).toBe(value);
      await engine.flush();
      expect(s(engine.get(b("key")))).toBe(value);
    }
    await engine.compact();
    expect(s(engine.get(b("key")))).toBe("three");
    expect(engine.stats().levels).toMatchObject([{ level: 1, entries: 1 }]);
  });

  test("a deletion hides what older layers hold, and a value of no bytes is a value", async () => {
    const { engine } = fresh();
    await engine.put(b("gone"), b("x"));
    await engine.put(b("empty"), b(""));
    await engine.flush();
    await engine.delete(b("gone"));
    expect(engine.get(b("gone"))).toBeUndefined();
    expect(engine.has(b("empty"))).toBe(true);
    await engine.flush();
    expect(engine.has(b("gone"))).toBe(false);
    expect(s(engine.get(b("empty")))).toBe("");
    await engine.compact();
    expect(contentOf(engine)).toEqual({ empty: "" });
  });

  test("what get returns belongs to the caller", async () => {
    const { engine } = fresh();
    await engine.put(b("key"), b("value"));
    engine.get(b("key"))!.fill(0);
    await engine.flush();
    engine.get(b("key"))!.fill(0);
    expect(s(engine.get(b("key")))).toBe("value");
  });

  test("a lookup asks only tables whose span holds the key", async () => {
    const { engine } = fresh();
    await engine.put(b("a"), b("1"));
    await engine.put(b("c"), b("1"));
    await engine.flush();
    engine.get(b("z"));
    expect(engine.stats().read).toMatchObject({ lookups: 1, tables: 0, blocks: 0 });
    engine.get(b("c"));
    expect(engine.stats().read).toMatchObject({ lookups: 2, tables: 1, blocks: 1 });
  });
});

describe("background work", () => {
  test("step flushes what is frozen, compacts what is due, and then has nothing", async () => {
    const { engine } = fresh();
    await fillMemtable(engine, 1);
    drain(engine);
    expect(engine.stats()).toMatchObject({ frozenMemtables: 0, background: { flushes: 1 } });
    await fillMemtable(engine, 1);
    drain(engine);
    expect(engine.stats().levels).toMatchObject([{ level: 1, runs: 1 }]);
    expect(engine.step()).toBe(false);
    await engine.idle();
  });

  test("files that nobody needs any more are removed", async () => {
    const { engine, disk } = fresh();
    for (const fill of [1, 2, 3, 4]) {
      await fillMemtable(engine, fill);
      drain(engine);
    }
    const tables = disk.list("db").filter((name) => name.endsWith(".sst"));
    expect(tables).toHaveLength(engine.verify().tables);
  });

  test("a compaction of deletions alone leaves nothing", async () => {
    const { engine } = fresh();
    for (let i = 0; i < 50; i += 1) await engine.put(b(`key${i}`), filler(50));
    await engine.flush();
    for (let i = 0; i < 50; i += 1) await engine.delete(b(`key${i}`));
    await engine.compact();
    expect(engine.stats().levels).toEqual([]);
    expect(contentOf(engine)).toEqual({});
  });

  test("a compaction of a range leaves the rest where it is", async () => {
    const { engine } = fresh({ levelZeroCompactRuns: 10 });
    for (const key of ["a", "z"]) {
      await engine.put(b(key), b("1"));
      await engine.flush();
    }
    await engine.compact({ from: b("a"), before: b("b") });
    expect(engine.stats().levels).toMatchObject([
      { level: 0, tables: 1 },
      { level: 1, tables: 1 },
    ]);
  });

  test("the size of a range grows with what is in it", async () => {
    const { engine } = fresh({ memtableBytesMax: 1 << 20, tableBytesMax: 1 << 20 });
    for (let i = 100; i < 400; i += 1) await engine.put(b(`key${i}`), filler(200));
    await engine.flush();
    const all = engine.approximateBytes(b("key"), b("kez"));
    const half = engine.approximateBytes(b("key250"), b("kez"));
    expect(all).toBeGreaterThan(60_000);
    expect(half).toBeGreaterThan(all * 0.4);
    expect(half).toBeLessThan(all * 0.6);
    expect(engine.approximateBytes(b("x"), b("a"))).toBe(0);
    expect(engine.approximateBytes(b("x"), b("z"))).toBe(0);
  });
});

describe("statistics", () => {
  test("amplifications are what was written, read and kept for what was given", async () => {
    const { engine } = fresh();
    const { writeAmplification, readAmplification, spaceAmplification } = engine.stats();
    expect({ writeAmplification, readAmplification, spaceAmplification }).toEqual({
      writeAmplification: 0,
      readAmplification: 0,
      spaceAmplification: 0,
    });
    await engine.put(b("key"), filler(1000));
    await engine.flush();
    engine.get(b("key"));
    const stats = engine.stats();
    expect(stats.written).toMatchObject({ operations: 1, userBytes: 1003 });
    expect(stats.writeAmplification).toBeGreaterThan(2);
    expect(stats.readAmplification).toBe(1);
    expect(stats.spaceAmplification).toBe(1);
  });
});

describe("opening and closing", () => {
  test("nonsense among the options is refused by name", () => {
    const bad = (options: object) => () =>
      openEngine({ dir: "db", background: "step", ...options });
    expect(bad({ dir: "" })).toThrow(/dir/);
    expect(bad({ memtableBytesMax: 0 })).toThrow(/memtableBytesMax: 0/);
    expect(bad({ levelZeroStopRuns: 2 })).toThrow(/levelZeroStopRuns: 2/);
    expect(bad({ background: "later" })).toThrow(/later/);
    expect(bad({ background: "thread", disk: createSimulatedDisk() })).toThrow(TypeError);
  });

  test("nonsense among the arguments is refused before anything happens", () => {
    const { engine } = fresh();
    const text = "text" as unknown as Uint8Array;
    expect(() => engine.put(text, b(""))).toThrow(TypeError);
    expect(() => engine.put(b(""), text)).toThrow(TypeError);
    expect(() => engine.get(text)).toThrow(TypeError);
    expect(() => engine.iterator({ gt: b("a"), gte: b("b") })).toThrow(RangeError);
    const strange = { ...createWriteBatch() } as ReturnType<typeof createWriteBatch>;
    expect(() => engine.write(strange)).toThrow(TypeError);
    expect(engine.sequence).toBe(0);
  });

  test("behind close everything says so, and closing twice is closing once", async () => {
    const { engine } = fresh();
    const iterator = engine.iterator();
    const pending = engine.put(b("key"), b("value"));
    const closing = engine.close();
    expect(engine.close()).toBe(closing);
    await pending;
    await closing;
    const code = { code: "LSM_CLOSED" };
    expect(() => engine.get(b("key"))).toThrow(expect.objectContaining(code));
    expect(() => engine.snapshot()).toThrow(expect.objectContaining(code));
    expect(() => engine.stats()).toThrow(expect.objectContaining(code));
    expect(() => iterator.next()).toThrow(expect.objectContaining(code));
    await expect(engine.put(b("key"), b("x"))).rejects.toMatchObject(code);
    await expect(engine.write(batchOf({ a: "1" }))).rejects.toMatchObject(code);
    await expect(engine.flush()).rejects.toMatchObject(code);
  });

  test("a directory has one engine at a time, and the next one finds everything", async () => {
    const { engine, disk } = fresh();
    await engine.put(b("key"), b("value"));
    expect(() => open(disk)).toThrow(expect.objectContaining({ code: "DISK_LOCKED" }));
    await engine.close();
    const next = open(disk);
    expect(s(next.get(b("key")))).toBe("value");
    expect(next.report).toMatchObject({ created: false, replayedGroups: 1 });
  });

  test("an engine is made, or found, as the caller wants it", async () => {
    const disk = createSimulatedDisk();
    expect(() => open(disk, { createIfMissing: false })).toThrow(
      expect.objectContaining({ code: "LSM_NOT_FOUND" }),
    );
    expect(disk.exists("db")).toBe(false);
    const engine = open(disk, { errorIfExists: true });
    expect(engine.report.created).toBe(true);
    await engine.close();
    expect(() => open(disk, { errorIfExists: true })).toThrow(
      expect.objectContaining({ code: "LSM_EXISTS" }),
    );
    await open(disk, { createIfMissing: false }).close();
  });
});

/**
 * Writes: order, groups, batches, and what is left when the log fails. Method: a simulated disk
 * whose trace and faults show what reached it, and when.
 */
import { describe, expect, test } from "vitest";
import { createWriteBatch } from "#lsm";
import { b, batchOf, contentOf, drain, filler, fresh, open, s } from "./engine-support.ts";

describe("groups", () => {
  test("writes of one turn share one record of the log, and one promise", async () => {
    const { engine, disk } = fresh();
    const before = disk.operations;
    const puts = [1, 2, 3].map((i) => engine.put(b(`key${i}`), b("x")));
    expect(engine.sequence).toBe(0);
    await Promise.all(puts);
    expect(engine.sequence).toBe(3);
    expect(engine.stats().written).toMatchObject({ batches: 1, operations: 3 });
    expect(disk.trace.slice(before).filter((line) => line.operation === "sync")).toEqual([]);
    await engine.close();
    expect(open(disk).report.replayedGroups).toBe(1);
  });

  test("they take effect in call order, whatever they are", async () => {
    const { engine } = fresh();
    void engine.put(b("a"), b("1"));
    void engine.delete(b("a"));
    void engine.write(batchOf({ a: "2", c: "2" }));
    void engine.put(b("c"), b("3"), { sync: true });
    engine.writeSync(batchOf({ d: "4", a: null }));
    expect(contentOf(engine)).toEqual({ c: "3", d: "4" });
    expect(engine.sequence).toBe(7);
  });

  test("key, value and batch may be used again at once", async () => {
    const { engine } = fresh();
    const [key, value] = [b("key"), b("value")];
    const batch = batchOf({ other: "content" });
    const writes = [engine.put(key, value), engine.write(batch)];
    key.fill(0);
    value.fill(0);
    batch.clear();
    batch.put(b("third"), b("x"));
    await Promise.all([...writes, engine.write(batch)]);
    expect(contentOf(engine)).toEqual({ key: "value", other: "content", third: "x" });
  });

  test("a write that is to survive power loss does, with all those before it", async () => {
    const { engine, disk } = fresh();
    void engine.put(b("a"), b("1"));
    await engine.put(b("b"), b("2"), { sync: true });
    await engine.put(b("c"), b("3"));
    for (let seed = 1; seed < 10; seed += 1) {
      const { a, b: second } = contentOf(open(disk.kill().crash(seed)));
      expect({ a, second }).toEqual({ a: "1", second: "2" });
    }
  });

  test("a write that returned survives the end of the process", async () => {
    const { engine, disk } = fresh();
    await engine.put(b("a"), b("1"));
    engine.writeSync(batchOf({ b: "2" }));
    expect(contentOf(open(disk.kill()))).toEqual({ a: "1", b: "2" });
  });

  test("an empty batch changes nothing", async () => {
    const { engine } = fresh();
    await engine.write(createWriteBatch());
    await engine.write(createWriteBatch(), { sync: true });
    engine.writeSync(createWriteBatch());
    expect(engine.sequence).toBe(0);
  });
});

describe("batches", () => {
  test("the last operation on a key wins", async () => {
    const { engine } = fresh();
    const batch = createWriteBatch();
    batch.put(b("a"), b("1"));
    batch.delete(b("a"));
    batch.put(b("b"), b("1"));
    batch.put(b("b"), b("2"));
    expect(batch.operations).toBe(4);
    await engine.write(batch);
    expect(contentOf(engine)).toEqual({ b: "2" });
  });

  test("long keys and values come back from the log as they were", async () => {
    const { engine, disk } = fresh({ memtableBytesMax: 1 << 24 });
    for (const bytes of [0, 1, 127, 128, 16_383, 16_384, 300_000]) {
      await engine.put(filler(bytes, 1), filler(bytes, 2));
    }
    const again = open(disk.kill(), { memtableBytesMax: 1 << 24 });
    for (const bytes of [0, 1, 127, 128, 16_383, 16_384, 300_000]) {
      expect(again.get(filler(bytes, 1))?.length).toBe(bytes);
    }
  });

  test("one that no record of the log could hold is refused when it grows that large", () => {
    const batch = createWriteBatch();
    const large = new Uint8Array(40 << 20);
    batch.put(b("a"), large);
    expect(() => batch.put(b("b"), large)).toThrow(RangeError);
    expect(batch.operations).toBe(1);
  });
});

describe("a log that fails", () => {
  const broken = { operation: "write", fault: "ENOSPC", after: 0, path: "log-" } as const;

  test("refuses the write, and leaves the memtable as it was", async () => {
    const { engine, disk } = fresh();
    await engine.put(b("a"), b("1"));
    disk.plan(broken);
    const refused = await engine.put(b("a"), b("2")).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: "LSM_WRITE_REFUSED", cause: { code: "DISK_FULL" } });
    expect(s(engine.get(b("a")))).toBe("1");
    expect(engine.sequence).toBe(1);
    expect(engine.stats().stalls.reason).toBe("the disk failed");
    expect(engine.stats().background.failure).toMatch(/no space/);
    expect(() => engine.writeSync(batchOf({ a: "3" }))).toThrow(/refused/);
  });

  test("is replaced when everything is in tables, and writes go on", async () => {
    const { engine, disk } = fresh();
    await engine.put(b("a"), b("1"));
    disk.plan(broken);
    await engine.put(b("b"), b("2")).catch(() => "refused");
    drain(engine);
    await Promise.resolve();
    expect(engine.stats().background.failure).toBeNull();
    await engine.put(b("c"), b("3"), { sync: true });
    expect(engine.sequence).toBe(2);
    expect(disk.list("db").filter((name) => name.startsWith("log-"))).toHaveLength(1);
    expect(contentOf(open(disk.crash(1)))).toEqual({ a: "1", c: "3" });
  });

  test("whose sync failed tells who waited, and keeps what was visible", async () => {
    const { engine, disk } = fresh();
    await engine.put(b("a"), b("1"));
    disk.plan({ operation: "sync", fault: "EIO", after: 0, path: "log-" });
    await expect(engine.put(b("b"), b("2"), { sync: true })).rejects.toMatchObject({
      code: "DISK_IO",
    });
    expect(contentOf(engine)).toEqual({ a: "1", b: "2" });
    await expect(engine.put(b("c"), b("3"))).rejects.toMatchObject({ code: "LSM_WRITE_REFUSED" });
    drain(engine);
    await engine.put(b("c"), b("3"), { sync: true });
    expect(contentOf(open(disk.crash(3)))).toEqual({ a: "1", b: "2", c: "3" });
  });
});

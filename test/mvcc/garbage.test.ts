/**
 * What nobody can see goes, what somebody can see stays, and who holds it back can be seen. Method:
 * versions are counted before and after; the model test (model.test.ts) collects at random moments.
 */
import { describe, expect, test } from "vitest";
import type { OldReader } from "#mvcc/types";
import { b, commit, content, drain, fresh, LAYOUTS, open, s, seen } from "./support.ts";

describe.each(LAYOUTS)("06.7 on %s", (layout) => {
  test("of each key the newest version stays, and all that open readers see", async () => {
    const { mvcc } = await fresh({ layout });
    await commit(mvcc, { a: "1", gone: "1" });
    await commit(mvcc, { a: "2" });
    const reader = mvcc.begin();
    await commit(mvcc, { a: "3", gone: null });
    await commit(mvcc, { a: "4" });
    const report = await mvcc.collect();
    expect(report.horizon).toBe(reader.readTimestamp);
    expect(seen(reader)).toEqual({ a: "2", gone: "1" });
    expect(content(mvcc)).toEqual({ a: "4" });
    reader.abort();
    const after = await mvcc.collect();
    expect(after.versionsAfter).toBe(1);
    expect(content(mvcc)).toEqual({ a: "4" });
    await mvcc.close();
  });

  test("the newest version at the horizon stays, though it is older than the horizon", async () => {
    const { mvcc } = await fresh({ layout });
    await commit(mvcc, { old: "1" });
    for (let i = 0; i < 5; i += 1) await commit(mvcc, { other: String(i) });
    const reader = mvcc.begin();
    await commit(mvcc, { old: "2" });
    await mvcc.collect();
    expect(s(reader.get(b("old")))).toBe("1");
    expect(seen(reader)).toEqual({ old: "1", other: "4" });
    await mvcc.close();
  });

  test("data that is all deleted leaves nothing", async () => {
    const { mvcc } = await fresh({ layout });
    const keys = Array.from({ length: 40 }, (_, i) => `key-${i}`);
    for (const key of keys) await commit(mvcc, { [key]: "x".repeat(200) });
    drain(mvcc);
    for (const key of keys) await commit(mvcc, { [key]: null });
    drain(mvcc);
    expect(await mvcc.collect()).toMatchObject({ versionsAfter: 0 });
    expect(content(mvcc)).toEqual({});
    await mvcc.close();
  });

  test("a deletion that a reader needs stays, and nothing is resurrected", async () => {
    const { mvcc } = await fresh({ layout });
    await commit(mvcc, { a: "1" });
    await mvcc.collect();
    await commit(mvcc, { a: null });
    const reader = mvcc.begin();
    await commit(mvcc, { a: "2" });
    await mvcc.collect();
    expect(reader.get(b("a"))).toBeUndefined();
    reader.abort();
    await commit(mvcc, { a: null });
    await mvcc.collect();
    expect(content(mvcc)).toEqual({});
    await mvcc.close();
  });
});

test("06.7 space is bounded under endless overwrites, by compaction alone", async () => {
  const { mvcc, disk, clock } = await fresh();
  let most = 0;
  for (let i = 0; i < 3000; i += 1) {
    await commit(mvcc, { [`key-${i % 20}`]: `${i}`.padEnd(100, ".") });
    if (i % 50 !== 0) continue;
    clock.advance(1100);
    drain(mvcc);
    const bytes = disk.list("db").reduce((sum, name) => {
      return sum + (name.endsWith(".sst") ? disk.content(`db/${name}`).length : 0);
    }, 0);
    most = Math.max(most, bytes);
  }
  // 20 keys of 100 bytes are 2 kB; 3,000 versions would be 350 kB.
  expect(most).toBeGreaterThan(0);
  expect(most).toBeLessThan(60_000);
  await mvcc.close();
});

describe("06.7 the horizon", () => {
  test("is the oldest reader's, and moves when it ends", async () => {
    const { mvcc } = await fresh();
    await commit(mvcc, { a: "1" });
    const [one, two] = [mvcc.begin(), mvcc.begin()];
    await commit(mvcc, { a: "2" });
    const three = mvcc.begin();
    await commit(mvcc, { a: "3" });
    expect(mvcc.horizon).toBe(one.readTimestamp);
    one.abort();
    expect(mvcc.horizon).toBe(two.readTimestamp);
    await two.commit();
    expect(mvcc.horizon).toBe(three.readTimestamp);
    three.abort();
    expect(mvcc.horizon).toBe(mvcc.stats().timestamp);
    await mvcc.close();
  });

  test("who holds it back is told once, by age and by versions", async () => {
    const told: OldReader[] = [];
    const { mvcc, clock } = await fresh({
      readerAgeMsMax: 10_000,
      readerVersionsMax: 50,
      onOldReader: (reader) => told.push(reader),
    });
    const idle = mvcc.begin({ label: "report of March" });
    for (let i = 0; i < 8; i += 1) {
      await commit(mvcc, { a: String(i) });
      clock.advance(2500);
    }
    await commit(mvcc, { a: "end" });
    expect(told.map(({ label }) => label)).toEqual(["report of March"]);
    expect(mvcc.stats().oldestReader).toMatchObject({ label: "report of March", ageMs: 20_000 });
    idle.abort();
    const busy = mvcc.begin({ label: "import" });
    for (let i = 0; i < 60; i += 1) await commit(mvcc, { a: String(i) });
    clock.advance(1100);
    await commit(mvcc, { a: "end" });
    expect(told.at(-1)).toMatchObject({ label: "import", versionsSince: 61 });
    busy.abort();
    expect(mvcc.stats().oldestReader).toBeNull();
    await mvcc.close();
  });
});

describe("06.7 the past", () => {
  test("can be read within the retention, and is refused below it", async () => {
    const { mvcc, clock } = await fresh({ retentionMs: 60_000 });
    const moments: number[] = [];
    for (let i = 0; i < 10; i += 1) {
      moments.push(await commit(mvcc, { a: String(i) }));
      clock.advance(10_000);
    }
    await mvcc.collect();
    const late = mvcc.begin({ at: moments[6]! });
    expect(s(late.get(b("a")))).toBe("6");
    expect(() => late.put(b("a"), b("x"))).toThrow(/read only/);
    expect(() => mvcc.begin({ at: moments[1]! })).toThrow(/may be gone/);
    expect(() => mvcc.begin({ at: moments.at(-1)! + 1 })).toThrow(RangeError);
    late.abort();
    await mvcc.close();
  });

  test("that was given up stays given up after a restart", async () => {
    const { mvcc, disk, clock } = await fresh({ retentionMs: 1000 });
    const first = await commit(mvcc, { a: "1" });
    clock.advance(5000);
    const second = await commit(mvcc, { a: "2" });
    clock.advance(5000);
    await commit(mvcc, { a: "3" });
    await mvcc.collect();
    const again = await open(disk.crash(3), { retentionMs: 60_000 });
    for (const at of [first, second - 1]) {
      expect(() => again.begin({ at })).toThrow(/may be gone/);
    }
    expect(s(again.begin().get(b("a")))).toBe("3");
    await again.close();
  });

  test("that was readable before a restart is so after it, for its time", async () => {
    const { mvcc, disk } = await fresh({ retentionMs: 60_000 });
    const first = await commit(mvcc, { a: "1" });
    await commit(mvcc, { a: "2" });
    await mvcc.close();
    const again = await open(disk, { retentionMs: 60_000 });
    await commit(again, { a: "3" });
    await again.collect();
    expect(s(again.begin({ at: first }).get(b("a")))).toBe("1");
    await again.close();
  });
});

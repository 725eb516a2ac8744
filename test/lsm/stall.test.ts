/**
 * Back-pressure: when writes are slowed down, stopped, refused, and when they go on (L8). Method:
 * a simulated disk, and background work by hand, so that nothing makes room unasked.
 */
import { describe, expect, test } from "vitest";
import type { Engine } from "#lsm/types";
import { b, batchOf, drain, filler, fresh } from "./engine-support.ts";

/** Whether a promise is settled once microtasks have run. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  const settle = (): void => {
    settled = true;
  };
  promise.then(settle, settle);
  for (let turn = 0; turn < 50; turn += 1) await undefined;
  return settled;
}

/** Fills all memtables that may wait, and the active one. @returns the write that waits. */
async function fillAll(engine: Engine): Promise<{ readonly waiting: Promise<void> }> {
  for (let fill = 1; engine.stats().stalls.reason === null; fill += 1) {
    const write = engine.put(b(`key${fill}`), filler(500));
    if (!(await isSettled(write))) return { waiting: write };
  }
  return { waiting: engine.put(b("last"), b("x")) };
}

describe("memtables that wait for their flush", () => {
  test("stop writes, and the reason can be seen", async () => {
    const { engine, clock } = fresh();
    const { waiting } = await fillAll(engine);
    expect(engine.stats().frozenMemtables).toBe(2);
    expect(engine.stats().stalls.reason).toBe("memtables wait for their flush");
    expect(await isSettled(waiting)).toBe(false);
    clock.advance(40);
    expect(engine.stats().stalls).toMatchObject({ stops: 1, stopMs: 40 });
    expect(() => engine.writeSync(batchOf({ a: "1" }))).toThrow(
      expect.objectContaining({ code: "LSM_STALLED" }),
    );
    drain(engine);
    await waiting;
    expect(engine.stats().stalls).toMatchObject({ reason: null, stops: 1, stopMs: 40 });
    engine.writeSync(batchOf({ a: "1" }));
  });

  test("let go in call order, and reads go on meanwhile", async () => {
    const { engine } = fresh();
    const { waiting } = await fillAll(engine);
    const order: string[] = [];
    const later = [waiting, engine.put(b("x"), b("1")), engine.put(b("x"), b("2"))];
    for (const [index, write] of later.entries()) void write.then(() => order.push(`${index}`));
    expect(engine.get(b("key1"))).toBeDefined();
    await engine.idle();
    await Promise.all(later);
    expect(order).toEqual(["0", "1", "2"]);
    expect(engine.get(b("x"))).toEqual(Buffer.from("2"));
  });

  test("whoever still waits when the engine is closed hears of it", async () => {
    const { engine } = fresh();
    const { waiting } = await fillAll(engine);
    const rejected = expect(waiting).rejects.toMatchObject({ code: "LSM_CLOSED" });
    await engine.close();
    await rejected;
  });

  test("refuse writes when the flush fails, until it works", async () => {
    const { engine, disk } = fresh();
    const { waiting } = await fillAll(engine);
    const refused = expect(waiting).rejects.toMatchObject({ code: "LSM_WRITE_REFUSED" });
    disk.plan({ operation: "write", fault: "ENOSPC", after: 0, times: 3, path: ".sst" });
    for (let step = 0; engine.stats().background.failures === 0 && step < 9; step += 1) {
      engine.step();
    }
    await refused;
    expect(engine.stats().stalls.reason).toBe("the disk failed");
    expect(engine.stats().background.failure).toMatch(/no space/);
    expect(engine.get(b("key1"))).toBeDefined();
    drain(engine);
    expect(engine.stats().background).toMatchObject({ failure: null, failures: 3 });
    await engine.put(b("after"), b("x"));
  });
});

describe("level 0", () => {
  const limits = {
    levelZeroCompactRuns: 2,
    levelZeroSlowdownRuns: 3,
    levelZeroStopRuns: 4,
    picker: { name: "lazy", pick: () => null },
  } as const;

  test("slows writes down when it is long, and stops them when it is full", async () => {
    const { engine } = fresh(limits);
    for (const runs of [1, 2, 3]) {
      await engine.put(b("key"), filler(100, runs));
      await engine.flush();
    }
    expect(engine.stats().stalls.reason).toBe("level 0 is long");
    await engine.put(b("slow"), b("x"));
    expect(engine.stats().stalls.slowdowns).toBe(1);
    await engine.flush();
    expect(engine.stats().stalls.reason).toBe("level 0 is full");
    const waiting = engine.put(b("waits"), b("x"));
    expect(await isSettled(waiting)).toBe(false);
    await engine.compact();
    await waiting;
    expect(engine.stats()).toMatchObject({ stalls: { reason: null }, levels: [{ level: 1 }] });
  });

  test("stays bounded under writes that do not care", async () => {
    const { engine } = fresh();
    const writes: Promise<void>[] = [];
    let longest = 0;
    for (let round = 0; round < 60; round += 1) {
      for (let i = 0; i < 10; i += 1) writes.push(engine.put(b(`key${i}`), filler(300, round)));
      for (let steps = 0; steps < 3; steps += 1) engine.step();
      await undefined;
      longest = Math.max(
        longest,
        engine.stats().levels.find(({ level }) => level === 0)?.runs ?? 0,
      );
    }
    await engine.idle();
    await Promise.all(writes);
    expect(longest).toBeLessThanOrEqual(20);
    expect(engine.sequence).toBe(600);
  });
});

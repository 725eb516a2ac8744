/**
 * The two clocks. Method: the real one is asked only for what no scheduler can spoil (never early,
 * in order); the simulated one for exact times and orders, and against a sorted list.
 */

import { describe, expect, test } from "vitest";
import { InvariantError } from "#base";
import { createNodeClock, createSimulatedClock, seededRandom } from "#platform";
import { forEachSeed } from "../support/seeds.ts";

describe("the node clock", () => {
  const clock = createNodeClock();

  test("calls back never early, also for fractions of a millisecond", async () => {
    const early: number[] = [];
    await Promise.all(
      Array.from({ length: 60 }, (_, index) => {
        const due = clock.now() + index * 0.37;
        return new Promise<void>((resolve) => {
          clock.after(index * 0.37, () => {
            if (clock.now() < due) early.push(due - clock.now());
            resolve();
          });
        });
      }),
    );
    expect(early).toEqual([]);
  });

  test("does not call back what was cancelled", async () => {
    const called: string[] = [];
    const cancel = clock.after(1, () => called.push("after"));
    const cancelIdle = clock.whenIdle(() => called.push("idle"));
    cancel();
    cancel();
    cancelIdle();
    const cancelLate = clock.whenIdle(() => called.push("late"));
    setImmediate(cancelLate);
    await new Promise<void>((resolve) => void clock.after(10, resolve));
    await new Promise<void>((resolve) => void clock.whenIdle(resolve));
    expect(called).toEqual([]);
    cancel();
  });

  test("runs idle callbacks after what was waiting already", async () => {
    const order: string[] = [];
    await new Promise<void>((resolve) => {
      clock.whenIdle(() => {
        order.push("idle");
        resolve();
      });
      setImmediate(() => order.push("immediate"));
      process.nextTick(() => order.push("tick"));
    });
    expect(order).toEqual(["tick", "immediate", "idle"]);
  });

  test("knows the date, and refuses delays that Node's timers do not hold", () => {
    expect(Math.abs(clock.wallTime() - Date.now())).toBeLessThan(1000);
    for (const delay of [-1, Number.NaN, 2 ** 31]) {
      expect(() => clock.after(delay, () => undefined)).toThrow(RangeError);
    }
  });
});

describe("the simulated clock", () => {
  test("stands still until it is moved, and knows a date", () => {
    const clock = createSimulatedClock({ startMs: 5, wallTimeMs: 1000 });
    expect([clock.now(), clock.wallTime()]).toEqual([5, 1000]);
    clock.advance(1.5);
    expect([clock.now(), clock.wallTime()]).toEqual([6.5, 1001.5]);
  });

  test("runs callbacks in order of time, then of registration, idle ones last", () => {
    const clock = createSimulatedClock();
    const order: string[] = [];
    const note = (name: string) => (): void => void order.push(`${name}@${clock.now()}`);
    clock.whenIdle(note("idle"));
    clock.after(2, note("second"));
    clock.after(1, note("first"));
    clock.after(2, note("third"));
    clock.after(0, note("now"));
    clock.advance(0);
    expect(order).toEqual(["now@0", "idle@0"]);
    clock.advance(1.5);
    clock.after(0.5, note("fourth"));
    clock.advance(10);
    expect(order.slice(2)).toEqual(["first@1", "second@2", "third@2", "fourth@2"]);
    expect(clock.now()).toBe(11.5);
  });

  test("runs what callbacks register, if it falls due in time", () => {
    const clock = createSimulatedClock();
    const times: number[] = [];
    const again = (): void => {
      times.push(clock.now());
      clock.after(3, again);
    };
    clock.after(3, again);
    clock.advance(10);
    expect(times).toEqual([3, 6, 9]);
    expect(clock.nextDue()).toBe(12);
  });

  test("moves to the next callback, and says when there is none", () => {
    const clock = createSimulatedClock();
    expect(clock.advanceToNext()).toBe(false);
    expect(clock.nextDue()).toBe(Number.POSITIVE_INFINITY);
    const cancel = clock.after(1, () => undefined);
    clock.after(5, () => undefined);
    clock.after(5, () => undefined);
    cancel();
    expect(clock.nextDue()).toBe(5);
    expect(clock.advanceToNext()).toBe(true);
    expect(clock.now()).toBe(5);
    expect(clock.advanceToNext()).toBe(true);
    expect(clock.advanceToNext()).toBe(false);
    expect(clock.now()).toBe(5);
  });

  test("goes on after a callback that throws, and refuses to be moved by one", () => {
    const clock = createSimulatedClock();
    clock.after(1, () => {
      throw new Error("from the callback");
    });
    clock.after(2, () => clock.advance(1));
    clock.after(3, () => undefined);
    expect(() => clock.advance(5)).toThrow("from the callback");
    expect(clock.now()).toBe(1);
    expect(() => clock.advanceToNext()).toThrow(InvariantError);
    expect(clock.advanceToNext()).toBe(true);
    expect(clock.now()).toBe(3);
    expect(() => clock.advance(-1)).toThrow(RangeError);
    expect(() => clock.after(Number.NaN, () => undefined)).toThrow(RangeError);
  });

  test("agrees with a sorted list under random calls", () => {
    forEachSeed(100, (seed) => {
      const random = seededRandom(seed);
      const clock = createSimulatedClock();
      const ran: number[] = [];
      const expected: { due: number; id: number }[] = [];
      for (let id = 0; id < 60; id += 1) {
        const delay = random.below(20);
        const cancel = clock.after(delay, () => ran.push(id));
        if (random.below(4) === 0) cancel();
        else expected.push({ due: clock.now() + delay, id });
        if (random.below(5) === 0) clock.advance(random.below(5));
      }
      clock.advance(100);
      expected.sort((a, b) => a.due - b.due || a.id - b.id);
      expect(ran).toEqual(expected.map(({ id }) => id));
    });
  });
});

/**
 * Time and chance of the simulated world. Method: the queue against a sorted list, the draws
 * against what chance looks like.
 */
import { expect, test } from "vitest";
import { createEventQueue, linksOf } from "#simulation";
import { forEachSeed } from "../support/seeds.ts";

test("events come by time, and in the order of asking at the same time", () => {
  forEachSeed(50, (_seed, random) => {
    const queue = createEventQueue();
    const asked = Array.from({ length: 200 }, (_, order) => ({ at: random.below(40), order }));
    const seen: { at: number; order: number }[] = [];
    for (const event of asked) queue.at(event.at, () => seen.push(event));
    queue.runUntil(100);
    const sorted = [...asked].sort((a, b) => a.at - b.at || a.order - b.order);
    expect(seen).toEqual(sorted);
    expect(queue.now).toBe(100);
  });
});

test("an event that asks for an earlier time comes now: time never goes back", () => {
  const queue = createEventQueue();
  const times: number[] = [];
  queue.at(10, () => queue.at(3, () => times.push(queue.now)));
  queue.runUntil(20);
  expect(times).toEqual([10]);
});

test("shuffled ties keep times in order", () => {
  const queue = createEventQueue((count) => (count * 7919) % 101);
  const seen: number[] = [];
  for (let n = 0; n < 50; n += 1) queue.at(n % 5, () => seen.push(n));
  queue.runUntil(10);
  expect(seen.map((n) => n % 5)).toEqual([...seen.map((n) => n % 5)].sort());
  expect(seen).not.toEqual([...seen].sort((a, b) => (a % 5) - (b % 5) || a - b));
});

test.each(["isolate", "one-way", "split", "ring", "bridge", "random"] as const)(
  "a %s partition cuts links between different nodes, and some stay",
  (shape) => {
    const nodes = [1, 2, 3, 4, 5];
    const sizes = new Set<number>();
    for (let choice = 0; choice < 2048; choice += 1) {
      const links = linksOf(shape, choice, nodes);
      expect(links.every(([from, to]) => from !== to)).toBe(true);
      expect(new Set(links.map(String)).size).toBe(links.length);
      sizes.add(links.length);
    }
    expect(Math.min(...sizes)).toBeLessThan(20);
    expect(Math.max(...sizes)).toBeGreaterThan(0);
  },
);

test("an isolated node hears nobody, a one-way one is heard or hears", () => {
  const nodes = [1, 2, 3];
  expect(linksOf("isolate", 0, nodes)).toHaveLength(4);
  expect(linksOf("one-way", 0, nodes)).toEqual([
    [2, 1],
    [3, 1],
  ]);
});

/**
 * The process model. Method: three nodes by hand; each promise of disk, machine and copies is met
 * by the crash that would break it.
 */
import { expect, test } from "vitest";
import { put, Trio } from "./trio.ts";

test("a proposal is applied by every node, and all have the same digest", () => {
  const trio = new Trio();
  trio.elect(1).propose(trio.now, 7, [{ command: put(7), size: 10 }]);
  trio.settle();
  const machines = [...trio.nodes.values()].map(({ machine }) => machine);
  expect(machines.map((machine) => machine.valueOf("x"))).toEqual([7, 7, 7]);
  expect(new Set(machines.map(({ digest }) => digest)).size).toBe(1);
  trio.invariants.sweep();
});

test("a crash loses what was not synced, and keeps a first part of it", () => {
  const trio = new Trio();
  const leader = trio.elect(1);
  for (const id of [1, 2, 3]) {
    leader.propose(trio.now, id, [{ command: put(id), size: 10 }]);
  }
  expect(leader.disk.pending).toHaveLength(3);
  const durable = leader.disk.log.lastIndex;
  leader.crash({ writesKept: 2 });
  expect(leader.disk.log.lastIndex).toBe(durable + 2);
  leader.start(trio.now);
  expect(leader.running.lastIndex).toBe(durable + 2);
});

test("a crash takes the machine back to its checkpoint at most, and it runs again the same", () => {
  const trio = new Trio();
  const leader = trio.elect(1);
  const follower = trio.node(2);
  for (const id of [1, 2, 3, 4]) {
    leader.propose(trio.now, id, [{ command: put(id), size: 10 }]);
    trio.settle();
    if (id === 2) follower.machine.checkpoint();
  }
  const { index, digest, durableIndex } = follower.machine;
  follower.crash({ appliedKept: 1 });
  expect(follower.machine.index).toBe(durableIndex + 1);
  follower.start(trio.now);
  trio.now += 100;
  leader.step(trio.now, { kind: "tick" });
  trio.settle();
  expect(follower.machine.index).toBe(index);
  expect(follower.machine.digest).toBe(digest);
});

test("a repeated serial gives the first result and runs once", () => {
  const trio = new Trio();
  const leader = trio.elect(1);
  const once = { ...put(5), client: 1, serial: 1 };
  leader.propose(trio.now, 1, [{ command: once, size: 10 }]);
  leader.propose(trio.now, 2, [{ command: put(6), size: 10 }]);
  leader.propose(trio.now, 3, [{ command: once, size: 10 }]);
  trio.settle();
  expect(leader.machine.valueOf("x")).toBe(6);
});

test("a read by index is answered at an index that holds what was acknowledged", () => {
  const trio = new Trio();
  const leader = trio.elect(1);
  leader.propose(trio.now, 1, [{ command: put(1), size: 10 }]);
  trio.settle();
  leader.read(trio.now, { id: 9, via: "index", key: "x" });
  trio.settle();
  expect(trio.reads.get(9)).toMatchObject({ kind: "value", value: 1 });
});

test("an assertion of the core stops the node and leaves its disk", () => {
  const trio = new Trio();
  const leader = trio.elect(1);
  leader.step(trio.now, { kind: "applied", index: 99 });
  expect(leader.core).toBeUndefined();
  expect(trio.halted).toHaveLength(1);
  expect(leader.disk.log.lastIndex).toBe(1);
});

/**
 * Queued writes: order, batches, retries, barriers, limits (compat reference, section 5). Method: a
 * queue over an executor that the test opens, shuts and breaks; time matters in lingering only.
 */
import { expect, test } from "vitest";
import { CairnError, type ErrorCode } from "#base";
import { createCounters, createWriteQueue, type WriteQueue } from "#server";
import type { Command, Statement } from "#sqlite/types";

const LONG_MS = 60_000;

interface Executor {
  readonly queue: WriteQueue;
  /** SQL of each batch that was sent, in order. */
  readonly batches: string[][];
  readonly users: (string | undefined)[];
  readonly losses: string[];
  /** Thrown by the next batches, one each. */
  readonly failures: ErrorCode[];
  /** Lets the batch under way, and all later ones, through. */
  open(): void;
  count(name: string): number | undefined;
}

function executor(
  changes: { capacity?: number; batchRequests?: number; timeoutMs?: number; shut?: boolean } = {},
): Executor {
  const { capacity = 8, batchRequests = 4, timeoutMs = 1, shut = false } = changes;
  const counters = createCounters();
  const batches: string[][] = [];
  const users: (string | undefined)[] = [];
  const losses: string[] = [];
  const failures: ErrorCode[] = [];
  let open = (): void => undefined;
  const gate = shut ? new Promise<void>((resolve) => (open = resolve)) : Promise.resolve();
  const queue = createWriteQueue({
    config: { capacity, batchRequests, timeoutMs, transaction: false },
    counters,
    onLoss: (text) => losses.push(text),
    execute: async (command: Command, { credentials }) => {
      if (command.kind !== "execute") throw new TypeError("a queue executes");
      batches.push(command.statements.map(({ sql }) => sql));
      users.push(credentials?.username);
      await gate;
      const failure = failures.shift();
      if (failure !== undefined) throw new CairnError(failure, failure);
    },
  });
  const count = (name: string): number | undefined => counters.all()["http"]?.[name];
  return { queue, batches, users, losses, failures, open, count };
}

const sql = (...texts: string[]): Statement[] =>
  texts.map((text) => ({ sql: text, positional: [], named: [] }));

test("numbers rise by one from the time in nanoseconds, and no double holds them", async () => {
  const { queue } = executor();
  const numbers: bigint[] = [];
  for (let n = 0; n < 5; n += 1)
    numbers.push((await queue.put(sql("x"), undefined)).sequenceNumber);
  expect(numbers).toEqual(numbers.map((_, n) => (numbers[0] ?? 0n) + BigInt(n)));
  expect(numbers[0]).toBeGreaterThan(2n ** 53n);
});

test("requests are written in order, in batches of the size that was set", async () => {
  const { queue, batches, open } = executor({ shut: true, batchRequests: 2 });
  const puts = ["a", "b", "c", "d", "e"].map((text) => queue.put(sql(text), undefined));
  const last = (await Promise.all(puts)).at(-1);
  open();
  await last?.written;
  expect(batches.flat()).toEqual(["a", "b", "c", "d", "e"]);
  expect(Math.max(...batches.map(({ length }) => length))).toBe(2);
  expect(queue.status().sequenceNumber).toBe(last?.sequenceNumber);
});

test("a barrier does not wait for a batch to fill, and comes after those before it", async () => {
  const { queue, batches } = executor({ timeoutMs: LONG_MS });
  await queue.put(sql("a"), undefined);
  await (await queue.put([], undefined)).written;
  expect(batches).toEqual([["a"]]);
});

test("a full queue makes the caller wait for a place", async () => {
  const { queue, batches, open } = executor({ shut: true, capacity: 2, batchRequests: 1 });
  const puts = ["a", "b", "c", "d", "e"].map((text) => queue.put(sql(text), undefined));
  let done = 0;
  for (const put of puts) void put.then(() => (done += 1));
  await expect.poll(() => batches.length).toBe(1);
  expect(done).toBeLessThan(puts.length);
  open();
  await (await puts.at(-1))?.written;
  expect(batches.flat()).toEqual(["a", "b", "c", "d", "e"]);
});

test("a refusal that is certain and may pass is tried again, with the same batch", async () => {
  const { queue, batches, failures, losses, count } = executor();
  failures.push("SERVER_NO_LEADER");
  await (await queue.put(sql("a", "b"), undefined)).written;
  expect(batches).toEqual([
    ["a", "b"],
    ["a", "b"],
  ]);
  expect([losses, count("queued_executions_no_leader")]).toEqual([[], 1]);
});

test("it is tried again whatever keeps the leader from taking it", async () => {
  const codes = [
    "REPLICA_NOT_LEADER",
    "REPLICA_LEADERSHIP_LOST",
    "REPLICA_BUSY",
    "REPLICA_TRANSFERRING",
    "REPLICA_DIVERGED",
    "REPLICA_STOPPED",
    "NET_UNREACHABLE",
  ] as const;
  const sendOne = async (code: ErrorCode): Promise<void> => {
    const { queue, batches, failures } = executor();
    failures.push(code);
    await (await queue.put(sql("a"), undefined)).written;
    expect(batches, code).toEqual([["a"], ["a"]]);
  };
  await Promise.all(codes.map(sendOne));
});

test.each([
  "REPLICA_TIMEOUT",
  "REPLICA_PEER_FAILED",
  "NET_TIMEOUT",
  "SERVER_UNAUTHORIZED",
] as const)("after %s a batch is not sent again, and the next one is", async (code) => {
  const { queue, batches, failures, losses } = executor();
  failures.push(code);
  const first = await queue.put(sql("a"), undefined);
  await expect(first.written).rejects.toMatchObject({ code });
  await (await queue.put(sql("b"), undefined)).written;
  expect(batches).toEqual([["a"], ["b"]]);
  expect(losses).toEqual([expect.stringContaining(code)]);
});

test("a batch has one sender's credentials", async () => {
  const { queue, batches, users, open } = executor({ shut: true });
  const ann = { username: "ann", password: "x" };
  const bob = { username: "bob", password: "y" };
  const puts = [
    queue.put(sql("a"), ann),
    queue.put(sql("b"), ann),
    queue.put(sql("c"), bob),
    queue.put(sql("d"), undefined),
  ];
  const last = (await Promise.all(puts)).at(-1);
  open();
  await last?.written;
  expect(batches.flat()).toEqual(["a", "b", "c", "d"]);
  expect([...new Set(users)]).toEqual(["ann", "bob", undefined]);
});

test("closing writes what waits, and takes nothing more", async () => {
  const { queue, batches } = executor({ timeoutMs: LONG_MS });
  const first = await queue.put(sql("a"), undefined);
  await queue.close();
  await first.written;
  expect(batches).toEqual([["a"]]);
  await expect(queue.put(sql("b"), undefined)).rejects.toMatchObject({ code: "REPLICA_STOPPED" });
});

test("closing does not try for ever: what cannot be written is given up", async () => {
  const { queue, failures } = executor({ timeoutMs: LONG_MS });
  failures.push("SERVER_NO_LEADER");
  const first = await queue.put(sql("a"), undefined);
  const second = await queue.put(sql("b"), undefined);
  await queue.close();
  await expect(first.written).rejects.toMatchObject({ code: "SERVER_NO_LEADER" });
  await expect(second.written).rejects.toThrow();
});

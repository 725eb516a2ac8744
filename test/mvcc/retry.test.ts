/**
 * Running again after a conflict: how often, after which pause, and who is told why. Method: a
 * simulated clock, and a rival that commits in between.
 */
import { expect, test } from "vitest";
import type { Mvcc, RetryReason } from "#mvcc/types";
import type { SimulatedClock } from "#platform/types";
import { b, commit, content, fresh, s } from "./support.ts";

/** Lets waiting promises go on, and time pass for those that wait for the clock. */
async function settle<T>(clock: SimulatedClock, promise: Promise<T>): Promise<T> {
  let isOver = false;
  const watched = promise.finally(() => {
    isOver = true;
  });
  watched.catch(() => undefined);
  while (!isOver) {
    await new Promise((resolve) => setImmediate(resolve));
    clock.advanceToNext();
  }
  return watched;
}

async function add(mvcc: Mvcc, clock: SimulatedClock, rivals: number): Promise<RetryReason[]> {
  const reasons: RetryReason[] = [];
  let left = rivals;
  const work = mvcc.run(async (transaction, reason) => {
    if (reason !== null) reasons.push(reason);
    const before = Number(s(transaction.get(b("sum"))) ?? 0);
    transaction.put(b("sum"), b(String(before + 1)));
    if (left > 0) {
      left -= 1;
      await commit(mvcc, { sum: String(before + 10) });
    }
  });
  await settle(clock, work);
  return reasons;
}

test("06.4 it runs again after each conflict, and is told why", async () => {
  const { mvcc, clock } = await fresh();
  const reasons = await add(mvcc, clock, 3);
  expect(reasons.map(({ attempts }) => attempts)).toEqual([1, 2, 3]);
  expect(reasons[0]!.conflict).toMatchObject({ code: "MVCC_CONFLICT", details: { rule: "T4" } });
  expect(content(mvcc)).toEqual({ sum: "31" });
  await mvcc.close();
});

test("06.4 it gives up after so many tries, with the last conflict", async () => {
  const { mvcc, clock } = await fresh();
  let tries = 0;
  const work = mvcc.run(
    async (transaction) => {
      tries += 1;
      transaction.put(b("x"), b("mine"));
      await commit(mvcc, { x: "theirs" });
    },
    { attemptsMax: 4 },
  );
  await expect(settle(clock, work)).rejects.toMatchObject({ code: "MVCC_CONFLICT" });
  expect(tries).toBe(4);
  expect(mvcc.stats().open).toBe(0);
  await mvcc.close();
});

test("06.4 an error of its own ends it at once, and nothing is written", async () => {
  const { mvcc } = await fresh();
  let tries = 0;
  const work = mvcc.run((transaction) => {
    tries += 1;
    transaction.put(b("x"), b("1"));
    throw new Error("out of stock");
  });
  await expect(work).rejects.toThrow("out of stock");
  expect(tries).toBe(1);
  expect(content(mvcc)).toEqual({});
  expect(mvcc.stats().open).toBe(0);
  await mvcc.close();
});

test("06.4 pauses are drawn by chance and grow, up to a limit", async () => {
  const { mvcc, clock } = await fresh();
  const began: number[] = [];
  const work = mvcc.run(
    async (transaction) => {
      began.push(clock.now());
      transaction.put(b("x"), b("mine"));
      await commit(mvcc, { x: "theirs" });
    },
    { attemptsMax: 40, backoffMs: 2, backoffMsMax: 50 },
  );
  await expect(settle(clock, work)).rejects.toMatchObject({ code: "MVCC_CONFLICT" });
  const pauses = began.slice(1).map((ms, i) => ms - began[i]!);
  expect(Math.max(...pauses)).toBeLessThanOrEqual(50);
  expect(pauses[0]).toBeLessThanOrEqual(2);
  expect(new Set(pauses).size).toBeGreaterThan(pauses.length / 2);
  await mvcc.close();
});

test("06.4 a body may end its transaction by itself, and its result is given back", async () => {
  const { mvcc } = await fresh();
  expect(await mvcc.run((transaction) => transaction.abort() ?? "aborted")).toBe("aborted");
  const timestamp = await mvcc.run(async (transaction) => {
    transaction.put(b("x"), b("1"));
    return transaction.commit();
  });
  expect(timestamp).toBe(mvcc.stats().timestamp);
  await mvcc.close();
});

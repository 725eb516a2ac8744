/**
 * Timestamps are reserved in blocks. Method: a copy of the store with blocks of four, so that
 * commits come to the end of one; the disk fails there, the transaction or the store ends there.
 */
import { expect, test } from "vitest";
import type { MvccModule } from "#mvcc/types";
import { plantStack } from "../support/plant.ts";
import { crashPoints, crashRun } from "./crash-lab.ts";
import { b, content, drain, fresh, write } from "./support.ts";

const smallBlocks = (): Promise<MvccModule> =>
  plantStack<MvccModule>("mvcc", [
    { file: "meta.ts", from: "BLOCK: Timestamp = 2 ** 20;", to: "BLOCK: Timestamp = 4;" },
  ]);

test("06.3 commits of one moment wait for the next block, and each gets a timestamp", async () => {
  const { mvcc } = await fresh({}, await smallBlocks());
  const expected: Record<string, string> = {};
  const commits = Array.from({ length: 50 }, (_, i) => {
    const transaction = mvcc.begin();
    write(transaction, { [`key-${i}`]: String(i) });
    expected[`key-${i}`] = String(i);
    return transaction.commit({ sync: i % 3 === 0 });
  });
  const timestamps = await Promise.all(commits);
  expect(timestamps).toEqual([...new Set(timestamps)].sort((one, other) => one - other));
  expect(content(mvcc)).toEqual(expected);
  await mvcc.close();
});

test("06.3 a commit that waits for a block is on its way: nothing else is taken", async () => {
  const { mvcc } = await fresh({}, await smallBlocks());
  for (let round = 0; round < 12; round += 1) {
    const transaction = mvcc.begin();
    write(transaction, { a: String(round) });
    const committing = transaction.commit();
    transaction.abort();
    expect(() => transaction.put(b("a"), b("late"))).toThrow(/already/);
    await expect(transaction.commit()).rejects.toMatchObject({ code: "MVCC_TRANSACTION_OVER" });
    await committing;
    expect(content(mvcc)).toEqual({ a: String(round) });
  }
  // The aborts are those of the readers in between.
  expect(mvcc.stats()).toMatchObject({ open: 0, commits: 12, aborts: 12 });
  await mvcc.close();
});

test("06.3 a commit for which no block could be reserved is refused, and has ended", async () => {
  const { mvcc, disk } = await fresh({}, await smallBlocks());
  const tries = Array.from({ length: 12 }, (_, i) => {
    const transaction = mvcc.begin();
    write(transaction, { [`key-${i}`]: "1" });
    return transaction;
  });
  disk.plan({ operation: "write", fault: "ENOSPC", after: 0, times: 1, path: ".wal" });
  const outcomes = await Promise.allSettled(tries.map((transaction) => transaction.commit()));
  const refused = outcomes.filter(({ status }) => status === "rejected");
  expect(refused.length).toBeGreaterThan(0);
  for (const outcome of refused) {
    expect(outcome).toMatchObject({ reason: { code: "LSM_WRITE_REFUSED" } });
  }
  expect(mvcc.stats().open).toBe(0);
  drain(mvcc);
  const again = mvcc.begin();
  write(again, { after: "1" });
  await again.commit();
  expect(content(mvcc)).toMatchObject({ after: "1" });
  await mvcc.close();
});

test("06.3 a commit that waits for a block when the store closes is told so", async () => {
  const { mvcc } = await fresh({}, await smallBlocks());
  const commits = Array.from({ length: 12 }, (_, i) => {
    const transaction = mvcc.begin();
    write(transaction, { [`key-${i}`]: "1" });
    return transaction.commit();
  });
  const outcomes = Promise.allSettled(commits);
  await mvcc.close();
  for (const outcome of await outcomes) {
    if (outcome.status === "rejected") expect(outcome.reason).toMatchObject({ code: "LSM_CLOSED" });
  }
});

test("06.3 no timestamp comes twice: a power cut at crash points around each block", async () => {
  const subject = await smallBlocks();
  const points = await crashPoints(subject, {});
  for (let point = 0; point < points; point += 2) {
    await crashRun(subject, {}, { point, seed: 1 + (point % 5) }).catch((error: unknown) => {
      throw new Error(`crash point ${point}`, { cause: error });
    });
  }
});

/**
 * The ends of a store and of what it is given: closing under running work, and options out of
 * range.
 */
import { expect, test } from "vitest";
import type { BeginOptions, MvccOptions, RunOptions } from "#mvcc/types";
import { b, commit, fresh, LAYOUTS, open, seen, write } from "./support.ts";

test("06.4 a body that is under way when the store closes is not taken for done", async () => {
  const { mvcc } = await fresh();
  let goOn = (): void => undefined;
  const isClosed = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const work = mvcc.run(async (transaction) => {
    transaction.put(b("a"), b("1"));
    await isClosed;
    return "done";
  });
  await mvcc.close();
  goOn();
  await expect(work).rejects.toMatchObject({ code: "LSM_CLOSED" });
  await expect(mvcc.run(() => "done")).rejects.toMatchObject({ code: "LSM_CLOSED" });
});

test.each(LAYOUTS)(
  "06.2 %s: behind close, every call says so, and close may come twice",
  async (layout) => {
    const { mvcc } = await fresh({ layout });
    await commit(mvcc, { a: "1" });
    const [reader, writer] = [mvcc.begin(), mvcc.begin()];
    const scan = reader.scan();
    scan.next();
    write(writer, { a: "2" });
    const closing = mvcc.close();
    expect(mvcc.close()).toBe(closing);
    await closing;
    const over = { code: "MVCC_TRANSACTION_OVER" };
    expect(() => reader.get(b("a"))).toThrow(expect.objectContaining(over));
    expect(() => scan.next()).toThrow(expect.objectContaining(over));
    await expect(writer.commit()).rejects.toMatchObject(over);
    const closed = expect.objectContaining({ code: "LSM_CLOSED" });
    expect(() => mvcc.begin()).toThrow(closed);
    expect(() => mvcc.step()).toThrow(closed);
    await expect(mvcc.collect()).rejects.toMatchObject({ code: "LSM_CLOSED" });
    expect(mvcc.stats()).toMatchObject({ open: 0, commits: 1, aborts: 2 });
  },
);

test("06.2 commits under way when the store closes are carried out, or refused", async () => {
  const { mvcc, disk } = await fresh();
  const commits = Array.from({ length: 10 }, (_, i) => {
    const transaction = mvcc.begin();
    write(transaction, { [`key-${i}`]: "1" });
    return transaction.commit({ sync: i % 2 === 0 });
  });
  const outcomes = Promise.allSettled(commits);
  await mvcc.close();
  const again = await open(disk);
  const found = seen(again.begin());
  for (const [i, outcome] of (await outcomes).entries()) {
    if (outcome.status === "fulfilled") expect(found[`key-${i}`]).toBe("1");
    else expect(outcome.reason).toMatchObject({ code: "LSM_CLOSED" });
  }
  await again.close();
});

test("06.6 a level that is none is refused, rather than taken for the weaker one", async () => {
  const { mvcc } = await fresh();
  const misspelt = { level: "serialisable" } as unknown as BeginOptions;
  expect(() => mvcc.begin(misspelt)).toThrow(/level: serialisable is neither/);
  await expect(mvcc.run(() => 1, misspelt as RunOptions)).rejects.toThrow(RangeError);
  expect(mvcc.stats().open).toBe(0);
  await mvcc.close();
});

test.each([
  { attemptsMax: 0 },
  { attemptsMax: Number.NaN },
  { backoffMs: -1 },
  { backoffMsMax: Number.NaN },
])("06.4 run refuses %o", async (options) => {
  const { mvcc } = await fresh();
  await expect(mvcc.run(() => 1, options)).rejects.toThrow(RangeError);
  await mvcc.close();
});

test.each([
  { retentionMs: -1 },
  { retentionMs: Number.NaN },
  { readerAgeMsMax: -5 },
  { readerVersionsMax: Number.NaN },
  { layout: "sideways" as unknown as NonNullable<MvccOptions["layout"]> },
])("06.7 a store refuses %o", async (options) => {
  await expect(fresh(options)).rejects.toThrow(RangeError);
});

test("06.2 ranges that are no bytes are refused by the call, before the first step", async () => {
  const { mvcc } = await fresh();
  const transaction = mvcc.begin();
  expect(() => transaction.scan({ from: "a" as unknown as Uint8Array })).toThrow(/from: not bytes/);
  transaction.abort();
  expect(() => transaction.scan()).toThrow(/already/);
  await mvcc.close();
});

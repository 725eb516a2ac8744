/**
 * The first committer wins; savepoints, ends of transactions, and the errors they give.
 */
import { describe, expect, test } from "vitest";
import type { ScanOptions, Transaction } from "#mvcc/types";
import { b, commit, content, fresh, LAYOUTS, s, seen, write } from "./support.ts";

const CONFLICT = { code: "MVCC_CONFLICT" };

describe.each(LAYOUTS)("06.4 on %s, of two that write one key", (layout) => {
  test("the first to commit wins, whoever wrote first", async () => {
    const { mvcc } = await fresh({ layout });
    const [one, two] = [mvcc.begin(), mvcc.begin()];
    write(one, { x: "one" });
    write(two, { x: "two" });
    await two.commit();
    await expect(one.commit()).rejects.toMatchObject({
      ...CONFLICT,
      details: { key: "78", rule: "T4" },
    });
    expect(content(mvcc)).toEqual({ x: "two" });
    expect(one.state).toBe("aborted");
    await mvcc.close();
  });

  test("the second loses also while the first is still on its way to the disk", async () => {
    const { mvcc } = await fresh({ layout });
    const [one, two] = [mvcc.begin(), mvcc.begin()];
    write(one, { x: "one" });
    write(two, { x: "two" });
    const first = one.commit({ sync: true });
    // Begun before the first is visible: it does not see it, and must not overwrite it.
    const three = mvcc.begin();
    write(three, { x: "three" });
    await expect(two.commit()).rejects.toMatchObject(CONFLICT);
    await expect(three.commit()).rejects.toMatchObject(CONFLICT);
    await first;
    expect(content(mvcc)).toEqual({ x: "one" });
    await mvcc.close();
  });

  test("a deletion is a write too", async () => {
    const { mvcc } = await fresh({ layout });
    await commit(mvcc, { x: "0" });
    const [one, two] = [mvcc.begin(), mvcc.begin()];
    one.delete(b("x"));
    write(two, { x: "two" });
    await one.commit();
    await expect(two.commit()).rejects.toMatchObject(CONFLICT);
    expect(content(mvcc)).toEqual({});
    await mvcc.close();
  });
});

test("06.4 writes to different keys pass, and so does a commit that came before", async () => {
  const { mvcc } = await fresh();
  await commit(mvcc, { x: "0" });
  const [one, two] = [mvcc.begin(), mvcc.begin()];
  write(one, { x: "1" });
  write(two, { y: "1" });
  await Promise.all([one.commit(), two.commit()]);
  const next = mvcc.begin();
  write(next, { x: "2", y: "2" });
  await next.commit();
  expect(content(mvcc)).toEqual({ x: "2", y: "2" });
  await mvcc.close();
});

test("06.4 what counts is who committed since it began, not since it asked", async () => {
  const { mvcc } = await fresh();
  const early = mvcc.begin();
  await commit(mvcc, { x: "1" });
  await commit(mvcc, { other: "1" });
  write(early, { x: "early" });
  await expect(early.commit()).rejects.toMatchObject(CONFLICT);
  await mvcc.close();
});

test("06.4 a conflict is found among many commits as among few", async () => {
  const { mvcc } = await fresh();
  const early = mvcc.begin();
  for (let i = 0; i < 100; i += 1) await commit(mvcc, { [`key-${i}`]: "1" });
  write(early, { "key-3": "early" });
  await expect(early.commit()).rejects.toMatchObject({ details: { rule: "T4" } });
  const late = mvcc.begin();
  write(late, { "key-3": "late" });
  await late.commit();
  await mvcc.close();
});

describe("06.2 a transaction", () => {
  test("sees its own writes and deletions, and nobody else does", async () => {
    const { mvcc } = await fresh();
    await commit(mvcc, { a: "1", b: "1", c: "1" });
    const transaction = mvcc.begin();
    write(transaction, { a: "2", b: null, d: "2" });
    expect(seen(transaction)).toEqual({ a: "2", c: "1", d: "2" });
    expect(s(transaction.get(b("a")))).toBe("2");
    expect(transaction.get(b("b"))).toBeUndefined();
    expect(content(mvcc)).toEqual({ a: "1", b: "1", c: "1" });
    transaction.abort();
    expect(content(mvcc)).toEqual({ a: "1", b: "1", c: "1" });
    await mvcc.close();
  });

  test("keeps copies of what it is given, and gives copies", async () => {
    const { mvcc } = await fresh();
    const [key, value] = [b("key"), b("value")];
    const transaction = mvcc.begin();
    transaction.put(key, value);
    key.fill(0);
    value.fill(0);
    transaction.get(b("key"))!.fill(1);
    expect(seen(transaction)).toEqual({ key: "value" });
    await transaction.commit();
    mvcc.begin().get(b("key"))!.fill(1);
    expect(content(mvcc)).toEqual({ key: "value" });
    await mvcc.close();
  });

  test("goes back to a savepoint, more than once, and forgets those behind it", async () => {
    const { mvcc } = await fresh();
    await commit(mvcc, { a: "0", b: "0" });
    const transaction = mvcc.begin();
    write(transaction, { a: "1" });
    const first = transaction.savepoint("first");
    write(transaction, { a: "2", b: null, c: "2" });
    const second = transaction.savepoint();
    write(transaction, { a: "3" });
    transaction.rollbackTo(second);
    expect(seen(transaction)).toEqual({ a: "2", c: "2" });
    transaction.rollbackTo(first);
    expect(seen(transaction)).toEqual({ a: "1", b: "0" });
    write(transaction, { a: "4" });
    transaction.rollbackTo(first);
    expect(seen(transaction)).toEqual({ a: "1", b: "0" });
    expect(() => transaction.rollbackTo(second)).toThrow(RangeError);
    await transaction.commit();
    expect(content(mvcc)).toEqual({ a: "1", b: "0" });
    await mvcc.close();
  });

  test("ends once: every later call says so, and abort does nothing", async () => {
    const { mvcc } = await fresh();
    const transaction = mvcc.begin({ label: "order 17" });
    write(transaction, { a: "1" });
    await transaction.commit();
    const over = /order 17: committed already/;
    const calls: ((ended: Transaction) => unknown)[] = [
      (ended) => ended.get(b("a")),
      (ended) => [...ended.scan()],
      (ended) => ended.put(b("a"), b("2")),
      (ended) => ended.delete(b("a")),
      (ended) => ended.savepoint(),
    ];
    for (const call of calls) expect(() => call(transaction)).toThrow(over);
    await expect(transaction.commit()).rejects.toMatchObject({ code: "MVCC_TRANSACTION_OVER" });
    transaction.abort();
    expect(content(mvcc)).toEqual({ a: "1" });
    await mvcc.close();
  });

  test("that was begun to read refuses to write", async () => {
    const { mvcc } = await fresh();
    const reader = mvcc.begin({ readOnly: true });
    expect(() => reader.put(b("a"), b("1"))).toThrow(TypeError);
    expect(() => reader.delete(b("a"))).toThrow(/begun to read only/);
    expect(await reader.commit()).toBe(reader.readTimestamp);
    await mvcc.close();
  });

  test("refuses what are no bytes", async () => {
    const { mvcc } = await fresh();
    const transaction = mvcc.begin();
    expect(() => transaction.put("a" as unknown as Uint8Array, b("1"))).toThrow(/key: not bytes/);
    expect(() => transaction.put(b("a"), null as unknown as Uint8Array)).toThrow(
      /value: not bytes/,
    );
    expect(() => transaction.get(7 as unknown as Uint8Array)).toThrow(TypeError);
    await mvcc.close();
  });
});

test("06.2 keys and values of any bytes come back, in order", async () => {
  for (const layout of LAYOUTS) {
    const { mvcc } = await fresh({ layout });
    const keys = [[], [0], [0, 0], [0, 255], [1], [255], [255, 0], [255, 255]].map((bytes) =>
      Uint8Array.from(bytes),
    );
    const transaction = mvcc.begin();
    for (const key of keys) transaction.put(key, key);
    await transaction.commit();
    const reader = mvcc.begin();
    const scanned = (options: ScanOptions = {}) =>
      Array.from(reader.scan(options), ([key, value]) => [[...key], [...value]]);
    const expected = keys.map((key) => [[...key], [...key]]);
    expect(scanned()).toEqual(expected);
    expect(scanned({ reverse: true })).toEqual(expected.toReversed());
    expect(scanned({ from: keys[1]!, before: keys[3]! })).toEqual(expected.slice(1, 3));
    expect(scanned({ from: keys[3]!, before: keys[1]! })).toEqual([]);
    for (const key of keys) expect([...reader.get(key)!]).toEqual([...key]);
    await mvcc.close();
  }
});

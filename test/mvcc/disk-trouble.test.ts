/**
 * What a store does when the disk fails for a while: each call that meets the failure says so, and
 * the next one works again.
 */
import { expect, test } from "vitest";
import {
  b,
  commit,
  content,
  drain,
  fresh,
  LAYOUTS,
  open,
  s,
  seen,
  worked,
  write,
} from "./support.ts";

test.each(LAYOUTS)(
  "06.2 %s: a read that met a failure is the only one that fails",
  async (layout) => {
    const { mvcc, disk } = await fresh({ layout, engine: { cacheBytesMax: 0 } });
    await commit(mvcc, { a: "x".repeat(6000), b: "2" });
    await mvcc.collect();
    const reader = mvcc.begin();
    reader.get(b("a"));
    disk.plan({ operation: "read", fault: "EIO", after: 0, times: 1, path: ".sst" });
    expect(() => reader.get(b("a"))).toThrow(/input\/output error/);
    expect(reader.get(b("a"))?.length).toBe(6000);
    expect(s(reader.get(b("b")))).toBe("2");
    for (const reverse of [false, true]) {
      disk.plan({ operation: "read", fault: "EIO", after: 0, times: 1, path: ".sst" });
      expect(() => [...reader.scan({ reverse })]).toThrow();
      expect([...reader.scan({ reverse })].length).toBe(2);
    }
    await mvcc.close();
  },
);

test("06.7 a horizon that could not be kept is kept by the next collection", async () => {
  const { mvcc, disk } = await fresh();
  await commit(mvcc, { a: "1" });
  await commit(mvcc, { a: "2" });
  disk.plan({ operation: "write", fault: "ENOSPC", after: 0, times: 1 });
  await expect(mvcc.collect()).rejects.toMatchObject({ code: "LSM_WRITE_REFUSED" });
  drain(mvcc);
  expect(await mvcc.collect()).toMatchObject({ versionsAfter: 1 });
  await mvcc.close();
});

test("06.7 a horizon that could not be kept does not come up again at the close", async () => {
  const { mvcc, disk } = await fresh();
  await commit(mvcc, { a: "1" });
  disk.plan({ operation: "write", fault: "ENOSPC", after: 0, times: 1 });
  await expect(mvcc.collect()).rejects.toMatchObject({ code: "LSM_WRITE_REFUSED" });
  drain(mvcc);
  await mvcc.close();
});

test.each(LAYOUTS)(
  "06.3 %s: a commit whose sync failed may be there or not; order and conflicts stay right",
  async (layout) => {
    const { mvcc, disk } = await fresh({ layout });
    await commit(mvcc, { a: "1" });
    const [first, second, third] = [mvcc.begin(), mvcc.begin(), mvcc.begin()];
    write(first, { a: "first" });
    write(second, { b: "second" });
    write(third, { a: "third" });
    disk.plan({ operation: "sync", fault: "EIO", after: 0, times: 1, path: ".wal" });
    const syncing = first.commit({ sync: true });
    await expect(third.commit()).rejects.toMatchObject({ code: "MVCC_CONFLICT" });
    await expect(syncing).rejects.toMatchObject({ code: "DISK_IO" });
    await second.commit().catch(() => undefined);
    drain(mvcc);
    const timestamp = await commit(mvcc, { c: "later" });
    const reader = mvcc.begin();
    expect(reader.readTimestamp).toBe(timestamp);
    expect(s(reader.get(b("c")))).toBe("later");
    expect(["1", "first"]).toContain(s(reader.get(b("a"))));
    const found = content(mvcc);
    await mvcc.close();
    const again = await open(disk, { layout });
    expect(content(again)).toEqual(found);
    await again.close();
  },
);

test("06.3 a commit that waits for the background is not lost, nor is its place", async () => {
  const { mvcc } = await fresh({ engine: { frozenMemtablesMax: 1, levelZeroStopRuns: 2 } });
  const commits = Array.from({ length: 40 }, (_, i) => {
    const transaction = mvcc.begin();
    write(transaction, { [`key-${i}`]: "x".repeat(1000) });
    return transaction.commit({ sync: i % 4 === 0 });
  });
  // Held back for now: nobody sees anything of those behind.
  const early = mvcc.begin();
  const rival = mvcc.begin();
  write(rival, { "key-39": "rival" });
  await expect(rival.commit()).rejects.toMatchObject({ code: "MVCC_CONFLICT" });
  const timestamps = await worked(mvcc, Promise.all(commits));
  expect(timestamps).toEqual([...timestamps].sort((one, other) => one - other));
  expect(Object.keys(content(mvcc)).length).toBe(40);
  expect(Object.keys(seen(early)).length).toBe(0);
  await mvcc.close();
});

test("06.3 a commit of more than a record of the log takes is refused whole", async () => {
  const { mvcc } = await fresh();
  await commit(mvcc, { a: "1" });
  const transaction = mvcc.begin();
  const value = new Uint8Array(33 * 1024 * 1024);
  for (const key of ["a", "b"]) transaction.put(b(key), value);
  await expect(transaction.commit()).rejects.toThrow(/split it/);
  expect(content(mvcc)).toEqual({ a: "1" });
  await commit(mvcc, { a: "2" });
  expect(content(mvcc)).toEqual({ a: "2" });
  await mvcc.close();
});

/**
 * Group commit and failing syncs: who is served by which sync, and who is told of a failure.
 *
 * The trace of the simulated disk counts the syncs; a hanging sync holds one open as long as
 * needed.
 */
import { describe, expect, test } from "vitest";
import { createSimulatedDisk } from "#platform";
import type { SimulatedDisk } from "#platform/types";
import { openWal } from "#wal";
import type { Wal } from "#wal/types";

const DIR = "log";
const PAYLOAD = new Uint8Array(200).fill(1);

function open(disk: SimulatedDisk): Wal {
  return openWal({ disk, dir: DIR }, () => {}).wal;
}

function count(disk: SimulatedDisk, operation: string): number {
  return disk.trace.filter((line) => line.operation === operation).length;
}

/** Lets everything that is ready run: more turns than any chain of promises here is long. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 100; turn += 1) await undefined;
}

describe("01.7 group commit", () => {
  test("01.7 64 commits in one turn take at most two syncs, and one write", async () => {
    const disk = createSimulatedDisk();
    const wal = open(disk);
    const [syncs, writes] = [count(disk, "sync"), count(disk, "write")];
    const commits = Array.from({ length: 64 }, () => wal.commit(PAYLOAD));
    const lsns = await Promise.all(commits);
    expect(lsns).toEqual(Array.from({ length: 64 }, (_, i) => i + 1));
    expect(count(disk, "sync") - syncs).toBeLessThanOrEqual(2);
    // The records, and the room made ahead of them.
    expect(count(disk, "write") - writes).toBeLessThanOrEqual(2);
    expect(wal.durableLsn).toBe(64);
  });

  test("01.7 64 callers that go on committing share every sync", async () => {
    const disk = createSimulatedDisk();
    const wal = open(disk);
    const syncs = count(disk, "sync");
    const caller = async () => {
      for (let i = 0; i < 10; i += 1) await wal.commit(PAYLOAD);
    };
    await Promise.all(Array.from({ length: 64 }, caller));
    expect(count(disk, "sync") - syncs).toBeLessThanOrEqual(11);
  });

  test("01.7 no commit resolves before its bytes are synced, and all in order", async () => {
    const disk = createSimulatedDisk();
    const wal = open(disk);
    disk.plan({ operation: "sync", fault: "hang", after: 0 });
    const resolved: number[] = [];
    const commit = () => wal.commit(PAYLOAD).then((lsn) => void resolved.push(lsn));
    const commits = [commit(), commit()];
    await settle();
    expect(resolved).toEqual([]);
    expect(wal.durableLsn).toBe(0);
    // These come while a sync is under way: they are not covered by it and share the next.
    commits.push(commit(), commit());
    const syncs = count(disk, "sync");
    disk.plan({ operation: "sync", fault: "hang", after: 0 });
    disk.releaseHung();
    await settle();
    expect(resolved).toEqual([1, 2]);
    expect(wal.durableLsn).toBe(2);
    disk.releaseHung();
    await Promise.all(commits);
    expect(resolved).toEqual([1, 2, 3, 4]);
    expect(count(disk, "sync") - syncs).toBe(2);
  });

  test("01.7 syncAsync with nothing to sync resolves without one", async () => {
    const disk = createSimulatedDisk();
    const wal = open(disk);
    await wal.commit(PAYLOAD);
    const syncs = count(disk, "sync");
    await expect(wal.syncAsync()).resolves.toBe(1);
    expect(count(disk, "sync")).toBe(syncs);
  });

  test("01.7 a blocking sync covers what a sync under way fails to save", async () => {
    const disk = createSimulatedDisk();
    const wal = open(disk);
    disk.plan({ operation: "sync", fault: "hang", after: 0 });
    const commit = wal.commit(PAYLOAD);
    await settle();
    wal.append(PAYLOAD);
    wal.sync();
    expect(wal.durableLsn).toBe(2);
    disk.plan({ operation: "sync", fault: "EIO", after: 0 });
    disk.releaseHung();
    await expect(commit).rejects.toMatchObject({ code: "DISK_IO" });
    for (let seed = 0; seed < 50; seed += 1) {
      expect(open(disk.crash(seed)).nextLsn).toBe(3);
    }
  });

  test("01.7 a segment that fills up while a sync is under way loses nobody", async () => {
    const disk = createSimulatedDisk();
    const { wal } = openWal({ disk, dir: DIR, segmentBytesMax: 600 }, () => {});
    disk.plan({ operation: "sync", fault: "hang", after: 0 });
    const commits = [wal.commit(PAYLOAD)];
    await settle();
    for (let i = 0; i < 5; i += 1) commits.push(wal.commit(PAYLOAD));
    disk.releaseHung();
    expect(await Promise.all(commits)).toEqual([1, 2, 3, 4, 5, 6]);
    await wal.close();
    expect(open(disk.crash(1)).nextLsn).toBe(7);
  });

  test("01.7 a sync under way does not count for a record that is cut", async () => {
    const disk = createSimulatedDisk();
    const wal = open(disk);
    wal.append(PAYLOAD);
    wal.sync();
    disk.plan({ operation: "sync", fault: "hang", after: 0 });
    const commit = wal.commit(PAYLOAD);
    await settle();
    wal.truncateAfter(1);
    wal.append(PAYLOAD);
    disk.releaseHung();
    await expect(commit).rejects.toMatchObject({ code: "WAL_NOT_RETAINED" });
    expect([wal.durableLsn, wal.nextLsn]).toEqual([1, 3]);
  });
});

describe("01.8 a failed sync poisons the log", () => {
  const poisoned = expect.objectContaining({ code: "WAL_POISONED" });

  test("01.8 every waiter is rejected, and so is everything afterwards", async () => {
    const disk = createSimulatedDisk();
    const wal = open(disk);
    await wal.commit(PAYLOAD);
    disk.plan({ operation: "sync", fault: "EIO", after: 0 });
    const commits = Array.from({ length: 5 }, () => wal.commit(PAYLOAD));
    const results = await Promise.allSettled(commits);
    expect(results.every(({ status }) => status === "rejected")).toBe(true);
    expect(results[0]).toMatchObject({ reason: { code: "DISK_IO" } });
    expect(() => wal.append(PAYLOAD)).toThrow(poisoned);
    expect(() => wal.sync()).toThrow(poisoned);
    expect(() => wal.truncateBefore(1)).toThrow(poisoned);
    expect(() => wal.truncateAfter(1)).toThrow(poisoned);
    await expect(wal.commit(PAYLOAD)).rejects.toEqual(poisoned);
    expect(wal.durableLsn).toBe(1);
  });

  test("01.8 what is durable can still be read, what is not cannot", () => {
    const disk = createSimulatedDisk();
    const wal = open(disk);
    wal.append(PAYLOAD);
    wal.sync();
    wal.append(PAYLOAD);
    disk.plan({ operation: "sync", fault: "EIO", after: 0 });
    expect(() => wal.sync()).toThrow(expect.objectContaining({ code: "DISK_IO" }));
    const lsns: number[] = [];
    wal.read({ from: 1, before: 2 }, ({ lsn }) => void lsns.push(lsn));
    expect(lsns).toEqual([1]);
    expect(() => wal.read({ from: 1, before: 3 }, () => {})).toThrow(poisoned);
  });

  test("01.8 closing a poisoned log releases it and writes nothing", async () => {
    const disk = createSimulatedDisk();
    const wal = open(disk);
    wal.append(PAYLOAD);
    disk.plan({ operation: "write", fault: "ENOSPC", after: 0 });
    expect(() => wal.sync()).toThrow(expect.objectContaining({ code: "DISK_FULL" }));
    const operations = disk.operations;
    await wal.close();
    expect(disk.operations).toBe(operations);
  });

  test("01.8 a full disk leaves a tail that can be cut", () => {
    for (let capacityBytes = 300; capacityBytes < 1800; capacityBytes += 37) {
      const disk = createSimulatedDisk({ capacityBytes });
      const wal = open(disk);
      let acked = 0;
      expect(() => {
        for (;;) {
          wal.append(PAYLOAD);
          wal.sync();
          acked = wal.durableLsn;
        }
      }).toThrow(expect.objectContaining({ code: "DISK_FULL" }));
      const again = open(disk.kill());
      expect(again.nextLsn).toBeGreaterThan(acked);
      again.read({ from: 1, before: again.nextLsn }, ({ payload }) => {
        expect(payload).toEqual(PAYLOAD);
      });
    }
  });

  test("01.8 a disk too full for room ahead still takes the record itself", () => {
    const disk = createSimulatedDisk({ capacityBytes: 3000 });
    const wal = open(disk);
    wal.append(PAYLOAD);
    wal.sync();
    expect(wal.durableLsn).toBe(1);
  });
});

/**
 * The log as its callers see it: appending, reading, rolling, forgetting, cutting, closing. On a
 * sound disk.
 */
import { describe, expect, test } from "vitest";
import type { Bytes } from "#base";
import { equalBytes } from "#bytes";
import { createSimulatedDisk, seededRandom } from "#platform";
import type { SimulatedDisk } from "#platform/types";
import { openWal } from "#wal";
import type { Wal, WalOptions } from "#wal/types";
import { forEachSeed } from "../support/seeds.ts";

const DIR = "log";
type Shape = Omit<WalOptions, "disk" | "dir">;

function open(disk: SimulatedDisk, options: Shape = {}) {
  const payloads: Bytes[] = [];
  const opened = openWal({ ...options, disk, dir: DIR }, ({ payload }) => payloads.push(payload));
  return { ...opened, payloads };
}

function readAll(wal: Wal, from = wal.firstLsn, before = wal.nextLsn): [number, number][] {
  const records: [number, number][] = [];
  wal.read({ from, before }, ({ lsn, payload }) => {
    records.push([lsn, payload.length]);
  });
  return records;
}

const sized = (bytes: number) => new Uint8Array(bytes).fill(bytes);

/** Records of 100, 101, 102 … bytes, so that a record's length tells which one it is. */
function fill(wal: Wal, count: number): void {
  for (let i = 0; i < count; i += 1) wal.append(sized(99 + wal.nextLsn));
  wal.sync();
}

const lengths = (from: number, before: number): [number, number][] =>
  Array.from({ length: before - from }, (_, i) => [from + i, 99 + from + i]);

describe("01.2 append and scan", () => {
  test("01.2 records of any size come back identical and in order", () => {
    forEachSeed(8, (seed) => {
      const random = seededRandom(seed);
      const disk = createSimulatedDisk();
      const { wal } = open(disk, { segmentBytesMax: 20_000 });
      const appended: Bytes[] = [];
      for (let i = 0; i < 500; i += 1) {
        const payload = random.bytes(random.below([20, 600, 1600][random.below(3)]!));
        expect(wal.append(payload)).toBe(i + 1);
        appended.push(payload.slice());
        payload.fill(0xee);
        if (random.below(9) === 0) wal.sync();
      }
      wal.sync();
      const found = open(disk).payloads;
      expect(found.length).toBe(appended.length);
      // Not `toEqual`, which takes seconds for this many bytes.
      for (const [i, payload] of found.entries()) {
        expect(equalBytes(payload, appended[i]!), `record ${i + 1}`).toBe(true);
      }
    });
  });

  test("01.2 an empty log can be opened again and again", async () => {
    const disk = createSimulatedDisk();
    for (let i = 0; i < 3; i += 1) {
      const { wal, report } = open(disk);
      expect(report).toEqual({
        ...{ records: 0, firstLsn: 1, nextLsn: 1, droppedBytes: 0, reason: "clean", segments: 1 },
      });
      expect([wal.firstLsn, wal.nextLsn, wal.durableLsn]).toEqual([1, 1, 0]);
      await wal.close();
    }
  });

  test("01.2 a payload that the caller changes after append is stored as it was", () => {
    const disk = createSimulatedDisk();
    const { wal } = open(disk);
    const payload = sized(10);
    wal.append(payload);
    payload.fill(0);
    wal.sync();
    expect(open(disk).payloads).toEqual([sized(10)]);
  });

  test("01.2 an empty payload is a record", () => {
    const disk = createSimulatedDisk();
    const { wal } = open(disk);
    wal.append(new Uint8Array(0));
    wal.append(new Uint8Array(0));
    wal.sync();
    expect(open(disk).payloads.map((payload) => payload.length)).toEqual([0, 0]);
  });

  test("01.2 a payload kept from a read does not change afterwards", () => {
    const disk = createSimulatedDisk();
    const { wal } = open(disk);
    const kept: Bytes[] = [];
    wal.append(sized(5));
    wal.read({ from: 1, before: 2 }, ({ payload }) => void kept.push(payload));
    wal.sync();
    for (let i = 0; i < 50; i += 1) wal.append(sized(6));
    expect(kept).toEqual([sized(5)]);
  });

  test("01.2 a payload above the limit is refused, and the log goes on", () => {
    const { wal } = open(createSimulatedDisk(), { payloadBytesMax: 10 });
    expect(() => wal.append(sized(11))).toThrow(RangeError);
    expect(wal.append(sized(10))).toBe(1);
  });

  test("01.2 a record above a limit that was lowered is refused at open and not cut off", () => {
    const disk = createSimulatedDisk();
    const { wal } = open(disk);
    wal.append(sized(5));
    wal.append(sized(3000));
    wal.sync();
    const before = disk.content(`${DIR}/0000000000000001.wal`);
    expect(() => open(disk, { payloadBytesMax: 1000 })).toThrow(/payload above the limit/);
    expect(disk.content(`${DIR}/0000000000000001.wal`)).toEqual(before);
    expect(open(disk).payloads.length).toBe(2);
  });

  test("01.2 options outside their range are refused", () => {
    const disk = createSimulatedDisk();
    for (const options of [
      { segmentBytesMax: 10 },
      { preallocateBytes: -1 },
      { payloadBytesMax: 2 ** 40 },
      { segmentBytesMax: 0.5 },
    ]) {
      expect(() => open(disk, options)).toThrow(RangeError);
    }
  });
});

describe("01.6 segments", () => {
  const options = { segmentBytesMax: 1000, preallocateBytes: 0 };

  test("01.6 a segment ends at its limit, and names sort as numbers do", () => {
    const disk = createSimulatedDisk();
    const { wal } = open(disk, options);
    fill(wal, 60);
    const names = disk.list(DIR);
    expect(names.length).toBeGreaterThan(9);
    expect(names[0]).toBe("0000000000000001.wal");
    expect([...names].sort()).toEqual(names);
    for (const name of names)
      expect(disk.content(`${DIR}/${name}`).length).toBeLessThanOrEqual(1000);
    expect(open(disk, options).report).toMatchObject({ records: 60, segments: names.length });
  });

  test("01.6 a record larger than a segment gets one of its own", () => {
    const disk = createSimulatedDisk();
    const { wal } = open(disk, options);
    for (const bytes of [100, 5000, 100]) wal.append(sized(bytes));
    wal.sync();
    expect(disk.list(DIR).length).toBe(3);
    expect(open(disk, options).payloads).toEqual([sized(100), sized(5000), sized(100)]);
  });

  test("01.6 files of other names are ignored and left alone", () => {
    const disk = createSimulatedDisk();
    fill(open(disk, options).wal, 20);
    for (const name of ["notes.txt", "1.wal", "0000000000000099.wal.old", "000000000000000x.wal"]) {
      disk.open(`${DIR}/${name}`, "create-new").write(0, sized(99));
    }
    const names = disk.list(DIR);
    expect(open(disk, options).report.records).toBe(20);
    expect(disk.list(DIR)).toEqual(names);
  });

  test("01.6 room is made ahead within the limit, in small steps in a small log", () => {
    const disk = createSimulatedDisk();
    const { wal } = open(disk, { segmentBytesMax: 200_000, preallocateBytes: 1 << 20 });
    expect(wal.sizeBytes()).toBeLessThan(100);
    fill(wal, 1);
    expect(wal.sizeBytes()).toBeLessThan(20_000);
    fill(wal, 400);
    expect(wal.sizeBytes()).toBeLessThanOrEqual(200_000);
    expect(open(disk).report).toMatchObject({ records: 401, reason: "clean", droppedBytes: 0 });
  });
});

describe("reading", () => {
  test("any range is read from any segment, from the batch and across both", () => {
    const disk = createSimulatedDisk();
    const { wal } = open(disk, { segmentBytesMax: 3000 });
    fill(wal, 100);
    for (let i = 0; i < 10; i += 1) wal.append(sized(99 + wal.nextLsn));
    forEachSeed(200, (seed) => {
      const random = seededRandom(seed);
      const from = 1 + random.below(111);
      const before = from + random.below(120 - from);
      expect(readAll(wal, from, before)).toEqual(lengths(from, Math.min(before, 111)));
    });
    expect(readAll(wal, 111, 500)).toEqual([]);
    expect(readAll(wal, 50, 20)).toEqual([]);
  });

  test("reading an old record does not read the whole segment", () => {
    const disk = createSimulatedDisk();
    let bytesRead = 0;
    const counting = {
      ...bind(disk),
      open: (path: string, mode: "create-new" | "read-write" | "read") => {
        const handle = disk.open(path, mode);
        const read = handle.read.bind(handle);
        handle.read = (offset, target) => {
          bytesRead += target.length;
          return read(offset, target);
        };
        return handle;
      },
    };
    const { wal } = openWal({ disk: counting, dir: DIR }, () => {});
    for (let i = 0; i < 4000; i += 1) wal.append(sized(1000));
    wal.sync();
    bytesRead = 0;
    expect(readAll(wal, 3000, 3001)).toEqual([[3000, 1000]]);
    expect(bytesRead).toBeLessThan(140_000);
  });

  test("the receiver stops by returning false", () => {
    const { wal } = open(createSimulatedDisk());
    fill(wal, 5);
    wal.append(sized(1));
    const seen: number[] = [];
    wal.read({ from: 2, before: 9 }, ({ lsn }) => seen.push(lsn) < 3);
    expect(seen).toEqual([2, 3, 4]);
  });

  test("a receiver may append", () => {
    const { wal } = open(createSimulatedDisk());
    fill(wal, 2);
    wal.append(sized(102));
    const seen: number[] = [];
    wal.read({ from: 1, before: 99 }, ({ lsn }) => {
      seen.push(lsn);
      wal.append(sized(4));
      wal.sync();
    });
    expect(seen).toEqual([1, 2, 3]);
    expect(wal.nextLsn).toBe(7);
  });

  test("what was flushed survives a kill, and what was not does not", () => {
    const disk = createSimulatedDisk();
    const { wal } = open(disk);
    wal.append(sized(100));
    wal.flush();
    wal.append(sized(101));
    expect(wal.durableLsn).toBe(0);
    const { report, payloads } = open(disk.kill());
    expect(payloads.map((payload) => payload.length)).toEqual([100]);
    expect(report.nextLsn).toBe(2);
  });

  test("a failed flush poisons the log", () => {
    const disk = createSimulatedDisk();
    const { wal } = open(disk);
    wal.append(sized(100));
    disk.plan({ operation: "write", fault: "ENOSPC", after: 0 });
    expect(() => wal.flush()).toThrow(expect.objectContaining({ code: "DISK_FULL" }));
    expect(() => wal.flush()).toThrow(expect.objectContaining({ code: "WAL_POISONED" }));
  });

  test("what was forgotten is not retained", () => {
    const { wal } = open(createSimulatedDisk(), { segmentBytesMax: 500 });
    fill(wal, 20);
    wal.truncateBefore(10);
    expect(() => readAll(wal, 1)).toThrow(expect.objectContaining({ code: "WAL_NOT_RETAINED" }));
    expect(() => readAll(wal, 0.5)).toThrow(RangeError);
  });
});

function bind(disk: SimulatedDisk) {
  return {
    rename: disk.rename.bind(disk),
    unlink: disk.unlink.bind(disk),
    list: disk.list.bind(disk),
    exists: disk.exists.bind(disk),
    makeDir: disk.makeDir.bind(disk),
    removeDir: disk.removeDir.bind(disk),
    syncDir: disk.syncDir.bind(disk),
    lock: disk.lock.bind(disk),
  };
}

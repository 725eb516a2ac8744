/**
 * Removing records at both ends, and closing. Crashes in the middle of these are in crash.test.ts.
 */
import { describe, expect, test } from "vitest";
import { createSimulatedDisk, seededRandom } from "#platform";
import type { SimulatedDisk } from "#platform/types";
import { openWal } from "#wal";
import type { Wal } from "#wal/types";
import { forEachSeed } from "../support/seeds.ts";

const DIR = "log";
const OPTIONS = { segmentBytesMax: 600, preallocateBytes: 512 };

function open(disk: SimulatedDisk) {
  const fills: number[] = [];
  const opened = openWal({ ...OPTIONS, disk, dir: DIR }, ({ payload }) => fills.push(payload[0]!));
  return { ...opened, fills };
}

function append(wal: Wal, ...fills: number[]): void {
  for (const fill of fills) wal.append(new Uint8Array(150).fill(fill));
}

function fillsOf(wal: Wal): number[] {
  const fills: number[] = [];
  wal.read({ from: wal.firstLsn, before: wal.nextLsn }, ({ payload }) => {
    fills.push(payload[0]!);
  });
  return fills;
}

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i + 1);

describe("01.9 forgetting the past", () => {
  test("01.9 what is detached is forgotten, and comes back as long as its files stay", () => {
    const disk = createSimulatedDisk();
    const { wal } = open(disk);
    append(wal, ...upTo(30));
    expect(() => wal.detachBefore(31)).toThrow(RangeError);
    wal.sync();
    const paths = wal.detachBefore(17);
    expect(paths.length).toBeGreaterThan(2);
    expect(paths.every((path) => disk.exists(path))).toBe(true);
    expect(wal.firstLsn).toBeGreaterThan(13);
    expect(() => wal.read({ from: 1, before: 5 }, () => {})).toThrow(
      expect.objectContaining({ code: "WAL_NOT_RETAINED" }),
    );
    expect(wal.detachBefore(17)).toEqual([]);
    // Killed before any was removed, and after the first two were.
    expect(open(disk.kill()).fills).toEqual(upTo(30));
    const later = disk.kill();
    for (const path of paths.slice(0, 2)) {
      later.unlink(path);
      later.syncDir(DIR);
    }
    const { wal: again, fills } = open(later);
    expect(fills).toEqual(upTo(30).slice(again.firstLsn - 1));
    expect(again.firstLsn).toBeGreaterThan(1);
  });

  test("01.9 files that are removed out of order leave a gap, which is refused", () => {
    const disk = createSimulatedDisk();
    const { wal } = open(disk);
    append(wal, ...upTo(30));
    wal.sync();
    const later = disk.kill();
    later.unlink(wal.detachBefore(17)[1]!);
    expect(() => open(later)).toThrow(expect.objectContaining({ code: "WAL_CORRUPT" }));
  });

  test("01.9 everything from the given LSN on is kept, and whole segments below it go", () => {
    const disk = createSimulatedDisk();
    const { wal } = open(disk);
    append(wal, ...upTo(30));
    wal.sync();
    const before = wal.sizeBytes();
    wal.truncateBefore(17);
    expect(wal.firstLsn).toBeGreaterThan(17 - 4);
    expect(wal.firstLsn).toBeLessThanOrEqual(17);
    expect(wal.sizeBytes()).toBeLessThan(before);
    const kept = fillsOf(wal);
    expect(kept).toEqual(upTo(30).slice(wal.firstLsn - 1));
    expect(open(disk).fills).toEqual(kept);
  });

  test("01.9 the oldest goes first, and each removal is durable before the next", () => {
    const disk = createSimulatedDisk();
    const { wal } = open(disk);
    append(wal, ...upTo(12));
    wal.sync();
    const from = disk.operations;
    wal.truncateBefore(13);
    const calls = disk.trace.slice(from).map(({ operation, path }) => `${operation} ${path}`);
    expect(calls.slice(0, 4)).toEqual([
      `unlink ${DIR}/0000000000000001.wal`,
      `syncDir ${DIR}`,
      `unlink ${DIR}/0000000000000002.wal`,
      `syncDir ${DIR}`,
    ]);
  });

  test("01.9 asked to forget what is not durable, it refuses", () => {
    const { wal } = open(createSimulatedDisk());
    append(wal, 1, 2);
    expect(() => wal.truncateBefore(2)).toThrow(RangeError);
    wal.sync();
    wal.truncateBefore(3);
    expect(() => wal.truncateBefore(4)).toThrow(RangeError);
    expect(() => wal.truncateBefore(-1)).toThrow(RangeError);
    expect(wal.nextLsn).toBe(3);
  });
});

describe("cutting the end", () => {
  test("the records above are gone and the next append takes their number", () => {
    for (let lsn = 0; lsn <= 12; lsn += 1) {
      const disk = createSimulatedDisk();
      const { wal } = open(disk);
      append(wal, ...upTo(10));
      wal.sync();
      append(wal, 11, 12);
      wal.truncateAfter(lsn);
      expect(fillsOf(wal)).toEqual(upTo(lsn));
      expect([wal.nextLsn, wal.durableLsn <= lsn]).toEqual([lsn + 1, true]);
      append(wal, 99);
      wal.sync();
      expect(fillsOf(wal)).toEqual([...upTo(lsn), 99]);
      expect(open(disk).fills).toEqual([...upTo(lsn), 99]);
    }
  });

  test("a cut is durable when it returns", () => {
    const disk = createSimulatedDisk();
    const { wal } = open(disk);
    append(wal, ...upTo(10));
    wal.sync();
    wal.truncateAfter(4);
    forEachSeed(50, (seed) => {
      expect(open(disk.crash(seed)).fills).toEqual(upTo(4));
    });
  });

  test("any sequence of appends, cuts and removals agrees with an array", () => {
    forEachSeed(60, (seed) => {
      const random = seededRandom(seed);
      const disk = createSimulatedDisk();
      let { wal } = open(disk);
      let [first, model]: [number, number[]] = [1, []];
      for (let i = 0; i < 60; i += 1) {
        const dice = random.below(10);
        if (dice < 6) {
          const fill = random.below(256);
          append(wal, fill);
          model.push(fill);
        } else if (dice < 8) {
          const keep = random.below(model.length + 1);
          wal.truncateAfter(first - 1 + keep);
          model = model.slice(0, keep);
        } else {
          wal.sync();
          wal.truncateBefore(first + random.below(model.length + 1));
          model = model.slice(wal.firstLsn - first);
          first = wal.firstLsn;
        }
        if (dice === 9) ({ wal } = open(disk));
        expect(fillsOf(wal)).toEqual(model);
      }
    });
  });

  test("outside the log it is refused, and cutting nothing does nothing", () => {
    const disk = createSimulatedDisk();
    const { wal } = open(disk);
    append(wal, ...upTo(12));
    wal.sync();
    wal.truncateBefore(9);
    expect(() => wal.truncateAfter(wal.firstLsn - 2)).toThrow(RangeError);
    expect(() => wal.truncateAfter(13)).toThrow(RangeError);
    const operations = disk.operations;
    wal.truncateAfter(12);
    expect(disk.operations).toBe(operations);
  });

  test("a commit whose record is cut off while it waits is rejected", async () => {
    const { wal } = open(createSimulatedDisk());
    const [kept, gone] = [wal.commit(new Uint8Array(9)), wal.commit(new Uint8Array(9))];
    wal.truncateAfter(1);
    append(wal, 7);
    await expect(kept).resolves.toBe(1);
    await expect(gone).rejects.toMatchObject({ code: "WAL_NOT_RETAINED" });
    expect(wal.nextLsn).toBe(3);
  });

  test("inside a read it is refused", () => {
    const { wal } = open(createSimulatedDisk());
    append(wal, 1, 2);
    const cut = () => wal.read({ from: 1, before: 3 }, () => wal.truncateAfter(1));
    expect(cut).toThrow(/not truncated from inside a read/);
  });
});

describe("closing", () => {
  test("a closed log has everything on disk and refuses everything else", async () => {
    const disk = createSimulatedDisk();
    const { wal } = open(disk);
    append(wal, 1, 2);
    const waiting = wal.syncAsync();
    const closing = wal.close();
    expect(wal.close()).toBe(closing);
    const closed = expect.objectContaining({ code: "WAL_CLOSED" });
    expect(() => append(wal, 3)).toThrow(closed);
    expect(() => wal.sync()).toThrow(closed);
    expect(() => wal.read({ from: 1, before: 2 }, () => {})).toThrow(closed);
    await expect(wal.syncAsync()).rejects.toEqual(closed);
    await closing;
    await expect(waiting).resolves.toBe(2);
    forEachSeed(20, (seed) => {
      expect(open(disk.crash(seed)).fills).toEqual([1, 2]);
    });
  });

  test("a log that is closed and opened without an append does not grow", async () => {
    const disk = createSimulatedDisk();
    append(open(disk).wal, 1);
    for (let i = 0; i < 2; i += 1) await open(disk).wal.close();
    const before = disk.content(`${DIR}/0000000000000001.wal`);
    for (let i = 0; i < 5; i += 1) await open(disk).wal.close();
    expect(disk.content(`${DIR}/0000000000000001.wal`)).toEqual(before);
  });
});

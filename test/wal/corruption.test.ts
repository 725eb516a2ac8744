/**
 * Damage against torn tails: what must be refused, what must be cut, and that a refusal changes
 * nothing.
 *
 * Also the frame byte by byte: its layout on paper, a golden file, and every bit of it flipped.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { isCairnError } from "#base";
import { crc32c, getU32 } from "#bytes";
import { createNodeDisk, createSimulatedDisk } from "#platform";
import type { SimulatedDisk } from "#platform/types";
import { openWal } from "#wal";
import { expectRefused, recycledSegment, rotBelowTheWatermark } from "./crash-checks.ts";
import { flipEveryBit } from "./frame-flips.ts";

const DIR = "log";
const GOLDEN = fileURLToPath(new URL("./golden/segment-v1.wal", import.meta.url));
const path = (segment: number) => `${DIR}/${String(segment).padStart(16, "0")}.wal`;
const sized = (bytes: number) => new Uint8Array(bytes).fill(bytes);

/** A log with a record of each size, each synced; not closed. */
function logOf(sizes: readonly number[], segmentBytesMax = 4096): SimulatedDisk {
  const disk = createSimulatedDisk();
  const { wal } = openWal({ disk, dir: DIR, segmentBytesMax, preallocateBytes: 0 }, () => {});
  for (const bytes of sizes) {
    wal.append(sized(bytes));
    wal.sync();
  }
  return disk;
}

function open(disk: SimulatedDisk) {
  return openWal({ disk, dir: DIR, segmentBytesMax: 4096 }, () => {});
}

/** Opens a log that must be refused. @returns the details of the refusal. */
function refused(disk: SimulatedDisk): object {
  const operations = disk.operations;
  try {
    open(disk);
  } catch (error) {
    if (!isCairnError(error, "WAL_CORRUPT")) throw error;
    expect(disk.operations, "a refused log is left alone").toBe(operations);
    return error.details;
  }
  throw new Error("the damaged log was opened");
}

describe("01.1 one frame", () => {
  test("01.1 the layout is the documented one", () => {
    const content = logOf([3]).content(path(1));
    expect(Buffer.from(content.subarray(4, 32)).toString("hex")).toBe(
      "434149524e57414c0100000001000000000000000100000000000000",
    );
    expect(getU32(content, 0)).toBe(crc32c(content.subarray(4, 32)));
    const frame = content.subarray(32);
    expect(Buffer.from(frame.subarray(4)).toString("hex")).toBe(
      "030000000101000000000000000000000000000000030303",
    );
    expect(getU32(frame, 0)).toBe(crc32c(frame.subarray(4), getU32(content, 0)));
  });

  test("01.1 a log written by an earlier version is read: the golden file", () => {
    const disk = createSimulatedDisk();
    disk.makeDir(DIR);
    disk.open(path(1), "create-new").write(0, readFileSync(GOLDEN));
    const lengths: number[] = [];
    openWal({ disk, dir: DIR }, ({ payload }) => void lengths.push(payload.length));
    expect(lengths).toEqual([3, 0, 200]);
  });

  test("01.1 each single flipped bit in a whole frame is noticed", () => {
    expect(flipEveryBit({ openWal })).toBe((25 + 40) * 8);
  });

  test("01.1 a length of 2^32 - 1 allocates nothing and is no record", () => {
    const disk = logOf([10, 20]);
    disk.open(path(1), "read-write").write(32 + 35 + 4, Uint8Array.of(255, 255, 255, 255));
    expect(open(disk).report).toMatchObject({ records: 1, reason: "torn-tail" });
  });
});

describe("01.4 a torn tail is cut", () => {
  test("01.4 at every byte offset of the last record, everything before it survives", () => {
    const disk = logOf([30, 700]);
    const { length } = disk.content(path(1));
    for (let cut = length - 725; cut < length; cut += 1) {
      const copy = disk.kill();
      copy.open(path(1), "read-write").truncate(cut);
      const { report } = open(copy);
      expect(report.nextLsn).toBe(2);
      expect(copy.content(path(1)).length).toBe(length - 725);
    }
  });

  test("01.4 the report says so, and how many bytes", () => {
    const disk = logOf([30, 700]);
    const handle = disk.open(path(1), "read-write");
    handle.truncate(handle.size() - 10);
    handle.write(handle.size() + 600, new Uint8Array(100));
    expect(open(disk.kill()).report).toEqual({
      ...{ records: 1, firstLsn: 1, nextLsn: 2, droppedBytes: 715 },
      ...{ reason: "torn-tail", segments: 1 },
    });
  });

  test("01.4 a tail of zeros is room made ahead and no torn tail", () => {
    const disk = logOf([30]);
    const handle = disk.open(path(1), "read-write");
    handle.truncate(handle.size() + 5000);
    expect(open(disk).report).toMatchObject({ records: 1, droppedBytes: 0, reason: "clean" });
  });

  test("01.4 a first record that is torn leaves an empty log", () => {
    const disk = logOf([700]);
    disk.open(path(1), "read-write").truncate(200);
    expect(open(disk).report).toMatchObject({ records: 0, nextLsn: 1, reason: "torn-tail" });
  });

  test("01.4 a last segment that a crash left without a header is made again", () => {
    for (const bytes of [0, 5, 31, 32, 600]) {
      const disk = logOf([500, 500], 600);
      disk.open(path(3), "create-new").truncate(bytes);
      const { wal, report } = open(disk);
      expect(report).toMatchObject({ records: 2, nextLsn: 3, segments: 3 });
      wal.append(sized(9));
      wal.sync();
      expect(open(disk.crash(1)).report.nextLsn).toBe(4);
    }
  });
});

describe("01.5 damage is not a torn tail", () => {
  test("01.5 a flipped bit below the watermark is reported with its place", () => {
    rotBelowTheWatermark({ openWal });
  });

  test("01.5 any flipped bit of a segment that is not the last is reported with its place", () => {
    const disk = logOf([200, 200, 200, 200], 600);
    for (let offset = 0; offset < 32 + 2 * 225; offset += 3) {
      const copy = disk.kill();
      copy.flipBit(path(1), offset, offset % 8);
      expect(refused(copy)).toMatchObject({ file: path(1), segment: 1 });
    }
  });

  test("01.5 after a proper close even damage to the last batch is noticed", async () => {
    const disk = createSimulatedDisk();
    const { wal } = openWal({ disk, dir: DIR, segmentBytesMax: 4096 }, () => {});
    wal.append(sized(100));
    await wal.close();
    for (let offset = 32; offset < 32 + 125; offset += 1) {
      const copy = disk.kill();
      copy.flipBit(path(1), offset, 3);
      expectRefused({ openWal }, copy, offset);
    }
  });

  test("01.5 a segment missing in the middle, emptied or cut short is reported", () => {
    const disk = logOf([500, 500, 500, 500], 600);
    const missing = disk.kill();
    missing.unlink(path(2));
    expect(refused(missing)).toMatchObject({ file: path(1), segment: 1 });
    for (const bytes of [0, 20, 32, 400]) {
      const copy = disk.kill();
      copy.open(path(2), "read-write").truncate(bytes);
      expect(refused(copy)).toMatchObject({ file: path(2), segment: 2 });
    }
  });

  test("01.5 a damaged header in front of records is reported, also in the last segment", () => {
    const disk = logOf([500, 500], 600);
    disk.flipBit(path(2), 17, 0);
    expect(refused(disk)).toMatchObject({ file: path(2), segment: 2, offset: 0 });
  });

  test("01.6 stale records of a recycled segment are not replayed", () => {
    recycledSegment({ openWal });
  });

  test("01.5 reading finds damage that came after opening", () => {
    const disk = logOf([500, 500], 600);
    const { wal } = open(disk);
    disk.flipBit(path(1), 100, 1);
    expect(() => wal.read({ from: 1, before: 3 }, () => {})).toThrow(
      expect.objectContaining({ code: "WAL_CORRUPT" }),
    );
  });

  test("01.5 on a real disk, a damaged segment is refused by name and left as it is", async () => {
    const dir = mkdtempSync(join(tmpdir(), "cairn-wal-"));
    try {
      const options = { disk: createNodeDisk(), dir, segmentBytesMax: 1000 };
      const { wal } = openWal(options, () => {});
      for (let i = 0; i < 20; i += 1) await wal.commit(sized(200));
      await wal.close();
      expect(openWal(options, () => {}).report.records).toBe(20);
      const file = join(dir, readdirSync(dir).sort()[2]!);
      const content = readFileSync(file);
      content[300]! ^= 1;
      writeFileSync(file, content);
      const damage = { file: expect.stringContaining("0000000000000003.wal"), segment: 3 };
      expect(() => openWal(options, () => {})).toThrow(
        expect.objectContaining({ code: "WAL_CORRUPT", details: { ...damage, offset: 257 } }),
      );
      expect(readFileSync(file)).toEqual(content);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});

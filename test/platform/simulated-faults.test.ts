/**
 * The simulated disk's planned faults, power cuts, capacity and asynchronous syncs.
 * Method: each fault is met by an operation that it names and by one that it does not.
 */

import { describe, expect, test } from "vitest";
import { isCairnError } from "#base";
import {
  createSimulatedClock,
  createSimulatedDisk,
  type FileHandle,
  isPowerCut,
  type SimulatedDisk,
} from "#platform";
import { scaled } from "../support/seeds.ts";
import { expectDiskError, readAll, text } from "./disk-contract.ts";

const CRASHES = scaled(200);

/** A durable, empty file. */
function open(disk: SimulatedDisk, path = "f"): FileHandle {
  const file = disk.open(path, "create-new");
  disk.syncDir("/");
  return file;
}

/** The contents that crashes leave. */
function crashes(disk: SimulatedDisk, path = "f"): Set<string> {
  const seen = new Set<string>();
  for (let seed = 1; seed <= CRASHES; seed += 1) {
    seen.add(new TextDecoder().decode(disk.crash(seed).content(path)));
  }
  return seen;
}

describe("a failed sync", () => {
  test("leaves content readable but unknown, and the next sync does not help", () => {
    const disk = createSimulatedDisk();
    const file = open(disk);
    file.write(0, text("old"));
    file.sync();
    file.write(0, text("new"));
    disk.plan({ operation: "sync", fault: "EIO", after: 0 });
    expectDiskError(() => file.sync(), "DISK_IO", "f");
    file.sync();
    expect(readAll(file)).toEqual(text("new"));
    expect(disk.durable("f")).toEqual(text("old"));
    const seen = crashes(disk);
    expect(seen).toContain("old");
    expect(seen).toContain("new");
  });

  test("is healed by writing again and syncing", () => {
    const disk = createSimulatedDisk();
    const file = open(disk);
    file.write(0, text("old"));
    file.sync();
    file.write(0, text("new"));
    disk.plan({ operation: "sync", fault: "EIO", after: 0 });
    expectDiskError(() => file.sync(), "DISK_IO", "f");
    file.write(0, text("new"));
    file.sync();
    expect(crashes(disk)).toEqual(new Set(["new"]));
  });

  test("leaves growth whose data may be missing after a later sync", () => {
    const disk = createSimulatedDisk();
    const file = open(disk);
    file.write(0, text("new"));
    disk.plan({ operation: "sync", fault: "ENOSPC", after: 0 });
    expectDiskError(() => file.sync(), "DISK_FULL", "f");
    file.sync();
    expect(crashes(disk)).toContain("\0\0\0");
  });

  test("concerns only its own file, and a failed syncDir leaves names unsynced", () => {
    const disk = createSimulatedDisk();
    const file = open(disk);
    const other = disk.open("other", "create-new");
    disk.plan({ operation: "sync", fault: "EIO", after: 0, path: "other" });
    disk.plan({ operation: "syncDir", fault: "EIO", after: 0 });
    file.write(0, text("new"));
    file.sync();
    expectDiskError(() => other.sync(), "DISK_IO", "other");
    expectDiskError(() => disk.syncDir("/"), "DISK_IO", "/");
    expect(disk.durable("f")).toEqual(text("new"));
    expect(disk.durable("other")).toBeUndefined();
    disk.syncDir("/");
    expect(disk.durable("other")).toEqual(text(""));
  });
});

describe("a planned fault", () => {
  test("fires after so many operations of its kind, so many times", () => {
    const disk = createSimulatedDisk();
    const file = open(disk);
    disk.plan({ operation: "truncate", fault: "EIO", after: 1, times: 2 });
    file.write(0, text("abc"));
    file.truncate(3);
    expectDiskError(() => file.truncate(0), "DISK_IO", "f");
    expectDiskError(() => file.truncate(0), "DISK_IO", "f");
    expect(file.size()).toBe(3);
    file.truncate(0);
    expect(disk.trace.filter((line) => line.failed).map((line) => line.sequence)).toEqual([4, 5]);
  });

  test("hits every kind of operation, and changes nothing but part of a write", () => {
    const disk = createSimulatedDisk();
    const file = open(disk);
    file.write(0, text("abc"));
    const failing = (operation: Parameters<SimulatedDisk["plan"]>[0]["operation"]): void =>
      disk.plan({ operation, fault: "EIO", after: 0 });
    failing("open");
    expectDiskError(() => disk.open("g", "create-new"), "DISK_IO", "g");
    failing("open");
    expectDiskError(() => disk.open("f", "read"), "DISK_IO", "f");
    failing("read");
    expectDiskError(() => file.read(0, new Uint8Array(1)), "DISK_IO", "f");
    failing("rename");
    expectDiskError(() => disk.rename("f", "g"), "DISK_IO", "f");
    failing("unlink");
    expectDiskError(() => disk.unlink("f"), "DISK_IO", "f");
    expect(disk.list("/")).toEqual(["f"]);
    expect(readAll(file)).toEqual(text("abc"));
  });

  test("leaves any prefix of a write, by the disk's seed", () => {
    const lengths = new Set<number>();
    for (let seed = 1; seed <= 50; seed += 1) {
      const disk = createSimulatedDisk({ seed });
      const file = open(disk);
      disk.plan({ operation: "write", fault: "ENOSPC", after: 0 });
      expectDiskError(() => file.write(0, text("abcd")), "DISK_FULL", "f");
      expect(readAll(file)).toEqual(text("abcd").subarray(0, file.size()));
      lengths.add(file.size());
    }
    expect([...lengths].sort()).toEqual([0, 1, 2, 3, 4]);
  });

  test("that makes no sense is refused", () => {
    const disk = createSimulatedDisk();
    const plan = { operation: "sync", fault: "EIO", after: 0 } as const;
    expect(() => disk.plan({ ...plan, after: -1 })).toThrow(RangeError);
    expect(() => disk.plan({ ...plan, times: 0 })).toThrow(RangeError);
    expect(() => disk.plan({ ...plan, operation: "read", fault: "hang" })).toThrow(TypeError);
    expect(() => disk.plan({ ...plan, fault: "slow", delayMs: 5 })).toThrow(TypeError);
  });
});

test("a full disk takes what fits, and takes more once something is removed", () => {
  const disk = createSimulatedDisk({ capacityBytes: 10 });
  const file = open(disk);
  file.write(0, text("123456"));
  const other = open(disk, "other");
  expectDiskError(() => other.write(0, text("abcdef")), "DISK_FULL", "other");
  expect(readAll(other)).toEqual(text("abcd"));
  expectDiskError(() => other.truncate(5), "DISK_FULL", "other");
  other.write(0, text("ABCD"));
  disk.unlink("f");
  other.write(4, text("efghij"));
  expectDiskError(() => other.write(10, text("k")), "DISK_FULL", "other");
  expect(disk.crash(1).list("/").length).toBeGreaterThan(0);
});

test("power fails before the operation with the number, and at every one in turn", () => {
  const history = (disk: SimulatedDisk): void => {
    const file = disk.open("f", "create-new");
    disk.exists("f");
    file.write(0, text("abc"));
    file.read(0, new Uint8Array(3));
    file.sync();
    disk.rename("f", "g");
    file.truncate(1);
    disk.syncDir("/");
    disk.open("g", "read-write").close();
    disk.unlink("g");
  };
  const whole = createSimulatedDisk();
  history(whole);
  const kinds = ["open", "write", "sync", "rename", "truncate", "syncDir", "unlink"];
  expect(whole.trace.map((line) => line.operation)).toEqual(kinds);
  expect(whole.operations).toBe(kinds.length);
  for (const cut of kinds.keys()) {
    const disk = createSimulatedDisk();
    disk.cutPowerAt(cut);
    expect(() => history(disk)).toThrow(expect.toSatisfy(isPowerCut));
    expect(disk.operations).toBe(cut);
    expect(() => disk.exists("f")).toThrow(expect.toSatisfy(isPowerCut));
  }
});

test("a power cut is recognised through wrapping, and nothing else is one", () => {
  const disk = createSimulatedDisk();
  disk.cutPowerAt(0);
  let cut: unknown;
  try {
    disk.syncDir("/");
  } catch (error) {
    cut = error;
  }
  expect(isPowerCut(cut)).toBe(true);
  expect(isCairnError(cut)).toBe(false);
  expect(isPowerCut(new Error("outer", { cause: new Error("inner", { cause: cut }) }))).toBe(true);
  const loop = new Error("loop");
  loop.cause = loop;
  for (const other of [loop, undefined, null, "power cut"]) expect(isPowerCut(other)).toBe(false);
});

describe("an asynchronous sync", () => {
  test("covers the writes before the call and not those after it", async () => {
    const disk = createSimulatedDisk();
    const file = open(disk);
    file.write(0, text("aaa"));
    const synced = file.syncAsync();
    file.write(0, text("b"));
    file.write(3, text("ccc"));
    expect(disk.durable("f")).toEqual(text(""));
    await synced;
    expect(disk.durable("f")).toEqual(text("aaa"));
    const later = disk.kill();
    const seen = crashes(disk);
    expect([...seen].every((content) => content.length >= 3)).toBe(true);
    expect(seen).toContain("baaccc");
    expect(seen).toContain("aaa");
    await later.open("f", "read-write").syncAsync();
    expect(crashes(later)).toEqual(new Set(["baaccc"]));
  });

  test("that fails after a later write leaves the sector to the next sync", async () => {
    const disk = createSimulatedDisk();
    const file = open(disk);
    file.write(0, text("aaa"));
    disk.plan({ operation: "sync", fault: "EIO", after: 0 });
    const synced = file.syncAsync();
    file.write(0, text("b"));
    await expect(synced).rejects.toThrow("input/output error");
    file.sync();
    expect(crashes(disk)).toEqual(new Set(["baa"]));
  });

  test("that is slow takes effect when its time has come", async () => {
    const clock = createSimulatedClock();
    const disk = createSimulatedDisk({ clock });
    const file = open(disk);
    disk.plan({ operation: "sync", fault: "slow", after: 0, delayMs: 50 });
    file.write(0, text("abc"));
    const synced = file.syncAsync();
    clock.advance(49);
    await Promise.resolve();
    expect(disk.durable("f")).toEqual(text(""));
    clock.advance(1);
    await synced;
    expect(disk.durable("f")).toEqual(text("abc"));
  });

  test("that hangs does not end before it is released, and others pass it", async () => {
    const disk = createSimulatedDisk();
    const file = open(disk);
    disk.plan({ operation: "sync", fault: "hang", after: 0 });
    file.write(0, text("abc"));
    let ended = false;
    const hung = file.syncAsync().then(() => {
      ended = true;
    });
    file.sync();
    await file.syncAsync();
    expect(ended).toBe(false);
    disk.releaseHung();
    await hung;
    expect(ended).toBe(true);
  });

  test("meets the power cut when it takes effect", async () => {
    const disk = createSimulatedDisk();
    const file = open(disk);
    file.write(0, text("abc"));
    disk.cutPowerAt(disk.operations);
    await expect(file.syncAsync()).rejects.toSatisfy(isPowerCut);
    const killed = createSimulatedDisk();
    const late = open(killed).syncAsync();
    killed.kill();
    await expect(late).rejects.toSatisfy(isPowerCut);
  });
});

test("a flipped bit is in both images, and only there", () => {
  const disk = createSimulatedDisk();
  const file = open(disk);
  file.write(0, text("aaaa"));
  file.sync();
  file.write(0, text("bb"));
  const copy = disk.kill();
  copy.flipBit("f", 3, 1);
  expect(copy.content("f")).toEqual(text("bbac"));
  expect(copy.durable("f")).toEqual(text("aaac"));
  expect(disk.durable("f")).toEqual(text("aaaa"));
  expect(() => copy.flipBit("f", 4, 0)).toThrow(RangeError);
  expect(() => copy.flipBit("f", 0, 8)).toThrow(RangeError);
});

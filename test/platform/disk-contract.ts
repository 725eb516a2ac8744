/**
 * What every `Disk` promises while nothing fails, as a suite to run against each implementation.
 *
 * Method: each test gets a fresh, empty directory, uses the public interface, and compares with the
 * sentence in the contract. What is durable is not asked here: only a simulated disk can tell.
 */

import { expect, test } from "vitest";
import { type ErrorCode, InvariantError, isCairnError } from "#base";
import { type Disk, type FileHandle, seededRandom } from "#platform";
import { forEachSeed } from "../support/seeds.ts";

/** A disk and an empty directory on it. */
export interface DiskUnderTest {
  readonly disk: Disk;
  readonly dir: string;
}

/** Expects an error with the code, whose message names the path. */
export function expectDiskError(f: () => unknown, code: ErrorCode, path: string): void {
  let thrown: unknown;
  try {
    f();
  } catch (error) {
    thrown = error;
  }
  expect(isCairnError(thrown, code), `${code} expected, got ${thrown}`).toBe(true);
  if (isCairnError(thrown)) {
    expect(thrown.message).toContain(path);
    expect(thrown.details["path"]).toContain(path);
  }
}

/** The bytes of a text. */
export function text(characters: string): Uint8Array {
  return new TextEncoder().encode(characters);
}

/** Everything in an open file. */
export function readAll(file: FileHandle): Uint8Array {
  const content = new Uint8Array(file.size());
  expect(file.read(0, content)).toBe(content.length);
  return content;
}

/** Makes a file and closes it. */
export function makeFile(disk: Disk, path: string, content: Uint8Array): void {
  const file = disk.open(path, "create-new");
  file.write(0, content);
  file.close();
}

function testContent(make: () => DiskUnderTest): void {
  test("a read returns what was written, and fewer bytes only at the end", () => {
    const { disk, dir } = make();
    const file = disk.open(`${dir}/a`, "create-new");
    file.write(0, text("abcdef"));
    const target = new Uint8Array(4);
    expect(file.read(1, target)).toBe(4);
    expect(target).toEqual(text("bcde"));
    expect(file.read(4, target)).toBe(2);
    expect(target).toEqual(text("efde"));
    expect(file.read(6, target)).toBe(0);
    expect(file.read(1000, target)).toBe(0);
    expect(file.read(0, new Uint8Array(0))).toBe(0);
    file.close();
  });

  test("a write beyond the end fills the gap with zeros", () => {
    const { disk, dir } = make();
    const file = disk.open(`${dir}/a`, "create-new");
    file.write(1000, text("x"));
    expect(file.size()).toBe(1001);
    const content = readAll(file);
    expect(content.subarray(0, 1000).every((byte) => byte === 0)).toBe(true);
    expect(content[1000]).toBe(0x78);
    file.close();
  });

  test("a file that was cut and grown again has zeros where it was cut", () => {
    const { disk, dir } = make();
    const file = disk.open(`${dir}/a`, "create-new");
    file.write(0, text("abcdef"));
    file.truncate(2);
    expect(file.size()).toBe(2);
    file.truncate(4);
    expect(readAll(file)).toEqual(Uint8Array.of(0x61, 0x62, 0, 0));
    file.write(5, text("z"));
    expect(readAll(file)).toEqual(Uint8Array.of(0x61, 0x62, 0, 0, 0, 0x7a));
    file.close();
  });

  test("written bytes are not kept: the caller may change them afterwards", () => {
    const { disk, dir } = make();
    const file = disk.open(`${dir}/a`, "create-new");
    const bytes = text("abc");
    file.write(0, bytes);
    bytes.fill(0);
    expect(readAll(file)).toEqual(text("abc"));
    file.close();
  });

  test("random writes, cuts and reads agree with an array", () => {
    forEachSeed(20, (seed) => {
      const random = seededRandom(seed);
      const { disk, dir } = make();
      const file = disk.open(`${dir}/${seed}`, "create-new");
      let model = new Uint8Array(0);
      const resize = (size: number): void => {
        const next = new Uint8Array(size);
        next.set(model.subarray(0, size));
        model = next;
      };
      for (let step = 0; step < 30; step += 1) {
        const offset = random.below(3000);
        if (random.below(5) === 0) {
          file.truncate(offset);
          resize(offset);
        } else {
          const bytes = random.bytes(random.below(1500));
          file.write(offset, bytes);
          if (bytes.length > 0) resize(Math.max(model.length, offset + bytes.length));
          if (bytes.length > 0) model.set(bytes, offset);
        }
        if (random.below(4) === 0) file.sync();
        expect(file.size()).toBe(model.length);
      }
      expect(Buffer.compare(readAll(file), model)).toBe(0);
      file.close();
    });
  });

  test("two handles of one file see each other's writes", async () => {
    const { disk, dir } = make();
    const writer = disk.open(`${dir}/a`, "create-new");
    const reader = disk.open(`${dir}/a`, "read");
    writer.write(0, text("abc"));
    expect(readAll(reader)).toEqual(text("abc"));
    await writer.syncAsync();
    writer.close();
    expect(readAll(reader)).toEqual(text("abc"));
    reader.close();
  });

  test("many asynchronous syncs at once all end", async () => {
    const { disk, dir } = make();
    const file = disk.open(`${dir}/a`, "create-new");
    file.write(0, text("abc"));
    const syncs = Array.from({ length: 8 }, () => file.syncAsync());
    file.close();
    expect(await Promise.all(syncs)).toHaveLength(8);
  });
}

function testNames(make: () => DiskUnderTest): void {
  test("each way of opening does what it says about names", () => {
    const { disk, dir } = make();
    const path = `${dir}/a`;
    expectDiskError(() => disk.open(path, "read"), "DISK_NOT_FOUND", path);
    expect(disk.exists(path)).toBe(false);
    disk.open(path, "read-write").close();
    expect(disk.exists(path)).toBe(true);
    expectDiskError(() => disk.open(path, "create-new"), "DISK_EXISTS", path);
    const file = disk.open(path, "read-write");
    file.write(0, text("kept"));
    file.close();
    const again = disk.open(path, "read-write");
    expect(readAll(again)).toEqual(text("kept"));
    again.close();
  });

  test("a name in a directory that is missing is not found", () => {
    const { disk, dir } = make();
    makeFile(disk, `${dir}/file`, text("x"));
    const path = `${dir}/none/a`;
    for (const mode of ["create-new", "read-write", "read"] as const) {
      expectDiskError(() => disk.open(path, mode), "DISK_NOT_FOUND", path);
    }
    expectDiskError(() => disk.list(`${dir}/none`), "DISK_NOT_FOUND", `${dir}/none`);
    expectDiskError(() => disk.list(`${dir}/file`), "DISK_NOT_FOUND", `${dir}/file`);
    expectDiskError(() => disk.syncDir(`${dir}/none`), "DISK_NOT_FOUND", `${dir}/none`);
    expectDiskError(() => disk.rename(`${dir}/file`, path), "DISK_NOT_FOUND", `${dir}/file`);
    expectDiskError(() => disk.rename(path, `${dir}/file`), "DISK_NOT_FOUND", path);
    expectDiskError(() => disk.unlink(path), "DISK_NOT_FOUND", path);
    expectDiskError(() => disk.lock(path), "DISK_NOT_FOUND", path);
    expect(disk.exists(path)).toBe(false);
    expect(disk.exists(`${dir}/file/a`)).toBe(false);
  });

  test("a directory is not a file", () => {
    const { disk, dir } = make();
    const path = `${dir}/sub`;
    disk.makeDir(path);
    expectDiskError(() => disk.open(path, "read"), "DISK_IO", path);
    expectDiskError(() => disk.open(path, "read-write"), "DISK_IO", path);
    expectDiskError(() => disk.open(path, "create-new"), "DISK_EXISTS", path);
    makeFile(disk, `${dir}/file`, text("x"));
    expectDiskError(() => disk.rename(`${dir}/file`, path), "DISK_IO", path);
    expectDiskError(() => disk.makeDir(`${dir}/file`), "DISK_EXISTS", `${dir}/file`);
  });

  test("removeDir removes an empty directory, and nothing else", () => {
    const { disk, dir } = make();
    disk.makeDir(`${dir}/a/b`);
    makeFile(disk, `${dir}/a/file`, text("x"));
    expectDiskError(() => disk.removeDir(`${dir}/a`), "DISK_IO", `${dir}/a`);
    disk.removeDir(`${dir}/a/b`);
    expectDiskError(() => disk.removeDir(`${dir}/a`), "DISK_IO", `${dir}/a`);
    expectDiskError(() => disk.removeDir(`${dir}/a/file`), "DISK_NOT_FOUND", `${dir}/a/file`);
    disk.unlink(`${dir}/a/file`);
    disk.removeDir(`${dir}/a`);
    expect(disk.list(dir)).toEqual([]);
    expectDiskError(() => disk.removeDir(`${dir}/a`), "DISK_NOT_FOUND", `${dir}/a`);
  });

  test("makeDir makes parents, and does nothing the second time", () => {
    const { disk, dir } = make();
    disk.makeDir(`${dir}/a/b/c`);
    disk.makeDir(`${dir}/a/b/c`);
    disk.makeDir(`${dir}/a/b/d/`);
    expect(disk.list(`${dir}/a/b`)).toEqual(["c", "d"]);
    expect(disk.exists(`${dir}/a/b/c`)).toBe(true);
    expect(disk.list(`${dir}/a/b/c`)).toEqual([]);
  });

  test("names are listed by code unit, files and directories alike", () => {
    const { disk, dir } = make();
    for (const name of ["b", "B", "a10", "a9", "\u00e4", "LOCK"]) {
      makeFile(disk, `${dir}/${name}`, text(name));
    }
    disk.makeDir(`${dir}/a`);
    expect(disk.list(dir)).toEqual(["B", "LOCK", "a", "a10", "a9", "b", "\u00e4"]);
    disk.syncDir(dir);
  });

  test("a rename replaces the target, and open handles stay with their files", () => {
    const { disk, dir } = make();
    makeFile(disk, `${dir}/old`, text("old"));
    makeFile(disk, `${dir}/new`, text("new"));
    const replaced = disk.open(`${dir}/old`, "read");
    const renamed = disk.open(`${dir}/new`, "read-write");
    disk.rename(`${dir}/new`, `${dir}/old`);
    expect(disk.list(dir)).toEqual(["old"]);
    expect(readAll(replaced)).toEqual(text("old"));
    renamed.write(3, text("er"));
    const opened = disk.open(`${dir}/old`, "read");
    expect(readAll(opened)).toEqual(text("newer"));
    disk.rename(`${dir}/old`, `${dir}/old`);
    disk.makeDir(`${dir}/sub`);
    disk.rename(`${dir}/old`, `${dir}/sub/moved`);
    expect(disk.list(dir)).toEqual(["sub"]);
    expect(disk.list(`${dir}/sub`)).toEqual(["moved"]);
    for (const file of [replaced, renamed, opened]) file.close();
  });

  test("a removed name is gone at once, its content when the last handle closes", () => {
    const { disk, dir } = make();
    makeFile(disk, `${dir}/a`, text("abc"));
    const file = disk.open(`${dir}/a`, "read");
    disk.unlink(`${dir}/a`);
    expect(disk.exists(`${dir}/a`)).toBe(false);
    expect(disk.list(dir)).toEqual([]);
    expect(readAll(file)).toEqual(text("abc"));
    file.close();
    expectDiskError(() => disk.unlink(`${dir}/a`), "DISK_NOT_FOUND", `${dir}/a`);
    makeFile(disk, `${dir}/a`, text(""));
  });
}

function testMisuse(make: () => DiskUnderTest): void {
  test("a handle for reading writes nothing", () => {
    const { disk, dir } = make();
    const path = `${dir}/a`;
    makeFile(disk, path, text("abc"));
    const file = disk.open(path, "read");
    expectDiskError(() => file.write(0, text("x")), "DISK_READ_ONLY", path);
    expectDiskError(() => file.truncate(0), "DISK_READ_ONLY", path);
    expect(readAll(file)).toEqual(text("abc"));
    file.close();
  });

  test("a closed handle is refused, and closing twice is nothing", async () => {
    const { disk, dir } = make();
    const file = disk.open(`${dir}/a`, "create-new");
    file.close();
    file.close();
    expect(() => file.size()).toThrow(InvariantError);
    expect(() => file.read(0, new Uint8Array(1))).toThrow(InvariantError);
    expect(() => file.write(0, text("x"))).toThrow(InvariantError);
    expect(() => file.sync()).toThrow(InvariantError);
    await expect(file.syncAsync()).rejects.toThrow(InvariantError);
  });

  test.each([-1, 0.5, Number.NaN, 2 ** 53])("%s is no place in a file", (offset) => {
    const { disk, dir } = make();
    const file = disk.open(`${dir}/a`, "create-new");
    expect(() => file.read(offset, new Uint8Array(1))).toThrow(RangeError);
    expect(() => file.write(offset, text("x"))).toThrow(RangeError);
    expect(() => file.truncate(offset)).toThrow(RangeError);
    expect(file.size()).toBe(0);
    file.close();
  });

  test("a lock is taken once, shows as a file, and is free after it was given back", () => {
    const { disk, dir } = make();
    const path = `${dir}/LOCK`;
    const unlock = disk.lock(path);
    expectDiskError(() => disk.lock(path), "DISK_LOCKED", path);
    expect(disk.list(dir)).toEqual(["LOCK"]);
    const unlockOther = disk.lock(`${dir}/OTHER`);
    unlock();
    unlock();
    expect(disk.list(dir)).toEqual(["OTHER"]);
    const unlockAgain = disk.lock(path);
    unlock();
    expectDiskError(() => disk.lock(path), "DISK_LOCKED", path);
    unlockAgain();
    unlockOther();
    expect(disk.list(dir)).toEqual([]);
  });
}

/** Adds the suite to the test file that calls this. */
export function testDiskContract(make: () => DiskUnderTest): void {
  testContent(make);
  testNames(make);
  testMisuse(make);
}

/**
 * Builds tables on a simulated disk, and asks them everything that a model can answer.
 *
 * Everything is a function of the module under test, so that planted mistakes face the same checks.
 */
import { crc32 } from "node:zlib";
import { type Bytes, type Cursor, isCairnError } from "#base";
import { compareBytes, getU32, getU64, putU32, putU64 } from "#bytes";
import { createSimulatedDisk, type Random } from "#platform";
import type { Disk, FileHandle, SimulatedDisk } from "#platform/types";
import type { SstableModule, Table, TableMeta, TableWriterOptions } from "#sstable/types";
import { around, indexAtOrAbove, lookup, must, mustWork, shown, type Version } from "./model.ts";

export type Subject = SstableModule;
export type Options = Partial<Omit<TableWriterOptions, "disk" | "path" | "id">>;

export const DIR = "db";
export const PATH = "db/7.sst";
export const ID = 7;
export const FOOTER_BYTES = 60;
export const TRAILER_BYTES = 5;

/** A disk with a directory for tables. @param capacityBytes - default: no limit. */
export function freshDisk(capacityBytes = Number.POSITIVE_INFINITY): SimulatedDisk {
  const disk = createSimulatedDisk({ capacityBytes });
  disk.makeDir(DIR);
  return disk;
}

/** Writes versions as table {@link ID} under {@link PATH}. */
export function write(
  subject: Subject,
  disk: Disk,
  versions: readonly Version[],
  options: Options = {},
): TableMeta {
  const writer = subject.createTableWriter({ disk, path: PATH, id: ID, ...options });
  for (const { key, value, sequence } of versions) writer.add(key, value, sequence);
  return writer.finish();
}

/** A table on a disk of its own. */
export function made(
  subject: Subject,
  versions: readonly Version[],
  options: Options = {},
): { readonly disk: SimulatedDisk; readonly table: Table; readonly meta: TableMeta } {
  const disk = freshDisk();
  const meta = write(subject, disk, versions, options);
  return { disk, table: subject.openTable({ disk, path: PATH, id: ID }), meta };
}

/** Replaces the content of the file. */
export function replace(disk: Disk, content: Bytes, path: string = PATH): void {
  const handle = disk.open(path, "read-write");
  handle.truncate(0);
  handle.write(0, content);
  handle.close();
}

/** The block handles that the footer of a whole file names. */
export function handlesOf(file: Bytes): { readonly offset: number; readonly bytes: number }[] {
  const footer = file.length - FOOTER_BYTES;
  return [12, 24, 36].map((at) => ({
    offset: getU64(file, footer + at),
    bytes: getU32(file, footer + at + 8),
  }));
}

/** Gives the footer of a changed file a right checksum: the writer was wrong, not the disk. */
export function resealFooter(file: Bytes): void {
  const footer = file.length - FOOTER_BYTES;
  putU32(file, footer, crc32(file.subarray(footer + 4)));
}

/** Gives a changed block a right checksum. Written after the format's description, on purpose. */
export function resealBlock(file: Bytes, offset: number, bytes: number): void {
  const id = new Uint8Array(8);
  putU64(id, 0, ID);
  const seed = (crc32(id) + offset) % 2 ** 32;
  const end = offset + bytes;
  putU32(file, end + 1, crc32(file.subarray(offset, end + 1), seed));
}

/** Runs a step on a file that may be damaged. @returns null if the damage was noticed. */
export function unlessCorrupt<T>(what: string, step: () => T): T | null {
  return mustWork(what, () => {
    try {
      return step();
    } catch (error) {
      if (!isCairnError(error, "SSTABLE_CORRUPT")) throw error;
      must(error.details["file"] === PATH, `${what}: the error names no file`);
      must(typeof error.details["offset"] === "number", `${what}: the error names no offset`);
      return null;
    }
  });
}

/** Asks for every key and its neighbours, now and at old sequences. */
export function checkLookups(table: Table, versions: readonly Version[]): void {
  for (const version of versions) {
    for (const key of around(version.key)) {
      for (const at of [undefined, version.sequence, version.sequence - 1, 1]) {
        const before = table.reads.blocks;
        const got = shown(table.get(key, at));
        const expected = shown(lookup(versions, key, at));
        must(got === expected, `get of ${key.join()} at ${at}: ${got}, not ${expected}`);
        const blocks = table.reads.blocks - before;
        must(at !== undefined || blocks <= 1, `get of ${key.join()} read ${blocks} blocks`);
      }
    }
  }
}

/** Compares the entry of a cursor with the version at `index`, which may be outside. */
export function checkAt(cursor: Cursor, versions: readonly Version[], index: number): void {
  const expected = versions[index];
  must(cursor.valid === (expected !== undefined), `cursor valid at ${index}: ${cursor.valid}`);
  if (expected === undefined) return;
  const { key, value, sequence } = expected;
  must(compareBytes(cursor.key, key) === 0, `key ${cursor.key.join()}, not ${key.join()}`);
  must(cursor.sequence === sequence, `sequence ${cursor.sequence}, not ${sequence}`);
  must(cursor.isDeletion === (value === null), `deletion at ${index}: ${cursor.isDeletion}`);
  const same = compareBytes(cursor.value, value ?? new Uint8Array(0)) === 0;
  must(same, `value at ${index}: ${cursor.value.join()}`);
}

/** Walks over everything, in both directions. */
export function checkScans(cursor: Cursor, versions: readonly Version[]): void {
  cursor.seekFirst();
  for (let index = 0; index <= versions.length; index += 1) {
    checkAt(cursor, versions, index);
    if (cursor.valid) cursor.next();
  }
  cursor.seekLast();
  for (let index = versions.length - 1; index >= -1; index -= 1) {
    checkAt(cursor, versions, index);
    if (cursor.valid) cursor.prev();
  }
}

/** Seeks every key and its neighbours, from both sides. */
export function checkSeeks(cursor: Cursor, versions: readonly Version[]): void {
  for (const version of versions) {
    for (const key of around(version.key)) {
      const index = indexAtOrAbove(versions, key);
      cursor.seek(key);
      checkAt(cursor, versions, index);
      if (cursor.valid) {
        cursor.prev();
        checkAt(cursor, versions, index - 1);
      }
      cursor.seekBefore(key);
      checkAt(cursor, versions, index - 1);
      if (cursor.valid) {
        cursor.next();
        checkAt(cursor, versions, index);
      }
    }
  }
}

/** Moves at random. */
export function checkWalk(
  cursor: Cursor,
  versions: readonly Version[],
  random: Random,
  steps: number,
): void {
  let index = -1;
  for (let step = 0; step < steps; step += 1) {
    const inside = index >= 0 && index < versions.length;
    const move = random.below(inside ? 20 : 4);
    const key = versions[random.below(versions.length)]!.key;
    if (move === 0) {
      cursor.seekFirst();
      index = 0;
    } else if (move === 1) {
      cursor.seekLast();
      index = versions.length - 1;
    } else if (move === 2) {
      cursor.seek(key);
      index = indexAtOrAbove(versions, key);
    } else if (move === 3) {
      cursor.seekBefore(key);
      index = indexAtOrAbove(versions, key) - 1;
    } else if (move < 12) {
      cursor.next();
      index += 1;
    } else {
      cursor.prev();
      index -= 1;
    }
    checkAt(cursor, versions, index);
  }
}

/** A disk that notes the largest read that was asked of it. */
export function readSpy(disk: Disk): { readonly disk: Disk; readonly largest: () => number } {
  let largest = 0;
  const spied = (handle: FileHandle): FileHandle => ({
    size: () => handle.size(),
    read: (offset, target) => {
      largest = Math.max(largest, target.length);
      return handle.read(offset, target);
    },
    write: (offset, bytes) => handle.write(offset, bytes),
    truncate: (bytes) => handle.truncate(bytes),
    sync: () => handle.sync(),
    syncAsync: () => handle.syncAsync(),
    close: () => handle.close(),
  });
  const forwarding: Disk = {
    open: (path, mode) => spied(disk.open(path, mode)),
    rename: (from, to) => disk.rename(from, to),
    unlink: (path) => disk.unlink(path),
    removeDir: (path) => disk.removeDir(path),
    list: (dir) => disk.list(dir),
    exists: (path) => disk.exists(path),
    makeDir: (path) => disk.makeDir(path),
    syncDir: (dir) => disk.syncDir(dir),
    lock: (path) => disk.lock(path),
  };
  return { disk: forwarding, largest: () => largest };
}

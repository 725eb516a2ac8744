/**
 * Tables of the subject on a simulated disk, a disk that notes what is read, and lookups that are
 * compared with a list.
 */
import { type Bytes, isCairnError } from "#base";
import { compareBytes } from "#bytes";
import { type ByteExcerpt, expectThat, fail, type Lesson } from "#learn";
import type { Disk, FileHandle, SimulatedDisk } from "#platform/types";
import type { Table } from "#sstable/types";
import { freshDisk, ID, type Options, PATH } from "../lab.ts";
import { lookup } from "../model.ts";
import type { DataBlock } from "./format.ts";
import type { Subject, Version } from "./subject.ts";
import { errorWords, found, k, orFail, thrownBy, version } from "./words.ts";

/** What writes and reads tables. */
export type Writes = Pick<Subject, "createTableWriter">;
export type Opens = Pick<Subject, "openTable">;

/** Writes versions as table `ID` under `PATH`. */
export function writeTable(
  subject: Writes,
  disk: Disk,
  versions: readonly Version[],
  options: Options = {},
): void {
  const writer = subject.createTableWriter({ disk, path: PATH, id: ID, ...options });
  for (const { key, value, sequence } of versions) writer.add(key, value, sequence);
  writer.finish();
}

/** A disk with one table of these versions. */
export function diskWith(
  subject: Writes,
  versions: readonly Version[],
  options: Options = {},
): SimulatedDisk {
  const disk = freshDisk();
  writeTable(subject, disk, versions, options);
  return disk;
}

/** Opens the table, which is sound. */
export function openSound(subject: Opens, disk: Disk): Table {
  return orFail(
    () => subject.openTable({ disk, path: PATH, id: ID }),
    (error) => ({
      happened: `A table was written, and nothing happened to it. Your openTable threw ${error}.`,
      why: "A sound table that does not open is a restore from backup for nothing.",
    }),
  );
}

/** A stretch of a file that was read. */
export interface ReadSpan {
  readonly offset: number;
  readonly bytes: number;
}

/** A disk that notes what is read through it. */
export interface SpiedDisk {
  readonly disk: Disk;
  /** In order; emptied by whoever wants to begin anew. */
  readonly reads: ReadSpan[];
}

/** Wraps a disk. */
export function spyOn(disk: Disk): SpiedDisk {
  const reads: ReadSpan[] = [];
  const spied = (handle: FileHandle): FileHandle => ({
    size: () => handle.size(),
    read: (offset, target) => {
      reads.push({ offset, bytes: target.length });
      return handle.read(offset, target);
    },
    write: (offset, bytes) => handle.write(offset, bytes),
    truncate: (bytes) => handle.truncate(bytes),
    sync: () => handle.sync(),
    syncAsync: () => handle.syncAsync(),
    close: () => handle.close(),
  });
  return {
    reads,
    disk: {
      open: (path, mode) => spied(disk.open(path, mode)),
      rename: (from, to) => disk.rename(from, to),
      unlink: (path) => disk.unlink(path),
      removeDir: (path) => disk.removeDir(path),
      list: (dir) => disk.list(dir),
      exists: (path) => disk.exists(path),
      makeDir: (path) => disk.makeDir(path),
      syncDir: (dir) => disk.syncDir(dir),
      lock: (path) => disk.lock(path),
    },
  };
}

/** Numbers of the data blocks that reads have touched. */
export function touched(blocks: readonly DataBlock[], reads: readonly ReadSpan[]): number[] {
  return blocks.flatMap(({ offset, bytes }, block) => {
    const isRead = reads.some(
      (one) => one.offset < offset + bytes && one.offset + one.bytes > offset,
    );
    return isRead ? [block] : [];
  });
}

/** The reads of a failure, one line each. */
export function readLines(reads: readonly ReadSpan[]): string[] {
  return reads.slice(0, 8).map(({ offset, bytes }) => `read ${bytes} bytes from byte ${offset}`);
}

/** Compares a lookup with the list of versions. */
export function checkGet(
  table: Table,
  versions: readonly Version[],
  key: Bytes,
  at?: number,
): void {
  const what = `get(${k(key)}${at === undefined ? "" : `, ${at}`})`;
  const expected = found(lookup(versions, key, at));
  const lesson = (got: string): Lesson => ({
    happened: `A table holds ${versions.length} versions. ${what} should give ${expected}. Your table ${got}.`,
    why: "Nothing is damaged, and somebody reads another value than was written.",
    timeline: nearby(versions, key),
  });
  const got = orFail(
    () => found(table.get(key, at)),
    (error) => lesson(`threw ${error}`),
  );
  expectThat(got === expected, () => lesson(`gave ${got}`));
}

/** A few versions around a key, for failures. */
export function nearby(versions: readonly Version[], key: Bytes): string[] {
  const index = versions.findIndex((one) => compareBytes(one.key, key) >= 0);
  const from = Math.max(0, (index < 0 ? versions.length : index) - 3);
  return versions.slice(from, from + 7).map((one, i) => `${from + i}  ${version(one)}`);
}

/** How a step on a file that may be damaged ended. */
export type Outcome<T> = { readonly value: T } | { readonly corrupt: true };

/**
 * Runs a step on a file that may be damaged: it must return, or throw SSTABLE_CORRUPT with file and
 * offset.
 */
export function unlessCorrupt<T>(what: string, damage: string, step: () => T): Outcome<T> {
  let value: T | undefined;
  const error = thrownBy(() => {
    value = step();
  });
  if (error === null) return { value: value as T };
  if (isCairnError(error, "SSTABLE_CORRUPT")) {
    const { file, offset } = error.details;
    if (file === PATH && typeof offset === "number") return { corrupt: true };
    fail({
      happened: `${damage} Your ${what} threw SSTABLE_CORRUPT; its details should name file "${PATH}" and an offset, and are ${JSON.stringify(error.details)}.`,
      why: "Somebody has to repair this at night. Which file, which byte: that is all they have.",
    });
  }
  return fail(
    {
      happened: `${damage} Your ${what} ${errorWords(error)}; SSTABLE_CORRUPT was expected.`,
      why: "The engine knows what to do with a damaged table: it stops and says so. Any other error is taken for a bug, or is handled as one.",
    },
    error,
  );
}

/**
 * Opens a file that may be damaged and asks for every key. What it answers must be right.
 *
 * @param bytes - to be shown with a failure.
 * @returns whether damage was noticed.
 */
export function rightOrCorrupt(
  subject: Opens,
  disk: Disk,
  versions: readonly Version[],
  damage: string,
  bytes?: ByteExcerpt,
): boolean {
  const opened = unlessCorrupt("openTable", damage, () =>
    subject.openTable({ disk, path: PATH, id: ID }),
  );
  if ("corrupt" in opened) return true;
  const table = opened.value;
  let isNoticed = false;
  for (const { key } of versions) {
    const got = unlessCorrupt("get", damage, () => found(table.get(key)));
    if ("corrupt" in got) isNoticed = true;
    else {
      const expected = found(lookup(versions, key));
      expectThat(got.value === expected, () => ({
        happened: `${damage} get(${k(key)}) should give ${expected}, or throw SSTABLE_CORRUPT. Your table gave ${got.value}.`,
        why: "An error costs a restore. A wrong answer is believed, written into other tables, and found at the end of the month.",
        ...(bytes === undefined ? {} : { bytes }),
      }));
    }
  }
  table.close();
  return isNoticed;
}

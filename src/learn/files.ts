/**
 * Texts and folders for the runner, on the same door to the disk as everything else.
 *
 * Invariant: a path is written with `/` between its parts, on every system; nothing here replaces
 * a file that it was not asked to replace.
 */
import { type Bytes, isCairnError } from "#base";
import { directoryOf, replaceFile } from "#bytes/reference";
import type { Disk } from "#platform/types";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Folders that are never part of a reader's module. */
const SKIPPED: ReadonlySet<string> = new Set(["node_modules", ".git"]);

/** The bytes of a file. @throws `DISK_NOT_FOUND` and other disk errors. */
export function readBytes(disk: Disk, path: string): Bytes {
  const file = disk.open(path, "read");
  try {
    const bytes = new Uint8Array(file.size());
    return bytes.subarray(0, file.read(0, bytes));
  } finally {
    file.close();
  }
}

/** The text of a file; null if there is none. */
export function readText(disk: Disk, path: string): string | null {
  return disk.exists(path) ? decoder.decode(readBytes(disk, path)) : null;
}

/** Replaces a file whole, so that a crash leaves the old text or the new. Makes its folder. */
export function writeText(disk: Disk, path: string, text: string): void {
  disk.makeDir(directoryOf(path));
  replaceFile(disk, path, encoder.encode(text));
}

/** A new file. @throws `DISK_EXISTS` if there is one. */
export function createFile(disk: Disk, path: string, bytes: Bytes): void {
  disk.makeDir(directoryOf(path));
  const file = disk.open(path, "create-new");
  try {
    file.write(0, bytes);
  } finally {
    file.close();
  }
}

/** The names in a folder; null if there is none, or if it is a file. */
export function namesIn(disk: Disk, path: string): string[] | null {
  if (!disk.exists(path)) return null;
  try {
    return disk.list(path);
  } catch (error) {
    if (!isCairnError(error)) throw error;
    // It is there and cannot be listed: a file.
    return null;
  }
}

/** Every file below a folder, as paths relative to it, sorted. Hidden files and folders too. */
export function filesIn(disk: Disk, folder: string, below = ""): string[] {
  const found: string[] = [];
  for (const name of namesIn(disk, join(folder, below)) ?? []) {
    if (SKIPPED.has(name)) continue;
    const path = join(below, name);
    if (namesIn(disk, join(folder, path)) === null) found.push(path);
    else found.push(...filesIn(disk, folder, path));
  }
  return found;
}

/**
 * Copies a folder.
 *
 * @returns the files that were made, relative to it. One that was there already is left alone.
 */
export function copyFolder(disk: Disk, from: string, to: string): string[] {
  const made: string[] = [];
  for (const path of filesIn(disk, from)) {
    const target = join(to, path);
    if (disk.exists(target)) continue;
    createFile(disk, target, readBytes(disk, join(from, path)));
    made.push(path);
  }
  return made;
}

/** Removes a folder with all that is in it; does nothing if it is not there. */
export function removeFolder(disk: Disk, folder: string): void {
  const names = namesIn(disk, folder);
  if (names === null) return;
  for (const name of names) {
    const path = join(folder, name);
    if (namesIn(disk, path) === null) disk.unlink(path);
    else removeFolder(disk, path);
  }
  disk.removeDir(folder);
}

/** Parts of a path, put together by `/`; empty ones are left out. */
export function join(...parts: readonly string[]): string {
  return parts.filter((part) => part !== "").join("/");
}

/**
 * Replaces one small file as a whole, so that a crash leaves the old content or the new (rule D5).
 *
 * Invariant: the name never points at content that is not durable. The order is: write a temporary
 * file, sync it (rule D0), rename it over the old one, sync the directory (rule D1).
 * Chapter: 00-bytes
 */
import { assert, type Bytes } from "#base";
import type { Disk } from "#platform/types";

/** Behind the real name, so that a listing shows the two together. */
const TEMPORARY_SUFFIX = ".replacing";

/**
 * Replaces a file's content, atomically and durably.
 *
 * One caller per path at a time: two would share the temporary file.
 *
 * @throws what the disk throws. The old content is then still there, unless the very last step
 * failed, the directory sync: then it is the old or the new one, and only a crash decides. A
 * temporary file that a crash left behind is overwritten by the next call.
 */
export function replaceFile(disk: Disk, path: string, content: Bytes): void {
  const temporary = path + TEMPORARY_SUFFIX;
  try {
    writeWhole(disk, temporary, content);
    disk.rename(temporary, path);
  } catch (error) {
    removeIfThere(disk, temporary);
    throw error;
  }
  disk.syncDir(directoryOf(path));
}

/** The directory part of a path: "." when there is none. */
export function directoryOf(path: string): string {
  const slash = path.lastIndexOf("/");
  assert(slash !== path.length - 1, "bytes: a file's path does not end in a slash");
  if (slash < 0) return ".";
  return slash === 0 ? "/" : path.slice(0, slash);
}

function writeWhole(disk: Disk, path: string, content: Bytes): void {
  const file = disk.open(path, "read-write");
  try {
    // A crash may have left a longer one.
    file.truncate(0);
    file.write(0, content);
    file.sync();
  } finally {
    file.close();
  }
}

function removeIfThere(disk: Disk, path: string): void {
  try {
    if (disk.exists(path)) disk.unlink(path);
  } catch {
    // Deliberate: the error on its way to the caller says more than this one, which only means
    // that the next call finds a temporary file, and it overwrites that.
  }
}

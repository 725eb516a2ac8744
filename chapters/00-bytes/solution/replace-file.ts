/**
 * One small file, replaced as a whole.
 *
 * Invariant: the name never leads to content that is not durable (rule D5).
 * Chapter: 00-bytes, step 00.6
 */
import type { Bytes } from "#base";
import { directoryOf } from "#bytes/reference";
import type { Disk } from "#platform/types";

/** Replaces the content of a file, atomically and durably. @throws what the disk throws. */
export function replaceFile(disk: Disk, path: string, content: Bytes): void {
  // One fixed name: the next call finds what a crash has left, and uses it up.
  const temporary = `${path}.new`;
  writeDurably(disk, temporary, content);
  disk.rename(temporary, path);
  disk.syncDir(directoryOf(path));
}

function writeDurably(disk: Disk, path: string, content: Bytes): void {
  const file = disk.open(path, "read-write");
  try {
    file.truncate(0);
    file.write(0, content);
    file.sync();
  } finally {
    file.close();
  }
}

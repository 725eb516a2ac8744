/**
 * A note on a disk.
 *
 * Invariant: when `saveNote` has returned, the note survives a power cut (rule D0).
 * Chapter: 00-bytes, step 00.1
 */
import type { Bytes } from "#base";
import { directoryOf } from "#bytes/reference";
import type { Disk } from "#platform/types";

/** Saves a note under a new name. Once it has returned, somebody is told: "saved". */
export function saveNote(disk: Disk, path: string, content: Bytes): void {
  const file = disk.open(path, "create-new");
  file.write(0, content);
  file.sync();
  file.close();
  disk.syncDir(directoryOf(path));
}

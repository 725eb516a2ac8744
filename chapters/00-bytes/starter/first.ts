/**
 * A note on a disk, and the line that is missing.
 *
 * Invariant: when `saveNote` has returned, the note survives a power cut (rule D0). Not yet.
 * Chapter: 00-bytes, step 00.1
 */
import type { Bytes } from "#base";
import { directoryOf } from "#bytes/reference";
import type { Disk } from "#platform/types";

/**
 * Saves a note under a new name. Once it has returned, somebody is told: "saved".
 *
 * This code is given, and it runs. One line is missing: find it by what the check says.
 *
 * @throws what the disk throws; `DISK_EXISTS` if the name is taken.
 */
export function saveNote(disk: Disk, path: string, content: Bytes): void {
  const file = disk.open(path, "create-new");
  file.write(0, content);
  file.close();
  // The name is a matter of its own: step 00.6 is about it.
  disk.syncDir(directoryOf(path));
}

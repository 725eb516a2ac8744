/**
 * Small files of JSON in a data directory: read whole, replaced whole.
 *
 * Invariant: after any crash such a file has its old content or its new one.
 * Chapter: 08-replica.
 */
import { CairnError, type ErrorCode, isCairnError } from "#base";
import { directoryOf, replaceFile } from "#bytes";
import type { Disk } from "#platform/types";

/** Whoever put more in there did not mean one of these files. */
const FILE_BYTES_MAX = 4 * 1024 * 1024;

/**
 * What a file holds; undefined if there is none.
 *
 * @throws an error of the given code if it is no JSON.
 */
export function readJsonFile(disk: Disk, path: string, code: ErrorCode): unknown {
  if (!disk.exists(path)) return undefined;
  const file = disk.open(path, "read");
  try {
    const bytes = new Uint8Array(Math.min(file.size(), FILE_BYTES_MAX));
    return JSON.parse(new TextDecoder().decode(bytes.subarray(0, file.read(0, bytes))));
  } catch (error) {
    if (isCairnError(error)) throw error;
    throw new CairnError(code, `replica: ${path}: not JSON`, { cause: error });
  } finally {
    file.close();
  }
}

/** Replaces a file, durably. */
export function writeJsonFile(disk: Disk, path: string, value: unknown): void {
  const text = `${JSON.stringify(value, null, 2)}\n`;
  replaceFile(disk, path, new TextEncoder().encode(text));
}

/** Removes a file, durably, if it is there. */
export function removeJsonFile(disk: Disk, path: string): void {
  if (!disk.exists(path)) return;
  disk.unlink(path);
  disk.syncDir(directoryOf(path));
}

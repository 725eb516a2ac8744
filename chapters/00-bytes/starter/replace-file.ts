/**
 * One small file, replaced as a whole.
 *
 * Invariant: at every moment the name leads to the whole old content or the whole new one, and a
 * power cut changes nothing about that (rule D5).
 * Chapter: 00-bytes, step 00.6
 */
import { type Bytes, notWritten } from "#base";
import type { Disk } from "#platform/types";

/**
 * Replaces the content of a file, or makes the file. When it has returned, the new content is
 * durable.
 *
 * @throws what the disk throws. The old content is then still there; what was left beside it is
 * cleared away by the next call that succeeds.
 */
export function replaceFile(_disk: Disk, _path: string, _content: Bytes): void {
  notWritten("00.6", "replaceFile");
}

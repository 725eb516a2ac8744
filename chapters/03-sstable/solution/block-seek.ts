/**
 * Finds a place in a block without reading all of it: halve the restarts, then walk.
 *
 * Invariant: what is found is the first version at or behind the place that was sought.
 * Chapter: 03-sstable, step 03.2
 */
import type { Bytes, Sequence } from "#base";
import { readEntry, readRestarts, restartAt } from "./block-reader.ts";
import { compareVersions, NEWEST, type Version } from "./version.ts";

/**
 * The first version at or behind (`key`, `at`): of a greater key, or of this key and not newer than
 * `at`.
 *
 * @returns null if every version of the block stands before that place.
 * @throws BYTES_MALFORMED
 */
export function seekInBlock(block: Bytes, key: Bytes, at: Sequence = NEWEST): Version | null {
  const sought = { key, sequence: at };
  const restarts = readRestarts(block);
  const { entriesEnd } = restarts;
  // The last restart that stands before the sought place, or the first of all.
  let low = 0;
  let high = restarts.count - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    const { version } = readEntry(block, restartAt(block, restarts, middle), entriesEnd);
    if (compareVersions(version, sought) < 0) low = middle;
    else high = middle - 1;
  }
  let keyBefore: Bytes | undefined;
  for (let offset = restartAt(block, restarts, low); offset < entriesEnd; ) {
    const { version, next } = readEntry(block, offset, entriesEnd, keyBefore);
    if (compareVersions(version, sought) >= 0) return version;
    keyBefore = version.key;
    offset = next;
  }
  return null;
}

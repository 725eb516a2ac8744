/**
 * Finds a place in a block without reading all of it: halve the restarts, then walk.
 *
 * Invariant: what is found is the first version at or behind the place that was sought.
 * Chapter: 03-sstable, step 03.2
 */
import { type Bytes, notWritten, type Sequence } from "#base";
import { NEWEST, type Version } from "./version.ts";

/**
 * The first version at or behind (`key`, `at`): of a greater key, or of this key and not newer than
 * `at`.
 *
 * @returns null if every version of the block stands before that place.
 * @throws BYTES_MALFORMED
 */
export function seekInBlock(_block: Bytes, _key: Bytes, _at: Sequence = NEWEST): Version | null {
  return notWritten("03.2", "seekInBlock");
}

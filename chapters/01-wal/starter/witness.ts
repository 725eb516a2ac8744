/**
 * Looks behind a bad place for what proves that it once was good. Step 01.5.
 *
 * A valid frame behind it proves nothing: unsynced sectors reach the disk in any order. But each
 * frame says up to where the log was durable when it was written. One that covers the bad record is
 * a witness.
 */
import { type Bytes, notWritten } from "#base";
import type { Lsn } from "#wal/types";

/**
 * Tells whether some frame in `tail` says that record `lsn` was durable.
 *
 * @param tail - the bytes from the bad place to the end of the file.
 * @param bad - the segment's seed, and the number of the record that cannot be read.
 */
export function findWitness(
  _tail: Bytes,
  _bad: { readonly seed: number; readonly lsn: Lsn },
): boolean {
  return notWritten("01.5", "findWitness");
}

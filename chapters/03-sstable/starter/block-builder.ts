/**
 * Builds one data block: entries, then a table of where they begin.
 *
 * | field    | type           | meaning                                             |
 * | -------- | -------------- | --------------------------------------------------- |
 * | shared   | varint         | 0: this builder writes every key whole              |
 * | unshared | varint         | bytes of the key                                    |
 * | tag      | varint         | bytes of the value, times 2; plus 1 for a deletion  |
 * | sequence | varint         | at least 1                                          |
 * | key      | bytes          |                                                     |
 * | value    | bytes          |                                                     |
 *
 * Behind the last entry: the offset of each entry as u32 LE, and their number as u32 LE.
 *
 * Invariant: what was added is in strict order (S1), and the block is at most `limitBytes`, unless
 * its only entry is larger than that.
 * Chapter: 03-sstable, step 03.1
 */
import { type Bytes, notWritten, type Sequence } from "#base";

/** Builds one block, once. */
export interface BlockBuilder {
  readonly entries: number;
  /** Bytes that `finish` would return now. */
  readonly bytes: number;
  /**
   * Adds a version behind the last one. Key and value are copied.
   *
   * @returns false if the block is full: nothing was added. The first version always fits.
   * @throws RangeError when the order is broken (S1); the block is as it was.
   */
  add(key: Bytes, value: Bytes | null, sequence: Sequence): boolean;
  /** The block, for a block with at least one entry. */
  finish(): Bytes;
}

/**
 * Starts a block. `createByteWriter` of `#bytes` is a good place to put the entries.
 *
 * @param limitBytes - of what `finish` returns.
 */
export function createBlockBuilder(_limitBytes: number): BlockBuilder {
  return notWritten("03.1", "createBlockBuilder");
}

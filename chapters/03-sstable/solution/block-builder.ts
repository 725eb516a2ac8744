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
import type { Bytes, Sequence } from "#base";
import { createByteWriter, U32_BYTES, varintBytes } from "#bytes";
import { compareVersions, type Place } from "./version.ts";

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

/** Starts a block. @param limitBytes - of what `finish` returns. */
export function createBlockBuilder(limitBytes: number): BlockBuilder {
  const entries = createByteWriter();
  const offsets: number[] = [];
  let last: Place | null = null;
  const bytesWith = (count: number): number => entries.length + (count + 1) * U32_BYTES;

  return {
    get entries() {
      return offsets.length;
    },
    get bytes() {
      return bytesWith(offsets.length);
    },
    add(key, value, sequence) {
      const place = { key, sequence };
      if (last !== null && compareVersions(last, place) >= 0) {
        throw new RangeError(`sstable: entry ${offsets.length} is not behind the one before it`);
      }
      const tag = value === null ? 1 : value.length * 2;
      const numbers = [0, key.length, tag, sequence];
      const header = numbers.reduce((sum, number) => sum + varintBytes(number), 0);
      const bytes = header + key.length + (value?.length ?? 0);
      if (offsets.length > 0 && bytesWith(offsets.length + 1) + bytes > limitBytes) return false;
      offsets.push(entries.length);
      for (const number of numbers) entries.varint(number);
      entries.raw(key);
      if (value !== null) entries.raw(value);
      last = { key: key.slice(), sequence };
      return true;
    },
    finish() {
      for (const offset of offsets) entries.u32(offset);
      entries.u32(offsets.length);
      return entries.finish();
    },
  };
}

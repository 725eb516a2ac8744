/**
 * The sparse index: one entry for each block, not for each key.
 *
 * | field     | type          | meaning                                                     |
 * | --------- | ------------- | ----------------------------------------------------------- |
 * | count     | u32 LE        | data blocks; at least 1                                     |
 * | tag       | varint        | bytes of the block's content, times 2; plus 1 if it goes on |
 * | separator | varint, bytes | here: the last key of the block                             |
 *
 * Tag and separator stand there once for each block. Offsets are not stored: block 0 begins at 0,
 * and each next one behind the trailer of the one before it. A block goes on if the next one begins
 * with more versions of its last key.
 *
 * Invariant: every key of a block is at or below its separator and above the one before.
 * Chapter: 03-sstable, step 03.3
 */
import type { Bytes } from "#base";
import { compareBytes, createByteReader, createByteWriter } from "#bytes";
import { malformed } from "./damage.ts";
import { TRAILER_BYTES } from "./trailer.ts";

/** Where a block is, and what the index knows of it. */
export interface IndexEntry {
  readonly offset: number;
  /** Of its content, without the trailer. */
  readonly bytes: number;
  /** Whether versions of its last key follow in the next block. */
  readonly goesOn: boolean;
  readonly separator: Bytes;
}

/** Encodes the content of the index block. */
export function encodeIndex(entries: readonly IndexEntry[]): Bytes {
  const writer = createByteWriter();
  writer.u32(entries.length);
  for (const { bytes, goesOn, separator } of entries) {
    writer.varint(bytes * 2 + (goesOn ? 1 : 0));
    writer.bytes(separator);
  }
  return writer.finish();
}

/**
 * Decodes the content of an index block.
 *
 * @param dataBytes - bytes of the file in front of the filter: the blocks fill them exactly.
 * @throws BYTES_MALFORMED
 */
export function decodeIndex(content: Bytes, dataBytes: number): IndexEntry[] {
  const reader = createByteReader(content);
  const count = reader.u32();
  if (count === 0) malformed("an index of no blocks");
  const entries: IndexEntry[] = [];
  let offset = 0;
  // Pushed one by one: an index that claims four billion blocks ends at its own last byte.
  for (let block = 0; block < count; block += 1) {
    const tag = reader.varint();
    const separator = reader.bytes();
    const before = entries.at(-1)?.separator;
    if (before !== undefined && compareBytes(before, separator) > 0) {
      malformed(`separator ${block} is out of order`);
    }
    const bytes = Math.floor(tag / 2);
    entries.push({ offset, bytes, goesOn: tag % 2 === 1, separator });
    offset += bytes + TRAILER_BYTES;
    if (offset > dataBytes) malformed(`block ${block} ends behind the data`);
  }
  reader.end();
  if (offset !== dataBytes) malformed(`the blocks end at ${offset}, the data at ${dataBytes}`);
  if (entries.at(-1)?.goesOn === true) malformed("the last block goes on");
  return entries;
}

/**
 * The first block whose separator is at or above the key: if the key is in the table, the newest
 * version of it is in this block.
 *
 * @returns the number of blocks if every separator is below the key.
 */
export function findBlock(entries: readonly IndexEntry[], key: Bytes): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (compareBytes(entries[middle]!.separator, key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

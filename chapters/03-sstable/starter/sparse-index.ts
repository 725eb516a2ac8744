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
import { type Bytes, notWritten } from "#base";

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
export function encodeIndex(_entries: readonly IndexEntry[]): Bytes {
  return notWritten("03.3", "encodeIndex");
}

/**
 * Decodes the content of an index block.
 *
 * @param dataBytes - bytes of the file in front of the filter: the blocks fill them exactly.
 * @throws BYTES_MALFORMED
 */
export function decodeIndex(_content: Bytes, _dataBytes: number): IndexEntry[] {
  return notWritten("03.3", "decodeIndex");
}

/**
 * The first block whose separator is at or above the key: if the key is in the table, the newest
 * version of it is in this block.
 *
 * @returns the number of blocks if every separator is below the key.
 */
export function findBlock(_entries: readonly IndexEntry[], _key: Bytes): number {
  return notWritten("03.3", "findBlock");
}

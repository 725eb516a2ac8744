/**
 * The index block: one entry for each data block, not for each key.
 *
 * | field     | type          | meaning                                                       |
 * | --------- | ------------- | ------------------------------------------------------------- |
 * | count     | u32 LE        | data blocks; at least 1                                       |
 * | tag       | varint        | bytes of the block's content, times 2; plus 1 if it goes on   |
 * | separator | varint, bytes | a key at or above the block's last and below the next's first |
 *
 * Tag and separator stand there for each block, in order. The offset of a block is the sum of the
 * sizes before it, trailers included. A block goes on if versions of its last key follow in the next
 * one; its separator is then that key. The last separator is the largest key of the table.
 *
 * Invariant: the blocks of a decoded index fill the data part of the file exactly (S4), and its
 * separators are in order.
 * Chapter: 03-sstable
 */
import { type Bytes, isCairnError } from "#base";
import { type ByteReader, createByteReader, createByteWriter, U32_BYTES } from "#bytes";
import { TRAILER_BYTES } from "./trailer.ts";

/** A tag and a length of one byte each. */
const ENTRY_BYTES_MIN = 2;
/** Of a data block: as in `data-block.ts`, so that places in a block are small integers. */
const CONTENT_BYTES_MAX = 2 ** 31 - 1;

/** The data blocks of a table. */
export interface BlockList {
  readonly count: number;
  /** Where each block is; one more for the end. */
  readonly offsets: Float64Array;
  /** 1 where versions of a block's last key follow in the next one. */
  readonly continues: Uint8Array;
  /** Where the separators lie: `keyAt[i]` to `keyAt[i] + keyBytes[i]` in `keys`. */
  readonly keys: Bytes;
  readonly keyAt: Uint32Array;
  readonly keyBytes: Uint32Array;
}

/** Gathers the entries of an index. */
export type IndexBuilder = Builder;

export function createIndexBuilder(): IndexBuilder {
  return new Builder();
}

class Builder {
  readonly #writer = createByteWriter();
  #count = 0;

  get bytes(): number {
    return U32_BYTES + this.#writer.length;
  }

  /** @param bytes - of the block's content. */
  add(bytes: number, continues: boolean, separator: Bytes): void {
    this.#writer.varint(bytes * 2 + (continues ? 1 : 0));
    this.#writer.bytes(separator);
    this.#count += 1;
  }

  finish(): Bytes {
    const whole = createByteWriter(this.bytes);
    whole.u32(this.#count);
    whole.raw(this.#writer.finish());
    return whole.finish();
  }
}

/** Content bytes of a block. */
export function contentBytes(blocks: BlockList, block: number): number {
  return blocks.offsets[block + 1]! - blocks.offsets[block]! - TRAILER_BYTES;
}

/**
 * Decodes an index. The separators are not copied.
 *
 * @param dataBytes - the part of the file that holds data blocks. @returns what is wrong, in words.
 */
export function decodeIndex(content: Bytes, dataBytes: number): BlockList | string {
  const reader = createByteReader(content);
  try {
    const count = reader.u32();
    // Before anything is allocated for them: so many entries must fit, here and in the file.
    if (count < 1 || count > reader.remaining / ENTRY_BYTES_MIN) return `index of ${count} blocks`;
    if (count > dataBytes / TRAILER_BYTES) return `index: ${count} blocks in ${dataBytes} bytes`;
    const blocks: BlockList = {
      count,
      offsets: new Float64Array(count + 1),
      continues: new Uint8Array(count),
      keys: content,
      keyAt: new Uint32Array(count),
      keyBytes: new Uint32Array(count),
    };
    for (let block = 0; block < count; block += 1) {
      const problem = readBlock(reader, blocks, block);
      if (problem !== null) return problem;
      if (blocks.offsets[block + 1]! > dataBytes) return `index: block ${block} ends beyond data`;
    }
    reader.end();
    if (blocks.offsets[count] !== dataBytes) return "index: its blocks do not fill the data part";
    if (blocks.continues[count - 1] === 1) return "index: the last block has no next one";
    return blocks;
  } catch (error) {
    if (isCairnError(error, "BYTES_MALFORMED")) return `index: ${error.message}`;
    throw error;
  }
}

function readBlock(reader: ByteReader, blocks: BlockList, block: number): string | null {
  const tag = reader.varint();
  const bytes = Math.floor(tag / 2);
  if (bytes < 1 || bytes > CONTENT_BYTES_MAX) return `index: block ${block} of ${bytes} bytes`;
  blocks.offsets[block + 1] = blocks.offsets[block]! + bytes + TRAILER_BYTES;
  blocks.continues[block] = tag % 2;
  const keyBytes = reader.varint();
  blocks.keyAt[block] = reader.offset;
  blocks.keyBytes[block] = keyBytes;
  reader.raw(keyBytes);
  if (block === 0) return null;
  const order = compareSeparators(blocks, block - 1, block);
  const mayFollow = order < 0 || (order === 0 && blocks.continues[block - 1] === 1);
  return mayFollow ? null : `index: separator ${block} is out of order`;
}

function compareSeparators(blocks: BlockList, left: number, right: number): number {
  const { keys, keyAt, keyBytes } = blocks;
  const a = keyAt[left]!;
  const b = keyAt[right]!;
  const stop = Math.min(keyBytes[left]!, keyBytes[right]!);
  for (let i = 0; i < stop; i += 1) {
    if (keys[a + i] !== keys[b + i]) return keys[a + i]! - keys[b + i]!;
  }
  return keyBytes[left]! - keyBytes[right]!;
}

/** The separator of a block: a view. */
export function separatorOf(blocks: BlockList, block: number): Bytes {
  const at = blocks.keyAt[block]!;
  return blocks.keys.subarray(at, at + blocks.keyBytes[block]!);
}

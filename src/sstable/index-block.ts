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
 * sizes before it, trailers included. A block goes on if versions of its last key follow in the
 * next one; its separator is then that key. The last separator is the largest key of the table.
 *
 * Invariant: the blocks of a decoded index fill the data part of the file exactly (S4), and its
 * separators are in order.
 * Chapter: 03-sstable
 */
import type { Bytes } from "#base";
import { createByteWriter, getU32, U32_BYTES, VARINT_BYTES_MAX } from "#bytes";
import { TRAILER_BYTES } from "./trailer.ts";

/** A tag and a length of one byte each. */
const ENTRY_BYTES_MIN = 2;
const GROUP_VALUES = 0x80;
/** No offset. Whatever is added to it for the next field, the check of the end fails. */
const MALFORMED = -1;
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
  if (content.length < U32_BYTES) return "index: shorter than its count";
  const count = getU32(content, 0);
  const remaining = content.length - U32_BYTES;
  // Before anything is allocated for them: so many entries must fit, here and in the file.
  if (count < 1 || count > remaining / ENTRY_BYTES_MIN) return `index of ${count} blocks`;
  if (count > dataBytes / TRAILER_BYTES) return `index: ${count} blocks in ${dataBytes} bytes`;
  const blocks: BlockList = {
    count,
    offsets: new Float64Array(count + 1),
    continues: new Uint8Array(count),
    keys: content,
    keyAt: new Uint32Array(count),
    keyBytes: new Uint32Array(count),
  };
  const { offsets, continues, keyAt, keyBytes } = blocks;
  const problem = readBlocks(content, dataBytes, offsets, continues, keyAt, keyBytes);
  if (problem !== null) return problem;
  if (blocks.offsets[count] !== dataBytes) return "index: its blocks do not fill the data part";
  return blocks.continues[count - 1] === 1 ? "index: the last block has no next one" : blocks;
}

/**
 * Reads the entries. One plain loop: a table is opened when somebody waits for a key of it, and
 * often before the runtime has compiled anything. It is given arrays and no object of ours: when
 * the last of these is collected, the runtime drops the code that was compiled for their kind.
 */
function readBlocks(
  content: Bytes,
  dataBytes: number,
  offsets: Float64Array,
  continues: Uint8Array,
  keyAt: Uint32Array,
  keyBytes: Uint32Array,
): string | null {
  const { length } = content;
  const count = keyAt.length;
  let at = U32_BYTES;
  let end = 0;
  for (let block = 0; block < count; block += 1) {
    let tag = content[at++]!;
    if (tag >= GROUP_VALUES) {
      at = readNumber(content, at - 1);
      tag = number;
    }
    // Beyond the end there is `undefined`, which is not below anything.
    let bytes = content[at++]!;
    if (!(bytes < GROUP_VALUES)) {
      at = readNumber(content, at - 1);
      bytes = number;
    }
    if (at < 0 || !(at + bytes <= length)) return `index: block ${block} is cut off or malformed`;
    const size = Math.floor(tag / 2);
    if (size < 1 || size > CONTENT_BYTES_MAX) return `index: block ${block} of ${size} bytes`;
    end += size + TRAILER_BYTES;
    if (end > dataBytes) return `index: block ${block} ends beyond data`;
    offsets[block + 1] = end;
    continues[block] = tag % 2;
    keyAt[block] = at;
    keyBytes[block] = bytes;
    at += bytes;
    if (block === 0) continue;
    const order = compareSeparators(content, keyAt, keyBytes, block);
    const mayFollow = order < 0 || (order === 0 && continues[block - 1] === 1);
    if (!mayFollow) return `index: separator ${block} is out of order`;
  }
  return at === length ? null : `index: ${length - at} bytes too many`;
}

/** What {@link readNumber} has read. */
let number = 0;

/** Reads a varint into `number`. @returns the offset behind it; -1 if it is malformed. */
function readNumber(content: Bytes, offset: number): number {
  number = 0;
  if (offset < 0) return MALFORMED;
  let scale = 1;
  for (let at = offset; at < offset + VARINT_BYTES_MAX; at += 1) {
    const byte = content[at];
    if (byte === undefined) return MALFORMED;
    number += (byte % GROUP_VALUES) * scale;
    if (byte < GROUP_VALUES) {
      const isShortest = byte > 0 || at === offset;
      return isShortest && Number.isSafeInteger(number) ? at + 1 : MALFORMED;
    }
    scale *= GROUP_VALUES;
  }
  return MALFORMED;
}

/** Orders the separator in front of a block's against the block's. */
function compareSeparators(
  keys: Bytes,
  keyAt: Uint32Array,
  keyBytes: Uint32Array,
  block: number,
): number {
  const a = keyAt[block - 1]!;
  const b = keyAt[block]!;
  const stop = Math.min(keyBytes[block - 1]!, keyBytes[block]!);
  for (let i = 0; i < stop; i += 1) {
    if (keys[a + i] !== keys[b + i]) return keys[a + i]! - keys[b + i]!;
  }
  return keyBytes[block - 1]! - keyBytes[block]!;
}

/** The separator of a block: a view. */
export function separatorOf(blocks: BlockList, block: number): Bytes {
  const at = blocks.keyAt[block]!;
  return blocks.keys.subarray(at, at + blocks.keyBytes[block]!);
}

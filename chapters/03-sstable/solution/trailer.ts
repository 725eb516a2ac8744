/**
 * What stands behind every block: its type, and a checksum that knows where the block belongs.
 *
 * | offset | bytes | field    | type   | meaning                                                 |
 * | -----: | ----: | -------- | ------ | ------------------------------------------------------- |
 * |      0 |     n | content  | bytes  | the block                                               |
 * |      n |     1 | type     | u8     | 1: plain. 0 is never valid                              |
 * |    n+1 |     4 | checksum | u32 LE | CRC-32 of content and type, begun from the block's seed |
 *
 * The seed is the CRC-32 of the table's id (as u64), plus the low half of the block's offset, plus
 * the high half times 0x9e3779b1, modulo 2^32.
 *
 * Invariant: content is handed out only after its checksum was found right, for this table and this
 * offset (S3).
 * Chapter: 03-sstable, step 03.5
 */
import { crc32 } from "node:zlib";
import type { Bytes } from "#base";
import { getU32, putU32, putU64, U32_BYTES, U64_BYTES } from "#bytes";
import { malformed } from "./damage.ts";

/** Behind every block. */
export const TRAILER_BYTES = 5;
/** A block that is stored as it is. A deflated one has type 2; this module does not read it. */
const TYPE_PLAIN = 1;
const U32_VALUES = 2 ** 32;
/** 2^32 divided by the golden ratio: blocks 4 GiB apart get seeds far apart. */
const HIGH_FACTOR = 0x9e37_79b1;

/** Where a block belongs. */
export interface BlockPlace {
  /** The number of the table. */
  readonly id: number;
  /** Where the block begins in the file. */
  readonly offset: number;
}

/** The checksum of a block. @param typed - its content and its type, one behind the other. */
export function blockChecksum(typed: Bytes, { id, offset }: BlockPlace): number {
  const idBytes = new Uint8Array(U64_BYTES);
  putU64(idBytes, 0, id);
  const high = Math.floor(offset / U32_VALUES);
  const seed = (crc32(idBytes) + (offset % U32_VALUES) + Math.imul(high, HIGH_FACTOR)) >>> 0;
  return crc32(typed, seed);
}

/** A block as it is stored: content, type, checksum. */
export function sealBlock(content: Bytes, place: BlockPlace): Bytes {
  const sealed = new Uint8Array(content.length + TRAILER_BYTES);
  sealed.set(content);
  sealed[content.length] = TYPE_PLAIN;
  const checksumAt = content.length + 1;
  putU32(sealed, checksumAt, blockChecksum(sealed.subarray(0, checksumAt), place));
  return sealed;
}

/** The content of a stored block. @throws BYTES_MALFORMED */
export function openSealed(sealed: Bytes, place: BlockPlace): Bytes {
  const checksumAt = sealed.length - U32_BYTES;
  const stored = getU32(sealed, checksumAt);
  if (blockChecksum(sealed.subarray(0, checksumAt), place) !== stored)
    malformed("checksum mismatch");
  const type = sealed[checksumAt - 1];
  if (type !== TYPE_PLAIN) malformed(`block type ${type}`);
  return sealed.subarray(0, checksumAt - 1);
}

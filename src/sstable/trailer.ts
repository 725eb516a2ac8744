/**
 * What stands behind every block: how it is stored, and a checksum that knows where it belongs.
 *
 * | offset | bytes | field    | type   | meaning                                                 |
 * | -----: | ----: | -------- | ------ | ------------------------------------------------------- |
 * |      0 |     n | content  | bytes  | the block as stored                                     |
 * |      n |     1 | type     | u8     | see BlockType; never 0                                  |
 * |    n+1 |     4 | checksum | u32 LE | CRC-32 of content and type, begun from the block's seed |
 *
 * The seed is the CRC-32 of the table's id (as u64), plus the low half of the block's offset, plus
 * the high half times 0x9e3779b1, modulo 2^32. Two CRCs over the same bytes that begin differently
 * end differently, so a block at another offset, or in another table, does not pass.
 *
 * CRC-32 as in zip files, and not the CRC-32C of the log: Node has it built in, and faster
 * than what can be written in JavaScript, and every block read from a file is checked.
 *
 * Invariant: no byte of a block is looked at before its checksum was found right (S3).
 * Chapter: 03-sstable
 */
import { crc32 } from "node:zlib";
import { type Bytes, unreachable } from "#base";
import { getU32, putU32, putU64, U32_BYTES, U64_BYTES } from "#bytes";

/** Behind every block. */
export const TRAILER_BYTES: number = 1 + U32_BYTES;

/**
 * Stored on disk: never renumber, only add. 0 is reserved, so that zeroed bytes are never valid.
 */
export const BlockType = { plain: 1, deflate: 2 } as const;
export type BlockType = (typeof BlockType)[keyof typeof BlockType];

/** Why bytes are not the expected block. */
export type BlockProblem = "checksum mismatch" | "unknown block type";

const U32_VALUES = 2 ** 32;
/** 2^32 divided by the golden ratio, a prime: blocks 4 GiB apart get seeds far apart. */
const HIGH_FACTOR = 0x9e37_79b1;

/** The part of the seeds that all blocks of a table share. */
export function tableSeed(id: number): number {
  const bytes = new Uint8Array(U64_BYTES);
  putU64(bytes, 0, id);
  return crc32(bytes);
}

/** Where the checksum of the block at this offset begins. @param seed - of the table. */
export function blockSeed(seed: number, offset: number): number {
  const low = offset % U32_VALUES;
  const high = (offset - low) / U32_VALUES;
  return (seed + low + Math.imul(high, HIGH_FACTOR)) >>> 0;
}

/** Writes the trailer of the `bytes` bytes at `from`. @returns the offset behind it. */
export function sealBlock(
  target: Bytes,
  from: number,
  block: { readonly bytes: number; readonly type: BlockType; readonly seed: number },
): number {
  const typeAt = from + block.bytes;
  target[typeAt] = block.type;
  const checksum = crc32(target.subarray(from, typeAt + 1), block.seed);
  putU32(target, typeAt + 1, checksum);
  return typeAt + TRAILER_BYTES;
}

/**
 * Checks a block that lies in `source` with its trailer.
 *
 * @param bytes - of its content. @returns how it is stored, or what is wrong.
 */
export function checkBlock(
  source: Bytes,
  from: number,
  bytes: number,
  seed: number,
): BlockType | BlockProblem {
  const typeAt = from + bytes;
  const stored = getU32(source, typeAt + 1);
  if (crc32(source.subarray(from, typeAt + 1), seed) !== stored) return "checksum mismatch";
  const type = source[typeAt]!;
  return type === BlockType.plain || type === BlockType.deflate ? type : "unknown block type";
}

/** The name of a block type, for people. */
export function blockTypeName(type: BlockType): string {
  switch (type) {
    case BlockType.plain:
      return "plain";
    case BlockType.deflate:
      return "deflate";
    default:
      return unreachable(type);
  }
}

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
 * Given for now: `sealBlock` and `openSealed` leave the checksum out. Step 03.5 shows what that
 * costs, and is where you put it in.
 *
 * Invariant (from step 03.5 on): content is handed out only after its checksum was found right, for
 * this table and this offset (S3).
 * Chapter: 03-sstable, step 03.5
 */
import { type Bytes, notWritten } from "#base";

/** Behind every block. */
export const TRAILER_BYTES = 5;
/** A block that is stored as it is. A deflated one has type 2; this module does not read it. */
const TYPE_PLAIN = 1;

/** Where a block belongs. */
export interface BlockPlace {
  /** The number of the table. */
  readonly id: number;
  /** Where the block begins in the file. */
  readonly offset: number;
}

/**
 * The checksum of a block. `crc32(bytes, seed)` of `node:zlib` is the CRC-32.
 *
 * @param typed - its content and its type, one behind the other.
 */
export function blockChecksum(_typed: Bytes, _place: BlockPlace): number {
  return notWritten("03.5", "blockChecksum");
}

/** A block as it is stored: content, type, checksum. */
export function sealBlock(content: Bytes, _place: BlockPlace): Bytes {
  const sealed = new Uint8Array(content.length + TRAILER_BYTES);
  sealed.set(content);
  sealed[content.length] = TYPE_PLAIN;
  return sealed;
}

/** The content of a stored block. @throws BYTES_MALFORMED */
export function openSealed(sealed: Bytes, _place: BlockPlace): Bytes {
  return sealed.subarray(0, sealed.length - TRAILER_BYTES);
}

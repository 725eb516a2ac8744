/**
 * The last bytes of a table: where to begin reading it.
 *
 * | offset | bytes | field            | type   | meaning                                       |
 * | -----: | ----: | ---------------- | ------ | --------------------------------------------- |
 * |      0 |     4 | checksum         | u32 LE | CRC-32 of every byte from offset 4 to the end |
 * |      4 |     8 | id               | u64 LE | the table's number                            |
 * |     12 |     8 | filterOffset     | u64 LE | where the filter block is                     |
 * |     20 |     4 | filterBytes      | u32 LE | its content; 0: there is no filter            |
 * |     24 |     8 | propertiesOffset | u64 LE | where the properties block is                 |
 * |     32 |     4 | propertiesBytes  | u32 LE | its content                                   |
 * |     36 |     8 | indexOffset      | u64 LE | where the index block is                      |
 * |     44 |     4 | indexBytes       | u32 LE | its content                                   |
 * |     48 |     4 | version          | u32 LE | 1                                             |
 * |     52 |     8 | magic            | bytes  | "CAIRNSST", for a string-sorted table         |
 *
 * Data blocks begin at offset 0. Blocks follow each other without gaps, in the order data, filter,
 * properties, index, and the footer follows the last: a file that is a byte too long or too short
 * does not fit its footer.
 *
 * Invariant: what a decoded footer says fits the size of the file (S4).
 * Chapter: 03-sstable
 */
import { crc32 } from "node:zlib";
import { assert, type Bytes } from "#base";
import { equalBytes, getU32, putU32, putU64, U32_BYTES, U64_BYTES } from "#bytes";
import { TRAILER_BYTES } from "./trailer.ts";

const MAGIC: Bytes = new TextEncoder().encode("CAIRNSST");
const VERSION = 1;
/** A place and a size. */
const HANDLE_BYTES = U64_BYTES + U32_BYTES;

const CHECKSUM_OFFSET = 0;
const ID_OFFSET = CHECKSUM_OFFSET + U32_BYTES;
const FILTER_OFFSET = ID_OFFSET + U64_BYTES;
const PROPERTIES_OFFSET = FILTER_OFFSET + HANDLE_BYTES;
const INDEX_OFFSET = PROPERTIES_OFFSET + HANDLE_BYTES;
const VERSION_OFFSET = INDEX_OFFSET + HANDLE_BYTES;
const MAGIC_OFFSET = VERSION_OFFSET + U32_BYTES;
/** The size of every footer. */
export const FOOTER_BYTES: number = MAGIC_OFFSET + MAGIC.length;
assert(FOOTER_BYTES === 60, "sstable: a footer is 60 bytes, as in the table");

const U32_VALUES = 2 ** 32;

/** Where a block is. */
export interface BlockHandle {
  readonly offset: number;
  /** Of its content, without the trailer. */
  readonly bytes: number;
}

/** What a footer says. */
export interface Footer {
  readonly id: number;
  readonly filter: BlockHandle;
  readonly properties: BlockHandle;
  readonly index: BlockHandle;
}

/** Encodes a footer. */
export function encodeFooter(footer: Footer): Bytes {
  const bytes = new Uint8Array(FOOTER_BYTES);
  putU64(bytes, ID_OFFSET, footer.id);
  putHandle(bytes, FILTER_OFFSET, footer.filter);
  putHandle(bytes, PROPERTIES_OFFSET, footer.properties);
  putHandle(bytes, INDEX_OFFSET, footer.index);
  putU32(bytes, VERSION_OFFSET, VERSION);
  bytes.set(MAGIC, MAGIC_OFFSET);
  putU32(bytes, CHECKSUM_OFFSET, crc32(bytes.subarray(ID_OFFSET)));
  return bytes;
}

/**
 * Decodes the footer of a file of this size.
 *
 * @param source - the file's last {@link FOOTER_BYTES} bytes. @returns what is wrong, in words.
 */
export function decodeFooter(source: Bytes, fileBytes: number): Footer | string {
  if (!equalBytes(source.subarray(MAGIC_OFFSET), MAGIC)) return "footer: not a table of this kind";
  if (crc32(source.subarray(ID_OFFSET)) !== getU32(source, CHECKSUM_OFFSET)) {
    return "footer: checksum mismatch";
  }
  const version = getU32(source, VERSION_OFFSET);
  if (version !== VERSION) return `footer: unknown version ${version}`;
  const id = looseU64(source, ID_OFFSET);
  if (!(id >= 1 && id <= Number.MAX_SAFE_INTEGER)) return `footer: ${id} is no table's number`;
  const filter = getHandle(source, FILTER_OFFSET);
  const properties = getHandle(source, PROPERTIES_OFFSET);
  const index = getHandle(source, INDEX_OFFSET);
  const isWhole =
    endOf(filter) === properties.offset &&
    endOf(properties) === index.offset &&
    endOf(index) + FOOTER_BYTES === fileBytes;
  if (!isWhole) return `footer: its blocks do not fit a file of ${fileBytes} bytes`;
  return { id, filter, properties, index };
}

function endOf(handle: BlockHandle): number {
  return handle.offset + handle.bytes + TRAILER_BYTES;
}

function putHandle(target: Bytes, offset: number, handle: BlockHandle): void {
  putU64(target, offset, handle.offset);
  putU32(target, offset + U64_BYTES, handle.bytes);
}

function getHandle(source: Bytes, offset: number): BlockHandle {
  return { offset: looseU64(source, offset), bytes: getU32(source, offset + U64_BYTES) };
}

/** Unlike `getU64` it does not throw: 2^53 or more fits no file, and is found so. */
function looseU64(source: Bytes, offset: number): number {
  return getU32(source, offset + U32_BYTES) * U32_VALUES + getU32(source, offset);
}

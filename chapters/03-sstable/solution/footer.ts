/**
 * The footer: where to begin reading a table. Given.
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
 * |     52 |     8 | magic            | bytes  | "CAIRNSST"                                    |
 *
 * Invariant: what is decoded was encoded by somebody; whether it fits the file is asked elsewhere.
 * Chapter: 03-sstable, step 03.3
 */
import { crc32 } from "node:zlib";
import type { Bytes } from "#base";
import { createByteReader, createByteWriter, equalBytes, getU32, putU32, U32_BYTES } from "#bytes";
import { malformed } from "./damage.ts";

const MAGIC: Bytes = new TextEncoder().encode("CAIRNSST");
const VERSION = 1;
/** The size of every footer. */
export const FOOTER_BYTES = 60;

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
  const writer = createByteWriter();
  writer.u32(0);
  writer.u64(footer.id);
  for (const { offset, bytes } of [footer.filter, footer.properties, footer.index]) {
    writer.u64(offset);
    writer.u32(bytes);
  }
  writer.u32(VERSION);
  writer.raw(MAGIC);
  const bytes = writer.finish();
  putU32(bytes, 0, crc32(bytes.subarray(U32_BYTES)));
  return bytes;
}

/** Decodes a footer. @param bytes - the last bytes of a file. @throws BYTES_MALFORMED */
export function decodeFooter(bytes: Bytes): Footer {
  if (bytes.length !== FOOTER_BYTES) malformed(`a file of ${bytes.length} bytes is no table`);
  if (!equalBytes(bytes.subarray(-MAGIC.length), MAGIC)) malformed("not a table of this kind");
  if (crc32(bytes.subarray(U32_BYTES)) !== getU32(bytes, 0)) malformed("footer: checksum mismatch");
  const reader = createByteReader(bytes.subarray(U32_BYTES));
  const handle = (): BlockHandle => ({ offset: reader.u64(), bytes: reader.u32() });
  const footer = { id: reader.u64(), filter: handle(), properties: handle(), index: handle() };
  const version = reader.u32();
  if (version !== VERSION) malformed(`footer: unknown version ${version}`);
  return footer;
}

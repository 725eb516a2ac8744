/**
 * bytes: integers as bytes, byte order, a checksum, and one file replaced whole.
 *
 * Reading order: ints.ts, varint.ts, compare.ts, crc32c.ts, copy.ts, writer.ts, reader.ts,
 * replace-file.ts.
 * Chapter: 00-bytes
 */
export { compareBytes, equalBytes } from "./compare.ts";
export { copyBytes } from "./copy.ts";
export { crc32c, crc32cRange } from "./crc32c.ts";
export { getU32, getU64, putU32, putU64, U32_BYTES, U32_MAX, U64_BYTES } from "./ints.ts";
export { type ByteReader, createByteReader } from "./reader.ts";
export { directoryOf, replaceFile } from "./replace-file.ts";
export type { BytesModule } from "./types.ts";
export { getVarint, putVarint, VARINT_BYTES_MAX, varintBytes } from "./varint.ts";
export { type ByteWriter, createByteWriter } from "./writer.ts";

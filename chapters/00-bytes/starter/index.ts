/**
 * bytes: integers as bytes, byte order, a checksum, and one file replaced whole.
 *
 * The door of your module: `#bytes` leads here. Reading order: first.ts, ints.ts, compare.ts,
 * crc32c.ts, predict.ts, replace-file.ts.
 * Chapter: 00-bytes
 */

// Given, and used by the chapters that follow. Read them in `src/bytes` when you are curious.
export {
  type ByteReader,
  type ByteWriter,
  copyBytes,
  crc32cRange,
  createByteReader,
  createByteWriter,
  directoryOf,
  equalBytes,
  getVarint,
  putVarint,
  U32_BYTES,
  U32_MAX,
  U64_BYTES,
  VARINT_BYTES_MAX,
  varintBytes,
} from "#bytes/reference";
export type { BytesModule } from "#bytes/types";
export { compareBytes } from "./compare.ts";
export { crc32c } from "./crc32c.ts";
export { saveNote } from "./first.ts";
export { getU32, getU64, putU32, putU64 } from "./ints.ts";
export { type Outcome, overwritten, type Prediction, renamed } from "./predict.ts";
export { replaceFile } from "./replace-file.ts";

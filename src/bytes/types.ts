/**
 * Contract of chapter 00: integers as bytes, byte order, a checksum, and one file replaced whole.
 *
 * Rules D0-D5 (chapter 00-bytes):
 * D0 only `sync` makes bytes durable. D1 only `syncDir` makes names durable. D2 a crash may keep
 * any subset of unsynced sectors and names. D3 growth may survive without data. D4 after a failed
 * sync, unsynced data are unknown. D5 `replaceFile`: the old content or the new, never anything
 * else.
 */
import type { Bytes } from "#base";
import type { Disk } from "#platform/types";

/** What chapter 00 exports; the reference and a reader's module both have this shape. */
export interface BytesModule {
  /**
   * Writes a whole number from 0 to 2^32 - 1, little-endian.
   *
   * @throws RangeError outside the range or the array.
   */
  putU32(target: Bytes, offset: number, value: number): void;
  /** Reads what `putU32` wrote. @throws RangeError beyond the end. */
  getU32(source: Bytes, offset: number): number;
  /** Writes a whole number from 0 to 2^53 - 1 as eight bytes, little-endian. @throws RangeError */
  putU64(target: Bytes, offset: number, value: number): void;
  /** Reads what `putU64` wrote. @throws RangeError beyond the end, or for 2^53 and more. */
  getU64(source: Bytes, offset: number): number;
  /** Bytes that `putVarint` needs for a value: 1 to 8. */
  varintBytes(value: number): number;
  /**
   * Writes 0 to 2^53 - 1 in seven-bit groups, lowest first (LEB128).
   *
   * @returns the offset behind it.
   */
  putVarint(target: Bytes, offset: number, value: number): number;
  /**
   * Reads a varint.
   *
   * @throws `BYTES_MALFORMED` when it is cut off, longer than needed, or above 2^53 - 1.
   */
  getVarint(source: Bytes, offset: number): { value: number; next: number };
  /** Orders as bytes: -1, 0 or 1; a prefix comes first. */
  compareBytes(a: Bytes, b: Bytes): number;
  /**
   * CRC-32C (Castagnoli). `crc32c(b, crc32c(a))` is the checksum of a followed by b. The empty
   * input gives 0: a zeroed header would vouch for itself, so formats must not rely on it.
   */
  crc32c(bytes: Bytes, seed?: number): number;
  /**
   * Replaces a file's content, atomically and durably (rule D5): a temporary file beside it,
   * synced, renamed over it, directory synced.
   *
   * @throws what the disk throws; the old content is then still there and no temporary file is left
   * once the directory is next opened for replacing.
   */
  replaceFile(disk: Disk, path: string, content: Bytes): void;
}

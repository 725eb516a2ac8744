/**
 * The beginning of a segment file, and its name. Given: nothing to write here.
 *
 * | offset | bytes | field    | type   | meaning                                              |
 * | -----: | ----: | -------- | ------ | ---------------------------------------------------- |
 * |      0 |     4 | checksum | u32 LE | CRC-32C of every byte from offset 4 to the header's end |
 * |      4 |     8 | magic    | bytes  | "CAIRNWAL"                                           |
 * |     12 |     4 | version  | u32 LE | 1                                                    |
 * |     16 |     8 | number   | u64 LE | the segment's number, from 1; never used twice       |
 * |     24 |     8 | firstLsn | u64 LE | number of the first record here                      |
 *
 * The header's checksum is the seed of every frame behind it: a frame is valid in no other segment.
 *
 * Given with the chapter, as it is.
 */
import type { Bytes } from "#base";
import { crc32c, equalBytes, getU32, getU64, putU32, putU64 } from "#bytes";
import type { Lsn } from "#wal/types";

const MAGIC: Bytes = new TextEncoder().encode("CAIRNWAL");
const VERSION = 1;
const CHECKSUM_OFFSET = 0;
const MAGIC_OFFSET = 4;
const VERSION_OFFSET = 12;
const NUMBER_OFFSET = 16;
const FIRST_LSN_OFFSET = 24;
/** Where the first frame starts. */
export const SEGMENT_HEADER_BYTES = 32;

const NAME_DIGITS = 16;
const NAME_PATTERN = /^\d{16}\.wal$/;

/** What a header says. */
export interface SegmentHeader {
  readonly number: number;
  readonly firstLsn: Lsn;
  /** The header's checksum: every frame's checksum begins with it. */
  readonly seed: number;
}

/** Encodes a header. */
export function encodeSegmentHeader(number: number, firstLsn: Lsn): Bytes {
  const header = new Uint8Array(SEGMENT_HEADER_BYTES);
  header.set(MAGIC, MAGIC_OFFSET);
  putU32(header, VERSION_OFFSET, VERSION);
  putU64(header, NUMBER_OFFSET, number);
  putU64(header, FIRST_LSN_OFFSET, firstLsn);
  putU32(header, CHECKSUM_OFFSET, crc32c(header.subarray(MAGIC_OFFSET)));
  return header;
}

/**
 * Decodes the header of the segment with this number.
 *
 * @param source - the file's first bytes, fewer if the file is shorter.
 * @returns the header, or what is wrong with it, in words.
 */
export function decodeSegmentHeader(source: Bytes, number: number): SegmentHeader | string {
  if (source.length < SEGMENT_HEADER_BYTES) return "segment header cut off";
  const header = source.subarray(0, SEGMENT_HEADER_BYTES);
  const seed = getU32(header, CHECKSUM_OFFSET);
  if (crc32c(header.subarray(MAGIC_OFFSET)) !== seed) return "segment header: checksum mismatch";
  if (!equalBytes(header.subarray(MAGIC_OFFSET, VERSION_OFFSET), MAGIC)) {
    return "segment header: not a log of this kind";
  }
  if (getU32(header, VERSION_OFFSET) !== VERSION) return "segment header: unknown version";
  const stored = getU64(header, NUMBER_OFFSET);
  if (stored !== number) return `segment header: of segment ${stored}`;
  return { number, firstLsn: getU64(header, FIRST_LSN_OFFSET), seed };
}

/** The file name of a segment: sixteen digits, so that names sort as numbers do. */
export function segmentName(number: number): string {
  return `${String(number).padStart(NAME_DIGITS, "0")}.wal`;
}

/** The number in a segment's name; null for every other file. */
export function segmentNumber(name: string): number | null {
  if (!NAME_PATTERN.test(name)) return null;
  const number = Number(name.slice(0, NAME_DIGITS));
  return Number.isSafeInteger(number) && number > 0 ? number : null;
}

/**
 * The beginning of a segment file, and its name.
 *
 * | offset | bytes | field    | type   | meaning                                              |
 * | -----: | ----: | -------- | ------ | ---------------------------------------------------- |
 * |      0 |     4 | checksum | u32 LE | CRC-32C of every byte from offset 4 to the header's end |
 * |      4 |     8 | magic    | bytes  | "CAIRNWAL"                                           |
 * |     12 |     4 | version  | u32 LE | 1                                                    |
 * |     16 |     8 | number   | u64 LE | the segment's number, from 1; never used twice       |
 * |     24 |     8 | firstLsn | u64 LE | number of the first record here                      |
 *
 * A name is the number in sixteen decimal digits (enough for 2^53 - 1) and ".wal", so that names
 * sort as numbers do.
 *
 * Invariant: no record is written to a segment before its header and its name are durable.
 * Chapter: 01-wal
 */
import { assert, type Bytes } from "#base";
import {
  crc32cRange,
  equalBytes,
  getU32,
  getU64,
  putU32,
  putU64,
  U32_BYTES,
  U64_BYTES,
} from "#bytes";
import type { Lsn } from "./types.ts";

const MAGIC: Bytes = new TextEncoder().encode("CAIRNWAL");
const VERSION = 1;

const CHECKSUM_OFFSET = 0;
const MAGIC_OFFSET = CHECKSUM_OFFSET + U32_BYTES;
const VERSION_OFFSET = MAGIC_OFFSET + MAGIC.length;
const NUMBER_OFFSET = VERSION_OFFSET + U32_BYTES;
const FIRST_LSN_OFFSET = NUMBER_OFFSET + U64_BYTES;
/** Where the first frame starts. */
export const SEGMENT_HEADER_BYTES: number = FIRST_LSN_OFFSET + U64_BYTES;
assert(SEGMENT_HEADER_BYTES === 32, "wal: a segment header is 32 bytes, as in the table");

const NAME_DIGITS = 16;
const NAME_SUFFIX = ".wal";
const NAME_PATTERN = /^\d{16}\.wal$/;

/** What a header says, and the checksum that seeds every frame of the segment. */
export interface SegmentHeader {
  readonly number: number;
  readonly firstLsn: Lsn;
  readonly checksum: number;
}

/** Encodes a header. */
export function encodeSegmentHeader(number: number, firstLsn: Lsn): Bytes {
  const header = new Uint8Array(SEGMENT_HEADER_BYTES);
  header.set(MAGIC, MAGIC_OFFSET);
  putU32(header, VERSION_OFFSET, VERSION);
  putU64(header, NUMBER_OFFSET, number);
  putU64(header, FIRST_LSN_OFFSET, firstLsn);
  putU32(header, CHECKSUM_OFFSET, crc32cRange(header, MAGIC_OFFSET, SEGMENT_HEADER_BYTES));
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
  const checksum = getU32(source, CHECKSUM_OFFSET);
  if (crc32cRange(source, MAGIC_OFFSET, SEGMENT_HEADER_BYTES) !== checksum) {
    return "segment header: checksum mismatch";
  }
  if (!equalBytes(source.subarray(MAGIC_OFFSET, VERSION_OFFSET), MAGIC)) {
    return "segment header: not a log of this kind";
  }
  const version = getU32(source, VERSION_OFFSET);
  if (version !== VERSION) return `segment header: unknown version ${version}`;
  const stored = getU64(source, NUMBER_OFFSET);
  if (stored !== number) return `segment header: of segment ${stored}`;
  return { number, firstLsn: getU64(source, FIRST_LSN_OFFSET), checksum };
}

/** Tells whether a file begins as segments do, whatever else may be wrong with it. */
export function looksLikeSegment(source: Bytes): boolean {
  return (
    source.length >= VERSION_OFFSET &&
    equalBytes(source.subarray(MAGIC_OFFSET, VERSION_OFFSET), MAGIC)
  );
}

/**
 * Decodes a header whose number is not known from elsewhere.
 *
 * @returns the header, or what is wrong with it, in words.
 */
export function decodeAnyHeader(source: Bytes): SegmentHeader | string {
  if (source.length < SEGMENT_HEADER_BYTES) return "segment header cut off";
  // A damaged number may be larger than `getU64` takes; the checksum will be wrong then too.
  const high = getU32(source, NUMBER_OFFSET + U32_BYTES);
  const isSmall = high < 2 ** 21;
  return decodeSegmentHeader(source, isSmall ? getU64(source, NUMBER_OFFSET) : 0);
}

/** The checksum that a header claims, and that seeds its frames. */
export function headerChecksum(source: Bytes): number {
  return getU32(source, CHECKSUM_OFFSET);
}

/** The file name of a segment. */
export function segmentName(number: number): string {
  return String(number).padStart(NAME_DIGITS, "0") + NAME_SUFFIX;
}

/** The number in a segment's name; null for every other file. */
export function segmentNumber(name: string): number | null {
  if (!NAME_PATTERN.test(name)) return null;
  const number = Number(name.slice(0, NAME_DIGITS));
  return Number.isSafeInteger(number) && number > 0 ? number : null;
}

/**
 * CRC-32C: the checksum that every format of this book uses.
 *
 * Invariant: `crc32c(b, crc32c(a))` is the checksum of a followed by b (rule E4). The checksum of
 * nothing is 0, so zeros must never be a valid record (rule E5).
 * Chapter: 00-bytes, step 00.4
 */
import type { Bytes } from "#base";

/** The polynomial of Castagnoli with its bits reversed: we shift to the right. */
const POLYNOMIAL = 0x82f6_3b78;
const BYTE_VALUES = 256;
const BYTE_BITS = 8;

/** What each byte does to the checksum. Made once: eight rounds for each byte would be slow. */
const TABLE = Uint32Array.from({ length: BYTE_VALUES }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < BYTE_BITS; bit += 1) {
    crc = (crc & 1) === 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
  }
  return crc;
});

/** Computes the CRC-32C of an array. @param seed - the checksum of the bytes before these. */
export function crc32c(bytes: Bytes, seed = 0): number {
  let crc = ~seed;
  for (const byte of bytes) {
    crc = TABLE[(crc ^ byte) & 0xff]! ^ (crc >>> BYTE_BITS);
  }
  // Bit operators give numbers with a sign; `>>> 0` takes it away.
  return ~crc >>> 0;
}

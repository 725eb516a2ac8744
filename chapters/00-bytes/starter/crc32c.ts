/**
 * CRC-32C: the checksum that every format of this book uses.
 *
 * Invariant: `crc32c(b, crc32c(a))` is the checksum of a followed by b (rule E4). The checksum of
 * nothing is 0, so zeros must never be a valid record (rule E5).
 * Chapter: 00-bytes, step 00.4
 */
import { type Bytes, notWritten } from "#base";

/**
 * Computes the CRC-32C (Castagnoli) of an array.
 *
 * @param seed - the checksum of the bytes before these; 0 when these are the first.
 * @returns a whole number from 0 to 2^32 - 1.
 */
export function crc32c(_bytes: Bytes, _seed = 0): number {
  notWritten("00.4", "crc32c");
}

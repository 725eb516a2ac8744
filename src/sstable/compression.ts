/**
 * A block made smaller with DEFLATE, if it becomes smaller.
 *
 * | offset | bytes | field      | type   | meaning                        |
 * | -----: | ----: | ---------- | ------ | ------------------------------ |
 * |      0 |     4 | plainBytes | u32 LE | bytes of the block when plain  |
 * |      4 |     n | deflated   | bytes  | raw DEFLATE stream (RFC 1951)  |
 *
 * Invariant: `plainBytes` is compared with what the stream could become at most before anything is
 * allocated for it (S4).
 * Chapter: 03-sstable
 */
import { deflateRawSync, inflateRawSync } from "node:zlib";
import { type Bytes, errorText } from "#base";
import { getU32, putU32, U32_BYTES } from "#bytes";

/** DEFLATE makes at most 258 bytes of two bits; zlib's authors give 1032 to 1 as its limit. */
const RATIO_MAX = 1032;
/** A stream of few bytes has a head of its own; below this the ratio says nothing. */
const SMALL_BYTES = 64;
/** The least that zlib takes. */
const CHUNK_BYTES_MIN = 64;

/** Deflates a block. @returns null if that does not make it smaller. */
export function deflateBlock(plain: Bytes): Bytes | null {
  const deflated = deflateRawSync(plain);
  const bytes = U32_BYTES + deflated.length;
  if (bytes >= plain.length) return null;
  const stored = new Uint8Array(bytes);
  putU32(stored, 0, plain.length);
  stored.set(deflated, U32_BYTES);
  return stored;
}

/** Undoes {@link deflateBlock}. @returns the plain block, or what is wrong. */
export function inflateBlock(stored: Bytes): Bytes | string {
  if (stored.length < U32_BYTES) return "deflated block cut off";
  const plainBytes = getU32(stored, 0);
  const possible = Math.max(SMALL_BYTES, stored.length) * RATIO_MAX;
  if (plainBytes === 0 || plainBytes > possible) {
    return `deflated block claims ${plainBytes} plain bytes`;
  }
  try {
    // One chunk for all of it: the block may be kept, and with it what it was cut from.
    const plain = inflateRawSync(stored.subarray(U32_BYTES), {
      maxOutputLength: plainBytes,
      chunkSize: Math.max(CHUNK_BYTES_MIN, plainBytes),
    });
    if (plain.length === plainBytes)
      return new Uint8Array(plain.buffer, plain.byteOffset, plainBytes);
    return `deflated block has ${plain.length} plain bytes, claims ${plainBytes}`;
  } catch (error) {
    return `deflated block: ${errorText(error)}`;
  }
}

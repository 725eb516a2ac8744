/**
 * The key of a version: byte order is key ascending, then timestamp descending.
 *
 * | offset | bytes | field    | type   | meaning                                                 |
 * | -----: | ----: | -------- | ------ | ------------------------------------------------------- |
 * |      0 |     1 | space    | u8     | 2: versions; see KeySpace                               |
 * |      1 |     n | key      | bytes  | each zero byte is followed by 255                       |
 * |    n+1 |     2 | end      | bytes  | 0 and 1: below any byte that could go on, 0 and 255 too |
 * |    n+3 |     8 | inverted | u64 BE | 2^53 - 1 minus the timestamp                            |
 *
 * Invariant: no key without its timestamp is the beginning of another one, so that versions of
 * different keys never lie between each other. Key and timestamp alone, one behind the other, would
 * break that: "a" with a timestamp can come behind "a\0" with another.
 * Chapter: 06-mvcc, step 06.1. Source: the escape of zero bytes as in CockroachDB's key encoding.
 */
import { type Bytes, CairnError } from "#base";
import { copyBytes } from "#bytes";
import type { Timestamp } from "./types.ts";

/** First byte of every key in the engine. Stored: never renumber. 0 is no space. */
export const KeySpace = { meta: 1, version: 2, tuple: 3, index: 4, row: 5, undo: 6 } as const;
export type KeySpace = (typeof KeySpace)[keyof typeof KeySpace];

export const TIMESTAMP_MAX: Timestamp = Number.MAX_SAFE_INTEGER;
export const NUMBER_BYTES = 8;
const ESCAPE = 255;
const END = 1;
const END_BYTES = 2;
const SPACE_BYTES = 1;
const TWO_32 = 2 ** 32;
/** What a key without zero bytes grows by. */
export const KEY_OVERHEAD_BYTES: number = SPACE_BYTES + END_BYTES;
/** Every byte of a key may be a zero. */
const GROWTH_MAX = 2;

/** The bytes under which a version lies. */
export function encodeVersion(key: Bytes, timestamp: Timestamp): Bytes {
  const target = new Uint8Array(keyBytesMax(key.length) + NUMBER_BYTES);
  const end = putKey(target, KeySpace.version, key);
  putInverted(target, end, timestamp);
  return copyBytes(target, 0, end + NUMBER_BYTES);
}

/** What `encodeVersion` was given. @throws `BYTES_MALFORMED` */
export function decodeVersion(bytes: Bytes): {
  readonly key: Bytes;
  readonly timestamp: Timestamp;
} {
  const end = bytes.length - NUMBER_BYTES;
  if (bytes[0] !== KeySpace.version || end < SPACE_BYTES + END_BYTES) throw malformed(bytes);
  return { key: getKey(bytes.subarray(0, end)), timestamp: getInverted(bytes, end) };
}

/** An upper bound for what `putKey` writes. */
export function keyBytesMax(keyBytes: number): number {
  return SPACE_BYTES + keyBytes * GROWTH_MAX + END_BYTES;
}

/** Writes space, key and end. @returns the offset behind them. */
export function putKey(target: Bytes, space: KeySpace, key: Bytes): number {
  target[0] = space;
  let offset = SPACE_BYTES;
  if (key.includes(0)) {
    for (const byte of key) {
      target[offset++] = byte;
      if (byte === 0) target[offset++] = ESCAPE;
    }
  } else {
    target.set(key, offset);
    offset += key.length;
  }
  putEnd(target, offset + END_BYTES);
  return offset + END_BYTES;
}

/** Writes the end of a key, so that it ends before `before`. */
export function putEnd(target: Bytes, before: number): void {
  target[before - 2] = 0;
  target[before - 1] = END;
}

/** Space, key and end, in an array of their own. */
export function encodeKey(space: KeySpace, key: Bytes): Bytes {
  const target = new Uint8Array(keyBytesMax(key.length));
  return copyBytes(target, 0, putKey(target, space, key));
}

/** The key out of what `putKey` wrote: a copy. @throws `BYTES_MALFORMED` */
export function getKey(bytes: Bytes): Bytes {
  const before = bytes.length - END_BYTES;
  if (before < SPACE_BYTES || bytes[before] !== 0 || bytes[before + 1] !== END) {
    throw malformed(bytes);
  }
  const escaped = bytes.subarray(SPACE_BYTES, before);
  if (!escaped.includes(0)) return copyBytes(escaped);
  const key = new Uint8Array(escaped.length);
  let count = 0;
  for (let i = 0; i < escaped.length; i += 1) {
    key[count++] = escaped[i]!;
    if (escaped[i] !== 0) continue;
    i += 1;
    if (escaped[i] !== ESCAPE) throw malformed(bytes);
  }
  return copyBytes(key, 0, count);
}

/** Writes a number so that larger ones come first. */
export function putInverted(target: Bytes, offset: number, value: number): void {
  putBigEndian(target, offset, TIMESTAMP_MAX - value);
}

/** Reads what `putInverted` wrote. */
export function getInverted(source: Bytes, offset: number): number {
  return TIMESTAMP_MAX - getBigEndian(source, offset);
}

/** Writes a whole number from 0 to 2^53 - 1 so that byte order is its order. */
export function putBigEndian(target: Bytes, offset: number, value: number): void {
  const high = Math.floor(value / TWO_32);
  target[offset] = high >>> 24;
  target[offset + 1] = high >>> 16;
  target[offset + 2] = high >>> 8;
  target[offset + 3] = high;
  target[offset + 4] = value >>> 24;
  target[offset + 5] = value >>> 16;
  target[offset + 6] = value >>> 8;
  target[offset + 7] = value;
}

/** Reads what `putBigEndian` wrote. @throws `BYTES_MALFORMED` for 2^53 and more, or if cut off. */
export function getBigEndian(source: Bytes, offset: number): number {
  let value = 0;
  for (let i = 0; i < NUMBER_BYTES; i += 1)
    value = value * 256 + (source[offset + i] ?? Number.NaN);
  if (!Number.isSafeInteger(value)) throw malformed(source);
  return value;
}

function malformed(bytes: Bytes): CairnError {
  const head = Array.from(bytes.subarray(0, 24), (byte) => byte.toString(16).padStart(2, "0"));
  return new CairnError("BYTES_MALFORMED", `mvcc: key ${head.join("")}: not one of ours`);
}

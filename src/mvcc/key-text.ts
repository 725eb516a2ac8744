/**
 * Keys as texts: one character for each byte (latin1).
 *
 * A text is its own copy, is found in a map by its content, and sorts as its bytes do.
 * Chapter: 06-mvcc
 */
import type { Bytes } from "#base";

/** A key as text. */
export type KeyText = string;

/** Two methods of `Buffer` that work on any bytes, without a `Buffer` being made around them. */
const native = Buffer.prototype as unknown as {
  latin1Slice(this: Bytes, from: number, before: number): string;
  latin1Write(this: Bytes, text: string, offset: number): number;
};

/** Bytes as text. */
export function textOf(bytes: Bytes): KeyText {
  return native.latin1Slice.call(bytes, 0, bytes.length);
}

/** Text as bytes, in an array of their own. */
export function bytesOf(text: KeyText): Bytes {
  const bytes = new Uint8Array(text.length);
  putText(bytes, 0, text);
  return bytes;
}

/** Writes the bytes of a text. There must be room. */
export function putText(target: Bytes, offset: number, text: KeyText): void {
  native.latin1Write.call(target, text, offset);
}

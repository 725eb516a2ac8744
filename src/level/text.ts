/**
 * Strings as bytes and back, without an allocation per key.
 *
 * Measured, for 16 and for 100 characters: into a buffer that is used again 50 ns, into a new one
 * 100 ns; a loop over characters wins only below 30. That is why strings are a format of their own
 * here and are not encoded by `abstract-level`. Invariant: a view from an encoder holds until its
 * next call, so it goes only to methods that copy or are done when they return.
 */
import type { Bytes } from "#base";

/** Names of the formats in which keys and values reach us. */
export type FormatName = "utf8" | "buffer" | "view";

/** A key or value as it reaches us: a string in the format `utf8`, bytes in the others. */
export type Format = string | Bytes;

const CAPACITY_BYTES = 16 * 1024;
/** A longer text gets an array of its own, so that one long value does not hold memory forever. */
const CAPACITY_BYTES_MAX = 1024 * 1024;
/** UTF-8 takes at most this many bytes for one unit of a JavaScript string. */
const UNIT_BYTES_MAX = 3;
/** Views of so few bytes are made once and kept. */
const KEPT_VIEW_BYTES_MAX = 256;

const encoder = new TextEncoder();
/** A byte order mark is part of a value like any other character. */
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Turns what comes from outside into bytes. */
export interface TextEncoderView {
  /** @returns the bytes themselves, or for a string a view that holds until the next call. */
  encode(source: Format): Bytes;
}

/** Makes an encoder with memory of its own. */
export function createTextEncoder(): TextEncoderView {
  return new ReusingEncoder();
}

/** As an encoder does, into an array that nobody else uses or changes. */
export function encodeOwn(source: Format): Bytes {
  return typeof source === "string" ? encoder.encode(source) : source.slice();
}

/** Bytes as a string. */
export function decodeText(bytes: Bytes): string {
  return decoder.decode(bytes);
}

/** Bytes that are the caller's own, as a `Buffer`: what the engine returns mostly is one. */
export function asBuffer(bytes: Bytes): Buffer {
  return Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A copy of bytes as a `Buffer`, from the pool if it is small. */
export function copyToBuffer(bytes: Bytes): Buffer {
  const copy = Buffer.allocUnsafe(bytes.length);
  copy.set(bytes);
  return copy;
}

class ReusingEncoder implements TextEncoderView {
  #target: Bytes = new Uint8Array(CAPACITY_BYTES);
  #views: (Bytes | undefined)[] = new Array(KEPT_VIEW_BYTES_MAX + 1).fill(undefined);

  encode(source: Format): Bytes {
    if (typeof source !== "string") return source;
    const bytesMax = source.length * UNIT_BYTES_MAX;
    if (bytesMax > this.#target.length) {
      if (bytesMax > CAPACITY_BYTES_MAX) return encoder.encode(source);
      this.#grow(bytesMax);
    }
    const { written } = encoder.encodeInto(source, this.#target);
    if (written > KEPT_VIEW_BYTES_MAX) return this.#target.subarray(0, written);
    const kept = this.#views[written];
    if (kept !== undefined) return kept;
    const view = this.#target.subarray(0, written);
    this.#views[written] = view;
    return view;
  }

  #grow(bytesMin: number): void {
    this.#target = new Uint8Array(Math.max(bytesMin, this.#target.length * 2));
    this.#views.fill(undefined);
  }
}

/**
 * Puts values one after another into an array of bytes that grows as needed.
 *
 * Invariant: a `ByteReader` that asks for the same kinds of values in the same order gets them
 * back. Chapter: 00-bytes
 */
import type { Bytes } from "#base";
import { putU32, putU64, U32_BYTES, U64_BYTES } from "./ints.ts";
import { putVarint, VARINT_BYTES_MAX, varintBytes } from "./varint.ts";

/**
 * A growing array of bytes. Values outside their range are a RangeError; nothing is written then.
 */
export interface ByteWriter {
  /** Bytes written so far. */
  readonly length: number;
  /** 0 to 255. */
  u8(value: number): void;
  /** 0 to 2^32 - 1. */
  u32(value: number): void;
  /** 0 to 2^53 - 1. */
  u64(value: number): void;
  /** All 64 bits, with sign. */
  i64(value: bigint): void;
  /** Any double, NaN and infinities too. */
  f64(value: number): void;
  /** 0 to 2^53 - 1. */
  varint(value: number): void;
  /** The bytes as they are; their number is not written. */
  raw(bytes: Bytes): void;
  /** Their number as a varint, then the bytes. */
  bytes(bytes: Bytes): void;
  /** As UTF-8, with the number of bytes as a varint in front. Lone surrogates become U+FFFD. */
  text(value: string): void;
  /** What has been written, as an array of its own. The writer may go on. */
  finish(): Bytes;
  /** Forgets everything written and keeps the memory. */
  reset(): void;
}

/** Makes an empty writer. @param capacity - bytes to reserve at first; a hint. */
export function createByteWriter(capacity = CAPACITY_DEFAULT): ByteWriter {
  return new Writer(Math.max(capacity, CAPACITY_MIN));
}

/** A small request with a few parameters fits without growing. */
const CAPACITY_DEFAULT = 256;
const CAPACITY_MIN = 16;
const U8_MAX = 0xff;
const I64_MIN = -(2n ** 63n);
const I64_MAX = 2n ** 63n - 1n;
/** UTF-8 needs at most three bytes for one UTF-16 unit. */
const UTF8_BYTES_PER_UNIT_MAX = 3;
const utf8 = new TextEncoder();

class Writer implements ByteWriter {
  #target: Bytes;
  #view: DataView;
  #length = 0;

  constructor(capacity: number) {
    this.#target = new Uint8Array(capacity);
    this.#view = new DataView(this.#target.buffer);
  }

  get length(): number {
    return this.#length;
  }

  u8(value: number): void {
    if (!(Number.isInteger(value) && value >= 0 && value <= U8_MAX)) {
      throw new RangeError(`bytes: u8: ${value} is not from 0 to 255`);
    }
    this.#reserve(1);
    this.#target[this.#length] = value;
    this.#length += 1;
  }

  u32(value: number): void {
    this.#reserve(U32_BYTES);
    putU32(this.#target, this.#length, value);
    this.#length += U32_BYTES;
  }

  u64(value: number): void {
    this.#reserve(U64_BYTES);
    putU64(this.#target, this.#length, value);
    this.#length += U64_BYTES;
  }

  i64(value: bigint): void {
    if (value < I64_MIN || value > I64_MAX) {
      throw new RangeError(`bytes: i64: ${value} is not from -2^63 to 2^63 - 1`);
    }
    this.#reserve(U64_BYTES);
    this.#view.setBigInt64(this.#length, value, true);
    this.#length += U64_BYTES;
  }

  f64(value: number): void {
    this.#reserve(U64_BYTES);
    this.#view.setFloat64(this.#length, value, true);
    this.#length += U64_BYTES;
  }

  varint(value: number): void {
    this.#reserve(VARINT_BYTES_MAX);
    this.#length = putVarint(this.#target, this.#length, value);
  }

  raw(bytes: Bytes): void {
    this.#reserve(bytes.length);
    this.#target.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  bytes(bytes: Bytes): void {
    this.varint(bytes.length);
    this.raw(bytes);
  }

  text(value: string): void {
    const bytesMax = value.length * UTF8_BYTES_PER_UNIT_MAX;
    this.#reserve(VARINT_BYTES_MAX + bytesMax);
    // The number of bytes is known only after encoding. Encode where a one-byte number would leave
    // the text, and move it in the rare case that the number is longer.
    const at = this.#length;
    const { written } = utf8.encodeInto(value, this.#target.subarray(at + 1));
    const start = at + varintBytes(written);
    if (start !== at + 1) this.#target.copyWithin(start, at + 1, at + 1 + written);
    putVarint(this.#target, at, written);
    this.#length = start + written;
  }

  finish(): Bytes {
    return this.#target.slice(0, this.#length);
  }

  reset(): void {
    this.#length = 0;
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#target.length) return;
    // Doubling keeps the copying proportional to what is written in all.
    const grown = new Uint8Array(Math.max(needed, this.#target.length * 2));
    grown.set(this.#target.subarray(0, this.#length));
    this.#target = grown;
    this.#view = new DataView(grown.buffer);
  }
}

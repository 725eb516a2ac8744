/**
 * Reads values off an array of bytes, one after another, never beyond its end.
 *
 * Invariant: nothing is allocated and nothing is skipped from a length that has not been checked
 * against the bytes that are really there. Any shortage is `BYTES_MALFORMED` and names the place.
 * Chapter: 00-bytes
 */
import { type Bytes, CairnError } from "#base";
import { getU32, getU64, U32_BYTES, U64_BYTES } from "./ints.ts";
import { getVarint } from "./varint.ts";

/**
 * A place in an array of bytes, and what can be read there. Every method throws `BYTES_MALFORMED`.
 */
export interface ByteReader {
  /** Where the next value starts. */
  readonly offset: number;
  /** Bytes left. */
  readonly remaining: number;
  /** 0 to 255. */
  u8(): number;
  /** 0 to 2^32 - 1. */
  u32(): number;
  /** 0 to 2^53 - 1; more is malformed. */
  u64(): number;
  /** All 64 bits, with sign. */
  i64(): bigint;
  /** A double, with NaN and infinities as they were written. */
  f64(): number;
  /** 0 to 2^53 - 1, in its shortest form. */
  varint(): number;
  /** The next `count` bytes: a view, not a copy. */
  raw(count: number): Bytes;
  /** A varint, then that many bytes: a view, not a copy. */
  bytes(): Bytes;
  /** A varint, then that many bytes of UTF-8. Invalid UTF-8 is malformed. */
  text(): string;
  /** Throws unless everything has been read, so that a format cannot carry stowaways. */
  end(): void;
}

/** Reads `source` from its beginning. It is not copied. */
export function createByteReader(source: Bytes): ByteReader {
  return new Reader(source);
}

/** A varint below this is its only byte: most of them are. */
const VARINT_GROUP_VALUES = 128;
/** `fatal`: without it, two different wrong inputs would decode to the same text. */
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

class Reader implements ByteReader {
  readonly #source: Bytes;
  readonly #view: DataView;
  #offset = 0;

  constructor(source: Bytes) {
    this.#source = source;
    this.#view = new DataView(source.buffer, source.byteOffset, source.byteLength);
  }

  get offset(): number {
    return this.#offset;
  }

  get remaining(): number {
    return this.#source.length - this.#offset;
  }

  u8(): number {
    return this.#source[this.#take(1)]!;
  }

  u32(): number {
    return getU32(this.#source, this.#take(U32_BYTES));
  }

  u64(): number {
    const at = this.#take(U64_BYTES);
    try {
      return getU64(this.#source, at);
    } catch (error) {
      throw this.#malformed(at, "a whole number above 2^53 - 1", error);
    }
  }

  i64(): bigint {
    return this.#view.getBigInt64(this.#take(U64_BYTES), true);
  }

  f64(): number {
    return this.#view.getFloat64(this.#take(U64_BYTES), true);
  }

  varint(): number {
    const first = this.#source[this.#offset];
    if (first !== undefined && first < VARINT_GROUP_VALUES) {
      this.#offset += 1;
      return first;
    }
    const { value, next } = getVarint(this.#source, this.#offset);
    this.#offset = next;
    return value;
  }

  raw(count: number): Bytes {
    const at = this.#take(count);
    return this.#source.subarray(at, at + count);
  }

  bytes(): Bytes {
    return this.raw(this.varint());
  }

  text(): string {
    const at = this.#offset;
    const encoded = this.bytes();
    try {
      return utf8.decode(encoded);
    } catch (error) {
      throw this.#malformed(at, "text that is not UTF-8", error);
    }
  }

  end(): void {
    if (this.remaining > 0) throw this.#malformed(this.#offset, `${this.remaining} bytes too many`);
  }

  #take(count: number): number {
    const at = this.#offset;
    if (!(count >= 0 && count <= this.remaining)) {
      throw this.#malformed(at, `${count} bytes wanted, ${this.remaining} left`);
    }
    this.#offset = at + count;
    return at;
  }

  #malformed(offset: number, problem: string, cause?: unknown): CairnError {
    const message = `bytes: at byte ${offset} of ${this.#source.length}: ${problem}`;
    return new CairnError("BYTES_MALFORMED", message, { details: { offset }, cause });
  }
}

/**
 * Keys that must outlive the view they were read from.
 *
 * Invariant: what is held is a copy, in memory that is used again and again, so that a walk over
 * millions of keys allocates nothing.
 * Chapter: 04-lsm
 */
import type { Bytes } from "#base";

/** The empty key or value. */
export const NO_BYTES: Bytes = new Uint8Array(0);

/** Fits most keys; it grows for others. */
const BUFFER_BYTES_INITIAL = 64;

/** Room to spare, at most, when a longer one needs new memory. */
const SPARE_BYTES_MAX = 64 * 1024;

/** Up to here, a loop copies faster than the library's call. */
const LOOP_BYTES_MAX = 24;

/** One byte string. */
export interface HeldBytes {
  /** What is held, until the next `set`. */
  readonly view: Bytes;
  /** Copies bytes. */
  set(bytes: Bytes): void;
  /** Holds nothing, which is equal to nothing. */
  clear(): void;
  /** Whether these bytes are held. */
  equals(bytes: Bytes): boolean;
}

/** Makes one that holds nothing. */
export function createHeldBytes(): HeldBytes {
  return new Held();
}

/** The first key above `key`: that one and a zero byte. A copy. */
export function keyAfter(key: Bytes): Bytes {
  const after = new Uint8Array(key.length + 1);
  after.set(key);
  return after;
}

class Held implements HeldBytes {
  #buffer: Bytes = new Uint8Array(BUFFER_BYTES_INITIAL);
  #holds = false;
  view: Bytes = NO_BYTES;

  set(bytes: Bytes): void {
    const { length } = bytes;
    if (this.view.length !== length) this.#resize(length);
    const { view } = this;
    if (length > LOOP_BYTES_MAX) view.set(bytes);
    else for (let i = 0; i < length; i += 1) view[i] = bytes[i]!;
    this.#holds = true;
  }

  clear(): void {
    this.#holds = false;
  }

  /** Neighbours in a table differ most often at their ends, so it looks there first. */
  equals(bytes: Bytes): boolean {
    if (!this.#holds) return false;
    const { view } = this;
    if (view.length !== bytes.length) return false;
    for (let i = bytes.length - 1; i >= 0; i -= 1) {
      if (view[i] !== bytes[i]) return false;
    }
    return true;
  }

  #resize(length: number): void {
    if (length > this.#buffer.length) {
      this.#buffer = new Uint8Array(length + Math.min(length, SPARE_BYTES_MAX));
    }
    this.view = this.#buffer.subarray(0, length);
  }
}

/**
 * An iterator as the caller holds it.
 *
 * Invariant: from its making to its closing it holds its sequence and its version, so that neither
 * a compaction nor an unlink takes away what it will come to (L4).
 * Chapter: 04-lsm
 */
import type { Bytes } from "#base";
import { copyBytes } from "#bytes";
import type { EngineIterator } from "./types.ts";
import type { VisibleCursor } from "./visible-cursor.ts";
import { checkBytes, closed } from "./write-batch.ts";

/**
 * Makes the iterator.
 *
 * @param release - called once, when it is closed.
 */
export function createEngineIterator(cursor: VisibleCursor, release: () => void): EngineIterator {
  return new HeldIterator(cursor, release);
}

class HeldIterator implements EngineIterator {
  readonly #cursor: VisibleCursor;
  readonly #release: () => void;
  #isClosed = false;

  constructor(cursor: VisibleCursor, release: () => void) {
    this.#cursor = cursor;
    this.#release = release;
  }

  get key(): Bytes {
    this.#checkOpen();
    return this.#cursor.key;
  }

  get value(): Bytes {
    this.#checkOpen();
    return this.#cursor.value;
  }

  next(): boolean {
    this.#checkOpen();
    return this.#cursor.next();
  }

  seek(key: Bytes): void {
    this.#checkOpen();
    checkBytes("key", key);
    this.#cursor.seek(key);
  }

  take(limit: number): [key: Bytes, value: Bytes][] {
    this.#checkOpen();
    if (!Number.isSafeInteger(limit) || limit < 0) {
      throw new RangeError(`lsm: take: ${limit} is not a whole number from 0`);
    }
    const cursor = this.#cursor;
    const entries: [Bytes, Bytes][] = [];
    while (entries.length < limit && cursor.next()) {
      entries.push([copyBytes(cursor.key), copyBytes(cursor.value)]);
    }
    return entries;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    try {
      this.#cursor.close();
    } finally {
      this.#release();
    }
  }

  #checkOpen(): void {
    if (this.#isClosed) throw closed("iterator");
  }
}

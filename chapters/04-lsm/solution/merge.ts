/**
 * Merging sorted sources by recency (04.1).
 *
 * Keys go up. Of equal keys, all entries of the newer source come first: the place in the list
 * decides, never a sequence. Invariant: `#top` is the source of the current entry, or -1.
 * Chapter: 04-lsm, step 04.1
 */
import type { Bytes, Sequence } from "#base";
import { compareBytes } from "#bytes";
import type { ForwardCursor } from "./types.ts";

/** Merges cursors, newest first. The result owns them: closing it closes them. */
export function mergeCursors(newestFirst: readonly ForwardCursor[]): ForwardCursor {
  return new MergeCursor(newestFirst);
}

class MergeCursor implements ForwardCursor {
  readonly #sources: readonly ForwardCursor[];
  #top = -1;
  /** After an error, for good: the sources no longer stand where the merge believes. */
  #hasFailed = false;
  #isClosed = false;

  constructor(sources: readonly ForwardCursor[]) {
    this.#sources = sources;
  }

  get valid(): boolean {
    return this.#top >= 0;
  }

  get key(): Bytes {
    return this.#current.key;
  }

  get value(): Bytes {
    return this.#current.value;
  }

  get sequence(): Sequence {
    return this.#current.sequence;
  }

  get isDeletion(): boolean {
    return this.#current.isDeletion;
  }

  seekFirst(): void {
    this.#move(() => {
      for (const source of this.#sources) source.seekFirst();
    });
  }

  seek(key: Bytes): void {
    this.#move(() => {
      for (const source of this.#sources) source.seek(key);
    });
  }

  next(): void {
    if (this.valid) this.#move(() => this.#current.next());
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#top = -1;
    const errors: unknown[] = [];
    for (const source of this.#sources) {
      try {
        source.close();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors[0];
  }

  get #current(): ForwardCursor {
    const source = this.#sources[this.#top];
    if (source === undefined) throw new RangeError("lsm: the merge is at no entry");
    return source;
  }

  #move(move: () => void): void {
    if (this.#hasFailed) return;
    try {
      move();
      this.#top = this.#nearest();
    } catch (error) {
      this.#hasFailed = true;
      this.#top = -1;
      throw error;
    }
  }

  /** The source with the lowest key; of equals, the newest. */
  #nearest(): number {
    let nearest = -1;
    let lowest: Bytes | null = null;
    for (const [rank, source] of this.#sources.entries()) {
      if (!source.valid) continue;
      const key = source.key;
      if (lowest === null || compareBytes(key, lowest) < 0) {
        nearest = rank;
        lowest = key;
      }
    }
    return nearest;
  }
}

/**
 * What a reader at one sequence sees of all versions: of each key the newest at or below it, unless
 * that is a deletion, within bounds, in either direction.
 *
 * Going up, versions come newest first, so the first that is old enough decides, and the source is
 * left standing there: its views are the answer, and nothing but the key is copied. Going down they
 * come oldest first, and the answer is known only when the next key begins: it is copied.
 *
 * A cursor that has failed keeps failing, so that nobody takes half an answer for a whole one.
 *
 * Invariant: no key is given twice, and keys come in strict order.
 * Chapter: 04-lsm
 */
import type { Bytes, Cursor, Sequence } from "#base";
import { compareBytes, copyBytes } from "#bytes";
import { createHeldBytes, keyAfter, NO_BYTES } from "./held-bytes.ts";

/** What is seen, and where. At most one lower and one upper bound; they are copied. */
export interface VisibleOptions {
  /** The reader's sequence. */
  readonly at: Sequence;
  readonly gte?: Bytes;
  readonly gt?: Bytes;
  readonly lte?: Bytes;
  readonly lt?: Bytes;
  /** From the last key to the first. Default false. */
  readonly reverse?: boolean;
}

/** A walk over keys and values. Stands before the first entry when made. */
export interface VisibleCursor {
  /**
   * Moves on. @returns false when there is nothing more; key and value are then meaningless.
   *
   * @throws what the source throws, and the same again from then on.
   */
  next(): boolean;
  /** A view until the next move. */
  readonly key: Bytes;
  /** As `key`. */
  readonly value: Bytes;
  /** Moves so that `next` comes to `key`, or to the nearest one behind it, within the bounds. */
  seek(key: Bytes): void;
  /** Closes the source. */
  close(): void;
}

/** Makes the cursor. It owns its source, which nobody else may move from then on. */
export function createVisibleCursor(source: Cursor, options: VisibleOptions): VisibleCursor {
  const { gte, gt, lte, lt, at } = options;
  const bounds: Bounds = {
    at,
    from: gt !== undefined ? keyAfter(gt) : gte !== undefined ? copyBytes(gte) : null,
    before: lte !== undefined ? keyAfter(lte) : lt !== undefined ? copyBytes(lt) : null,
  };
  return options.reverse ? new Descending(source, bounds) : new Ascending(source, bounds);
}

/** The range, half-open; null: no end on that side. */
interface Bounds {
  readonly at: Sequence;
  readonly from: Bytes | null;
  readonly before: Bytes | null;
}

/** Where the source stands. */
const Place = {
  /** Nowhere yet. */
  outside: 0,
  /** At an entry that has not been looked at. */
  ahead: 1,
  /** At the entry that was given. */
  given: 2,
  /** Beyond the last one. */
  behind: 3,
} as const;
type Place = (typeof Place)[keyof typeof Place];

abstract class Walk implements VisibleCursor {
  protected readonly source: Cursor;
  protected readonly bounds: Bounds;
  protected place: Place = Place.outside;
  key: Bytes = NO_BYTES;
  #failure: { readonly error: unknown } | null = null;

  constructor(source: Cursor, bounds: Bounds) {
    this.source = source;
    this.bounds = bounds;
  }

  abstract get value(): Bytes;
  protected abstract advance(): boolean;
  protected abstract seekTo(key: Bytes): void;

  next(): boolean {
    if (this.#failure !== null) throw this.#failure.error;
    try {
      return this.advance();
    } catch (error) {
      this.#failure = { error };
      throw error;
    }
  }

  seek(key: Bytes): void {
    if (this.#failure !== null) throw this.#failure.error;
    try {
      // A copy: the key may be a view into a source, which is about to move.
      this.seekTo(copyBytes(key));
      this.place = Place.ahead;
    } catch (error) {
      this.#failure = { error };
      throw error;
    }
  }

  close(): void {
    this.source.close();
  }

  protected end(): false {
    this.place = Place.behind;
    this.key = NO_BYTES;
    return false;
  }
}

class Ascending extends Walk {
  /** The key whose fate is known; older versions of it are passed over. */
  readonly #decided = createHeldBytes();

  get value(): Bytes {
    return this.place === Place.given ? this.source.value : NO_BYTES;
  }

  protected advance(): boolean {
    const { source, bounds } = this;
    const decided = this.#decided;
    if (this.place === Place.given) {
      decided.set(this.key);
      source.next();
    } else if (this.place === Place.behind) {
      return false;
    } else if (this.place === Place.outside) {
      if (bounds.from === null) source.seekFirst();
      else source.seek(bounds.from);
    }
    const { at, before } = bounds;
    for (; source.valid; source.next()) {
      const key = source.key;
      if (decided.equals(key)) continue;
      if (before !== null && compareBytes(key, before) >= 0) break;
      if (source.sequence > at) continue;
      if (source.isDeletion) {
        decided.set(key);
        continue;
      }
      this.key = key;
      this.place = Place.given;
      return true;
    }
    return this.end();
  }

  protected seekTo(key: Bytes): void {
    const { from } = this.bounds;
    this.#decided.clear();
    this.source.seek(from !== null && compareBytes(key, from) < 0 ? from : key);
  }
}

class Descending extends Walk {
  readonly #key = createHeldBytes();
  readonly #value = createHeldBytes();

  get value(): Bytes {
    return this.#value.view;
  }

  protected advance(): boolean {
    const { source, bounds } = this;
    if (this.place === Place.behind) return false;
    if (this.place === Place.outside) {
      if (bounds.before === null) source.seekLast();
      else source.seekBefore(bounds.before);
    }
    this.place = Place.ahead;
    const { at, from } = bounds;
    const held = this.#key;
    while (source.valid) {
      const key = source.key;
      if (from !== null && compareBytes(key, from) < 0) break;
      held.set(key);
      let found = false;
      do {
        if (source.sequence <= at) {
          found = !source.isDeletion;
          if (found) this.#value.set(source.value);
        }
        source.prev();
      } while (source.valid && held.equals(source.key));
      if (found) {
        this.key = held.view;
        return true;
      }
    }
    return this.end();
  }

  protected seekTo(key: Bytes): void {
    const { before } = this.bounds;
    const after = keyAfter(key);
    this.source.seekBefore(before !== null && compareBytes(after, before) > 0 ? before : after);
  }
}

/**
 * What a transaction has written so far, for itself.
 *
 * Invariant: each key is there once, with the newest change. Rolling back to a savepoint gives the
 * set as it was there.
 * Chapter: 06-mvcc
 */
import type { Bytes } from "#base";
import type { KeyText } from "./key-text.ts";
import type { Write } from "./version-store.ts";

/** What a rollback restores. */
interface Undo {
  readonly key: KeyText;
  /** Undefined: the key was not there. */
  readonly before: Write | undefined;
}

/** The changes of one transaction. */
export interface WriteSet {
  readonly size: number;
  /** The change to a key; undefined if there is none. */
  get(key: KeyText): Write | undefined;
  has(key: KeyText): boolean;
  /** @param packed - kept, not copied. */
  set(key: KeyText, packed: Bytes): void;
  /** All keys, in no order. */
  keys(): IterableIterator<KeyText>;
  /** All changes, in no order. */
  values(): IterableIterator<Write>;
  /** Keys from `from` (included) to `before` (excluded), ascending; null: no end on that side. */
  range(from: KeyText | null, before: KeyText | null): Write[];
  /** A mark to roll back to. */
  mark(): number;
  rollBack(mark: number): void;
}

/** Makes an empty set. */
export function createWriteSet(): WriteSet {
  return new MappedWrites();
}

class MappedWrites implements WriteSet {
  readonly #writes = new Map<KeyText, Write>();
  /** Null until somebody sets a mark: most transactions never do. */
  #undo: Undo[] | null = null;

  get size(): number {
    return this.#writes.size;
  }

  get(key: KeyText): Write | undefined {
    return this.#writes.get(key);
  }

  has(key: KeyText): boolean {
    return this.#writes.has(key);
  }

  set(key: KeyText, packed: Bytes): void {
    this.#undo?.push({ key, before: this.#writes.get(key) });
    this.#writes.set(key, { key, packed });
  }

  keys(): IterableIterator<KeyText> {
    return this.#writes.keys();
  }

  values(): IterableIterator<Write> {
    return this.#writes.values();
  }

  range(from: KeyText | null, before: KeyText | null): Write[] {
    return [...this.#writes.values()]
      .filter(({ key }) => (from === null || key >= from) && (before === null || key < before))
      .sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  mark(): number {
    this.#undo ??= [];
    return this.#undo.length;
  }

  rollBack(mark: number): void {
    const undo = this.#undo ?? [];
    while (undo.length > mark) {
      const { key, before } = undo.pop()!;
      if (before === undefined) this.#writes.delete(key);
      else this.#writes.set(key, before);
    }
  }
}

/**
 * A cursor over every version: by key ascending, and for one key from the newest to the oldest.
 *
 * It stands at an entry, not at a place in the structure. Places move when keys come in; an entry
 * stays where it is in the arena, and says its key, by which its place is found again.
 *
 * Invariant: what it has passed it does not meet again, whatever is written between two steps.
 * Chapter: 02-memtable, step 02.4
 */
import { assert, type Bytes, type Cursor, type Sequence } from "#base";
import {
  type Entries,
  isDeletionAt,
  keyOf,
  olderOf,
  sequenceOf,
  valueBytesOf,
  valueStart,
} from "./arena.ts";
import { NOWHERE, type OrderedKeys } from "./order.ts";

/** A cursor, and what the table must know of it. */
export interface EntryCursor extends Cursor {
  /** The entry that the cursor stands at, whose bytes must stay as they are; 0 for none. */
  readonly reference: number;
}

/**
 * Makes a cursor that stands nowhere.
 *
 * @param onClose - called once.
 */
export function createEntryCursor(
  entries: Entries,
  order: OrderedKeys,
  onClose?: (cursor: EntryCursor) => void,
): EntryCursor {
  return new VersionCursor(entries, order, onClose);
}

class VersionCursor implements EntryCursor {
  reference = 0;
  readonly #entries: Entries;
  readonly #order: OrderedKeys;
  readonly #onClose: ((cursor: EntryCursor) => void) | undefined;
  #position = NOWHERE;
  /** What `changes` of the order was when the position was taken. */
  #changes = 0;
  #isClosed = false;
  #key: Bytes | null = null;

  constructor(
    entries: Entries,
    order: OrderedKeys,
    onClose: ((cursor: EntryCursor) => void) | undefined,
  ) {
    this.#entries = entries;
    this.#order = order;
    this.#onClose = onClose;
  }

  get valid(): boolean {
    return this.reference !== 0;
  }

  get key(): Bytes {
    this.#key ??= keyOf(this.#entries, this.reference);
    return this.#key;
  }

  get value(): Bytes {
    const { bytes, words } = this.#entries;
    const start = valueStart(words, this.reference);
    return bytes.subarray(start, start + valueBytesOf(words, this.reference));
  }

  get sequence(): Sequence {
    return sequenceOf(this.#entries.words, this.reference);
  }

  get isDeletion(): boolean {
    return isDeletionAt(this.#entries.words, this.reference);
  }

  seekFirst(): void {
    this.#standAtNewest(this.#order.first());
  }

  seekLast(): void {
    this.#standAtOldest(this.#order.last());
  }

  seek(key: Bytes): void {
    this.#standAtNewest(this.#order.atOrAbove(key));
  }

  seekBefore(key: Bytes): void {
    this.#standAtOldest(this.#order.below(key));
  }

  next(): void {
    assert(this.valid, "memtable: a cursor moves on only from an entry");
    const older = olderOf(this.#entries.words, this.reference);
    if (older !== 0) {
      this.reference = older;
      this.#key = null;
      return;
    }
    this.#findPlace();
    this.#standAtNewest(this.#order.after(this.#position));
  }

  prev(): void {
    assert(this.valid, "memtable: a cursor moves back only from an entry");
    this.#findPlace();
    // Versions are linked towards the older ones only, and are few: walk down from the newest.
    const { words } = this.#entries;
    const sequence = this.sequence;
    let newer = 0;
    let version = this.#order.referenceAt(this.#position);
    while (version !== 0 && sequenceOf(words, version) > sequence) {
      newer = version;
      version = olderOf(words, version);
    }
    if (newer === 0) {
      this.#standAtOldest(this.#order.before(this.#position));
      return;
    }
    this.reference = newer;
    this.#key = null;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.reference = 0;
    this.#onClose?.(this);
  }

  /** Keys never go away, so the one that the cursor stands at is found. */
  #findPlace(): void {
    if (this.#changes === this.#order.changes) return;
    this.#position = this.#order.atOrAbove(this.key);
    this.#changes = this.#order.changes;
  }

  #standAtNewest(position: number): void {
    this.#position = position;
    this.#changes = this.#order.changes;
    this.#key = null;
    this.reference = position === NOWHERE ? 0 : this.#order.referenceAt(position);
  }

  #standAtOldest(position: number): void {
    this.#standAtNewest(position);
    if (position === NOWHERE) return;
    const { words } = this.#entries;
    for (let older = olderOf(words, this.reference); older !== 0; older = olderOf(words, older)) {
      this.reference = older;
    }
  }
}

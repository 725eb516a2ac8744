/**
 * The memtable: versions of keys in an arena, and a structure that keeps the keys in order.
 *
 * Invariant: the structure holds one reference for each key, to its newest version, from which the
 * older ones are linked, newest first. A deletion is a version like any other (M1, M3).
 * Chapter: 02-memtable
 */
import { assert, type Bytes, type Cursor, type Lookup, type Sequence } from "#base";
import { compareBytes, copyBytes } from "#bytes";
import {
  type Arena,
  createArena,
  isDeletionAt,
  olderOf,
  roomBytesOf,
  sequenceOf,
  valueBytesOf,
  valueStart,
  WORD_BYTES,
} from "./arena.ts";
import { createBTree } from "./btree.ts";
import { createEntryCursor, type EntryCursor } from "./cursor.ts";
import { createHashMap } from "./hash-map.ts";
import { type KeyOrder, NOWHERE } from "./order.ts";
import { shareTable } from "./shared.ts";
import { createSkipList } from "./skip-list.ts";
import { createSortedArray } from "./sorted-array.ts";
import type {
  KeyRange,
  Memtable,
  MemtableEntry,
  MemtableOptions,
  MemtableStructure,
  SharedMemtable,
} from "./types.ts";

/** Small, since an engine may have many memtables that hold little; doubling is soon done. */
const BYTES_INITIAL = 64 * 1024;
/** No sequence is above it: a reader here is at the newest. */
const NEWEST: Sequence = Number.MAX_SAFE_INTEGER;
/** A value that outgrows its room gets this part of itself on top, so that growing ends. */
const SPARE_ROOM_DIVISOR = 4;

const ABSENT: Lookup = { kind: "absent" };
const DELETED: Lookup = { kind: "deleted" };

/**
 * Makes an empty memtable.
 *
 * @throws RangeError for an unknown structure or a size that is no number of bytes.
 */
export function createMemtable(options: MemtableOptions = {}): Memtable {
  return new ArenaTable(options);
}

class ArenaTable implements Memtable {
  entries = 0;
  deletions = 0;
  sequenceMax: Sequence = 0;
  readonly #structure: MemtableStructure;
  readonly #arena: Arena;
  readonly #order: KeyOrder;
  /** Lowest sequence; `NEWEST` when there is none. */
  #lowest: Sequence = NEWEST;
  /** False after the version with the lowest sequence was replaced: then all must be asked. */
  #isLowestKnown = true;
  #isFrozen = false;
  /** Open cursors: the bytes that one stands at are not written over. */
  readonly #cursors: EntryCursor[] = [];

  constructor(options: MemtableOptions) {
    const bytesInitial = options.bytesInitial ?? BYTES_INITIAL;
    if (!Number.isSafeInteger(bytesInitial) || bytesInitial < 0) {
      throw new RangeError(`memtable: bytesInitial is ${bytesInitial}`);
    }
    this.#structure = options.structure ?? "btree";
    const { reuse } = options;
    const used = reuse instanceof ArenaTable ? reuse.#giveUpMemory() : null;
    this.#arena = createArena(bytesInitial, used);
    this.#order = createOrder(this.#structure, this.#arena, options.random);
  }

  get sequenceMin(): Sequence {
    if (this.entries === 0) return 0;
    if (!this.#isLowestKnown) this.#findLowest();
    return this.#lowest;
  }

  put(key: Bytes, value: Bytes, sequence: Sequence, newestReader: Sequence = NEWEST): void {
    this.#record(key, value, sequence, newestReader);
  }

  delete(key: Bytes, sequence: Sequence, newestReader: Sequence = NEWEST): void {
    this.#record(key, null, sequence, newestReader);
  }

  get(key: Bytes, at: Sequence = NEWEST): Lookup {
    let reference = this.#order.find(key);
    const { bytes, words } = this.#arena;
    while (reference !== 0 && sequenceOf(words, reference) > at) {
      reference = olderOf(words, reference);
    }
    if (reference === 0) return ABSENT;
    if (isDeletionAt(words, reference)) return DELETED;
    const start = valueStart(words, reference);
    const value = copyBytes(bytes, start, start + valueBytesOf(words, reference));
    return { kind: "value", value };
  }

  cursor(): Cursor {
    const cursor = createEntryCursor(this.#arena, this.#order, (closed) => {
      this.#cursors.splice(this.#cursors.indexOf(closed), 1);
    });
    this.#cursors.push(cursor);
    return cursor;
  }

  scan(range: KeyRange = {}): IterableIterator<MemtableEntry> {
    // The caller may change its bounds before the first step.
    const { from, before } = range;
    return this.#scan(from && copyBytes(from), before && copyBytes(before));
  }

  approximateBytes(): number {
    return this.#arena.wordsUsed * WORD_BYTES + this.#order.bytes;
  }

  freeze(): void {
    this.#isFrozen = true;
  }

  share(): SharedMemtable | null {
    assert(this.#isFrozen, "memtable: only a frozen table is shared");
    return shareTable(this.#structure, this.#arena, this.#order);
  }

  #record(key: Bytes, value: Bytes | null, sequence: Sequence, newestReader: Sequence): void {
    assert(!this.#isFrozen, "memtable: a frozen table never changes");
    checkSequence(sequence);
    const newest = this.#order.locate(key);
    if (newest === 0) {
      const reference = this.#arena.allocate(key, value === null ? 0 : value.length);
      this.#arena.write(reference, value, sequence, 0);
      this.#order.place(key, reference);
    } else {
      this.#recordNewer(key, value, sequence, { newest, newestReader });
    }
    this.entries += 1;
    if (value === null) this.deletions += 1;
    if (sequence < this.#lowest) this.#lowest = sequence;
    if (sequence > this.sequenceMax) this.sequenceMax = sequence;
  }

  /** Puts a version in front of those that the key has, and drops those that nobody sees. */
  #recordNewer(
    key: Bytes,
    value: Bytes | null,
    sequence: Sequence,
    known: { readonly newest: number; readonly newestReader: Sequence },
  ): void {
    const { newest } = known;
    const arena = this.#arena;
    assert(sequence > sequenceOf(arena.words, newest), "memtable: sequences of a key ascend");
    let kept = newest;
    while (kept !== 0 && sequenceOf(arena.words, kept) > known.newestReader) {
      kept = olderOf(arena.words, kept);
    }
    const valueBytes = value === null ? 0 : value.length;
    const replaces = kept !== newest;
    const fits = valueBytes <= roomBytesOf(arena.words, newest);
    let reference = newest;
    if (!replaces || !fits || this.#isStoodAt(newest)) {
      // A key that is written over again and again would leave a trail of outgrown entries.
      const spareBytes = replaces ? Math.floor(valueBytes / SPARE_ROOM_DIVISOR) : 0;
      reference = arena.allocate(key, valueBytes + spareBytes);
    }
    // From here on nothing fails, so that a lack of memory leaves the table as it was.
    this.#forget(newest, kept);
    arena.write(reference, value, sequence, kept);
    if (reference !== newest) this.#order.place(key, reference);
  }

  /** Takes the versions of a key from `newest` on, until `kept`, out of what is counted. */
  #forget(newest: number, kept: number): void {
    const { words } = this.#arena;
    for (let dropped = newest; dropped !== kept; dropped = olderOf(words, dropped)) {
      this.entries -= 1;
      if (isDeletionAt(words, dropped)) this.deletions -= 1;
      if (sequenceOf(words, dropped) === this.#lowest) this.#isLowestKnown = false;
    }
  }

  #isStoodAt(reference: number): boolean {
    for (const cursor of this.#cursors) {
      if (cursor.reference === reference) return true;
    }
    return false;
  }

  #findLowest(): void {
    const { words } = this.#arena;
    const order = this.#order;
    let lowest = NEWEST;
    for (let place = order.first(); place !== NOWHERE; place = order.after(place)) {
      let version = order.referenceAt(place);
      for (; version !== 0; version = olderOf(words, version)) {
        lowest = Math.min(lowest, sequenceOf(words, version));
      }
    }
    this.#lowest = lowest;
    this.#isLowestKnown = true;
  }

  /** @returns the memory, which is not used here any more; null while a cursor is open. */
  #giveUpMemory(): ArrayBufferLike | null {
    assert(this.#isFrozen, "memtable: only a frozen table gives its memory up");
    return this.#cursors.length > 0 ? null : this.#arena.bytes.buffer;
  }

  *#scan(from: Bytes | undefined, before: Bytes | undefined): IterableIterator<MemtableEntry> {
    const cursor = this.cursor();
    try {
      if (from === undefined) cursor.seekFirst();
      else cursor.seek(from);
      while (cursor.valid && (before === undefined || compareBytes(cursor.key, before) < 0)) {
        const value = cursor.isDeletion ? null : copyBytes(cursor.value);
        yield { key: copyBytes(cursor.key), value, sequence: cursor.sequence };
        cursor.next();
      }
    } finally {
      cursor.close();
    }
  }
}

function checkSequence(sequence: Sequence): void {
  if (!Number.isSafeInteger(sequence) || sequence < 1) {
    throw new RangeError(`memtable: sequence ${sequence}, must be 1 to 2^53 - 1`);
  }
}

function createOrder(
  structure: MemtableStructure,
  arena: Arena,
  random: (() => number) | undefined,
): KeyOrder {
  switch (structure) {
    case "btree":
      return createBTree(arena);
    case "skiplist":
      return createSkipList(arena, random);
    case "map":
      return createHashMap(arena);
    case "array":
      return createSortedArray(arena);
    default:
      throw new RangeError(
        `memtable: unknown structure ${JSON.stringify(structure satisfies never)}`,
      );
  }
}

/**
 * The memtable: a structure that keeps the keys in order, and versions that hang from each key.
 *
 * Invariant: a deletion is a version like any other. It is recorded whether the key is known here
 * or not, since an older table may hold it (M1).
 * Chapter: 02-memtable, steps 02.1, 02.4 and 02.5
 */
import { assert, type Bytes, type Cursor, type Lookup, type Sequence } from "#base";
import { compareBytes, copyBytes } from "#bytes";
import type {
  KeyRange,
  Memtable,
  MemtableEntry,
  MemtableOptions,
  SharedMemtable,
} from "#memtable/types";
import { createCursor } from "./cursor.ts";
import { drawHeight } from "./heights.ts";
import type { KeyOrder, Version } from "./order.ts";
import { createSkipList } from "./skip-list.ts";
import { createSortedArray } from "./sorted-array.ts";
import { lookupOf, NEWEST, versionAt } from "./versions.ts";

/** About what an entry costs besides its key: an object, an array's head, a tower of links. */
const KEY_OVERHEAD_BYTES = 96;
/** About what a version costs besides its value. */
const VERSION_OVERHEAD_BYTES = 64;

/** Makes an empty memtable. A structure that is not written here becomes a skip list. */
export function createMemtable(options: MemtableOptions = {}): Memtable {
  const { structure, random } = options;
  if (structure === "array") return new VersionTable(createSortedArray());
  const heights = random === undefined ? {} : { heightOf: () => drawHeight(random) };
  return new VersionTable(createSkipList(heights));
}

class VersionTable implements Memtable {
  entries = 0;
  deletions = 0;
  sequenceMax: Sequence = 0;
  readonly #order: KeyOrder;
  #bytes = 0;
  #isFrozen = false;

  constructor(order: KeyOrder) {
    this.#order = order;
  }

  get sequenceMin(): Sequence {
    let lowest = this.sequenceMax;
    for (const { sequence } of this.scan()) lowest = Math.min(lowest, sequence);
    return lowest;
  }

  put(key: Bytes, value: Bytes, sequence: Sequence, newestReader?: Sequence): void {
    this.#record(key, copyBytes(value), sequence, newestReader);
  }

  delete(key: Bytes, sequence: Sequence, newestReader?: Sequence): void {
    this.#record(key, null, sequence, newestReader);
  }

  get(key: Bytes, at: Sequence = NEWEST): Lookup {
    return lookupOf(versionAt(this.#order.find(key)?.newest ?? null, at));
  }

  cursor(): Cursor {
    return createCursor(this.#order);
  }

  scan(range: KeyRange = {}): IterableIterator<MemtableEntry> {
    // A generator begins at its first step, and the caller may have changed its bounds by then.
    const { from, before } = range;
    return this.#scan(copyBytes(from ?? new Uint8Array(0)), before && copyBytes(before));
  }

  approximateBytes(): number {
    return this.#bytes;
  }

  freeze(): void {
    this.#isFrozen = true;
  }

  share(): SharedMemtable | null {
    assert(this.#isFrozen, "memtable: only a frozen table is shared");
    return null;
  }

  #record(
    key: Bytes,
    value: Bytes | null,
    sequence: Sequence,
    newestReader: Sequence = NEWEST,
  ): void {
    assert(!this.#isFrozen, "memtable: a frozen table never changes");
    const entry = this.#order.findOrAdd(key);
    const before = entry.newest;
    assert(before === null || sequence > before.sequence, "memtable: sequences of a key ascend");
    if (before === null) this.#bytes += key.length + KEY_OVERHEAD_BYTES;
    // Between the new version and this one is what nobody sees any more.
    const older = versionAt(before, newestReader);
    for (let unseen = before; unseen !== older; unseen = unseen!.older) this.#count(unseen!, -1);
    entry.newest = { sequence, value, older };
    this.#count(entry.newest, 1);
    this.sequenceMax = Math.max(this.sequenceMax, sequence);
  }

  #count({ value }: Version, sign: 1 | -1): void {
    this.entries += sign;
    if (value === null) this.deletions += sign;
    this.#bytes += sign * (VERSION_OVERHEAD_BYTES + (value?.length ?? 0));
  }

  *#scan(from: Bytes, before: Bytes | undefined): IterableIterator<MemtableEntry> {
    const cursor = this.cursor();
    for (cursor.seek(from); cursor.valid; cursor.next()) {
      if (before !== undefined && compareBytes(cursor.key, before) >= 0) break;
      const value = cursor.isDeletion ? null : copyBytes(cursor.value);
      yield { key: copyBytes(cursor.key), value, sequence: cursor.sequence };
    }
    cursor.close();
  }
}

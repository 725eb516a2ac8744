/**
 * The memtable: a structure that keeps the keys in order, and versions that hang from each key.
 *
 * Invariant: a deletion is a version like any other. It is recorded whether the key is known here
 * or not, since an older table may hold it (M1).
 * Chapter: 02-memtable, steps 02.1, 02.4 and 02.5
 */
import { type Bytes, type Cursor, type Lookup, notWritten, type Sequence } from "#base";
import type {
  KeyRange,
  Memtable,
  MemtableEntry,
  MemtableOptions,
  SharedMemtable,
} from "#memtable/types";
import { drawHeight } from "./heights.ts";
import type { KeyOrder } from "./order.ts";
import { createSkipList } from "./skip-list.ts";
import { createSortedArray } from "./sorted-array.ts";

/** Makes an empty memtable. A structure that is not written here becomes a skip list. Given. */
export function createMemtable(options: MemtableOptions = {}): Memtable {
  const { structure, random } = options;
  if (structure === "array") return new VersionTable(createSortedArray());
  const heights = random === undefined ? {} : { heightOf: () => drawHeight(random) };
  return new VersionTable(createSkipList(heights));
}

class VersionTable implements Memtable {
  readonly order: KeyOrder;

  constructor(order: KeyOrder) {
    this.order = order;
  }

  put(_key: Bytes, _value: Bytes, _sequence: Sequence, _newestReader?: Sequence): void {
    notWritten("02.1", "Memtable.put");
  }

  delete(_key: Bytes, _sequence: Sequence, _newestReader?: Sequence): void {
    notWritten("02.1", "Memtable.delete");
  }

  get(_key: Bytes, _at?: Sequence): Lookup {
    return notWritten("02.1", "Memtable.get");
  }

  cursor(): Cursor {
    return notWritten("02.4", "Memtable.cursor");
  }

  scan(_range: KeyRange = {}): IterableIterator<MemtableEntry> {
    return notWritten("02.4", "Memtable.scan");
  }

  get entries(): number {
    return notWritten("02.5", "Memtable.entries");
  }

  get deletions(): number {
    return notWritten("02.5", "Memtable.deletions");
  }

  get sequenceMin(): Sequence {
    return notWritten("02.5", "Memtable.sequenceMin");
  }

  get sequenceMax(): Sequence {
    return notWritten("02.5", "Memtable.sequenceMax");
  }

  approximateBytes(): number {
    return notWritten("02.5", "Memtable.approximateBytes");
  }

  freeze(): void {
    notWritten("02.5", "Memtable.freeze");
  }

  share(): SharedMemtable | null {
    return notWritten("02.5", "Memtable.share");
  }
}

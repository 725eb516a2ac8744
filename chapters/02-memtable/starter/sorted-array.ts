/**
 * A sorted array of entries: a search halves it again and again, a new key moves what is behind it.
 *
 * Invariant: the keys of neighbours ascend as bytes.
 * Chapter: 02-memtable, steps 02.1 and 02.4
 */
import { type Bytes, notWritten } from "#base";
import type { KeyEntry, KeyOrder } from "./order.ts";

/** Makes an empty sorted array. */
export function createSortedArray(): KeyOrder {
  return new SortedArray();
}

class SortedArray implements KeyOrder {
  find(_key: Bytes): KeyEntry | undefined {
    return notWritten("02.1", "SortedArray.find");
  }

  findOrAdd(_key: Bytes): KeyEntry {
    return notWritten("02.1", "SortedArray.findOrAdd");
  }

  atOrAfter(_key: Bytes): KeyEntry | undefined {
    return notWritten("02.4", "SortedArray.atOrAfter");
  }

  after(_entry: KeyEntry): KeyEntry | undefined {
    return notWritten("02.4", "SortedArray.after");
  }

  below(_key?: Bytes): KeyEntry | undefined {
    return notWritten("02.4", "SortedArray.below");
  }
}

/**
 * A frozen table as another thread sees it: the arena itself, and a sorted list of references.
 *
 * Nothing of it is written any more, on any thread, so no lock is needed.
 * Invariant: what is posted is the arena's own memory, not a copy.
 * Chapter: 02-memtable, step 02.5
 */
import type { Cursor } from "#base";
import { type Entries, openEntries } from "./arena.ts";
import { createEntryCursor } from "./cursor.ts";
import type { KeyOrder } from "./order.ts";
import { sortIds } from "./sort.ts";
import { openSortedArray } from "./sorted-array.ts";
import type { MemtableStructure, SharedMemtable } from "./types.ts";

/** The parts of a {@link SharedMemtable}. */
interface Parts extends SharedMemtable {
  readonly memory: SharedArrayBuffer;
  readonly wordsUsed: number;
  /** One for each key: its newest version. */
  readonly references: Uint32Array;
  /** Whether they are in order. If not, the thread that opens them sorts. */
  readonly isSorted: boolean;
}

/** Shares a table. @returns null where the platform has no shared memory. */
export function shareTable(
  structure: MemtableStructure,
  entries: Entries,
  order: KeyOrder,
): SharedMemtable | null {
  const memory = entries.bytes.buffer;
  if (typeof SharedArrayBuffer === "undefined" || !(memory instanceof SharedArrayBuffer)) {
    return null;
  }
  const bytes = order.keys * Uint32Array.BYTES_PER_ELEMENT;
  const references = new Uint32Array(new SharedArrayBuffer(bytes));
  const isSorted = order.copyReferences(references);
  const parts: Parts = { structure, memory, wordsUsed: entries.wordsUsed, references, isSorted };
  return parts;
}

/**
 * Opens what `share` of a memtable gave, on any thread of the process.
 *
 * @throws TypeError for anything else.
 */
export function openSharedMemtable(shared: SharedMemtable): Cursor {
  if (!isParts(shared)) throw new TypeError("memtable: this is no shared memtable");
  const { references, isSorted } = shared;
  const entries = openEntries(shared.memory, shared.wordsUsed);
  const sorted = isSorted ? references : sortReferences(entries, references);
  return createEntryCursor(entries, openSortedArray(entries, sorted));
}

function isParts(shared: SharedMemtable): shared is Parts {
  return (
    shared["memory"] instanceof SharedArrayBuffer &&
    typeof shared["wordsUsed"] === "number" &&
    shared["references"] instanceof Uint32Array &&
    typeof shared["isSorted"] === "boolean"
  );
}

function sortReferences(entries: Entries, references: Uint32Array): Uint32Array {
  const all = Uint32Array.from(references, (_, id) => id);
  return sortIds(entries, references, all).map((id) => references[id]!);
}

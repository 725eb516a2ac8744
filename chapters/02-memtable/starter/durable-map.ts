/**
 * A map that survives power loss: the log of chapter 01, and a memtable that is filled from it.
 *
 * Invariant: a change is durable in the log before it is in the memtable (M7).
 * Chapter: 02-memtable, step 02.6
 */
import { type Bytes, notWritten } from "#base";
import type { KeyRange } from "#memtable/types";
import type { Disk } from "#platform/types";
import type { Change } from "./changes.ts";

/** A map on a disk. Nothing of it is ever written anywhere but to the log. */
export interface DurableMap {
  /** Resolves once the change survives power loss; readers see it from then on. */
  put(key: Bytes, value: Bytes): Promise<void>;
  /** As `put`. The key need not be there. */
  delete(key: Bytes): Promise<void>;
  /** As `put`, for several changes: all of them, or none. Later changes of a key win. */
  batch(changes: readonly Change[]): Promise<void>;
  /** The value, a copy; undefined if there is none. */
  get(key: Bytes): Bytes | undefined;
  /** What is there, by key ascending; no deletions. Copies. */
  scan(range?: KeyRange): IterableIterator<{ readonly key: Bytes; readonly value: Bytes }>;
  /** Releases the files. */
  close(): Promise<void>;
}

/**
 * Opens or creates a map, and replays its log. You will want `openWal` from `#wal`,
 * `createMemtable`, `encodeChanges` and `decodeChanges`.
 */
export function openDurableMap(_options: {
  readonly disk: Disk;
  readonly dir: string;
}): DurableMap {
  return notWritten("02.6", "openDurableMap");
}

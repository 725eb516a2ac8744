/**
 * A map that survives power loss: the log of chapter 01, and a memtable that is filled from it.
 *
 * Invariant: a change is durable in the log before it is in the memtable (M7). One record holds one
 * batch, so a batch is there whole or not at all. Sequences are counted from the start of the log,
 * so replaying gives each change the number it had.
 * Chapter: 02-memtable, step 02.6
 */
import type { Bytes, Sequence } from "#base";
import type { KeyRange, Memtable } from "#memtable/types";
import type { Disk } from "#platform/types";
import { openWal } from "#wal";
import type { Wal } from "#wal/types";
import { type Change, decodeChanges, encodeChanges } from "./changes.ts";
import { createMemtable } from "./table.ts";

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

/** Opens or creates a map, and replays its log. */
export function openDurableMap(options: { readonly disk: Disk; readonly dir: string }): DurableMap {
  const table = createMemtable();
  const state = { table, sequence: 0 };
  const { wal } = openWal(options, ({ payload }) => apply(state, payload));
  return new LoggedMap(wal, state);
}

/** Nobody reads at an older sequence here, so one version of each key is enough. */
const NO_READER: Sequence = 0;

interface State {
  readonly table: Memtable;
  /** Of the last change. */
  sequence: Sequence;
}

/** Puts the changes of one record into the table: the same way for a new one and for a replay. */
function apply(state: State, payload: Bytes): void {
  for (const { key, value } of decodeChanges(payload)) {
    state.sequence += 1;
    if (value === null) state.table.delete(key, state.sequence, NO_READER);
    else state.table.put(key, value, state.sequence, NO_READER);
  }
}

class LoggedMap implements DurableMap {
  readonly #wal: Wal;
  readonly #state: State;

  constructor(wal: Wal, state: State) {
    this.#wal = wal;
    this.#state = state;
  }

  put(key: Bytes, value: Bytes): Promise<void> {
    return this.batch([{ key, value }]);
  }

  delete(key: Bytes): Promise<void> {
    return this.batch([{ key, value: null }]);
  }

  async batch(changes: readonly Change[]): Promise<void> {
    // While the log is syncing, the caller may use its buffers again: only the payload is ours.
    const payload = encodeChanges(changes);
    await this.#wal.commit(payload);
    // Commits resolve in the order of the records, so the table gets them in the log's order.
    apply(this.#state, payload);
  }

  get(key: Bytes): Bytes | undefined {
    const found = this.#state.table.get(key);
    return found.kind === "value" ? found.value : undefined;
  }

  *scan(range?: KeyRange): IterableIterator<{ readonly key: Bytes; readonly value: Bytes }> {
    for (const { key, value } of this.#state.table.scan(range)) {
      if (value !== null) yield { key, value };
    }
  }

  async close(): Promise<void> {
    await this.#wal.close();
  }
}

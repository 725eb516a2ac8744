/**
 * The read path: which layer answers (04.2).
 *
 * Layers are asked from the newest to the oldest: memtables, then runs. The first one that knows
 * the key decides, and a deletion is knowledge (L1). Of a run at most one table is asked (L6).
 * Chapter: 04-lsm, step 04.2
 */
import type { Bytes } from "#base";
import { compareBytes } from "#bytes";
import { createRunCursor } from "#lsm/reference";
import type { KeyRange } from "#memtable/types";
import { mergeCursors } from "./merge.ts";
import type { ForwardCursor, ReadView } from "./types.ts";

/** Looks a key up. @returns a copy of the value; undefined if there is none. */
export function readKey(view: ReadView, key: Bytes): Bytes | undefined {
  for (const memtable of view.memtables) {
    const found = memtable.get(key, view.at);
    if (found.kind === "value") return found.value;
    if (found.kind === "deleted") return undefined;
  }
  for (const run of view.version.runs) {
    const table = run.tables.find(
      ({ smallest, largest }) =>
        compareBytes(smallest, key) <= 0 && compareBytes(key, largest) <= 0,
    );
    if (table === undefined) continue;
    const found = view.open(table).get(key, view.at);
    if (found.kind === "value") return found.value;
    if (found.kind === "deleted") return undefined;
  }
  return undefined;
}

/** Keys and values within a half-open range, in order: copies. */
export function* scanRange(view: ReadView, range: KeyRange = {}): Generator<[Bytes, Bytes]> {
  const merged = mergeCursors(cursorsOf(view));
  try {
    if (range.from === undefined) merged.seekFirst();
    else merged.seek(range.from);
    let decided: Bytes | null = null;
    for (; merged.valid; merged.next()) {
      const key = merged.key;
      if (range.before !== undefined && compareBytes(key, range.before) >= 0) return;
      if (merged.sequence > view.at) continue;
      if (decided !== null && compareBytes(key, decided) === 0) continue;
      // A copy: the key is a view, and the cursor moves on.
      decided = key.slice();
      if (!merged.isDeletion) yield [decided.slice(), merged.value.slice()];
    }
  } finally {
    merged.close();
  }
}

/** One cursor for each layer, newest first. */
function cursorsOf(view: ReadView): ForwardCursor[] {
  return [
    ...view.memtables.map((memtable) => memtable.cursor()),
    ...view.version.runs.map((run) =>
      createRunCursor(run.tables, (table) => view.open(table).cursor()),
    ),
  ];
}

/**
 * The read path: which layer answers (04.2).
 *
 * Given: `createRunCursor(tables, open)` from "#lsm/reference", a cursor over the tables of a run.
 * Chapter: 04-lsm, step 04.2
 */
import { type Bytes, notWritten } from "#base";
import type { KeyRange } from "#memtable/types";
import type { ReadView } from "./types.ts";

/**
 * Looks a key up: memtables first, then runs, each from the newest to the oldest. The first layer
 * that knows the key decides. Opens only tables whose range covers the key.
 *
 * @returns a copy of the value; undefined if there is none.
 */
export function readKey(_view: ReadView, _key: Bytes): Bytes | undefined {
  return notWritten("04.2", "readKey");
}

/**
 * Keys and values from `range.from` (included) to `range.before` (excluded), in order: copies. Of
 * each key the newest version at or below `view.at`, unless that is a deletion.
 */
export function scanRange(_view: ReadView, _range: KeyRange = {}): Generator<[Bytes, Bytes]> {
  return notWritten("04.2", "scanRange");
}

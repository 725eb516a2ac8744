/**
 * Which table of a run may hold a key: the question of every lookup.
 *
 * Each run has an index, made when it is first asked: what all its keys begin with, and of each
 * first and last key the next six bytes as one number. Whole keys are compared only where these are
 * equal. Six bytes, because a double holds no more exactly.
 *
 * Invariant: an answer from the index is the answer that comparing whole keys would give.
 * Chapter: 04-lsm
 */
import type { Bytes } from "#base";
import { compareBytes } from "#bytes";
import type { TableMeta } from "#sstable/types";
import type { Run, Version } from "./parts.ts";

const HEAD_BYTES = 6;
const BYTE_VALUES = 256;
const HALF_VALUES = 2 ** 24;

interface RunIndex {
  readonly tables: readonly TableMeta[];
  /** What every first and last key begins with. */
  readonly prefix: Bytes;
  /** The six bytes behind the prefix, of each table's first and last key. */
  readonly firsts: Float64Array;
  readonly lasts: Float64Array;
}

/** By identity: runs never change. */
const indexes = new WeakMap<Run, RunIndex>();

/**
 * The only table of a run that may hold a key. Allocates nothing, except at a run's first call.
 *
 * @returns its position in `run.tables`; -1: none of them holds the key.
 */
export function tableIndexFor(run: Run, key: Bytes): number {
  const index = indexes.get(run) ?? makeIndex(run);
  const { prefix, firsts } = index;
  const skip = prefix.length;
  if (key.length < skip) return -1;
  for (let i = 0; i < skip; i += 1) if (key[i] !== prefix[i]) return -1;
  const head = headOf(key, skip);
  // The table at `low` begins at or before the key, the one at `before` does not.
  let low = -1;
  let before = firsts.length;
  while (before - low > 1) {
    const middle = (low + before) >>> 1;
    const first = firsts[middle]!;
    const begins = first === head ? isAtOrBelow(index, middle, key) : first < head;
    if (begins) low = middle;
    else before = middle;
  }
  if (low < 0) return -1;
  const last = index.lasts[low]!;
  if (last !== head) return last > head ? low : -1;
  return compareBytes(key, index.tables[low]!.largest) <= 0 ? low : -1;
}

/** Every table, newest run first. */
export function allTables(version: Version): TableMeta[] {
  return version.runs.flatMap(({ tables }) => tables);
}

function isAtOrBelow(index: RunIndex, position: number, key: Bytes): boolean {
  return compareBytes(index.tables[position]!.smallest, key) <= 0;
}

function makeIndex(run: Run): RunIndex {
  const { tables } = run;
  // Sorted keys lie between the first and the last: what these two share, all of them share.
  const prefix = sharedPrefix(tables[0]!.smallest, tables[tables.length - 1]!.largest);
  const skip = prefix.length;
  const index: RunIndex = {
    tables,
    prefix,
    firsts: Float64Array.from(tables, ({ smallest }) => headOf(smallest, skip)),
    lasts: Float64Array.from(tables, ({ largest }) => headOf(largest, skip)),
  };
  indexes.set(run, index);
  return index;
}

function sharedPrefix(a: Bytes, b: Bytes): Bytes {
  let count = 0;
  while (count < a.length && count < b.length && a[count] === b[count]) count += 1;
  return a.slice(0, count);
}

/**
 * Six bytes from `at` on as a number; zeros where the key is over. Keys whose heads differ are in
 * the order of their heads.
 */
function headOf(key: Bytes, at: number): number {
  if (key.length - at >= HEAD_BYTES) {
    // Two halves of 24 bits: bit operations see no more than 32.
    const high = (key[at]! << 16) | (key[at + 1]! << 8) | key[at + 2]!;
    const low = (key[at + 3]! << 16) | (key[at + 4]! << 8) | key[at + 5]!;
    return high * HALF_VALUES + low;
  }
  let head = 0;
  for (let i = at; i < at + HEAD_BYTES; i += 1) head = head * BYTE_VALUES + (key[i] ?? 0);
  return head;
}

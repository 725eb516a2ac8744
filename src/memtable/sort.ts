/**
 * Sorting keys that lie in the arena: a merge sort over heads (see heads.ts).
 *
 * Not the sort of the language: its comparison is a call for each pair, and the heads would have
 * to be fetched again and again. Keys that come in order take one pass for each doubling.
 *
 * Invariant: the result holds the same numbers, ordered by their keys; no key occurs twice.
 * Chapter: 02-memtable
 */
import { compareEntries, type Entries, keyBytesOf, sharedBytes } from "./arena.ts";
import { headOfEntry } from "./heads.ts";

/** Numbers of references with the heads of their keys, side by side. */
interface Column {
  readonly ids: Uint32Array;
  readonly heads: Float64Array;
}

/**
 * Sorts by key.
 *
 * @param references - entries by number.
 * @param ids - numbers to sort; not changed.
 */
export function sortIds(entries: Entries, references: Uint32Array, ids: Uint32Array): Uint32Array {
  const count = ids.length;
  let from = columnOf(entries, references, ids);
  let to: Column = { ids: new Uint32Array(count), heads: new Float64Array(count) };
  for (let width = 1; width < count; width *= 2) {
    for (let start = 0; start < count; start += width * 2) {
      const middle = Math.min(start + width, count);
      const before = Math.min(middle + width, count);
      merge(entries, references, { from, to, start, middle, before });
    }
    [from, to] = [to, from];
  }
  return from.ids;
}

function columnOf(entries: Entries, references: Uint32Array, ids: Uint32Array): Column {
  const heads = new Float64Array(ids.length);
  if (ids.length === 0) return { ids, heads };
  const first = references[ids[0]!]!;
  let skip = keyBytesOf(entries.words, first);
  for (const id of ids) skip = Math.min(skip, sharedBytes(entries, first, references[id]!));
  for (let i = 0; i < ids.length; i += 1) {
    heads[i] = headOfEntry(entries, references[ids[i]!]!, skip);
  }
  return { ids: ids.slice(), heads };
}

function merge(
  entries: Entries,
  references: Uint32Array,
  step: { from: Column; to: Column; start: number; middle: number; before: number },
): void {
  const { start, middle, before } = step;
  const { ids, heads } = step.from;
  const { ids: toIds, heads: toHeads } = step.to;
  let left = start;
  let right = middle;
  for (let at = start; at < before; at += 1) {
    let takesLeft = right === before;
    if (!takesLeft && left < middle) {
      const [a, b] = [heads[left]!, heads[right]!];
      takesLeft =
        a === b
          ? compareEntries(entries, references[ids[left]!]!, references[ids[right]!]!) < 0
          : a < b;
    }
    const taken = takesLeft ? left : right;
    toIds[at] = ids[taken]!;
    toHeads[at] = heads[taken]!;
    if (takesLeft) left += 1;
    else right += 1;
  }
}

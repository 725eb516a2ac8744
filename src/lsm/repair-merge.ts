/**
 * Puts tables in order whose levels nobody knows any more.
 *
 * Levels told which of two versions of a key is newer. Without them the sequences must: where all
 * sequences of one table are above all of another, the first is the newer layer. Tables whose
 * sequences interleave, and that may share keys, are merged into one run. The files may be more
 * than those that counted: inputs of a compaction whose outputs are there too. Their versions are
 * the same ones, so only one of each is kept.
 *
 * Invariant: of two versions of a key, the one with the higher sequence is in the newer layer, or
 * comes first in the same run. This needs compactions to keep sequences as they are.
 * Chapter: 04-lsm, "Repair"
 */
import type { Bytes, Cursor } from "#base";
import { compareBytes } from "#bytes";
import type { TableMeta } from "#sstable/types";

/** As much of a cursor as a merge needs. */
export type EntrySource = Pick<
  Cursor,
  "valid" | "key" | "value" | "sequence" | "isDeletion" | "next" | "close"
>;

/** A table, or what is left of one. */
export interface TableSource {
  readonly meta: TableMeta;
  /** The table can stay as it is. */
  readonly isSound: boolean;
  /** At its first entry. */
  open(): EntrySource;
}

/** Tables that become one run. */
export interface SourceGroup {
  readonly sources: readonly TableSource[];
  readonly smallest: Bytes;
  readonly largest: Bytes;
  readonly sequenceMin: number;
  readonly sequenceMax: number;
}

/** Groups tables so that the groups can be layers. @returns oldest first. */
export function groupSources(sources: readonly TableSource[]): SourceGroup[] {
  const groups: SourceGroup[] = [];
  for (const source of sources) {
    let group = groupOf([source]);
    // What has grown may now be in conflict with a group that was looked at before.
    for (let i = 0; i < groups.length; ) {
      const other = groups[i]!;
      if (!isConflict(group, other)) {
        i += 1;
        continue;
      }
      groups.splice(i, 1);
      group = groupOf([...other.sources, ...group.sources]);
      i = 0;
    }
    groups.push(group);
  }
  return groups.sort((a, b) => a.sequenceMax - b.sequenceMax);
}

/**
 * Every version of several tables once, in the order of a table. What is yielded is a view, until
 * the next step.
 */
export function* mergeSources(sources: readonly TableSource[]): Generator<EntrySource, void, void> {
  const heap: EntrySource[] = [];
  try {
    for (const source of sources) push(heap, source.open());
    let lastKey: Bytes | null = null;
    let lastSequence = 0;
    while (heap.length > 0) {
      const first = heap[0]!;
      const isKnown =
        lastKey !== null &&
        first.sequence === lastSequence &&
        compareBytes(first.key, lastKey) === 0;
      if (!isKnown) {
        lastKey = first.key.slice();
        lastSequence = first.sequence;
        yield first;
      }
      first.next();
      if (first.valid) sink(heap, 0);
      else pop(heap).close();
    }
  } finally {
    for (const source of heap) source.close();
  }
}

function groupOf(sources: readonly TableSource[]): SourceGroup {
  let { smallest, largest, sequenceMin, sequenceMax } = sources[0]!.meta;
  for (const { meta } of sources) {
    if (compareBytes(meta.smallest, smallest) < 0) smallest = meta.smallest;
    if (compareBytes(meta.largest, largest) > 0) largest = meta.largest;
    sequenceMin = Math.min(sequenceMin, meta.sequenceMin);
    sequenceMax = Math.max(sequenceMax, meta.sequenceMax);
  }
  return { sources, smallest, largest, sequenceMin, sequenceMax };
}

function isConflict(a: SourceGroup, b: SourceGroup): boolean {
  const share =
    compareBytes(a.smallest, b.largest) <= 0 && compareBytes(b.smallest, a.largest) <= 0;
  return share && a.sequenceMin <= b.sequenceMax && b.sequenceMin <= a.sequenceMax;
}

/* ---- a binary heap: key ascending, then sequence descending ---- */

function isBefore(a: EntrySource, b: EntrySource): boolean {
  const order = compareBytes(a.key, b.key);
  return order < 0 || (order === 0 && a.sequence > b.sequence);
}

function push(heap: EntrySource[], source: EntrySource): void {
  if (!source.valid) {
    source.close();
    return;
  }
  heap.push(source);
  for (let at = heap.length - 1; at > 0; ) {
    const parent = (at - 1) >>> 1;
    if (!isBefore(heap[at]!, heap[parent]!)) return;
    swap(heap, at, parent);
    at = parent;
  }
}

/** Takes the first one out. */
function pop(heap: EntrySource[]): EntrySource {
  const first = heap[0]!;
  const last = heap.pop()!;
  if (heap.length > 0) {
    heap[0] = last;
    sink(heap, 0);
  }
  return first;
}

function sink(heap: EntrySource[], from: number): void {
  for (let at = from; ; ) {
    let least = at;
    for (const child of [at * 2 + 1, at * 2 + 2]) {
      if (child < heap.length && isBefore(heap[child]!, heap[least]!)) least = child;
    }
    if (least === at) return;
    swap(heap, at, least);
    at = least;
  }
}

function swap(heap: EntrySource[], a: number, b: number): void {
  const source = heap[a]!;
  heap[a] = heap[b]!;
  heap[b] = source;
}

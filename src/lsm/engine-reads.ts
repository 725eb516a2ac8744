/**
 * Looking up and going over what an engine holds.
 *
 * Invariants: a lookup asks layers newest first, and ends at the first that knows the key (L1). It
 * makes no objects but the answer. What an iterator stands on is held until it is closed (L4).
 * Chapter: 04-lsm, "The read path"
 */
import type { Bytes, Lookup, Sequence } from "#base";
import { compareBytes } from "#bytes";
import { createEngineIterator } from "./engine-iterator.ts";
import type { EngineParts } from "./engine-parts.ts";
import type { Version } from "./parts.ts";
import { tablesOverlapping } from "./picker-math.ts";
import { openReadView } from "./read-view.ts";
import type { EngineIterator, IteratorOptions, ReadOptions } from "./types.ts";
import { tableIndexFor } from "./version-query.ts";
import { createVisibleCursor } from "./visible-cursor.ts";
import { checkBytes } from "./write-batch.ts";

/** Above every sequence: a reader of the newest state. */
const NEWEST: Sequence = Number.MAX_SAFE_INTEGER;

/** The readers of one engine. */
export type EngineReads = Readers;

/** Nobody reads yet. */
export function createEngineReads(parts: EngineParts): EngineReads {
  return new Readers(parts);
}

class Readers {
  readonly #parts: EngineParts;
  readonly #iterators = new Set<EngineIterator>();
  /** What readers see from now on. */
  version: Version;

  constructor(parts: EngineParts) {
    this.#parts = parts;
    this.version = parts.manifest.state.version;
  }

  /** Iterators that are open. */
  get iterators(): number {
    return this.#iterators.size;
  }

  find(key: Bytes, options: ReadOptions | undefined): Lookup {
    const { memory, tables, counters, snapshots } = this.#parts;
    counters.lookups += 1;
    const snapshot = options?.snapshot;
    const at = snapshot === undefined ? NEWEST : snapshots.sequenceOf(snapshot);
    let found = memory.get(key, at);
    if (found.kind !== "absent") return found;
    const { runs } = this.version;
    for (let position = 0; position < runs.length; position += 1) {
      const run = runs[position]!;
      const index = tableIndexFor(run, key);
      if (index < 0) continue;
      counters.tablesAsked += 1;
      found = tables.get(run.tables[index]!).get(key, at, options);
      if (found.kind !== "absent") return found;
    }
    return found;
  }

  /** @param newest - the sequence of an iterator without a snapshot. */
  iterator(options: IteratorOptions, newest: Sequence): EngineIterator {
    checkBounds(options);
    const { snapshots, memory, tables } = this.#parts;
    const { snapshot, fillCache } = options;
    const at = snapshot === undefined ? newest : snapshots.sequenceOf(snapshot);
    const view = openReadView({
      ...{ memory, tables, version: this.version },
      cursor: fillCache === undefined ? {} : { fillCache },
    });
    snapshots.hold(at);
    const cursor = createVisibleCursor(view.cursor, { ...options, at });
    const iterator = createEngineIterator(cursor, () => {
      this.#iterators.delete(iterator);
      snapshots.release(at);
      view.release();
    });
    this.#iterators.add(iterator);
    return iterator;
  }

  approximateBytes(from: Bytes, before: Bytes): number {
    if (compareBytes(from, before) >= 0) return 0;
    let bytes = 0;
    for (const run of this.version.runs) {
      for (const meta of tablesOverlapping(run, { smallest: from, largest: before })) {
        const isInside =
          compareBytes(from, meta.smallest) <= 0 && compareBytes(meta.largest, before) < 0;
        // Only tables at the ends need be opened.
        if (isInside) bytes += meta.bytes;
        else bytes += this.#parts.tables.get(meta).approximateBytes(from, before);
      }
    }
    return bytes;
  }

  /** Closes every iterator. */
  close(): void {
    for (const iterator of [...this.#iterators]) iterator.close();
  }
}

function checkBounds({ gte, gt, lte, lt }: IteratorOptions): void {
  if (gte !== undefined) checkBytes("gte", gte);
  if (gt !== undefined) checkBytes("gt", gt);
  if (lte !== undefined) checkBytes("lte", lte);
  if (lt !== undefined) checkBytes("lt", lt);
  if (gte !== undefined && gt !== undefined) throw new RangeError("lsm: both gte and gt");
  if (lte !== undefined && lt !== undefined) throw new RangeError("lsm: both lte and lt");
}

/**
 * The layers in memory: one memtable that takes writes, and the frozen ones that wait for their
 * flush.
 *
 * A layer owns a range of the log's records, and all sequences up to its last one that no older
 * layer owns. Invariant: layers are numbered without gaps in the order of their age, and only the
 * oldest frozen one is ever taken out.
 * Chapter: 04-lsm
 */
import { assert, type Bytes, type Lookup, type Sequence } from "#base";
import { createMemtable } from "#memtable";
import type { Memtable, MemtableOptions } from "#memtable/types";

/** A memtable, and what it stands for. */
export interface Layer {
  /** 1 for the first, then upwards. */
  readonly number: number;
  readonly memtable: Memtable;
}

/** A layer that takes no more writes. */
export interface FrozenLayer extends Layer {
  /** Of the newest change in it. */
  readonly sequence: Sequence;
  /** The first record of the log that is not in it, nor in an older layer. */
  readonly logBefore: number;
}

/** All layers in memory. */
export type Memory = MemoryLayers;

/** Starts with an empty memtable. */
export function createMemory(options: MemtableOptions): Memory {
  return new MemoryLayers(options);
}

class MemoryLayers {
  readonly #options: MemtableOptions;
  active: Layer;
  /** Oldest first. */
  readonly frozen: FrozenLayer[] = [];
  /** Dropped, and read by nobody but iterators that were open then. */
  #spare: Memtable | null = null;

  constructor(options: MemtableOptions) {
    this.#options = options;
    this.active = { number: 1, memtable: createMemtable(options) };
  }

  /** Looks a key up in all layers, newest first. */
  get(key: Bytes, at: Sequence): Lookup {
    let found = this.active.memtable.get(key, at);
    for (let index = this.frozen.length - 1; index >= 0 && found.kind === "absent"; index -= 1) {
      found = this.frozen[index]!.memtable.get(key, at);
    }
    return found;
  }

  /** Memory of all layers, in bytes. */
  bytes(): number {
    let bytes = this.active.memtable.approximateBytes();
    for (const { memtable } of this.frozen) bytes += memtable.approximateBytes();
    return bytes;
  }

  /** Ends writing to the active memtable, and begins a new one. Does nothing if it is empty. */
  freeze(end: { readonly sequence: Sequence; readonly logBefore: number }): void {
    const { number, memtable } = this.active;
    if (memtable.entries === 0) return;
    memtable.freeze();
    this.frozen.push({ number, memtable, ...end });
    // One that was filled is followed by one that will be: it need not grow, and be copied, again.
    const bytesInitial = Math.max(this.#options.bytesInitial ?? 0, memtable.approximateBytes());
    const spare = this.#spare;
    this.#spare = null;
    const next = { ...this.#options, bytesInitial, ...(spare !== null && { reuse: spare }) };
    this.active = { number: number + 1, memtable: createMemtable(next) };
  }

  /** Drops the oldest frozen layer: its table is part of the manifest. */
  drop(layer: FrozenLayer): void {
    assert(this.frozen[0] === layer, "lsm: the oldest frozen memtable is dropped first");
    this.frozen.shift();
    this.#spare = layer.memtable;
  }
}

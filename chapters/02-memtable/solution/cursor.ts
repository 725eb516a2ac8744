/**
 * A cursor over every version: by key ascending, and for one key from the newest to the oldest.
 *
 * It stands at a version, not at a place in the structure. Places move when keys come in; a version
 * never changes, and leads to the next older one even after it has been replaced.
 * Chapter: 02-memtable, step 02.4
 */
import { assert, type Bytes, type Cursor, type Sequence } from "#base";
import type { KeyEntry, KeyOrder, Version } from "./order.ts";

const NOTHING: Bytes = new Uint8Array(0);

/** Makes a cursor that stands nowhere. */
export function createCursor(order: KeyOrder): Cursor {
  return new VersionCursor(order);
}

class VersionCursor implements Cursor {
  readonly #order: KeyOrder;
  #entry: KeyEntry | undefined;
  #version: Version | null = null;

  constructor(order: KeyOrder) {
    this.#order = order;
  }

  get valid(): boolean {
    return this.#version !== null;
  }

  get key(): Bytes {
    return this.#entry?.key ?? NOTHING;
  }

  get value(): Bytes {
    return this.#version?.value ?? NOTHING;
  }

  get sequence(): Sequence {
    return this.#version?.sequence ?? 0;
  }

  get isDeletion(): boolean {
    return this.#version?.value === null;
  }

  seekFirst(): void {
    // No key is below the empty one.
    this.seek(NOTHING);
  }

  seekLast(): void {
    this.#standAtOldest(this.#order.below());
  }

  seek(key: Bytes): void {
    this.#standAtNewest(this.#order.atOrAfter(key));
  }

  seekBefore(key: Bytes): void {
    this.#standAtOldest(this.#order.below(key));
  }

  next(): void {
    assert(this.#entry !== undefined, "memtable: a cursor moves on only from an entry");
    const older = this.#version?.older ?? null;
    if (older !== null) this.#version = older;
    else this.#standAtNewest(this.#order.after(this.#entry));
  }

  prev(): void {
    assert(this.#entry !== undefined, "memtable: a cursor moves back only from an entry");
    // Links lead to the older ones only, and the versions of a key are few: walk down to here.
    let newer: Version | null = null;
    let version = this.#entry.newest;
    while (version !== null && version.sequence > this.sequence) {
      newer = version;
      version = version.older;
    }
    if (newer !== null) this.#version = newer;
    else this.#standAtOldest(this.#order.below(this.#entry.key));
  }

  close(): void {
    this.#standAtNewest(undefined);
  }

  #standAtNewest(entry: KeyEntry | undefined): void {
    this.#entry = entry;
    this.#version = entry?.newest ?? null;
  }

  #standAtOldest(entry: KeyEntry | undefined): void {
    this.#standAtNewest(entry);
    let older = this.#version?.older ?? null;
    for (; older !== null; older = older.older) this.#version = older;
  }
}

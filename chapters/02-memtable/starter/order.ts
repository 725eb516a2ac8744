/**
 * What the parts of this memtable say to each other: versions, entries, and a structure that keeps
 * entries in order. Given: types, and no code.
 *
 * A key is not overwritten. Each change adds a version with the sequence of that change, and links
 * it to the version before. So whoever reads at an older sequence still finds what it saw.
 * Chapter: 02-memtable
 */
import type { Bytes, Sequence } from "#base";

/** What one change has said of a key. Never changes once it is made. */
export interface Version {
  readonly sequence: Sequence;
  /** Null: a deletion. */
  readonly value: Bytes | null;
  /** The next older version of the same key; null: there is none. */
  readonly older: Version | null;
}

/** A key, and the newest version of it. Null only until the first version is there. */
export interface KeyEntry {
  readonly key: Bytes;
  newest: Version | null;
}

/** Keeps entries in the order of their keys. One entry for each key; none ever goes away. */
export interface KeyOrder {
  /** The entry of this key. Undefined: the key is not here. */
  find(key: Bytes): KeyEntry | undefined;
  /** The entry of this key; a new one, with a copy of the key, if the key was not here. */
  findOrAdd(key: Bytes): KeyEntry;
  /** The first entry whose key is at or above `key`. */
  atOrAfter(key: Bytes): KeyEntry | undefined;
  /** The entry behind this one, whatever was added meanwhile. */
  after(entry: KeyEntry): KeyEntry | undefined;
  /** The last entry whose key is below `key`; without a key, the last entry of all. */
  below(key?: Bytes): KeyEntry | undefined;
}

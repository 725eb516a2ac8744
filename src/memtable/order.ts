/**
 * What the table asks of a structure that keeps keys in order.
 *
 * A structure holds one reference for each distinct key: that of its newest version. It knows
 * nothing of versions, and compares keys where they lie, in the arena.
 *
 * Invariant: going from `first` by `after` meets every key once, ascending as bytes.
 * Chapter: 02-memtable
 */
import type { Bytes } from "#base";

/** A place in the order: a number that the structure understands. */
export type Position = number;

/** There is no such place. */
export const NOWHERE = -1;

/** Keys in order, to be walked. */
export interface OrderedKeys {
  /** Positions taken before this number has changed mean nothing any more. */
  readonly changes: number;
  /** The first key of all, or `NOWHERE`, as with all below. */
  first(): Position;
  /** The last key of all. */
  last(): Position;
  /** The first key at or above `key`. */
  atOrAbove(key: Bytes): Position;
  /** The last key below `key`. */
  below(key: Bytes): Position;
  /** The next key. */
  after(position: Position): Position;
  /** The key before. */
  before(position: Position): Position;
  /** The newest version of the key at a position. */
  referenceAt(position: Position): number;
}

/** Keys in order, to be written. */
export interface KeyOrder extends OrderedKeys {
  /** Distinct keys. */
  readonly keys: number;
  /** Memory in use for the order. */
  readonly bytes: number;
  /** The reference of a key, or 0. */
  find(key: Bytes): number;
  /** As `find`, and remembers where the key is, or would be, for `place`. */
  locate(key: Bytes): number;
  /**
   * Puts the reference of a key where the call of `locate` just before has found it, or its
   * absence.
   */
  place(key: Bytes, reference: number): void;
  /**
   * Writes the reference of every key, without sorting anything for it.
   *
   * @returns whether they are in order.
   */
  copyReferences(target: Uint32Array): boolean;
}

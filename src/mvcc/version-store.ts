/**
 * What every layout of versions offers, so that transactions need not know which one it is.
 *
 * Chapter: 06-mvcc
 */
import type { Bytes } from "#base";
import type { KeyText } from "./key-text.ts";
import type { CommitOptions, ScanOptions, Timestamp, VersionLayout } from "./types.ts";

/** A change to one key. */
export interface Write {
  readonly key: KeyText;
  /** The new value, or the deletion, as value.ts packs it: no layout copies it once more. */
  readonly packed: Bytes;
}

/** A walk over the keys that a reader sees. Must be closed. */
export interface VersionScan {
  /** Moves on. @returns false at the end. */
  next(): boolean;
  readonly key: Bytes;
  /** A copy. */
  readonly value: Bytes;
  close(): void;
}

/** Versions of keys in an engine. */
export interface VersionStore {
  readonly layout: VersionLayout;
  /** The newest value at or below a timestamp: a copy; undefined if there is none. */
  get(key: Bytes, at: Timestamp): Bytes | undefined;
  /** What a reader at a timestamp sees of a range. */
  scan(options: ScanOptions, at: Timestamp): VersionScan;
  /**
   * Adds versions, all of them or none, also after a crash (T2). Calls take effect in their order.
   *
   * @param writes - each key once.
   * @param timestamp - above all earlier ones.
   */
  apply(writes: Iterable<Write>, timestamp: Timestamp, options: CommitOptions): Promise<void>;
  /** From now on nobody reads below `horizon` (T6). */
  setHorizon(horizon: Timestamp): void;
  /** Removes what nobody at or above the horizon can see. */
  collect(): Promise<void>;
  /** Versions that are there, deletions included. Reads everything. */
  countVersions(): number;
}

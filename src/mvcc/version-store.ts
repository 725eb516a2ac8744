/**
 * What every layout of versions offers, so that transactions need not know which one it is.
 *
 * Keys are texts here: one character for each byte (latin1). A text is its own copy, is found in a
 * map by its content, and sorts as its bytes do.
 * Chapter: 06-mvcc
 */
import type { Bytes } from "#base";
import type { CommitOptions, ScanOptions, Timestamp, VersionLayout } from "./types.ts";

/** A key as text. */
export type KeyText = string;

/** A change to one key. `value` null: a deletion. */
export interface Write {
  readonly key: KeyText;
  readonly value: Bytes | null;
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

/** Bytes as text. */
export function textOf(bytes: Bytes): KeyText {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}

/** Text as bytes, in an array of their own. */
export function bytesOf(text: KeyText): Bytes {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i += 1) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/**
 * Types that every layer shares. No code, no imports.
 */

/** Bytes. Never a `Buffer` in a contract: the core of the house also runs in a browser. */
export type Bytes = Uint8Array;

/** Undoes what the call that returned it has started. Calling it twice does nothing more. */
export type Cancel = () => void;

/** Milliseconds on the monotonic clock of one process. */
export type Ms = number;

/** The number of a change of one engine: 1 for the first, then upwards, up to 2^53 - 1. */
export type Sequence = number;

/**
 * What a table says of a key. Three outcomes, on purpose: `deleted` ends the search, `absent` sends
 * it on to older tables. A value of no bytes is a value.
 */
export type Lookup =
  | { readonly kind: "value"; readonly value: Bytes }
  | { readonly kind: "deleted" }
  | { readonly kind: "absent" };

/**
 * A place in an ordered table of versions, or outside of it.
 *
 * Order: key ascending as bytes, then sequence descending, so that the newest version of a key
 * comes first. Deletions are versions too. `key` and `value` are views: they hold until the cursor
 * moves, and must not be changed. A method that throws leaves the cursor at no entry.
 */
export interface Cursor {
  /** Whether there is an entry here. The four properties below mean something only then. */
  readonly valid: boolean;
  readonly key: Bytes;
  /** Empty for a deletion. */
  readonly value: Bytes;
  readonly sequence: Sequence;
  readonly isDeletion: boolean;
  /** Goes to the first entry of all. */
  seekFirst(): void;
  /** Goes to the last entry of all. */
  seekLast(): void;
  /** Goes to the first entry whose key is at or above `key`: its newest version. */
  seek(key: Bytes): void;
  /** Goes to the last entry whose key is below `key`: the oldest version of that key. */
  seekBefore(key: Bytes): void;
  /** Goes one entry on. Only where `valid`. */
  next(): void;
  /** Goes one entry back. Only where `valid`. */
  prev(): void;
  /** Releases what the cursor holds. Nothing else may be called after it; twice is once. */
  close(): void;
}

/**
 * Versions as keys of their own: the key, and behind it the timestamp, inverted.
 *
 * Of one key the newest version comes first, so a reader seeks to (key, its timestamp) and stands
 * at the version that it sees. A commit is one batch of the engine. Garbage goes in compactions,
 * which are told the horizon.
 *
 * Invariant: a version's key is written once and never again.
 * Chapter: 06-mvcc. Source: the storage layout of CockroachDB's MVCC.
 */
import type { Bytes } from "#base";
import { copyBytes } from "#bytes";
import { createWriteBatch } from "#lsm";
import type { Engine, EngineIterator, WriteBatch } from "#lsm/types";
import { bytesOf, type KeyText, putText } from "./key-text.ts";
import type { CommitOptions, ScanOptions, Timestamp } from "./types.ts";
import { isValue, unpackValue } from "./value.ts";
import {
  encodeKey,
  getInverted,
  getKey,
  KEY_OVERHEAD_BYTES,
  KeySpace,
  keyBytesMax,
  NUMBER_BYTES,
  putEnd,
  putInverted,
  putKey,
} from "./version-key.ts";
import type { VersionScan, VersionStore, Write } from "./version-store.ts";

/** The engine's option that makes compaction understand the keys. */
export const TIMESTAMPED_KEYS: { readonly firstByte: number } = { firstByte: KeySpace.version };

/** Steps over so many versions that a reader does not see, before seeking instead. */
const STEPS_MAX = 8;
const SCRATCH_BYTES = 256;
const BATCHES_KEPT = 64;
/**
 * An iterator keeps the tables that it was made on, also those that compactions have replaced.
 * After so many lookups it goes, so that a store which is only read comes to the new ones.
 */
const LOOKUPS_MAX = 1024;
/** Behind every key of versions. */
const SPACE_END: Bytes = Uint8Array.of(KeySpace.version + 1);

/** Opens the layout in an engine that was opened with {@link TIMESTAMPED_KEYS}. */
export function openTimestampedStore(engine: Engine): VersionStore {
  return new TimestampedStore(engine);
}

class TimestampedStore implements VersionStore {
  readonly layout = "timestamped";
  readonly #engine: Engine;
  /** Kept between lookups while nothing is written: making one costs more than a seek. */
  #iterator: EngineIterator | null = null;
  #lookupsLeft = 0;
  #scratch: Bytes = new Uint8Array(SCRATCH_BYTES);
  /** Used before, and empty: they have grown to the size that commits need. */
  readonly #batches: WriteBatch[] = [];

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  get(key: Bytes, at: Timestamp): Bytes | undefined {
    const end = this.#encode(key, at);
    const iterator = this.#iteratorForLookup();
    try {
      iterator.seek(this.#scratch.subarray(0, end + NUMBER_BYTES));
      if (!iterator.next() || !isVersionOf(iterator.key, this.#scratch, end)) return undefined;
      const stored = iterator.value;
      return isValue(stored) ? unpackValue(stored) : undefined;
    } catch (error) {
      // An iterator that has failed goes on failing. The next lookup may well succeed.
      this.#releaseIterator();
      throw error;
    }
  }

  scan(options: ScanOptions, at: Timestamp): VersionScan {
    return options.reverse === true
      ? new DescendingScan(this.#engine, options, at)
      : new AscendingScan(this.#engine, options, at);
  }

  apply(writes: Iterable<Write>, timestamp: Timestamp, options: CommitOptions): Promise<void> {
    const batch = this.#batches.pop() ?? createWriteBatch();
    for (const { key, packed } of writes) {
      batch.put(this.#encodeText(key, timestamp), packed);
    }
    return this.#engine.write(batch, options).finally(() => {
      // Before anybody is told: who begins now must not look at an older state.
      this.#releaseIterator();
      if (this.#batches.length >= BATCHES_KEPT) return;
      batch.clear();
      this.#batches.push(batch);
    });
  }

  setHorizon(horizon: Timestamp): void {
    this.#releaseIterator();
    this.#engine.setHorizon(horizon);
  }

  async collect(): Promise<void> {
    await this.#engine.compact();
  }

  countVersions(): number {
    const iterator = this.#engine.iterator({ gte: Uint8Array.of(KeySpace.version), lt: SPACE_END });
    let count = 0;
    while (iterator.next()) count += 1;
    iterator.close();
    return count;
  }

  #iteratorForLookup(): EngineIterator {
    if (this.#lookupsLeft === 0) this.#releaseIterator();
    if (this.#iterator === null) {
      this.#iterator = this.#engine.iterator({ lt: SPACE_END });
      this.#lookupsLeft = LOOKUPS_MAX;
    }
    this.#lookupsLeft -= 1;
    return this.#iterator;
  }

  /** Writes the version's key into the scratch array. @returns where the timestamp begins. */
  #encode(key: Bytes, timestamp: Timestamp): number {
    const bytes = keyBytesMax(key.length) + NUMBER_BYTES;
    if (this.#scratch.length < bytes) this.#scratch = new Uint8Array(bytes * 2);
    const end = putKey(this.#scratch, KeySpace.version, key);
    putInverted(this.#scratch, end, timestamp);
    return end;
  }

  /** As above, out of a text. @returns a view, until the next call. */
  #encodeText(key: KeyText, timestamp: Timestamp): Bytes {
    // Most keys have no zero byte: their text goes where it belongs at once.
    let end = key.length + KEY_OVERHEAD_BYTES;
    if (key.includes("\0") || end + NUMBER_BYTES > this.#scratch.length) {
      end = this.#encode(bytesOf(key), timestamp);
    } else {
      this.#scratch[0] = KeySpace.version;
      putText(this.#scratch, 1, key);
      putEnd(this.#scratch, end);
      putInverted(this.#scratch, end, timestamp);
    }
    return this.#scratch.subarray(0, end + NUMBER_BYTES);
  }

  /** An iterator sees what was there when it was made. */
  #releaseIterator(): void {
    this.#iterator?.close();
    this.#iterator = null;
  }
}

/** Whether `bytes` is a version of the key in the first `end` bytes of `expected`. */
function isVersionOf(bytes: Bytes, expected: Bytes, end: number): boolean {
  if (bytes.length !== end + NUMBER_BYTES) return false;
  for (let i = 0; i < end; i += 1) if (bytes[i] !== expected[i]) return false;
  return true;
}

/** The bounds of a scan, as keys of the engine. */
function boundsOf({ from, before }: ScanOptions): { readonly gte: Bytes; readonly lt: Bytes } {
  return {
    gte: from === undefined ? Uint8Array.of(KeySpace.version) : encodeKey(KeySpace.version, from),
    lt: before === undefined ? SPACE_END : encodeKey(KeySpace.version, before),
  };
}

class AscendingScan implements VersionScan {
  readonly #iterator: EngineIterator;
  readonly #at: Timestamp;
  /** The key whose fate is known, without its timestamp. */
  #decided: Bytes = new Uint8Array(0);
  #stored: Bytes = new Uint8Array(0);

  constructor(engine: Engine, options: ScanOptions, at: Timestamp) {
    this.#iterator = engine.iterator(boundsOf(options));
    this.#at = at;
  }

  get key(): Bytes {
    return getKey(this.#decided);
  }

  get value(): Bytes {
    return unpackValue(this.#stored);
  }

  next(): boolean {
    const iterator = this.#iterator;
    let steps = 0;
    while (iterator.next()) {
      const { key } = iterator;
      const end = key.length - NUMBER_BYTES;
      const isDecided = isVersionOf(key, this.#decided, this.#decided.length);
      if (!isDecided && getInverted(key, end) <= this.#at) {
        this.#decided = copyBytes(key, 0, end);
        steps = 0;
        if (!isValue(iterator.value)) continue;
        this.#stored = iterator.value;
        return true;
      }
      steps += 1;
      if (steps < STEPS_MAX) continue;
      // To the version that is seen, or behind the last one of a key that is decided.
      const target = copyBytes(key);
      putInverted(target, end, isDecided ? 0 : this.#at);
      iterator.seek(target);
      steps = 0;
    }
    return false;
  }

  close(): void {
    this.#iterator.close();
  }
}

/** Versions of a key come oldest first here: the last one that is old enough is what is seen. */
class DescendingScan implements VersionScan {
  readonly #iterator: EngineIterator;
  readonly #at: Timestamp;
  /** Whether the iterator stands at an entry; null before the first move. */
  #isMore: boolean | null = null;
  #found: Bytes = new Uint8Array(0);
  #stored: Bytes = new Uint8Array(0);

  constructor(engine: Engine, options: ScanOptions, at: Timestamp) {
    this.#iterator = engine.iterator({ ...boundsOf(options), reverse: true });
    this.#at = at;
  }

  get key(): Bytes {
    return getKey(this.#found);
  }

  get value(): Bytes {
    return unpackValue(this.#stored);
  }

  next(): boolean {
    const iterator = this.#iterator;
    this.#isMore ??= iterator.next();
    while (this.#isMore) {
      const end = iterator.key.length - NUMBER_BYTES;
      this.#found = copyBytes(iterator.key, 0, end);
      let seen: Bytes | null = null;
      do {
        const isSeen = getInverted(iterator.key, end) <= this.#at;
        if (isSeen) seen = isValue(iterator.value) ? copyBytes(iterator.value) : null;
        this.#isMore = iterator.next();
      } while (this.#isMore && isVersionOf(iterator.key, this.#found, end));
      if (seen === null) continue;
      this.#stored = seen;
      return true;
    }
    return false;
  }

  close(): void {
    this.#iterator.close();
  }
}

/**
 * Versions as rows that are only ever added, with the timestamps between which they hold.
 *
 * An update adds a tuple and writes its own timestamp into the end of the one before. The index
 * leads from a key to all of its tuples, dead ones too, and a reader looks at each until it meets
 * the one that it sees. Vacuum removes tuples that ended at or below the horizon.
 *
 * | key of the engine                     | value                                              |
 * | ------------------------------------- | -------------------------------------------------- |
 * | tuple space, number u64 BE            | begin u64 BE, end u64 BE (0: none), value          |
 * | index space, key, end, inverted number| empty                                              |
 *
 * Invariant: of one key at most one tuple has no end, and the begin of each is the end of the one
 * before or later. A commit writes tuples and index in one batch.
 * Chapter: 06-mvcc. Source: xmin, xmax and vacuum of PostgreSQL.
 */
import type { Bytes } from "#base";
import { copyBytes } from "#bytes";
import { createWriteBatch } from "#lsm";
import type { Engine, EngineIterator, WriteBatch } from "#lsm/types";
import { bytesOf } from "./key-text.ts";
import { createTurns } from "./turns.ts";
import type { CommitOptions, ScanOptions, Timestamp } from "./types.ts";
import { isValue, unpackValue } from "./value.ts";
import {
  encodeKey,
  getBigEndian,
  getInverted,
  getKey,
  KeySpace,
  NUMBER_BYTES,
  putBigEndian,
  putInverted,
} from "./version-key.ts";
import type { VersionScan, VersionStore, Write } from "./version-store.ts";

const END_OFFSET = NUMBER_BYTES;
const VALUE_OFFSET = END_OFFSET + NUMBER_BYTES;
const NO_END = 0;
const NO_VALUE = new Uint8Array(0);
/** Changes of a vacuum that go into one batch. */
const VACUUM_BATCH = 1000;

/** A tuple as it is stored. */
interface Tuple {
  readonly begin: Timestamp;
  readonly end: Timestamp;
  /** A view. */
  readonly value: Bytes;
}

/** Opens the layout in an engine. */
export function openAppendedStore(engine: Engine): VersionStore {
  return new AppendedStore(engine);
}

class AppendedStore implements VersionStore {
  readonly layout = "appended";
  readonly #engine: Engine;
  #nextNumber: number;
  #horizon: Timestamp = 0;
  /** A commit reads what the one before has written. */
  readonly #turns = createTurns();

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#nextNumber = lastNumber(engine) + 1;
  }

  get(key: Bytes, at: Timestamp): Bytes | undefined {
    const entries = openEntries(this.#engine, encodeKey(KeySpace.index, key));
    try {
      while (entries.next()) {
        const tuple = this.tuple(numberOf(entries.key));
        if (tuple === undefined) continue;
        if (isSeen(tuple, at)) return copyBytes(tuple.value);
        if (tuple.begin <= at) return undefined;
      }
      return undefined;
    } finally {
      entries.close();
    }
  }

  scan(options: ScanOptions, at: Timestamp): VersionScan {
    return new IndexScan(this, openIndex(this.#engine, options), at);
  }

  apply(writes: Iterable<Write>, timestamp: Timestamp, options: CommitOptions): Promise<void> {
    return this.#turns.take(() => this.#engine.write(this.#batchOf(writes, timestamp), options));
  }

  setHorizon(horizon: Timestamp): void {
    this.#horizon = horizon;
  }

  async collect(): Promise<void> {
    const index = openIndex(this.#engine, {});
    let batch = createWriteBatch();
    try {
      while (index.next()) {
        const number = numberOf(index.key);
        const end = this.tuple(number)?.end ?? NO_END;
        if (end === NO_END || end > this.#horizon) continue;
        batch.delete(index.key);
        batch.delete(tupleKey(number));
        if (batch.operations < VACUUM_BATCH) continue;
        await this.#engine.write(batch);
        batch = createWriteBatch();
      }
    } finally {
      index.close();
    }
    await this.#engine.write(batch);
    await this.#engine.compact();
  }

  countVersions(): number {
    const bounds = { gte: Uint8Array.of(KeySpace.tuple), lt: Uint8Array.of(KeySpace.index) };
    const iterator = this.#engine.iterator(bounds);
    let count = 0;
    while (iterator.next()) count += 1;
    iterator.close();
    return count;
  }

  /** Undefined: vacuum was here since the index was looked at, and nobody sees it any more. */
  tuple(number: number): Tuple | undefined {
    const stored = this.#engine.get(tupleKey(number));
    return stored === undefined ? undefined : unpack(stored);
  }

  #batchOf(writes: Iterable<Write>, timestamp: Timestamp): WriteBatch {
    const batch = createWriteBatch();
    for (const { key, packed } of writes) {
      const indexKey = encodeKey(KeySpace.index, bytesOf(key));
      this.#endLast(indexKey, timestamp, batch);
      if (!isValue(packed)) continue;
      const number = this.#nextNumber;
      this.#nextNumber += 1;
      batch.put(
        tupleKey(number),
        pack({ begin: timestamp, end: NO_END, value: unpackValue(packed) }),
      );
      batch.put(entryKey(indexKey, number), NO_VALUE);
    }
    return batch;
  }

  /** Ends the newest tuple of a key, if it has no end yet. */
  #endLast(indexKey: Bytes, timestamp: Timestamp, batch: WriteBatch): void {
    const entries = openEntries(this.#engine, indexKey);
    try {
      if (!entries.next()) return;
      const number = numberOf(entries.key);
      const tuple = this.tuple(number);
      if (tuple?.end === NO_END) batch.put(tupleKey(number), pack({ ...tuple, end: timestamp }));
    } finally {
      entries.close();
    }
  }
}

class IndexScan implements VersionScan {
  readonly #store: AppendedStore;
  readonly #index: EngineIterator;
  readonly #at: Timestamp;
  key: Bytes = NO_VALUE;
  value: Bytes = NO_VALUE;

  constructor(store: AppendedStore, index: EngineIterator, at: Timestamp) {
    this.#store = store;
    this.#index = index;
    this.#at = at;
  }

  /** At most one tuple of each key is seen, so keys need not be compared. */
  next(): boolean {
    while (this.#index.next()) {
      const { key } = this.#index;
      const tuple = this.#store.tuple(numberOf(key));
      if (tuple === undefined || !isSeen(tuple, this.#at)) continue;
      this.key = getKey(key.subarray(0, key.length - NUMBER_BYTES));
      this.value = copyBytes(tuple.value);
      return true;
    }
    return false;
  }

  close(): void {
    this.#index.close();
  }
}

function isSeen({ begin, end }: Tuple, at: Timestamp): boolean {
  return begin <= at && (end === NO_END || end > at);
}

function openIndex(engine: Engine, { from, before, reverse }: ScanOptions): EngineIterator {
  return engine.iterator({
    gte: from === undefined ? Uint8Array.of(KeySpace.index) : encodeKey(KeySpace.index, from),
    lt: before === undefined ? Uint8Array.of(KeySpace.row) : encodeKey(KeySpace.index, before),
    reverse: reverse === true,
  });
}

/** The entries of one key, newest tuple first. */
function openEntries(engine: Engine, indexKey: Bytes): EngineIterator {
  return engine.iterator({ gte: indexKey, lte: entryKey(indexKey, 0) });
}

/** Of the newest tuple; 0: there is none. */
function lastNumber(engine: Engine): number {
  const bounds = { gte: Uint8Array.of(KeySpace.tuple), lt: Uint8Array.of(KeySpace.index) };
  const iterator = engine.iterator({ ...bounds, reverse: true });
  const number = iterator.next() ? getBigEndian(iterator.key, 1) : 0;
  iterator.close();
  return number;
}

function tupleKey(number: number): Bytes {
  const key = new Uint8Array(1 + NUMBER_BYTES);
  key[0] = KeySpace.tuple;
  putBigEndian(key, 1, number);
  return key;
}

function entryKey(indexKey: Bytes, number: number): Bytes {
  const key = new Uint8Array(indexKey.length + NUMBER_BYTES);
  key.set(indexKey);
  putInverted(key, indexKey.length, number);
  return key;
}

function numberOf(entry: Bytes): number {
  return getInverted(entry, entry.length - NUMBER_BYTES);
}

function pack({ begin, end, value }: Tuple): Bytes {
  const bytes = new Uint8Array(VALUE_OFFSET + value.length);
  putBigEndian(bytes, 0, begin);
  putBigEndian(bytes, END_OFFSET, end);
  bytes.set(value, VALUE_OFFSET);
  return bytes;
}

function unpack(bytes: Bytes): Tuple {
  return {
    begin: getBigEndian(bytes, 0),
    end: getBigEndian(bytes, END_OFFSET),
    value: bytes.subarray(VALUE_OFFSET),
  };
}

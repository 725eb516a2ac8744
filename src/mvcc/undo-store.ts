/**
 * Rows that are overwritten in place, each with a chain of what it was.
 *
 * A row holds its newest version, and the number of an undo record with the one before, which holds
 * the number of the next older one. Readers of the newest state read one row; a reader of the past
 * walks the chain. Purge cuts chains where nobody reads any more, and removes rows that are
 * deleted for everybody.
 *
 * | key of the engine              | value                                                       |
 * | ------------------------------ | ----------------------------------------------------------- |
 * | row space, key, end            | timestamp u64 BE, older u64 BE (0: none), value as packed   |
 * | undo space, number u64 BE      | the same, of an older version                               |
 *
 * Invariant: along a chain timestamps fall. A commit writes rows and undo records in one batch.
 * Chapter: 06-mvcc. Source: the roll pointers and the purge of InnoDB.
 */
import { assert, type Bytes } from "#base";
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
  getKey,
  KeySpace,
  NUMBER_BYTES,
  putBigEndian,
} from "./version-key.ts";
import type { VersionScan, VersionStore, Write } from "./version-store.ts";

const OLDER_OFFSET = NUMBER_BYTES;
const VALUE_OFFSET = OLDER_OFFSET + NUMBER_BYTES;
const NO_RECORD = 0;
/** Changes of a purge that go into one batch. */
const PURGE_BATCH = 1000;

/** A version as it is stored. */
interface Stored {
  readonly timestamp: Timestamp;
  /** Number of the undo record with the version before; 0: there is none. */
  readonly older: number;
  readonly packed: Bytes;
}

/** Opens the layout in an engine. */
export function openUndoStore(engine: Engine): VersionStore {
  return new UndoStore(engine);
}

class UndoStore implements VersionStore {
  readonly layout = "undo";
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
    const row = this.#engine.get(encodeKey(KeySpace.row, key));
    return row === undefined ? undefined : this.seen(row, at);
  }

  scan(options: ScanOptions, at: Timestamp): VersionScan {
    return new RowScan(this, openRows(this.#engine, options), at);
  }

  apply(writes: Iterable<Write>, timestamp: Timestamp, options: CommitOptions): Promise<void> {
    return this.#turns.take(() => this.#engine.write(this.#batchOf(writes, timestamp), options));
  }

  setHorizon(horizon: Timestamp): void {
    this.#horizon = horizon;
  }

  async collect(): Promise<void> {
    for (let from: Bytes | null = Uint8Array.of(KeySpace.row); from !== null; ) {
      const start: Bytes = from;
      from = await this.#turns.take(() => this.#purgeFrom(start));
    }
    await this.#engine.compact();
  }

  countVersions(): number {
    const iterator = this.#engine.iterator({ gte: Uint8Array.of(KeySpace.row) });
    let count = 0;
    while (iterator.next()) count += 1;
    iterator.close();
    return count;
  }

  /** The value that a reader sees of a row, or of what it was. */
  seen(row: Bytes, at: Timestamp): Bytes | undefined {
    let stored = unpack(row);
    while (stored.timestamp > at) {
      if (stored.older === NO_RECORD) return undefined;
      stored = this.#undo(stored.older);
    }
    return isValue(stored.packed) ? unpackValue(stored.packed) : undefined;
  }

  #batchOf(writes: Iterable<Write>, timestamp: Timestamp): WriteBatch {
    const batch = createWriteBatch();
    for (const { key, packed } of writes) {
      const rowKey = encodeKey(KeySpace.row, bytesOf(key));
      const row = this.#engine.get(rowKey);
      let older = NO_RECORD;
      if (row !== undefined) {
        older = this.#nextNumber;
        this.#nextNumber += 1;
        batch.put(undoKey(older), row);
      }
      batch.put(rowKey, pack({ timestamp, older, packed }));
    }
    return batch;
  }

  #undo(number: number): Stored {
    const record = this.#engine.get(undoKey(number));
    assert(record !== undefined, "mvcc: a chain that somebody needs is whole");
    return unpack(record);
  }

  /**
   * Purges rows until a batch is full. To be called in a turn: a commit in between would be
   * overwritten by the row as it was.
   *
   * @returns the row to go on with; null: that was the last one.
   */
  async #purgeFrom(from: Bytes): Promise<Bytes | null> {
    const rows = this.#engine.iterator({ gte: from, lt: Uint8Array.of(KeySpace.undo) });
    const batch = createWriteBatch();
    let next: Bytes | null = null;
    try {
      while (next === null && rows.next()) {
        if (batch.operations >= PURGE_BATCH) next = copyBytes(rows.key);
        else this.#purgeRow(rows.key, rows.value, batch);
      }
    } finally {
      rows.close();
    }
    await this.#engine.write(batch);
    return next;
  }

  /** Keeps the newest version at or below the horizon, and all above it (T6). */
  #purgeRow(rowKey: Bytes, row: Bytes, batch: WriteBatch): void {
    let key = rowKey;
    let stored = unpack(row);
    while (stored.timestamp > this.#horizon) {
      if (stored.older === NO_RECORD) return;
      key = undoKey(stored.older);
      stored = this.#undo(stored.older);
    }
    for (let number = stored.older; number !== NO_RECORD; ) {
      const record = this.#engine.get(undoKey(number));
      // Removed before; what lies behind it went with it.
      if (record === undefined) break;
      batch.delete(undoKey(number));
      number = unpack(record).older;
    }
    if (key === rowKey && !isValue(stored.packed)) batch.delete(rowKey);
    else if (stored.older !== NO_RECORD) batch.put(key, pack({ ...stored, older: NO_RECORD }));
  }
}

class RowScan implements VersionScan {
  readonly #store: UndoStore;
  readonly #rows: EngineIterator;
  readonly #at: Timestamp;
  key: Bytes = new Uint8Array(0);
  value: Bytes = new Uint8Array(0);

  constructor(store: UndoStore, rows: EngineIterator, at: Timestamp) {
    this.#store = store;
    this.#rows = rows;
    this.#at = at;
  }

  next(): boolean {
    while (this.#rows.next()) {
      const value = this.#store.seen(this.#rows.value, this.#at);
      if (value === undefined) continue;
      this.key = getKey(this.#rows.key);
      this.value = value;
      return true;
    }
    return false;
  }

  close(): void {
    this.#rows.close();
  }
}

function openRows(engine: Engine, { from, before, reverse }: ScanOptions): EngineIterator {
  return engine.iterator({
    gte: from === undefined ? Uint8Array.of(KeySpace.row) : encodeKey(KeySpace.row, from),
    lt: before === undefined ? Uint8Array.of(KeySpace.undo) : encodeKey(KeySpace.row, before),
    reverse: reverse === true,
  });
}

/** Of the newest undo record; 0: there is none. */
function lastNumber(engine: Engine): number {
  const iterator = engine.iterator({ gte: Uint8Array.of(KeySpace.undo), reverse: true });
  const number = iterator.next() ? getBigEndian(iterator.key, 1) : 0;
  iterator.close();
  return number;
}

function undoKey(number: number): Bytes {
  const key = new Uint8Array(1 + NUMBER_BYTES);
  key[0] = KeySpace.undo;
  putBigEndian(key, 1, number);
  return key;
}

function pack({ timestamp, older, packed }: Stored): Bytes {
  const bytes = new Uint8Array(VALUE_OFFSET + packed.length);
  putBigEndian(bytes, 0, timestamp);
  putBigEndian(bytes, OLDER_OFFSET, older);
  bytes.set(packed, VALUE_OFFSET);
  return bytes;
}

function unpack(bytes: Bytes): Stored {
  return {
    timestamp: getBigEndian(bytes, 0),
    older: getBigEndian(bytes, OLDER_OFFSET),
    packed: bytes.subarray(VALUE_OFFSET),
  };
}

/**
 * The engine as an `abstract-level` database: what Node programs use embedded stores through.
 *
 * Keys and values come as strings or bytes, as the caller's encodings want them; strings are
 * encoded here, straight into what the engine copies from. Unlike elsewhere in this house, the
 * class itself is exported: `new CairnLevel(location)` is how every database of this family is
 * made. Its type is an interface, as theirs are, which hides what only `abstract-level` calls.
 * Invariant: the engine is open exactly while `abstract-level` says so, and what begins with an
 * underscore is called by it alone, when it is.
 */
import {
  type AbstractChainedBatch,
  type AbstractIterator,
  AbstractLevel,
  type AbstractSnapshot,
} from "abstract-level";
import { assert, type Bytes } from "#base";
import { createWriteBatch, openEngine } from "#lsm";
import type {
  Engine,
  EngineOptions,
  EngineStats,
  ReadOptions,
  WriteBatch,
  WriteOptions,
} from "#lsm/types";
import { LevelChainedBatch } from "./chained-batch.ts";
import { notOpenError, openingError } from "./errors.ts";
import {
  type EncodedIteratorOptions,
  type EncodedRange,
  engineRange,
  LevelIterator,
} from "./iterator.ts";
import { createLevelSnapshot, heldSnapshot } from "./snapshot.ts";
import { asBuffer, createTextEncoder, decodeText, type Format, type FormatName } from "./text.ts";
import { createTurns, READS_PER_TURN } from "./turns.ts";
import type {
  LevelConstructor,
  LevelDatabase,
  LevelOpenOptions,
  LevelOptions,
  LevelRangeEncoding,
} from "./types.ts";

/** What the engine can do, in the words of `abstract-level`. */
const MANIFEST = {
  encodings: { buffer: true, utf8: true, view: true },
  seek: true,
  has: true,
  getSync: true,
  createIfMissing: true,
  errorIfExists: true,
  implicitSnapshots: true,
  explicitSnapshots: true,
  permanence: true,
  additionalMethods: { approximateSize: true, compactRange: true, stats: true },
  signals: { iterators: true },
};

const SYNC: WriteOptions = { sync: true };

/** Keys removed in one batch by `clear`. */
const CLEAR_KEYS_MAX = 1000;

/** Options of reads, as `abstract-level` hands them on. */
interface EncodedReadOptions {
  readonly valueEncoding?: FormatName;
  readonly snapshot?: AbstractSnapshot;
  readonly fillCache?: boolean;
}

/** One operation of an array batch, encoded. */
type EncodedOperation =
  | { readonly type: "put"; readonly key: Format; readonly value: Format }
  | { readonly type: "del"; readonly key: Format };

/** @returns undefined for the defaults, so that the usual read allocates nothing. */
function readOptions(options: EncodedReadOptions): ReadOptions | undefined {
  const { snapshot, fillCache } = options;
  if (snapshot == null && fillCache !== false) return undefined;
  return {
    ...(snapshot != null && { snapshot: heldSnapshot(snapshot) }),
    ...(fillCache === false && { fillCache }),
  };
}

/** Without what is not set, so that the engine's defaults hold. */
function given(options: LevelOpenOptions): Omit<EngineOptions, "dir"> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

function writeOptions(options: WriteOptions): WriteOptions | undefined {
  return options.sync === true ? SYNC : undefined;
}

function decodeValue(value: Bytes | undefined, format: FormatName | undefined): Format | undefined {
  if (value === undefined) return undefined;
  return format === "utf8" ? decodeText(value) : asBuffer(value);
}

/** What `CairnLevel` is. */
class CairnDatabase<K, V> extends AbstractLevel<Format, K, V> {
  readonly #location: string;
  readonly #keys = createTextEncoder();
  readonly #values = createTextEncoder();
  readonly #turns = createTurns();
  /** Batches that are not in use, so that a stream of array batches makes no new ones. */
  readonly #idleBatches: WriteBatch[] = [];
  #engine: Engine | null = null;

  constructor(location: string, options?: LevelOptions<K, V>) {
    if (typeof location !== "string" || location === "") {
      throw new TypeError("level: location: not a path");
    }
    super(MANIFEST, options);
    this.#location = location;
  }

  get location(): string {
    return this.#location;
  }

  stats(): EngineStats {
    if (this.status !== "open") throw notOpenError("stats");
    return this.#open.stats();
  }

  async approximateSize<T = K>(
    start: T,
    end: T,
    options: LevelRangeEncoding<T> = {},
  ): Promise<number> {
    if (this.status === "opening") {
      return this.deferAsync(() => this.approximateSize(start, end, options));
    }
    if (this.status !== "open") throw notOpenError("approximateSize");
    return this.#open.approximateBytes(this.#end(start, options), this.#end(end, options));
  }

  async compactRange<T = K>(start: T, end: T, options: LevelRangeEncoding<T> = {}): Promise<void> {
    if (this.status === "opening") {
      return this.deferAsync(() => this.compactRange(start, end, options));
    }
    if (this.status !== "open") throw notOpenError("compactRange");
    const range = { from: this.#end(start, options), before: this.#end(end, options) };
    return this.#open.compact(range);
  }

  get #open(): Engine {
    assert(this.#engine !== null, "level: the engine is there while the database is open");
    return this.#engine;
  }

  #end<T>(key: T, options: LevelRangeEncoding<T>): Bytes {
    const encoded: Format = this.keyEncoding(options.keyEncoding as never).encode(key as never);
    return this.#keys.encode(encoded).slice();
  }

  protected async _open(options: LevelOpenOptions): Promise<void> {
    try {
      this.#engine = openEngine({ ...given(options), dir: this.#location });
    } catch (error) {
      throw openingError(error, this.#location);
    }
  }

  protected async _close(): Promise<void> {
    await this.#open.close();
    this.#engine = null;
  }

  protected _get(
    key: Format,
    options: EncodedReadOptions,
  ): Format | undefined | Promise<Format | undefined> {
    const value = this._getSync(key, options);
    return this.#turns.spend(1) ? this.#turns.take().then(() => value) : value;
  }

  protected _getSync(key: Format, options: EncodedReadOptions): Format | undefined {
    const value = this.#open.get(this.#keys.encode(key), readOptions(options));
    return decodeValue(value, options.valueEncoding);
  }

  protected _getMany(
    keys: readonly Format[],
    options: EncodedReadOptions,
  ): Promise<(Format | undefined)[]> {
    return this.#readMany(keys, options, (key, read) =>
      decodeValue(this.#open.get(key, read), options.valueEncoding),
    );
  }

  protected _has(key: Format, options: EncodedReadOptions): boolean | Promise<boolean> {
    const found = this.#open.has(this.#keys.encode(key), readOptions(options));
    return this.#turns.spend(1) ? this.#turns.take().then(() => found) : found;
  }

  protected _hasMany(keys: readonly Format[], options: EncodedReadOptions): Promise<boolean[]> {
    return this.#readMany(keys, options, (key, read) => this.#open.has(key, read));
  }

  /** Reads keys in slices between which others run; all of them see one moment. */
  async #readMany<Result>(
    keys: readonly Format[],
    options: EncodedReadOptions,
    readOne: (key: Bytes, read: ReadOptions | undefined) => Result,
  ): Promise<Result[]> {
    const results: Result[] = [];
    let read = readOptions(options);
    const isLong = keys.length > READS_PER_TURN && options.snapshot == null;
    const snapshot = isLong ? this.#open.snapshot() : undefined;
    if (snapshot !== undefined) read = { ...read, snapshot };
    try {
      for (const key of keys) {
        results.push(readOne(this.#keys.encode(key), read));
        if (this.#turns.spend(1)) await this.#turns.take();
      }
      return results;
    } finally {
      snapshot?.close();
    }
  }

  protected _put(key: Format, value: Format, options: WriteOptions): Promise<void> {
    const bytes = this.#values.encode(value);
    return this.#open.put(this.#keys.encode(key), bytes, writeOptions(options));
  }

  protected _del(key: Format, options: WriteOptions): Promise<void> {
    return this.#open.delete(this.#keys.encode(key), writeOptions(options));
  }

  protected async _batch(
    operations: readonly EncodedOperation[],
    options: WriteOptions,
  ): Promise<void> {
    const batch = this.#idleBatches.pop() ?? createWriteBatch();
    for (const operation of operations) {
      const key = this.#keys.encode(operation.key);
      if (operation.type === "put") batch.put(key, this.#values.encode(operation.value));
      else batch.delete(key);
    }
    await this.#open.write(batch, writeOptions(options));
    batch.clear();
    // One for each writer that is waiting at a time would do; two are enough to save most.
    if (this.#idleBatches.length < 2) this.#idleBatches.push(batch);
  }

  protected _chainedBatch(): AbstractChainedBatch<this, K, V> {
    const target = { engine: this.#open, keys: this.#keys, values: this.#values };
    return new LevelChainedBatch<this, K, V>(this, target);
  }

  protected async _clear(options: EncodedRange & WriteOptions): Promise<void> {
    const cursor = this.#open.iterator({ fillCache: false, ...engineRange(options) });
    const write = writeOptions(options);
    const batch = createWriteBatch();
    let left = options.limit < 0 ? Number.POSITIVE_INFINITY : options.limit;
    try {
      while (left > 0) {
        const count = Math.min(left, CLEAR_KEYS_MAX);
        while (batch.operations < count && cursor.next()) batch.delete(cursor.key);
        if (batch.operations === 0) return;
        left -= batch.operations;
        await this.#open.write(batch, write);
        batch.clear();
        if (this.#turns.spend(count)) await this.#turns.take();
      }
    } finally {
      cursor.close();
    }
  }

  protected _iterator(options: EncodedIteratorOptions): AbstractIterator<this, K, V> {
    const source = { engine: this.#open, seekKeys: this.#keys, turns: this.#turns };
    return new LevelIterator<this, K, V>(this, source, options);
  }

  protected _snapshot(options: object): AbstractSnapshot {
    return createLevelSnapshot(this.#open.snapshot(), options);
  }
}

/** A database in a directory of its own, for one process at a time. */
export type CairnLevel<K = string, V = string> = LevelDatabase<K, V>;

/**
 * Makes one: `new CairnLevel(location, options)`.
 *
 * The type of what it makes adds to the inherited methods the options that this file reads; the
 * compiler cannot see that `abstract-level` hands those on, and the tests show it.
 */
export const CairnLevel = CairnDatabase as unknown as LevelConstructor;

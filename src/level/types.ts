/**
 * Contract of the engine as an `abstract-level` database: what goes in besides what every such
 * database takes, and what comes out.
 *
 * Keys are ordered as bytes. Reads see every write whose promise has resolved. Iterators see the
 * moment at which they were made. Errors of the engine arrive with their own codes; those of `open`
 * as the cause of `LEVEL_DATABASE_NOT_OPEN`, where two have the names that LevelDB gives them:
 * `LEVEL_LOCKED` (its cause is `DISK_LOCKED`) and `LEVEL_CORRUPTION` (its cause names file and
 * offset).
 */
import type {
  AbstractBatchOperation,
  AbstractBatchOptions,
  AbstractChainedBatch,
  AbstractChainedBatchWriteOptions,
  AbstractClearOptions,
  AbstractDatabaseOptions,
  AbstractDelOptions,
  AbstractGetManyOptions,
  AbstractGetOptions,
  AbstractHasManyOptions,
  AbstractHasOptions,
  AbstractIterator,
  AbstractIteratorOptions,
  AbstractKeyIterator,
  AbstractKeyIteratorOptions,
  AbstractLevel,
  AbstractOpenOptions,
  AbstractPutOptions,
  AbstractValueIterator,
  AbstractValueIteratorOptions,
} from "abstract-level";
import type { EngineOptions, EngineStats, ReadOptions, WriteOptions } from "#lsm/types";

/** With `undefined` for "not set", as everywhere in `abstract-level`. */
type Loose<Options> = { readonly [Name in keyof Options]?: Options[Name] | undefined };

/** What the engine takes, apart from its place. Defaults as in {@link EngineOptions}. */
export type LevelEngineOptions = Loose<Omit<EngineOptions, "dir">>;

/** Options of the constructor; those of the engine are handed to it at opening. */
export type LevelOptions<K, V> = AbstractDatabaseOptions<K, V> & LevelEngineOptions;

/** Options of `open`. They win over those of the constructor. */
export type LevelOpenOptions = AbstractOpenOptions & LevelEngineOptions;

/** `fillCache`: whether blocks read go into the cache. Default true. */
type Caching = Loose<Pick<ReadOptions, "fillCache">>;

/** `sync`: resolve once it survives power loss. Default false. */
type Syncing = Loose<WriteOptions>;

/** Options of `get` and `getSync`. */
export type LevelGetOptions<K, V> = AbstractGetOptions<K, V> & Caching;

/** Options of `getMany`. */
export type LevelGetManyOptions<K, V> = AbstractGetManyOptions<K, V> & Caching;

/** Options of `has`. */
export type LevelHasOptions<K> = AbstractHasOptions<K> & Caching;

/** Options of `hasMany`. */
export type LevelHasManyOptions<K> = AbstractHasManyOptions<K> & Caching;

/** Options of `put`. `sync`: resolve once it survives power loss. Default false. */
export type LevelPutOptions<K, V> = AbstractPutOptions<K, V> & Syncing;

/** Options of `del`. `sync` as for `put`. */
export type LevelDelOptions<K> = AbstractDelOptions<K> & Syncing;

/** Options of a batch as a whole. `sync` as for `put`. */
export type LevelBatchOptions<K, V> = AbstractBatchOptions<K, V> & Syncing;

/** Options of `write` of a chained batch. `sync` as for `put`. */
export type LevelBatchWriteOptions = AbstractChainedBatchWriteOptions & Syncing;

/** A chained batch whose `write` takes the engine's options. */
export interface LevelBatch<Database, K, V> extends AbstractChainedBatch<Database, K, V> {
  /** Applies the operations, all or none, and closes the batch. */
  write(options?: LevelBatchWriteOptions): Promise<void>;
}

/** Options of `clear`. `sync` as for `put`, for each of the batches that it writes. */
export type LevelClearOptions<K> = AbstractClearOptions<K> & Syncing;

/** Options of `iterator`. */
export type LevelIteratorOptions<K, V> = AbstractIteratorOptions<K, V> & Caching;

/** Options of `keys`. */
export type LevelKeyIteratorOptions<K> = AbstractKeyIteratorOptions<K> & Caching;

/** Options of `values`. */
export type LevelValueIteratorOptions<K, V> = AbstractValueIteratorOptions<K, V> & Caching;

/** How the ends of a range are encoded. Default: as the database's keys. */
export interface LevelRangeEncoding<K> {
  readonly keyEncoding?: AbstractHasOptions<K>["keyEncoding"];
}

/** Codes of our own errors here; what `abstract-level` throws has its own. */
export type LevelErrorCode =
  | "LEVEL_ABORTED"
  | "LEVEL_CORRUPTION"
  | "LEVEL_DATABASE_NOT_OPEN"
  | "LEVEL_LOCKED";

/**
 * A database in a directory of its own, for one process at a time.
 *
 * @typeParam K - keys, if an operation names no encoding of its own; strings unless set otherwise.
 * @typeParam V - values, likewise.
 */
export interface LevelDatabase<K = string, V = string>
  extends AbstractLevel<string | Buffer | Uint8Array, K, V> {
  /** The directory, as it was given. */
  readonly location: string;
  /**
   * Counters since opening, and the state now: stalls, amplification, cache, levels.
   *
   * @throws `LEVEL_DATABASE_NOT_OPEN`.
   */
  stats(): EngineStats;
  /** Bytes on disk of the part of the tables from `start` up to, not including, `end`. */
  approximateSize<T = K>(start: T, end: T, options?: LevelRangeEncoding<T>): Promise<number>;
  /** Merges everything from `start` up to, not including, `end` into its lowest level. */
  compactRange<T = K>(start: T, end: T, options?: LevelRangeEncoding<T>): Promise<void>;

  /** As in `abstract-level`. Options of the engine win over those of the constructor. */
  open(options?: LevelOpenOptions): Promise<void>;
  /** The value of a key, or undefined. */
  get<T = K, U = V>(key: T, options?: LevelGetOptions<T, U>): Promise<U | undefined>;
  /** As `get`, at once. @throws `LEVEL_DATABASE_NOT_OPEN` while opening. */
  getSync<T = K, U = V>(key: T, options?: LevelGetOptions<T, U>): U | undefined;
  /** The values of keys, in order, all as of one moment. */
  getMany<T = K, U = V>(keys: T[], options?: LevelGetManyOptions<T, U>): Promise<(U | undefined)[]>;
  /** Whether there is a value. */
  has<T = K>(key: T, options?: LevelHasOptions<T>): Promise<boolean>;
  /** As `has`, for keys in order, all as of one moment. */
  hasMany<T = K>(keys: T[], options?: LevelHasManyOptions<T>): Promise<boolean[]>;
  /** Sets a value. Resolves when reads see it and it survives the end of this process. */
  put<T = K, U = V>(key: T, value: U, options?: LevelPutOptions<T, U>): Promise<void>;
  /** Removes a key, whether it was there or not. As `put`. */
  del<T = K>(key: T, options?: LevelDelOptions<T>): Promise<void>;
  /** A batch to be filled and written. */
  batch(): LevelBatch<this, K, V>;
  /** Applies operations, all or none, also after a crash. */
  batch<T = K, U = V>(
    operations: AbstractBatchOperation<this, T, U>[],
    options?: LevelBatchOptions<T, U>,
  ): Promise<void>;
  /** Removes the keys of a range, in batches: others may see it half done. */
  clear<T = K>(options?: LevelClearOptions<T>): Promise<void>;
  /** Goes over entries as they are now. */
  iterator<T = K, U = V>(options?: LevelIteratorOptions<T, U>): AbstractIterator<this, T, U>;
  /** Goes over keys as they are now. */
  keys<T = K>(options?: LevelKeyIteratorOptions<T>): AbstractKeyIterator<this, T>;
  /** Goes over values as they are now. */
  values<T = K, U = V>(
    options?: LevelValueIteratorOptions<T, U>,
  ): AbstractValueIterator<this, T, U>;
}

/** Makes databases: the type of the class `CairnLevel`. */
export interface LevelConstructor {
  /**
   * @param location - the engine's directory, made when it is missing unless `createIfMissing` is
   * false. Opening begins at once; operations wait for it.
   * @throws TypeError for a location that is not a string, or empty.
   */
  new <K = string, V = string>(location: string, options?: LevelOptions<K, V>): LevelDatabase<K, V>;
}

/**
 * One transaction: a place in time to read from, and writes that nobody else sees yet.
 *
 * Invariant: what it reads does not change while it is open, but by its own writes (T1).
 * Chapter: 06-mvcc, step 06.2
 */
import { assert, type Bytes, CairnError, type Ms } from "#base";
import { bytesOf, type KeyText, textOf } from "./key-text.ts";
import { checkLevel } from "./options.ts";
import { createReadSet, type ReadSet } from "./read-set.ts";
import type { Reader } from "./readers.ts";
import type {
  BeginOptions,
  CommitOptions,
  IsolationLevel,
  Savepoint,
  ScanOptions,
  Timestamp,
  Transaction,
} from "./types.ts";
import { DELETED, isValue, packValue, unpackValue } from "./value.ts";
import type { VersionScan, VersionStore, Write } from "./version-store.ts";
import { createWriteSet, type WriteSet } from "./write-set.ts";

/** What a transaction needs of the store that it belongs to. */
export interface TransactionHost {
  readonly store: VersionStore;
  /** Checks for conflicts and writes. Ends the transaction either way. */
  commit(transaction: OpenTransaction, options: CommitOptions): Promise<Timestamp>;
  /** The transaction has ended. */
  ended(transaction: OpenTransaction, state: "committed" | "aborted"): void;
}

/** Where and when a transaction begins. */
export interface TransactionStart {
  readonly number: number;
  readonly options: BeginOptions;
  readonly readTimestamp: Timestamp;
  readonly beganMs: Ms;
  readonly versionsBefore: number;
}

/** A transaction as its store sees it. */
export class OpenTransaction implements Transaction, Reader {
  readonly level: IsolationLevel;
  readonly readTimestamp: Timestamp;
  readonly beganMs: Ms;
  readonly versionsBefore: number;
  readonly isReadOnly: boolean;
  /** Null for a level that does not need it. */
  readonly reads: ReadSet | null;
  readonly writes: WriteSet = createWriteSet();
  state: "open" | "committed" | "aborted" = "open";
  isReported = false;
  readonly #host: TransactionHost;
  readonly #start: TransactionStart;
  #isCommitting = false;
  /** Walks that have not come to their end; null until there is one. */
  #scans: Set<VersionScan> | null = null;
  /** Their marks in the set of writes, in the order of their making. */
  readonly #savepoints: { readonly savepoint: Savepoint; readonly mark: number }[] = [];

  constructor(host: TransactionHost, start: TransactionStart) {
    const { options } = start;
    this.#host = host;
    this.#start = start;
    this.level = checkLevel(options);
    this.readTimestamp = start.readTimestamp;
    this.beganMs = start.beganMs;
    this.versionsBefore = start.versionsBefore;
    this.isReadOnly = options.readOnly === true || options.at !== undefined;
    // Who writes nothing reads a state that was, between two commits: nothing is to be checked.
    this.reads = this.level === "serializable" && !this.isReadOnly ? createReadSet() : null;
  }

  get label(): string {
    return this.#start.options.label ?? `transaction ${this.#start.number}`;
  }

  get(key: Bytes): Bytes | undefined {
    this.#checkOpen();
    checkBytes("key", key);
    const { reads, writes } = this;
    if (writes.size > 0 || reads !== null) {
      const text = textOf(key);
      const own = writes.get(text);
      if (own !== undefined) return isValue(own.packed) ? unpackValue(own.packed) : undefined;
      reads?.addKey(text);
    }
    return this.#host.store.get(key, this.readTimestamp);
  }

  scan(options: ScanOptions = {}): IterableIterator<[key: Bytes, value: Bytes]> {
    this.#checkOpen();
    if (options.from !== undefined) checkBytes("from", options.from);
    if (options.before !== undefined) checkBytes("before", options.before);
    return this.#scan(options);
  }

  *#scan(options: ScanOptions): IterableIterator<[key: Bytes, value: Bytes]> {
    this.#checkOpen();
    const reverse = options.reverse === true;
    const from = options.from === undefined ? null : textOf(options.from);
    const before = options.before === undefined ? null : textOf(options.before);
    if (from !== null && before !== null && from >= before) return;
    const own = this.writes.range(from, before);
    if (reverse) own.reverse();
    const passed = this.reads?.startRange({ from, before, reverse });
    const stored = this.#host.store.scan(options, this.readTimestamp);
    this.#scans ??= new Set();
    this.#scans.add(stored);
    try {
      for (const { key, value } of merged(stored, own, reverse)) {
        passed?.passed(key);
        if (value !== null) yield [bytesOf(key), value];
        this.#checkOpen();
      }
      passed?.ended();
    } finally {
      this.#scans.delete(stored);
      stored.close();
    }
  }

  put(key: Bytes, value: Bytes): void {
    this.#checkWritable();
    checkBytes("key", key);
    checkBytes("value", value);
    this.writes.set(textOf(key), packValue(value));
  }

  delete(key: Bytes): void {
    this.#checkWritable();
    checkBytes("key", key);
    this.writes.set(textOf(key), DELETED);
  }

  savepoint(name = `savepoint ${this.#savepoints.length + 1}`): Savepoint {
    this.#checkOpen();
    const savepoint: Savepoint = { name };
    this.#savepoints.push({ savepoint, mark: this.writes.mark() });
    return savepoint;
  }

  rollbackTo(savepoint: Savepoint): void {
    this.#checkOpen();
    const position = this.#savepoints.findIndex((one) => one.savepoint === savepoint);
    if (position < 0) {
      throw new RangeError(
        `mvcc: rollbackTo: ${savepoint.name} is gone, or of another transaction`,
      );
    }
    this.writes.rollBack(this.#savepoints[position]!.mark);
    this.#savepoints.length = position + 1;
  }

  async commit(options: CommitOptions = {}): Promise<Timestamp> {
    this.#checkOpen();
    // It may have to wait for a timestamp. Nothing else is taken from here on.
    this.#isCommitting = true;
    return this.#host.commit(this, options);
  }

  abort(): void {
    if (this.state === "open" && !this.#isCommitting) this.end("aborted");
  }

  /** For the store: no more calls. */
  end(state: "committed" | "aborted"): void {
    assert(this.state === "open", "mvcc: a transaction ends once");
    this.state = state;
    // Whoever stops in the middle of a scan need not say so.
    for (const scan of this.#scans ?? []) scan.close();
    this.#host.ended(this, state);
  }

  #checkOpen(): void {
    if (this.state === "open" && !this.#isCommitting) return;
    const state = this.state === "open" ? "committing" : this.state;
    const message = `mvcc: ${this.label}: ${state} already`;
    throw new CairnError("MVCC_TRANSACTION_OVER", message, { details: { state } });
  }

  #checkWritable(): void {
    this.#checkOpen();
    if (!this.isReadOnly) return;
    throw new TypeError(`mvcc: ${this.label}: begun to read only`);
  }
}

/** A key in a scan; `value` null: deleted by the transaction itself. */
interface Merged {
  readonly key: KeyText;
  readonly value: Bytes | null;
}

/** Stored entries with own changes merged in; deletions among those come out too. Copies. */
function* merged(
  stored: VersionScan,
  own: readonly Write[],
  reverse: boolean,
): IterableIterator<Merged> {
  let position = 0;
  while (stored.next()) {
    const key = textOf(stored.key);
    const isAhead = (write: Write): boolean => (reverse ? write.key > key : write.key < key);
    for (; position < own.length && isAhead(own[position]!); position += 1) {
      yield mergedOf(own[position]!);
    }
    if (own[position]?.key === key) {
      yield mergedOf(own[position]!);
      position += 1;
    } else {
      yield { key, value: stored.value };
    }
  }
  for (; position < own.length; position += 1) yield mergedOf(own[position]!);
}

function mergedOf({ key, packed }: Write): Merged {
  return { key, value: isValue(packed) ? unpackValue(packed) : null };
}

function checkBytes(name: string, value: Bytes): void {
  if (value instanceof Uint8Array) return;
  throw new TypeError(`mvcc: ${name}: not bytes but ${value === null ? "null" : typeof value}`);
}

/**
 * The clients' keys and values as one transaction of the store below sees them.
 *
 * Invariant: an answer holds a prefix, in order, of what a range has; what is left out is said.
 * Chapter: 08-replica.
 */
import type { Bytes } from "#base";
import type { Transaction } from "#mvcc/types";
import type { Index } from "#raft/types";
import { dataEnd, dataKey, decodeValue, encodeValue, keyOf } from "./layout.ts";
import type { KvEntry, KvFound, KvRange, KvRead } from "./types.ts";

/** See the file's header. */
export interface KvView {
  /** About so many bytes the commit will have. */
  readonly writtenBytes: number;
  get(key: Bytes): KvEntry | null;
  put(key: Bytes, value: Bytes, revision: Index): void;
  delete(key: Bytes): void;
  /**
   * Entries of a range, in order; copies.
   *
   * @param bytesMax - ends before the entry with which keys and values would have more bytes.
   */
  range(range: KvRange, bytesMax: number): { readonly entries: KvEntry[]; readonly more: boolean };
  /** The keys of a range, as far as so many bytes of them go. */
  keys(range: KvRange, bytesMax: number): { readonly keys: Bytes[]; readonly more: boolean };
}

/** Generation, timestamp and lengths around a key and its value. */
const WRITE_BYTES_ASSUMED = 40;

/** The view of a transaction that stays open meanwhile. */
export function createView(transaction: Transaction, generation: number): KvView {
  return new TransactionView(transaction, generation);
}

class TransactionView implements KvView {
  readonly #transaction: Transaction;
  readonly #generation: number;
  writtenBytes = 0;

  constructor(transaction: Transaction, generation: number) {
    this.#transaction = transaction;
    this.#generation = generation;
  }

  get(key: Bytes): KvEntry | null {
    const stored = this.#transaction.get(dataKey(this.#generation, key));
    return stored === undefined ? null : { key, ...decodeValue(stored) };
  }

  put(key: Bytes, value: Bytes, revision: Index): void {
    this.writtenBytes += WRITE_BYTES_ASSUMED + key.length + value.length;
    this.#transaction.put(dataKey(this.#generation, key), encodeValue(revision, value));
  }

  delete(key: Bytes): void {
    this.writtenBytes += WRITE_BYTES_ASSUMED + key.length;
    this.#transaction.delete(dataKey(this.#generation, key));
  }

  range(range: KvRange, bytesMax: number): { entries: KvEntry[]; more: boolean } {
    const entries: KvEntry[] = [];
    let bytes = 0;
    for (const [row, stored] of this.#scan(range)) {
      const entry = { key: keyOf(row), ...decodeValue(stored) };
      bytes += entry.key.length + entry.value.length;
      if (entries.length === range.limit || bytes > bytesMax) return { entries, more: true };
      entries.push(entry);
    }
    return { entries, more: false };
  }

  keys(range: KvRange, bytesMax: number): { keys: Bytes[]; more: boolean } {
    const keys: Bytes[] = [];
    let bytes = 0;
    for (const [row] of this.#scan(range)) {
      const key = keyOf(row);
      bytes += key.length;
      if (keys.length === range.limit || bytes > bytesMax) return { keys, more: true };
      keys.push(key);
    }
    return { keys, more: false };
  }

  #scan({ from, before }: KvRange): IterableIterator<[key: Bytes, value: Bytes]> {
    return this.#transaction.scan({
      from: dataKey(this.#generation, from),
      before: before === null ? dataEnd(this.#generation) : dataKey(this.#generation, before),
    });
  }
}

/** Answers a read beside the log. One entry comes whole, however large it is. */
export function readFrom(view: KvView, read: KvRead, bytesMax: number): KvFound {
  if (read.kind === "get") return { kind: "got", entry: view.get(read.key) };
  if (read.keysOnly) {
    const { keys, more } = view.keys(read, bytesMax);
    const nothing = { value: new Uint8Array(0), revision: 0 };
    return { kind: "entries", entries: keys.map((key) => ({ key, ...nothing })), more };
  }
  const found = view.range(read, bytesMax);
  if (found.entries.length > 0 || !found.more) return { kind: "entries", ...found };
  const { entries, more } = view.range({ ...read, limit: 1 }, Number.MAX_SAFE_INTEGER);
  return { kind: "entries", entries, more };
}

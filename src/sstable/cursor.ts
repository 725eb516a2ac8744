/**
 * Moves over the versions of a table, forwards and backwards.
 *
 * A cursor keeps the block that it is in for itself: a copy out of the cache, or a piece that it
 * has read ahead. So nothing has to be pinned, and the cache may evict what it likes.
 *
 * Reading ahead begins when a scan enters its third block, and doubles with each piece. What is
 * read ahead does not go through the cache: a long scan would push out what lookups need.
 *
 * Invariant: the key of the entry lies whole at the front of the key buffer whenever the cursor is
 * valid.
 * Chapter: 03-sstable
 */
import { assert, type Bytes, type Cursor, type Sequence } from "#base";
import { ABOVE, BELOW, type BlockSearch } from "./block-search.ts";
import type { BlockSource } from "./block-source.ts";
import {
  createEntryHeader,
  DAMAGED,
  findInBlock,
  readEntry,
  restartCount,
  restartOffset,
  restartsAt,
  SHORT_BYTES,
} from "./data-block.ts";
import { createReadAhead, type ReadAhead } from "./read-ahead.ts";
import type { TableCursorOptions } from "./types.ts";

const READ_AHEAD_BYTES_DEFAULT = 256 * 1024;
const KEY_CAPACITY_FIRST = 64;
/** Entries of one restart interval; it grows where a writer used another interval. */
const TRAIL_CAPACITY_FIRST = 16;
const NO_TRAIL = -1;
const EMPTY: Bytes = new Uint8Array(0);

/** Makes a cursor that is at no entry. @throws RangeError for a negative read-ahead. */
export function createTableCursor(
  source: BlockSource,
  search: BlockSearch,
  options: TableCursorOptions,
): Cursor {
  const { fillCache = true, readAheadBytesMax = READ_AHEAD_BYTES_DEFAULT } = options;
  if (!(readAheadBytesMax >= 0)) {
    throw new RangeError(`sstable: read-ahead of ${readAheadBytesMax} bytes`);
  }
  return new TableCursor(source, search, createReadAhead(source, fillCache, readAheadBytesMax));
}

class TableCursor implements Cursor {
  readonly #source: BlockSource;
  readonly #search: BlockSearch;
  readonly #ahead: ReadAhead;
  readonly #entry = createEntryHeader();
  #valid = false;
  #closed = false;

  /** The block: `#bytes` from `#from` on; its entries end at `#end`, where restarts begin. */
  #block = 0;
  #bytes: Bytes = EMPTY;
  #from = 0;
  #size = 0;
  #end = 0;

  /** Where the entry begins. */
  #place = 0;
  #keyBuffer: Bytes = new Uint8Array(KEY_CAPACITY_FIRST);
  #keyBytes = 0;
  #keyView: Bytes | null = null;
  #valueView: Bytes | null = null;

  /**
   * Going back: where the entries since the restart begin, and what each shares. The entry itself
   * is number `#trailAt`.
   */
  #trail = new Uint32Array(TRAIL_CAPACITY_FIRST);
  #trailShared = new Uint32Array(TRAIL_CAPACITY_FIRST);
  #trailAt = NO_TRAIL;

  constructor(source: BlockSource, search: BlockSearch, ahead: ReadAhead) {
    this.#source = source;
    this.#search = search;
    this.#ahead = ahead;
  }

  get valid(): boolean {
    return this.#valid;
  }

  get key(): Bytes {
    this.#keyView ??= this.#keyBuffer.subarray(0, this.#keyBytes);
    return this.#keyView;
  }

  get value(): Bytes {
    if (this.#valueView === null) {
      const { suffixAt, unshared, valueBytes } = this.#entry;
      const at = suffixAt + unshared;
      this.#valueView = this.#bytes.subarray(at, at + valueBytes);
    }
    return this.#valueView;
  }

  get sequence(): Sequence {
    return this.#entry.sequence;
  }

  get isDeletion(): boolean {
    return this.#entry.isDeletion;
  }

  seekFirst(): void {
    this.#leave();
    this.#enter(0, 0);
    this.#stepTo(this.#from);
  }

  seekLast(): void {
    this.#leave();
    this.#enter(this.#source.blocks.count - 1, 0);
    this.#backFrom(this.#end);
  }

  seek(key: Bytes): void {
    this.#leave();
    const head = this.#search.headWithin(key);
    if (head === ABOVE) return;
    if (head === BELOW) return this.seekFirst();
    this.#enter(this.#search.find(key, head), 0);
    const place = this.#find(key);
    if (place < this.#end) this.#adopt(key, place);
    // Between the last key of this block and its separator: the next block begins above the key.
    else if (this.#block + 1 < this.#source.blocks.count) {
      this.#enter(this.#block + 1, 1);
      this.#stepTo(this.#from);
    }
  }

  seekBefore(key: Bytes): void {
    this.#leave();
    const head = this.#search.headWithin(key);
    if (head === BELOW) return;
    if (head === ABOVE) return this.seekLast();
    this.#enter(this.#search.find(key, head), 0);
    this.#backFrom(this.#find(key));
  }

  next(): void {
    assert(this.#valid, "sstable: a cursor moves on only from an entry");
    const place = this.#entry.end;
    this.#trailAt = NO_TRAIL;
    if (place < this.#end) return this.#stepTo(place);
    this.#valid = false;
    if (this.#block + 1 >= this.#source.blocks.count) return;
    this.#enter(this.#block + 1, 1);
    this.#stepTo(this.#from);
  }

  prev(): void {
    assert(this.#valid, "sstable: a cursor moves back only from an entry");
    if (this.#trailAt > 0) this.#backAlongTrail();
    else this.#backFrom(this.#place);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#leave();
    this.#ahead.close();
    this.#bytes = EMPTY;
  }

  #leave(): void {
    this.#valid = false;
    this.#trailAt = NO_TRAIL;
  }

  /** Makes a block the cursor's own. @param step - 1 or -1 when a scan goes on; 0 after a seek. */
  #enter(block: number, step: -1 | 0 | 1): void {
    const ahead = this.#ahead;
    ahead.enter(block, step);
    this.#block = block;
    this.#bytes = ahead.bytes;
    this.#from = ahead.from;
    this.#size = ahead.size;
    this.#end = restartsAt(this.#bytes, this.#from, this.#size);
    // A block of no entries is not written; it would have no place for the cursor to be.
    if (this.#end <= this.#from) throw this.#source.contradiction(block);
    this.#keyBytes = 0;
  }

  /** Decodes the entry at `place`, whose predecessor's key is in the buffer. */
  #stepTo(place: number): void {
    const entry = this.#entry;
    this.#valid = false;
    if (!readEntry(this.#bytes, place, this.#end, entry) || entry.shared > this.#keyBytes) {
      throw this.#source.contradiction(this.#block);
    }
    this.#place = place;
    this.#setKey(entry.shared, entry.suffixAt, entry.unshared);
    this.#valid = true;
  }

  /** Where the newest version of a key would be in the block; its end if all are in front. */
  #find(key: Bytes): number {
    const newest = Number.MAX_SAFE_INTEGER;
    const place = findInBlock(this.#bytes, this.#from, this.#size, key, newest, this.#entry);
    if (place === DAMAGED) throw this.#source.contradiction(this.#block);
    return place;
  }

  /** Becomes the entry that was found: it shares its first bytes with the key that was sought. */
  #adopt(key: Bytes, place: number): void {
    const { shared, suffixAt, unshared } = this.#entry;
    this.#reserveKey(shared);
    this.#keyBuffer.set(shared === key.length ? key : key.subarray(0, shared));
    this.#keyBytes = shared;
    this.#place = place;
    this.#setKey(shared, suffixAt, unshared);
    this.#valid = true;
  }

  /** Goes to the entry in front of `place`, an entry's beginning or the end of the entries. */
  #backFrom(place: number): void {
    this.#leave();
    let before = place;
    if (before === this.#from) {
      if (this.#block === 0) return;
      this.#enter(this.#block - 1, -1);
      before = this.#end;
    }
    this.#walkTo(before, this.#restartBefore(before));
    this.#valid = true;
  }

  /** The place of the last restart in front of `place`. */
  #restartBefore(place: number): number {
    let low = 0;
    let high = restartCount(this.#from, this.#size, this.#end) - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.#from + restartOffset(this.#bytes, this.#end, middle) < place) low = middle;
      else high = middle - 1;
    }
    return this.#from + restartOffset(this.#bytes, this.#end, low);
  }

  /** Decodes from a restart to the entry in front of `before`, and notes the way. */
  #walkTo(before: number, restart: number): void {
    const entry = this.#entry;
    this.#keyBytes = 0;
    let count = 0;
    for (let place = restart; place < before; place = entry.end) {
      if (!readEntry(this.#bytes, place, this.#end, entry) || entry.shared > this.#keyBytes) {
        throw this.#source.contradiction(this.#block);
      }
      if (count === this.#trail.length) this.#growTrail();
      this.#trail[count] = place;
      this.#trailShared[count] = entry.shared;
      count += 1;
      this.#setKey(entry.shared, entry.suffixAt, entry.unshared);
    }
    if (count === 0 || entry.end !== before) throw this.#source.contradiction(this.#block);
    this.#trailAt = count - 1;
    this.#place = this.#trail[count - 1]!;
  }

  /**
   * Goes one entry back within the restart interval. The key in the buffer has its first bytes in
   * common with the one before it; the rest comes from the entries that wrote it.
   */
  #backAlongTrail(): void {
    const entry = this.#entry;
    const at = this.#trailAt - 1;
    const kept = this.#trailShared[this.#trailAt]!;
    let end = this.#keyLengthAt(at);
    this.#reserveKey(end);
    const keyBytes = end;
    for (let from = at; end > kept; from -= 1) {
      readEntry(this.#bytes, this.#trail[from]!, this.#end, entry);
      const begin = Math.max(entry.shared, kept);
      // An entry further back may have a longer key than the part that is wanted of it.
      const suffix = entry.suffixAt - entry.shared;
      for (let i = begin; i < end; i += 1) this.#keyBuffer[i] = this.#bytes[suffix + i]!;
      end = Math.min(end, begin);
    }
    this.#trailAt = at;
    this.#place = this.#trail[at]!;
    readEntry(this.#bytes, this.#place, this.#end, entry);
    this.#keyBytes = keyBytes;
    this.#keyView = null;
    this.#valueView = null;
  }

  #keyLengthAt(at: number): number {
    // It was read before, on the way forward, so it is sound.
    readEntry(this.#bytes, this.#trail[at]!, this.#end, this.#entry);
    return this.#entry.shared + this.#entry.unshared;
  }

  /** Keeps `shared` bytes of the key, and puts a suffix behind them. */
  #setKey(shared: number, suffixAt: number, unshared: number): void {
    const keyBytes = shared + unshared;
    this.#reserveKey(keyBytes);
    const target = this.#keyBuffer;
    if (unshared < SHORT_BYTES) {
      for (let i = 0; i < unshared; i += 1) target[shared + i] = this.#bytes[suffixAt + i]!;
    } else target.set(this.#bytes.subarray(suffixAt, suffixAt + unshared), shared);
    this.#keyBytes = keyBytes;
    this.#keyView = null;
    this.#valueView = null;
  }

  #reserveKey(bytes: number): void {
    if (bytes <= this.#keyBuffer.length) return;
    const grown = new Uint8Array(bytes * 2);
    grown.set(this.#keyBuffer);
    this.#keyBuffer = grown;
  }

  #growTrail(): void {
    const { length } = this.#trail;
    const trail = new Uint32Array(length * 2);
    const shared = new Uint32Array(length * 2);
    trail.set(this.#trail);
    shared.set(this.#trailShared);
    this.#trail = trail;
    this.#trailShared = shared;
  }
}

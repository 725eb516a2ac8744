/**
 * An open table: lookups. Cursors, and reading everything, have files of their own.
 *
 * A lookup asks, in this order, what costs least: the bounds, the filter, the index, one block.
 *
 * Invariant: one data block for a lookup (S7). A second one is read only where the versions of the
 * key go on in it and none in the first was old enough.
 * Chapter: 03-sstable
 */
import type { Bytes, Cursor, Lookup, Sequence } from "#base";
import { copyBytes } from "#bytes";
import { slabOf } from "./block-cache.ts";
import { ABOVE, BELOW, type BlockSearch, createBlockSearch } from "./block-search.ts";
import { type BlockSource, createBlockSource } from "./block-source.ts";
import type { Filter } from "./bloom.ts";
import { createTableCursor } from "./cursor.ts";
import { createEntryHeader, DAMAGED, findInBlock, restartsAt } from "./data-block.ts";
import type { BlockList } from "./index-block.ts";
import { checkId } from "./options.ts";
import { openFile, readParts, type TableFile, type TableParts } from "./parts.ts";
import type { Table, TableCursorOptions, TableMeta, TableOptions, TableReads } from "./types.ts";
import { verifyTable } from "./verify.ts";

const ABSENT: Lookup = Object.freeze({ kind: "absent" });
const DELETED: Lookup = Object.freeze({ kind: "deleted" });

/** Filled in by each search; lookups do not call each other. */
const entry = createEntryHeader();

/**
 * Opens a table: reads and checks footer, properties, index and filter.
 *
 * @throws `SSTABLE_CORRUPT` with `details` `file` and `offset`; disk errors as they come.
 * RangeError for an id that no table has. TypeError for a cache that is not ours.
 */
export function openTable(options: TableOptions): Table {
  checkId(options.id);
  const cache = options.cache === undefined ? null : slabOf(options.cache);
  const file = openFile(options.disk, options.path);
  try {
    const parts = readParts(file, options.id);
    const source = createBlockSource(file, options.id, parts.blocks, cache);
    return new OpenTable(file, parts, source);
  } catch (error) {
    file.handle.close();
    throw error;
  }
}

class OpenTable implements Table {
  readonly meta: TableMeta;
  readonly #file: TableFile;
  readonly #source: BlockSource;
  readonly #blocks: BlockList;
  readonly #search: BlockSearch;
  readonly #filter: Filter | null;
  readonly #partsBytes: number;

  constructor(file: TableFile, parts: TableParts, source: BlockSource) {
    this.meta = parts.meta;
    this.#file = file;
    this.#source = source;
    this.#blocks = parts.blocks;
    this.#search = createBlockSearch(parts.blocks, parts.meta);
    this.#filter = parts.filter;
    this.#partsBytes = parts.memoryBytes;
  }

  get reads(): TableReads {
    return this.#source.reads;
  }

  get memoryBytes(): number {
    return this.#partsBytes + this.#search.memoryBytes + this.#source.slots.byteLength;
  }

  get(
    key: Bytes,
    at: Sequence = Number.MAX_SAFE_INTEGER,
    options?: { readonly fillCache?: boolean },
  ): Lookup {
    const head = this.#search.headWithin(key);
    if (head === BELOW || head === ABOVE) return ABSENT;
    if (this.#filter !== null && !this.#filter.mayContain(key)) {
      this.#source.reads.filtered += 1;
      return ABSENT;
    }
    const fillCache = options?.fillCache !== false;
    const source = this.#source;
    for (let block = this.#search.find(key, head); ; block += 1) {
      source.load(block, fillCache);
      const { bytes, from, size } = source;
      const place = findInBlock(bytes, from, size, key, at, entry);
      if (place === DAMAGED) throw source.contradiction(block);
      if (entry.matches) {
        if (entry.isDeletion) return DELETED;
        const valueAt = entry.suffixAt + entry.unshared;
        return { kind: "value", value: copyBytes(bytes, valueAt, valueAt + entry.valueBytes) };
      }
      // All in front of what is sought, and versions of the last key follow: they may be the key's.
      const isAtEnd = place === restartsAt(bytes, from, size);
      if (!isAtEnd || this.#blocks.continues[block] !== 1) return ABSENT;
    }
  }

  cursor(options: TableCursorOptions = {}): Cursor {
    return createTableCursor(this.#source, this.#search, options);
  }

  approximateBytes(from: Bytes, before: Bytes): number {
    return Math.max(0, this.#offsetOf(before) - this.#offsetOf(from));
  }

  verify(): void {
    verifyTable(this.#file, this.meta.id);
  }

  close(): void {
    this.#source.close();
    this.#file.handle.close();
  }

  /** Where the block of a key begins. */
  #offsetOf(key: Bytes): number {
    const head = this.#search.headWithin(key);
    if (head === BELOW) return 0;
    if (head === ABOVE) return this.#blocks.offsets[this.#blocks.count]!;
    return this.#blocks.offsets[this.#search.find(key, head)]!;
  }
}

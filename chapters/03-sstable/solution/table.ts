/**
 * An open table: lookups, and reading everything.
 *
 * A lookup asks, in this order, what costs least: the bounds, the filter, the index, one block.
 *
 * Invariant: one data block for a lookup (S7), and a second one only where older versions of the
 * key go on in it.
 * Chapter: 03-sstable, steps 03.3 to 03.5
 */
import type { Bytes, Cursor, Lookup, Sequence } from "#base";
import { compareBytes, equalBytes } from "#bytes";
import type { Table, TableMeta, TableOptions, TableReads } from "#sstable/types";
import { readBlock } from "./block-reader.ts";
import { seekInBlock } from "./block-seek.ts";
import { type Filter, openFilter } from "./bloom.ts";
import { createTableCursor } from "./cursor.ts";
import { soundAt } from "./damage.ts";
import type { BlockHandle } from "./footer.ts";
import { decodeProperties } from "./properties.ts";
import { decodeIndex, findBlock, type IndexEntry } from "./sparse-index.ts";
import { openFile, readFooter, readStored, type TableFile } from "./table-file.ts";
import { TRAILER_BYTES } from "./trailer.ts";
import { verifyTable } from "./verify.ts";
import { NEWEST } from "./version.ts";

const ABSENT: Lookup = { kind: "absent" };

/**
 * Opens a table: reads and checks everything but the data.
 *
 * @throws SSTABLE_CORRUPT, disk errors.
 */
export function openTable({ disk, path, id }: TableOptions): Table {
  const file = openFile(disk, path);
  try {
    return new OpenTable(file, id);
  } catch (error) {
    file.handle.close();
    throw error;
  }
}

class OpenTable implements Table {
  readonly meta: TableMeta;
  readonly memoryBytes: number;
  readonly #file: TableFile;
  readonly #index: readonly IndexEntry[];
  readonly #filter: Filter | null;
  readonly #reads = { blocks: 0, bytes: 0, filtered: 0 };

  constructor(file: TableFile, id: number) {
    this.#file = file;
    const footer = readFooter(file, id);
    const part = <T>(handle: BlockHandle, decode: (content: Bytes) => T): T => {
      const content = readStored(file, id, handle);
      return soundAt({ file: file.path, offset: handle.offset }, () => decode(content));
    };
    this.#filter = part(footer.filter, openFilter);
    const { keys: _, ...known } = part(footer.properties, decodeProperties);
    this.meta = { id, bytes: file.bytes, ...known };
    this.#index = part(footer.index, (content) => decodeIndex(content, footer.filter.offset));
    this.memoryBytes = footer.filter.bytes + footer.index.bytes;
  }

  get reads(): TableReads {
    return this.#reads;
  }

  get(key: Bytes, at: Sequence = NEWEST): Lookup {
    if (compareBytes(key, this.meta.smallest) < 0) return ABSENT;
    if (compareBytes(key, this.meta.largest) > 0) return ABSENT;
    if (this.#filter !== null && !this.#filter.mayContain(key)) {
      this.#reads.filtered += 1;
      return ABSENT;
    }
    for (let block = findBlock(this.#index, key); block < this.#index.length; block += 1) {
      const found = this.#inBlock(block, (content) => seekInBlock(content, key, at));
      if (found !== null) {
        if (!equalBytes(found.key, key)) return ABSENT;
        if (found.value === null) return { kind: "deleted" };
        return { kind: "value", value: found.value.slice() };
      }
      // Every version here is newer than `at`, or of a smaller key. Older ones may follow.
      if (!this.#index[block]!.goesOn) return ABSENT;
    }
    return ABSENT;
  }

  cursor(): Cursor {
    return createTableCursor(this.#index, (block) => this.#inBlock(block, readBlock));
  }

  approximateBytes(from: Bytes, before: Bytes): number {
    const offsetOf = (key: Bytes): number => {
      const block = this.#index[findBlock(this.#index, key)] ?? this.#index.at(-1)!;
      const isAbove = compareBytes(key, this.meta.largest) > 0;
      return isAbove ? block.offset + block.bytes + TRAILER_BYTES : block.offset;
    };
    return Math.max(0, offsetOf(before) - offsetOf(from));
  }

  verify(): void {
    verifyTable(this.#file, this.meta.id);
  }

  close(): void {
    this.#file.handle.close();
  }

  /** Reads a data block, checks it, and looks into it. */
  #inBlock<T>(block: number, look: (content: Bytes) => T): T {
    const handle = this.#index[block]!;
    const content = readStored(this.#file, this.meta.id, handle);
    this.#reads.blocks += 1;
    this.#reads.bytes += content.length;
    return soundAt({ file: this.#file.path, offset: handle.offset }, () => look(content));
  }
}

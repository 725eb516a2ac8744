/**
 * Reads a table as a whole and compares everything with everything: what a lookup takes on trust
 * from a right checksum is looked at here.
 *
 * Invariant: a table that passes was written by a right writer and has not changed since.
 * Chapter: 03-sstable
 */
import type { Bytes, Sequence } from "#base";
import { compareBytes, equalBytes } from "#bytes";
import { type BlockSource, createBlockSource } from "./block-source.ts";
import { walkBlock } from "./block-walk.ts";
import { sstableCorrupt } from "./corruption.ts";
import type { EntryHeader } from "./data-block.ts";
import { type BlockList, separatorOf } from "./index-block.ts";
import { readParts, type TableFile, type TableParts } from "./parts.ts";

/** Reads and checks everything, from the file and not from the cache. @throws `SSTABLE_CORRUPT` */
export function verifyTable(file: TableFile, id: number): void {
  const parts = readParts(file, id);
  const source = createBlockSource(file, id, parts.blocks, null);
  const check = new Verification(parts);
  for (let block = 0; block < parts.blocks.count; block += 1) {
    const problem = check.block(source, block);
    if (problem === null) continue;
    const place = { path: file.path, offset: parts.blocks.offsets[block]! };
    throw sstableCorrupt(place, `block ${block}: ${problem}`);
  }
  const problem = check.end();
  if (problem === null) return;
  throw sstableCorrupt({ path: file.path, offset: parts.footer.properties.offset }, problem);
}

class Verification {
  readonly #parts: TableParts;
  readonly #blocks: BlockList;
  #lastKey: Bytes | null = null;
  #lastSequence: Sequence = 0;
  #firstKey: Bytes = new Uint8Array(0);
  #entries = 0;
  #deletions = 0;
  #keys = 0;
  #sequenceMin = Number.MAX_SAFE_INTEGER;
  #sequenceMax = 0;
  #missing = 0;

  constructor(parts: TableParts) {
    this.#parts = parts;
    this.#blocks = parts.blocks;
  }

  /** Counts a block's entries. @returns what is wrong, in words. */
  block(source: BlockSource, block: number): string | null {
    source.load(block, false);
    let problem: string | null = null;
    let isFirst = true;
    const walked = walkBlock(source.bytes, source.from, source.size, (entry, key) => {
      if (isFirst) problem = this.#join(block, key, entry.sequence);
      isFirst = false;
      this.#count(entry, key);
    });
    if (walked !== null || problem !== null) return walked ?? problem;
    const last = this.#lastKey;
    const isWithin = last !== null && compareBytes(last, separatorOf(this.#blocks, block)) <= 0;
    return isWithin ? null : "its last key is above its separator";
  }

  /** Compares what was counted with the properties. */
  end(): string | null {
    const { properties } = this.#parts;
    if (this.#entries !== properties.entries) return `${this.#entries} entries counted`;
    if (this.#deletions !== properties.deletions) return `${this.#deletions} deletions counted`;
    if (this.#keys !== properties.keys) return `${this.#keys} keys counted`;
    if (this.#sequenceMin !== properties.sequenceMin) return `sequence ${this.#sequenceMin} found`;
    if (this.#sequenceMax !== properties.sequenceMax) return `sequence ${this.#sequenceMax} found`;
    if (!equalBytes(this.#firstKey, properties.smallest)) return "another smallest key";
    const last = this.#lastKey;
    if (last === null || !equalBytes(last, properties.largest)) return "another largest key";
    return this.#missing === 0 ? null : `the filter misses ${this.#missing} keys`;
  }

  /** How a block's first entry follows the block before it. */
  #join(block: number, key: Bytes, sequence: Sequence): string | null {
    const last = this.#lastKey;
    if (last === null) {
      this.#firstKey = key.slice();
      return null;
    }
    const order = compareBytes(last, key);
    if (order > 0) return "its first key is not behind the block before it";
    const continues = this.#blocks.continues[block - 1] === 1;
    if (continues !== (order === 0)) return "the index is wrong about versions that go on";
    if (order === 0) return sequence < this.#lastSequence ? null : "sequence out of order";
    const isAbove = compareBytes(separatorOf(this.#blocks, block - 1), key) < 0;
    return isAbove ? null : "its first key is not above the separator";
  }

  #count(entry: EntryHeader, key: Bytes): void {
    this.#entries += 1;
    if (entry.isDeletion) this.#deletions += 1;
    this.#sequenceMin = Math.min(this.#sequenceMin, entry.sequence);
    this.#sequenceMax = Math.max(this.#sequenceMax, entry.sequence);
    this.#lastSequence = entry.sequence;
    if (this.#lastKey !== null && equalBytes(this.#lastKey, key)) return;
    this.#keys += 1;
    this.#lastKey = key.slice();
    const { filter } = this.#parts;
    if (filter !== null && !filter.mayContain(key)) this.#missing += 1;
  }
}

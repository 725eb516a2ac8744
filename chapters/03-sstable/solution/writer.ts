/**
 * Writes a table: data blocks as they fill, then filter, properties, index and footer.
 *
 * Invariant: what was added is in strict order, across blocks too (S1).
 * Chapter: 03-sstable, steps 03.3 and 03.4
 */
import { assert, type Bytes, type Sequence } from "#base";
import { equalBytes } from "#bytes";
import type { TableMeta, TableWriter, TableWriterOptions } from "#sstable/types";
import { createBlockBuilder } from "./block-builder.ts";
import { buildFilter } from "./bloom.ts";
import { type BlockHandle, encodeFooter } from "./footer.ts";
import { createOutput, type TableOutput } from "./output.ts";
import { createTally, encodeProperties } from "./properties.ts";
import { encodeIndex, type IndexEntry } from "./sparse-index.ts";
import { sealBlock, TRAILER_BYTES } from "./trailer.ts";

const BLOCK_BYTES_DEFAULT = 4096;
const FILTER_BITS_DEFAULT = 10;

/** Starts a table. @throws disk errors. */
export function createTableWriter(options: TableWriterOptions): TableWriter {
  return new Writer(options);
}

class Writer implements TableWriter {
  readonly #id: number;
  readonly #contentBytesMax: number;
  readonly #filterBitsPerKey: number;
  readonly #output: TableOutput;
  readonly #tally = createTally();
  readonly #index: IndexEntry[] = [];
  readonly #keys: Bytes[] = [];
  #block = createBlockBuilder(0);
  #entries = 0;
  #isDone = false;

  constructor(options: TableWriterOptions) {
    const { blockBytes = BLOCK_BYTES_DEFAULT, filterBitsPerKey = FILTER_BITS_DEFAULT } = options;
    this.#id = options.id;
    this.#contentBytesMax = blockBytes - TRAILER_BYTES;
    this.#filterBitsPerKey = filterBitsPerKey;
    this.#output = createOutput(options.disk, options.path);
    this.#block = createBlockBuilder(this.#contentBytesMax);
  }

  get bytes(): number {
    return this.#output.bytes + this.#block.bytes;
  }

  get entries(): number {
    return this.#entries;
  }

  add(key: Bytes, value: Bytes | null, sequence: Sequence): void {
    assert(!this.#isDone, "sstable: a writer is used until it is done");
    if (!(Number.isSafeInteger(sequence) && sequence >= 1)) {
      throw new RangeError(`sstable: sequence ${sequence} is not from 1 to 2^53 - 1`);
    }
    // The open block has the last version in it, so that it knows the order across blocks too.
    if (!this.#block.add(key, value, sequence)) {
      this.#closeBlock(key);
      this.#block.add(key, value, sequence);
    }
    if (this.#tally.add({ key, value, sequence })) this.#keys.push(key.slice());
    this.#entries += 1;
  }

  finish(): TableMeta {
    assert(!this.#isDone, "sstable: a writer is used until it is done");
    if (this.#entries === 0) throw new RangeError("sstable: a table has at least one entry");
    this.#isDone = true;
    this.#closeBlock(null);
    const properties = this.#tally.properties();
    const filter = this.#append(buildFilter(this.#keys, this.#filterBitsPerKey));
    const propertiesHandle = this.#append(encodeProperties(properties));
    const index = this.#append(encodeIndex(this.#index));
    const footer = { id: this.#id, filter, properties: propertiesHandle, index };
    this.#output.append(encodeFooter(footer));
    this.#output.publish();
    const { keys: _, ...known } = properties;
    return { id: this.#id, bytes: this.#output.bytes, ...known };
  }

  abandon(): void {
    this.#isDone = true;
    this.#output.abandon();
  }

  /** @param next - the key that comes next; null: none does. */
  #closeBlock(next: Bytes | null): void {
    const separator = this.#keys.at(-1)!;
    const handle = this.#append(this.#block.finish());
    const goesOn = next !== null && equalBytes(next, separator);
    this.#index.push({ ...handle, goesOn, separator });
    this.#block = createBlockBuilder(this.#contentBytesMax);
  }

  /** Writes a block with its trailer. */
  #append(content: Bytes): BlockHandle {
    const offset = this.#output.bytes;
    this.#output.append(sealBlock(content, { id: this.#id, offset }));
    return { offset, bytes: content.length };
  }
}

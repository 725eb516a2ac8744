/**
 * Writes a table: blocks as they fill, then filter, properties, index and footer, then the name.
 *
 * Invariant: the final name appears when everything under it is durable, and not before (S5). What
 * was added is in strict order, or it was refused (S1).
 * Chapter: 03-sstable
 */
import { assert, type Bytes, type Sequence } from "#base";
import { directoryOf } from "#bytes";
import type { Disk, FileHandle } from "#platform/types";
import { createFilterBuilder, type FilterBuilder } from "./bloom.ts";
import { deflateBlock } from "./compression.ts";
import {
  ENTRY_HEADER_BYTES_MAX,
  putEntry,
  putRestarts,
  restartBytes,
  SHORT_BYTES,
} from "./data-block.ts";
import { type BlockHandle, encodeFooter, FOOTER_BYTES } from "./footer.ts";
import { createIndexBuilder, type IndexBuilder } from "./index-block.ts";
import { checkVersion, checkWriterOptions, type WriterSettings } from "./options.ts";
import { encodeProperties, type Properties } from "./properties.ts";
import { shortestSeparator } from "./separator.ts";
import { createTableOutput, type TableOutput } from "./table-output.ts";
import { BlockType, blockSeed, sealBlock, TRAILER_BYTES, tableSeed } from "./trailer.ts";
import type { TableMeta, TableWriter, TableWriterOptions } from "./types.ts";

/** Behind the name of a table that is being written. Whoever finds one at start may remove it. */
export const TEMPORARY_SUFFIX = ".tmp";

const KEY_CAPACITY_FIRST = 256;

/**
 * Starts a table. A temporary file that a crash left behind is overwritten.
 *
 * @throws RangeError for an option outside its range; disk errors.
 */
export function createTableWriter(options: TableWriterOptions): TableWriter {
  const settings = checkWriterOptions(options);
  const handle = options.disk.open(options.path + TEMPORARY_SUFFIX, "read-write");
  const writer = new Writer(options, settings, handle);
  try {
    handle.truncate(0);
    return writer;
  } catch (error) {
    writer.abandon();
    throw error;
  }
}

/** How far a writer is. `named`: the final name is there, and may not be durable. */
type State = "open" | "failed" | "named" | "finished" | "abandoned";

class Writer implements TableWriter {
  readonly #disk: Disk;
  readonly #path: string;
  readonly #id: number;
  readonly #settings: WriterSettings;
  readonly #handle: FileHandle;
  readonly #output: TableOutput;
  readonly #filter: FilterBuilder;
  readonly #index: IndexBuilder = createIndexBuilder();
  readonly #seed: number;
  #state: State = "open";

  /** Of the open block. */
  #restarts: number[] = [];
  #blockEntries = 0;

  #lastKey: Bytes = new Uint8Array(KEY_CAPACITY_FIRST);
  #lastKeyBytes = 0;
  #lastSequence = 0;
  #smallest: Bytes = new Uint8Array(0);
  #entries = 0;
  #deletions = 0;
  #keys = 0;
  #sequenceMin = Number.MAX_SAFE_INTEGER;
  #sequenceMax = 0;

  constructor(options: TableWriterOptions, settings: WriterSettings, handle: FileHandle) {
    this.#disk = options.disk;
    this.#path = options.path;
    this.#id = options.id;
    this.#settings = settings;
    this.#handle = handle;
    this.#output = createTableOutput(handle);
    this.#filter = createFilterBuilder(settings.filterBitsPerKey);
    this.#seed = tableSeed(options.id);
  }

  get bytes(): number {
    return this.#output.fileBytes;
  }

  get entries(): number {
    return this.#entries;
  }

  add(key: Bytes, value: Bytes | null, sequence: Sequence): void {
    this.#assertOpen();
    checkVersion(key, value, sequence);
    const shared = this.#sharedWithLast(key);
    const isNewKey = this.#checkOrder(key, shared, sequence);
    this.#state = "failed";
    this.#put(key, value, sequence, shared);
    if (isNewKey) {
      this.#filter.add(key);
      this.#keys += 1;
    }
    if (this.#entries === 0) this.#smallest = key.slice();
    this.#entries += 1;
    if (value === null) this.#deletions += 1;
    if (sequence < this.#sequenceMin) this.#sequenceMin = sequence;
    if (sequence > this.#sequenceMax) this.#sequenceMax = sequence;
    this.#remember(key, shared);
    this.#lastSequence = sequence;
    this.#state = "open";
  }

  finish(): TableMeta {
    this.#assertOpen();
    if (this.#entries === 0) {
      throw new RangeError(`sstable: ${this.#path}: a table has at least one entry`);
    }
    this.#state = "failed";
    this.#closeBlock(null);
    const properties = this.#properties();
    const filter = this.#putMetaBlock(this.#filter.finish());
    const propertiesHandle = this.#putMetaBlock(encodeProperties(properties));
    const index = this.#putMetaBlock(this.#index.finish());
    const output = this.#output;
    output.append(encodeFooter({ id: this.#id, filter, properties: propertiesHandle, index }));
    output.closeBlock();
    output.flush();
    this.#handle.sync();
    this.#handle.close();
    this.#disk.rename(this.#path + TEMPORARY_SUFFIX, this.#path);
    this.#state = "named";
    this.#disk.syncDir(directoryOf(this.#path));
    this.#state = "finished";
    const { keys, ...known } = properties;
    assert(keys <= known.entries, "sstable: no more keys than versions");
    return { id: this.#id, bytes: output.fileBytes, ...known };
  }

  abandon(): void {
    if (this.#state === "finished" || this.#state === "abandoned") return;
    // After a failed sync of the directory the name may survive a crash or not. What it names is
    // complete either way; removing it keeps the promise that a failed table is not there.
    const path = this.#state === "named" ? this.#path : this.#path + TEMPORARY_SUFFIX;
    this.#state = "abandoned";
    quietly(() => this.#handle.close());
    quietly(() => {
      if (this.#disk.exists(path)) this.#disk.unlink(path);
    });
  }

  #assertOpen(): void {
    assert(
      this.#state === "open",
      `sstable: ${this.#path}: a writer is used until it ${this.#state}`,
    );
  }

  #sharedWithLast(key: Bytes): number {
    const last = this.#lastKey;
    const stop = Math.min(this.#lastKeyBytes, key.length);
    let shared = 0;
    while (shared < stop && last[shared] === key[shared]) shared += 1;
    return shared;
  }

  /** @returns whether the key is another than the last one. */
  #checkOrder(key: Bytes, shared: number, sequence: Sequence): boolean {
    if (this.#entries === 0) return true;
    if (shared === this.#lastKeyBytes) {
      if (shared < key.length) return true;
      if (sequence < this.#lastSequence) return false;
      const versions = `${sequence} behind ${this.#lastSequence}`;
      throw new RangeError(`sstable: versions of one key come newest first, got ${versions}`);
    }
    if (shared < key.length && key[shared]! > this.#lastKey[shared]!) return true;
    throw new RangeError(
      `sstable: entry ${this.#entries}: its key does not come behind the one before it`,
    );
  }

  /** Puts a version into the open block, or into the next one if it does not fit. */
  #put(key: Bytes, value: Bytes | null, sequence: Sequence, shared: number): void {
    const output = this.#output;
    const room = ENTRY_HEADER_BYTES_MAX + key.length + (value === null ? 0 : value.length);
    output.reserve(room);
    if (this.#blockEntries > 0) {
      const isRestart = this.#blockEntries % this.#settings.restartInterval === 0;
      const kept = isRestart ? 0 : shared;
      const end = putEntry(output.bytes, output.end, kept, key, value, sequence);
      const restarts = this.#restarts.length + (isRestart ? 1 : 0);
      const blockBytes = end - output.blockAt + restartBytes(restarts) + TRAILER_BYTES;
      if (blockBytes <= this.#settings.blockBytes) {
        if (isRestart) this.#restarts.push(output.end - output.blockAt);
        output.end = end;
        this.#blockEntries += 1;
        return;
      }
      this.#closeBlock(key);
      output.reserve(room);
    }
    this.#restarts.push(0);
    output.end = putEntry(output.bytes, output.end, 0, key, value, sequence);
    this.#blockEntries = 1;
  }

  /** @param next - the key that comes next; null: none does. */
  #closeBlock(next: Bytes | null): void {
    const output = this.#output;
    output.reserve(restartBytes(this.#restarts.length) + TRAILER_BYTES);
    output.end = putRestarts(output.bytes, output.end, this.#restarts);
    const type = this.#settings.compression === "deflate" ? this.#deflate() : BlockType.plain;
    const { bytes } = this.#seal(type);
    const last = this.#lastKey.subarray(0, this.#lastKeyBytes);
    const continues =
      next !== null && next.length === last.length && this.#sharedWithLast(next) === last.length;
    const separator = next === null || continues ? last : shortestSeparator(last, next);
    this.#index.add(bytes, continues, separator);
    this.#restarts = [];
    this.#blockEntries = 0;
  }

  /** Makes the open block smaller, if it becomes smaller. */
  #deflate(): BlockType {
    const output = this.#output;
    const deflated = deflateBlock(output.bytes.subarray(output.blockAt, output.end));
    if (deflated === null) return BlockType.plain;
    output.bytes.set(deflated, output.blockAt);
    output.end = output.blockAt + deflated.length;
    return BlockType.deflate;
  }

  /** Gives the open block its trailer and closes it. Room for the trailer was reserved. */
  #seal(type: BlockType): BlockHandle {
    const output = this.#output;
    const offset = output.blockOffset;
    const bytes = output.end - output.blockAt;
    const seed = blockSeed(this.#seed, offset);
    output.end = sealBlock(output.bytes, output.blockAt, { bytes, type, seed });
    output.closeBlock();
    return { offset, bytes };
  }

  #putMetaBlock(content: Bytes): BlockHandle {
    this.#output.append(content);
    this.#output.reserve(TRAILER_BYTES + FOOTER_BYTES);
    return this.#seal(BlockType.plain);
  }

  #properties(): Properties {
    return {
      entries: this.#entries,
      deletions: this.#deletions,
      keys: this.#keys,
      sequenceMin: this.#sequenceMin,
      sequenceMax: this.#sequenceMax,
      smallest: this.#smallest,
      largest: this.#lastKey.slice(0, this.#lastKeyBytes),
    };
  }

  /** Keeps a copy of the key. The first `shared` bytes are there already. */
  #remember(key: Bytes, shared: number): void {
    if (key.length > this.#lastKey.length) {
      this.#lastKey = new Uint8Array(key.length * 2);
      this.#lastKey.set(key);
    } else if (key.length - shared < SHORT_BYTES) {
      for (let i = shared; i < key.length; i += 1) this.#lastKey[i] = key[i]!;
    } else this.#lastKey.set(key);
    this.#lastKeyBytes = key.length;
  }
}

function quietly(step: () => void): void {
  try {
    step();
  } catch {
    // Deliberate: whoever gives up has an error already that says more. What may be left is a
    // temporary file, which the next start removes.
  }
}

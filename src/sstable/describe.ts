/**
 * A table file for people, part by part, damaged or not.
 *
 * Invariant: one damaged part hides no other, but for two: without the footer nothing can be found,
 * and without the index no data block.
 * Chapter: 03-sstable
 */
import { type Bytes, isCairnError, type Sequence } from "#base";
import type { Disk } from "#platform/types";
import { createBlockSource } from "./block-source.ts";
import { walkBlock } from "./block-walk.ts";
import { type BlockHandle, FOOTER_BYTES, type Footer } from "./footer.ts";
import { type BlockList, contentBytes } from "./index-block.ts";
import {
  checkAgainst,
  filterOf,
  indexOf,
  metaOf,
  openFile,
  propertiesOf,
  readFooter,
  readMetaBlock,
  type TableFile,
} from "./parts.ts";
import { TRAILER_BYTES } from "./trailer.ts";
import type { TableDescription, TablePart } from "./types.ts";

/** What {@link describeTable} hands out for each version. */
type OnEntry = (entry: {
  readonly key: Bytes;
  readonly value: Bytes | null;
  readonly sequence: Sequence;
  readonly blockOffset: number;
}) => void;

/**
 * Reads a table file part by part, damaged or not, and says what is there. Memory stays bounded.
 *
 * @param onEntry - called for each version of each sound data block, with the block's offset.
 * @throws disk errors as they come; damage is in the result.
 */
export function describeTable(
  options: { readonly disk: Disk; readonly path: string },
  onEntry?: OnEntry,
): TableDescription {
  const file = openFile(options.disk, options.path);
  try {
    return new Description(file, onEntry ?? null).describe();
  } finally {
    file.handle.close();
  }
}

class Description {
  readonly #file: TableFile;
  readonly #onEntry: OnEntry | null;
  readonly #parts: TablePart[] = [];
  readonly #problems: string[] = [];

  constructor(file: TableFile, onEntry: OnEntry | null) {
    this.#file = file;
    this.#onEntry = onEntry;
  }

  describe(): TableDescription {
    const file = this.#file;
    const footer = this.#attempt(() => readFooter(file));
    if (typeof footer === "string") {
      this.#problems.push(footer, "nothing can be found without the footer");
      const bytes = Math.min(FOOTER_BYTES, file.bytes);
      this.#add("footer", { offset: file.bytes - bytes, bytes }, footer);
      return { meta: null, parts: this.#parts, problems: this.#problems };
    }
    const blockOf = <T>(
      handle: BlockHandle,
      decode: (file: TableFile, footer: Footer, content: Bytes) => T,
    ): T | string => this.#attempt(() => decode(file, footer, readMetaBlock(file, footer, handle)));
    const filter = blockOf(footer.filter, filterOf);
    const properties = blockOf(footer.properties, propertiesOf);
    const index = blockOf(footer.index, indexOf);
    if (typeof index === "string") this.#problems.push(`data blocks cannot be found: ${index}`);
    else this.#describeData(footer, index);
    this.#addBlock("filter", footer.filter, problemIn(filter));
    this.#addBlock("properties", footer.properties, problemIn(properties));
    this.#addBlock("index", footer.index, problemIn(index));
    this.#add("footer", { offset: file.bytes - FOOTER_BYTES, bytes: FOOTER_BYTES }, null);
    if (typeof properties === "string") {
      return { meta: null, parts: this.#parts, problems: this.#problems };
    }
    if (typeof index !== "string") {
      const checked = this.#attempt(() => checkAgainst(file, footer, properties, index));
      if (typeof checked === "string") this.#problems.push(checked);
    }
    const meta = metaOf(file, footer, properties);
    return { meta, parts: this.#parts, problems: this.#problems };
  }

  #describeData(footer: Footer, blocks: BlockList): void {
    const source = createBlockSource(this.#file, footer.id, blocks, null);
    for (let block = 0; block < blocks.count; block += 1) {
      const handle = { offset: blocks.offsets[block]!, bytes: contentBytes(blocks, block) };
      const walked = this.#attempt(() => {
        source.load(block, false);
        const { bytes, from, size } = source;
        const problem = walkBlock(bytes, from, size, () => {});
        if (problem !== null || this.#onEntry === null) return problem;
        // The block is sound: walk again and hand out. A callback may use the disk and this
        // thread's scratch memory, so it gets a copy.
        this.#handOut(bytes.slice(from, from + size), handle.offset, this.#onEntry);
        return null;
      });
      this.#addBlock("data", handle, walked);
    }
  }

  #handOut(block: Bytes, blockOffset: number, onEntry: OnEntry): void {
    walkBlock(block, 0, block.length, (entry, key) => {
      const valueAt = entry.suffixAt + entry.unshared;
      const value = entry.isDeletion ? null : block.slice(valueAt, valueAt + entry.valueBytes);
      onEntry({ key: key.slice(), value, sequence: entry.sequence, blockOffset });
    });
  }

  #addBlock(kind: TablePart["kind"], handle: BlockHandle, problem: string | null): void {
    this.#add(kind, { offset: handle.offset, bytes: handle.bytes + TRAILER_BYTES }, problem);
    if (problem !== null) this.#problems.push(problem);
  }

  #add(
    kind: TablePart["kind"],
    at: { readonly offset: number; readonly bytes: number },
    problem: string | null,
  ): void {
    this.#parts.push({ ...at, kind, ...(problem !== null && { problem }) });
  }

  /** Runs a step. @returns its result, or what was wrong with the file. */
  #attempt<T>(step: () => T): T | string {
    try {
      return step();
    } catch (error) {
      if (isCairnError(error, "SSTABLE_CORRUPT")) {
        return error.message;
      }
      throw error;
    }
  }
}

function problemIn(decoded: unknown): string | null {
  return typeof decoded === "string" ? decoded : null;
}

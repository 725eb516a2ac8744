/**
 * Reads the parts of a table that are not data: footer, filter, properties, index.
 *
 * Invariant: every size was compared with the size of the file before anything was allocated for it
 * (S4), and every byte was checked before it was believed (S3).
 * Chapter: 03-sstable
 */
import type { Bytes } from "#base";
import { compareBytes, equalBytes } from "#bytes";
import type { Disk, FileHandle } from "#platform/types";
import { decodeFilter, type Filter } from "./bloom.ts";
import { soundOr, sstableCorrupt } from "./corruption.ts";
import { type BlockHandle, decodeFooter, FOOTER_BYTES, type Footer } from "./footer.ts";
import { type BlockList, decodeIndex, separatorOf } from "./index-block.ts";
import { decodeProperties, type Properties } from "./properties.ts";
import { BlockType, blockSeed, checkBlock, TRAILER_BYTES, tableSeed } from "./trailer.ts";
import type { TableMeta } from "./types.ts";

/** A file that is open for reading. */
export interface TableFile {
  readonly path: string;
  readonly handle: FileHandle;
  /** Its size; it never changes (S2). */
  readonly bytes: number;
}

/** Everything but the data. */
export interface TableParts {
  readonly footer: Footer;
  readonly meta: TableMeta;
  readonly properties: Properties;
  readonly blocks: BlockList;
  readonly filter: Filter | null;
  /** Of memory that the parts keep. */
  readonly memoryBytes: number;
}

/** Opens a file. The caller closes its handle. */
export function openFile(disk: Disk, path: string): TableFile {
  const handle = disk.open(path, "read");
  try {
    return { path, handle, bytes: handle.size() };
  } catch (error) {
    handle.close();
    throw error;
  }
}

/** Reads and checks the parts of table `id`. @throws `SSTABLE_CORRUPT`, disk errors. */
export function readParts(file: TableFile, id: number): TableParts {
  const footer = readFooter(file);
  if (footer.id !== id) {
    const place = { path: file.path, offset: file.bytes - FOOTER_BYTES };
    throw sstableCorrupt(place, `this is table ${footer.id}, not ${id}`);
  }
  // The three blocks lie together, so one read gets them all.
  const from = footer.filter.offset;
  const tail = readExactly(file, from, file.bytes - FOOTER_BYTES - from);
  const contentOf = (handle: BlockHandle): Bytes =>
    checkedContent(file, footer.id, handle, tail.subarray(handle.offset - from));
  const filter = filterOf(file, footer, contentOf(footer.filter));
  const properties = propertiesOf(file, footer, contentOf(footer.properties));
  const blocks = indexOf(file, footer, contentOf(footer.index));
  checkAgainst(file, footer, properties, blocks);
  return {
    footer,
    meta: metaOf(file, footer, properties),
    properties,
    blocks,
    filter,
    memoryBytes: tail.length + blocks.offsets.byteLength + blocks.keyAt.byteLength * 2,
  };
}

/** Reads the footer. @throws `SSTABLE_CORRUPT`, disk errors. */
export function readFooter(file: TableFile): Footer {
  if (file.bytes < FOOTER_BYTES) {
    const problem = `a file of ${file.bytes} bytes is no table`;
    throw sstableCorrupt({ path: file.path, offset: 0 }, problem);
  }
  const offset = file.bytes - FOOTER_BYTES;
  const bytes = readExactly(file, offset, FOOTER_BYTES);
  return soundOr({ path: file.path, offset }, decodeFooter(bytes, file.bytes));
}

/** Reads one of the blocks that the footer names. @throws `SSTABLE_CORRUPT`, disk errors. */
export function readMetaBlock(file: TableFile, footer: Footer, handle: BlockHandle): Bytes {
  const bytes = readExactly(file, handle.offset, handle.bytes + TRAILER_BYTES);
  return checkedContent(file, footer.id, handle, bytes);
}

export function filterOf(file: TableFile, footer: Footer, content: Bytes): Filter | null {
  const decoded = decodeFilter(content);
  if (typeof decoded !== "string") return decoded;
  throw sstableCorrupt({ path: file.path, offset: footer.filter.offset }, decoded);
}

export function propertiesOf(file: TableFile, footer: Footer, content: Bytes): Properties {
  const place = { path: file.path, offset: footer.properties.offset };
  return soundOr(place, decodeProperties(content));
}

export function indexOf(file: TableFile, footer: Footer, content: Bytes): BlockList {
  const place = { path: file.path, offset: footer.index.offset };
  // Data begins at 0 and ends where the filter begins.
  return soundOr(place, decodeIndex(content, footer.filter.offset));
}

/** Compares index and properties, which know the same of the table. @throws `SSTABLE_CORRUPT` */
export function checkAgainst(
  file: TableFile,
  footer: Footer,
  properties: Properties,
  blocks: BlockList,
): void {
  const place = { path: file.path, offset: footer.index.offset };
  if (properties.entries < blocks.count) throw sstableCorrupt(place, "index: too many blocks");
  if (compareBytes(separatorOf(blocks, 0), properties.smallest) < 0) {
    throw sstableCorrupt(place, "index: a separator is below the smallest key");
  }
  if (!equalBytes(separatorOf(blocks, blocks.count - 1), properties.largest)) {
    throw sstableCorrupt(place, "index: the last separator is not the largest key");
  }
}

export function metaOf(file: TableFile, footer: Footer, properties: Properties): TableMeta {
  const { keys: _, ...known } = properties;
  return { id: footer.id, bytes: file.bytes, ...known };
}

/** Reads bytes that the file's size promises. @throws `SSTABLE_CORRUPT` if they are not there. */
export function readExactly(file: TableFile, offset: number, count: number): Bytes {
  // Filled at once, or not used.
  const bytes = new Uint8Array(Buffer.allocUnsafeSlow(count).buffer);
  const got = file.handle.read(offset, bytes);
  if (got === count) return bytes;
  throw sstableCorrupt({ path: file.path, offset: offset + got }, "the file has become shorter");
}

function checkedContent(file: TableFile, id: number, handle: BlockHandle, bytes: Bytes): Bytes {
  const seed = blockSeed(tableSeed(id), handle.offset);
  const type = checkBlock(bytes, 0, handle.bytes, seed);
  if (type === BlockType.plain) return bytes.subarray(0, handle.bytes);
  const problem = typeof type === "string" ? type : "only data blocks are deflated";
  throw sstableCorrupt({ path: file.path, offset: handle.offset }, problem);
}

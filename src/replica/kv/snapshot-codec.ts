/**
 * A copy of the key-value store as a file.
 *
 * | offset | bytes | field        | type   | meaning                                            |
 * | -----: | ----: | ------------ | ------ | -------------------------------------------------- |
 * |      0 |     4 | checksum     | u32 LE | CRC-32C from offset 4 to the header's end          |
 * |      4 |     8 | magic        | bytes  | "CAIRNKVS"                                         |
 * |     12 |     4 | version      | u32 LE | 1                                                  |
 * |     16 |     8 | appliedIndex | u64 LE | what the copy has                                  |
 * |     24 |     8 | logTimeMs    | u64 LE | the time that the log had come to                  |
 *
 * Behind it blocks, until one without rows, which ends the file:
 *
 * | offset | bytes | field    | type   | meaning                                                |
 * | -----: | ----: | -------- | ------ | ------------------------------------------------------ |
 * |      0 |     4 | checksum | u32 LE | CRC-32C from offset 4 to the block's end, see below    |
 * |      4 |     4 | length   | u32 LE | bytes of the rows; 0 in the last block                 |
 * |      8 |     n | rows     | bytes  | key and value, each with its length (varint) in front  |
 *
 * The keys are those of `layout.ts` without their generation, ascending. Each checksum begins with
 * the one before, the first with the header's. Invariant: a file that was cut, or whose blocks were
 * exchanged, is found out before anything of it is believed.
 * Chapter: 08-replica.
 */
import { assert, type Bytes, CairnError } from "#base";
import {
  crc32c,
  createByteReader,
  createByteWriter,
  getU32,
  getU64,
  putU32,
  putU64,
  U32_BYTES,
  U64_BYTES,
} from "#bytes";
import type { FileHandle } from "#platform/types";
import type { Index } from "#raft/types";

const MAGIC = new TextEncoder().encode("CAIRNKVS");
const VERSION = 1;
const MAGIC_OFFSET = U32_BYTES;
const VERSION_OFFSET = MAGIC_OFFSET + MAGIC.length;
const INDEX_OFFSET = VERSION_OFFSET + U32_BYTES;
const TIME_OFFSET = INDEX_OFFSET + U64_BYTES;
const HEADER_BYTES = TIME_OFFSET + U64_BYTES;
assert(HEADER_BYTES === 32, "replica: kv: the header of a copy has 32 bytes, as in the table");
const LENGTH_OFFSET = U32_BYTES;
const BLOCK_HEADER_BYTES = LENGTH_OFFSET + U32_BYTES;
/** A millisecond's work or so between two turns of the event loop; one larger row goes alone. */
const BLOCK_BYTES = 256 * 1024;

/** What the header says. */
export interface CopyHeader {
  readonly appliedIndex: Index;
  readonly logTimeMs: number;
}

/** A row without its generation. */
export type CopyRow = readonly [key: Bytes, value: Bytes];

/** Writes a copy, and yields after each block. The caller syncs. */
export function* writeCopy(
  file: FileHandle,
  header: CopyHeader,
  rows: Iterable<CopyRow>,
): Generator<undefined, void> {
  let checksum = writeHeader(file, header);
  let at = HEADER_BYTES;
  const writer = createByteWriter(BLOCK_BYTES + BLOCK_HEADER_BYTES);
  const flush = (): void => {
    const block = new Uint8Array(BLOCK_HEADER_BYTES + writer.length);
    putU32(block, LENGTH_OFFSET, writer.length);
    block.set(writer.finish(), BLOCK_HEADER_BYTES);
    checksum = crc32c(block.subarray(LENGTH_OFFSET), checksum);
    putU32(block, 0, checksum);
    file.write(at, block);
    at += block.length;
    writer.reset();
  };
  for (const [key, value] of rows) {
    writer.bytes(key);
    writer.bytes(value);
    if (writer.length < BLOCK_BYTES) continue;
    flush();
    yield;
  }
  if (writer.length > 0) flush();
  flush();
}

/** The header of a copy. @throws `REPLICA_SNAPSHOT_INVALID` */
export function readCopyHeader(file: FileHandle, path: string): CopyHeader {
  const header = readBytes(file, 0, HEADER_BYTES, path);
  if (crc32c(header.subarray(MAGIC_OFFSET)) !== getU32(header, 0)) {
    throw invalid(path, 0, "checksum mismatch");
  }
  const magic = header.subarray(MAGIC_OFFSET, VERSION_OFFSET);
  if (magic.some((byte, place) => byte !== MAGIC[place])) throw invalid(path, 0, "no copy of ours");
  const version = getU32(header, VERSION_OFFSET);
  if (version !== VERSION) throw invalid(path, VERSION_OFFSET, `version ${version}`);
  return { appliedIndex: getU64(header, INDEX_OFFSET), logTimeMs: getU64(header, TIME_OFFSET) };
}

/**
 * The rows of a copy, block by block; views.
 *
 * @throws `REPLICA_SNAPSHOT_INVALID`, at the place of the damage: read it once before believing it.
 */
export function* readCopyBlocks(file: FileHandle, path: string): Generator<CopyRow[], void> {
  let checksum = getU32(readBytes(file, 0, U32_BYTES, path), 0);
  let at = HEADER_BYTES;
  for (;;) {
    const head = readBytes(file, at, BLOCK_HEADER_BYTES, path);
    const length = getU32(head, LENGTH_OFFSET);
    if (length > file.size() - at) throw invalid(path, at, `a block of ${length} bytes`);
    const block = readBytes(file, at, BLOCK_HEADER_BYTES + length, path);
    checksum = crc32c(block.subarray(LENGTH_OFFSET), checksum);
    if (checksum !== getU32(block, 0)) throw invalid(path, at, "checksum mismatch");
    at += block.length;
    if (length === 0) break;
    yield rowsOf(block.subarray(BLOCK_HEADER_BYTES));
  }
  if (at !== file.size()) throw invalid(path, at, `${file.size() - at} bytes behind the end`);
}

function rowsOf(bytes: Bytes): CopyRow[] {
  const reader = createByteReader(bytes);
  const rows: CopyRow[] = [];
  while (reader.remaining > 0) rows.push([reader.bytes(), reader.bytes()]);
  return rows;
}

function writeHeader(file: FileHandle, { appliedIndex, logTimeMs }: CopyHeader): number {
  const header = new Uint8Array(HEADER_BYTES);
  header.set(MAGIC, MAGIC_OFFSET);
  putU32(header, VERSION_OFFSET, VERSION);
  putU64(header, INDEX_OFFSET, appliedIndex);
  putU64(header, TIME_OFFSET, logTimeMs);
  const checksum = crc32c(header.subarray(MAGIC_OFFSET));
  putU32(header, 0, checksum);
  file.write(0, header);
  return checksum;
}

function readBytes(file: FileHandle, at: number, count: number, path: string): Bytes {
  const bytes = new Uint8Array(count);
  if (file.read(at, bytes) < count) throw invalid(path, at, "the file ends");
  return bytes;
}

function invalid(path: string, offset: number, problem: string): CairnError {
  const message = `replica: kv: copy ${path} at byte ${offset}: ${problem}`;
  return new CairnError("REPLICA_SNAPSHOT_INVALID", message, { details: { offset } });
}

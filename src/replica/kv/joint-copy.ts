/**
 * A copy of two state machines in one file: the first one's copy, the second one's, and a trailer.
 *
 * | offset | bytes | field       | type   | meaning                                      |
 * | -----: | ----: | ----------- | ------ | -------------------------------------------- |
 * |      0 |     4 | checksum    | u32 LE | CRC-32C from offset 4 to the trailer's end   |
 * |      4 |     8 | magic       | bytes  | "CAIRNTWO"                                   |
 * |     12 |     4 | version     | u32 LE | 1                                            |
 * |     16 |     8 | firstBytes  | u64 LE | size of the first copy                       |
 * |     24 |     8 | secondBytes | u64 LE | size of the second copy, which follows it    |
 *
 * The trailer is the file's last 32 bytes, so the first copy need not be moved: SQLite ignores what
 * is behind its last page. Invariant: sizes in the trailer and the file's size agree.
 * Chapter: 08-replica.
 */
import { assert, type Bytes, CairnError } from "#base";
import { crc32c, getU32, getU64, putU32, putU64, U32_BYTES, U64_BYTES } from "#bytes";
import type { FileHandle } from "#platform/types";

const MAGIC = new TextEncoder().encode("CAIRNTWO");
const VERSION = 1;
const MAGIC_OFFSET = U32_BYTES;
const VERSION_OFFSET = MAGIC_OFFSET + MAGIC.length;
const FIRST_OFFSET = VERSION_OFFSET + U32_BYTES;
const SECOND_OFFSET = FIRST_OFFSET + U64_BYTES;
const TRAILER_BYTES = SECOND_OFFSET + U64_BYTES;
assert(TRAILER_BYTES === 32, "replica: the trailer of a joint copy has 32 bytes, as in the table");

/** Between two turns of the event loop: about a millisecond. */
const PIECE_BYTES = 1024 * 1024;

/** Appends the second copy and the trailer to the first; yields now and then. The caller syncs. */
export function* joinCopies(first: FileHandle, second: FileHandle): Generator<undefined, void> {
  const [firstBytes, secondBytes] = [first.size(), second.size()];
  yield* copyRange(second, first, { from: 0, bytes: secondBytes, to: firstBytes });
  const trailer = new Uint8Array(TRAILER_BYTES);
  trailer.set(MAGIC, MAGIC_OFFSET);
  putU32(trailer, VERSION_OFFSET, VERSION);
  putU64(trailer, FIRST_OFFSET, firstBytes);
  putU64(trailer, SECOND_OFFSET, secondBytes);
  putU32(trailer, 0, crc32c(trailer.subarray(MAGIC_OFFSET)));
  first.write(firstBytes + secondBytes, trailer);
}

/**
 * Copies the second copy out of a joint file, which stays as it is. The caller syncs.
 *
 * @throws `REPLICA_SNAPSHOT_INVALID` if the file is no joint copy.
 */
export function* extractSecond(
  joint: FileHandle,
  second: FileHandle,
  path: string,
): Generator<undefined, void> {
  const { firstBytes, secondBytes } = readTrailer(joint, path);
  second.truncate(0);
  yield* copyRange(joint, second, { from: firstBytes, bytes: secondBytes, to: 0 });
}

function readTrailer(
  joint: FileHandle,
  path: string,
): { readonly firstBytes: number; readonly secondBytes: number } {
  const at = joint.size() - TRAILER_BYTES;
  const trailer = new Uint8Array(TRAILER_BYTES);
  if (at < 0 || joint.read(at, trailer) < TRAILER_BYTES) throw invalid(path, "too short");
  if (crc32c(trailer.subarray(MAGIC_OFFSET)) !== getU32(trailer, 0)) {
    throw invalid(path, "checksum mismatch in its trailer");
  }
  const magic: Bytes = trailer.subarray(MAGIC_OFFSET, VERSION_OFFSET);
  if (magic.some((byte, place) => byte !== MAGIC[place])) throw invalid(path, "no joint copy");
  const version = getU32(trailer, VERSION_OFFSET);
  if (version !== VERSION) throw invalid(path, `version ${version}`);
  const [firstBytes, secondBytes] = [getU64(trailer, FIRST_OFFSET), getU64(trailer, SECOND_OFFSET)];
  if (firstBytes + secondBytes !== at) {
    throw invalid(path, `${at} bytes, want ${firstBytes} and ${secondBytes}`);
  }
  return { firstBytes, secondBytes };
}

function* copyRange(
  source: FileHandle,
  target: FileHandle,
  range: { readonly from: number; readonly bytes: number; readonly to: number },
): Generator<undefined, void> {
  const piece = new Uint8Array(Math.min(PIECE_BYTES, range.bytes));
  for (let done = 0; done < range.bytes; done += piece.length) {
    const count = Math.min(piece.length, range.bytes - done);
    const read = source.read(range.from + done, piece.subarray(0, count));
    assert(read === count, "replica: a copy does not become shorter while it is read");
    target.write(range.to + done, piece.subarray(0, count));
    yield;
  }
}

function invalid(path: string, problem: string): CairnError {
  return new CairnError("REPLICA_SNAPSHOT_INVALID", `replica: joint copy ${path}: ${problem}`);
}

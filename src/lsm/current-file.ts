/**
 * The file `CURRENT`: which manifest counts.
 *
 * | offset | bytes | field    | type   | meaning                                |
 * | -----: | ----: | -------- | ------ | -------------------------------------- |
 * |      0 |     4 | checksum | u32 LE | CRC-32C of every byte from offset 4 on |
 * |      4 |     8 | magic    | bytes  | "CAIRNCUR"                             |
 * |     12 |     4 | version  | u32 LE | 1                                      |
 * |     16 |     8 | number   | u64 LE | of the manifest                        |
 *
 * Invariant: it is replaced as a whole (D5), and only when the manifest that it will name is
 * durable. So a crash finds the old manifest or the new one, and that one complete.
 * Chapter: 04-lsm
 */
import type { Bytes } from "#base";
import {
  crc32cRange,
  equalBytes,
  getU32,
  getU64,
  putU32,
  putU64,
  replaceFile,
  U32_BYTES,
  U64_BYTES,
} from "#bytes";
import type { Disk } from "#platform/types";
import { lsmCorrupt } from "./corruption.ts";
import { currentPath } from "./file-names.ts";

const MAGIC = new TextEncoder().encode("CAIRNCUR");
const MAGIC_OFFSET = U32_BYTES;
const VERSION_OFFSET = MAGIC_OFFSET + MAGIC.length;
const NUMBER_OFFSET = VERSION_OFFSET + U32_BYTES;
const CURRENT_BYTES = NUMBER_OFFSET + U64_BYTES;
const VERSION = 1;

/** Makes a manifest the one that counts, durably. @throws disk errors: see `replaceFile`. */
export function writeCurrent(disk: Disk, dir: string, number: number): void {
  const bytes = new Uint8Array(CURRENT_BYTES);
  bytes.set(MAGIC, MAGIC_OFFSET);
  putU32(bytes, VERSION_OFFSET, VERSION);
  putU64(bytes, NUMBER_OFFSET, number);
  putU32(bytes, 0, crc32cRange(bytes, MAGIC_OFFSET, CURRENT_BYTES));
  replaceFile(disk, currentPath(dir), bytes);
}

/** The number of the manifest that counts. @throws `LSM_CORRUPT`; disk errors. */
export function readCurrent(disk: Disk, dir: string): number {
  const file = currentPath(dir);
  const result = decodeCurrent(readSmallFile(disk, file));
  if (typeof result === "number") return result;
  throw lsmCorrupt({ file, offset: result.offset }, result.problem);
}

/** @returns the number, or what is wrong and where. */
export function decodeCurrent(bytes: Bytes): number | { offset: number; problem: string } {
  if (bytes.length !== CURRENT_BYTES) {
    return { offset: 0, problem: `${bytes.length} bytes long, not ${CURRENT_BYTES}` };
  }
  if (!equalBytes(bytes.subarray(MAGIC_OFFSET, VERSION_OFFSET), MAGIC)) {
    return { offset: MAGIC_OFFSET, problem: "not a file that names a manifest" };
  }
  if (getU32(bytes, 0) !== crc32cRange(bytes, MAGIC_OFFSET, CURRENT_BYTES)) {
    return { offset: 0, problem: "checksum mismatch" };
  }
  const version = getU32(bytes, VERSION_OFFSET);
  if (version !== VERSION) return { offset: VERSION_OFFSET, problem: `version ${version}` };
  const number = getU64(bytes, NUMBER_OFFSET);
  return number > 0 ? number : { offset: NUMBER_OFFSET, problem: "names manifest 0" };
}

/** At most one byte more than such a file has: enough to see that it is too long. */
export function readSmallFile(disk: Disk, path: string): Bytes {
  const handle = disk.open(path, "read");
  try {
    const bytes = new Uint8Array(CURRENT_BYTES + 1);
    return bytes.subarray(0, handle.read(0, bytes));
  } finally {
    handle.close();
  }
}

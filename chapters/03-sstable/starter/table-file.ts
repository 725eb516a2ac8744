/**
 * An open file of a table: its footer, and its blocks.
 *
 * Given for now: steps 03.5 and 03.6 add to it.
 *
 * Invariant (then): no byte is handed out that was not checked (S3), and nothing is allocated for a
 * length that does not fit the file (S4).
 * Chapter: 03-sstable, steps 03.3, 03.5 and 03.6
 */
import { type Bytes, notWritten } from "#base";
import type { Disk, FileHandle } from "#platform/types";
import { corrupt, soundAt } from "./damage.ts";
import { type BlockHandle, decodeFooter, FOOTER_BYTES, type Footer } from "./footer.ts";
import { openSealed, TRAILER_BYTES } from "./trailer.ts";

/** A file that is open for reading. */
export interface TableFile {
  readonly path: string;
  readonly handle: FileHandle;
  /** Its size; it never changes (S2). */
  readonly bytes: number;
}

/** Opens a file. @throws disk errors. */
export function openFile(disk: Disk, path: string): TableFile {
  const handle = disk.open(path, "read");
  return { path, handle, bytes: handle.size() };
}

/**
 * Reads the footer of table `id`. Steps 03.5 and 03.6 add to it: the id, and the places.
 *
 * @throws SSTABLE_CORRUPT, disk errors.
 */
export function readFooter(file: TableFile, _id: number): Footer {
  const place = { file: file.path, offset: Math.max(0, file.bytes - FOOTER_BYTES) };
  const bytes = readBytes(file, place.offset, Math.min(FOOTER_BYTES, file.bytes));
  return soundAt(place, () => decodeFooter(bytes));
}

/**
 * Compares what a footer says with the size of the file: filter, properties, index and footer
 * follow each other without a gap.
 *
 * @throws BYTES_MALFORMED
 */
export function checkPlaces(_footer: Footer, _fileBytes: number): void {
  notWritten("03.6", "checkPlaces");
}

/** Reads a block and checks it. @throws SSTABLE_CORRUPT, disk errors. */
export function readStored(file: TableFile, id: number, { offset, bytes }: BlockHandle): Bytes {
  const sealed = readBytes(file, offset, bytes + TRAILER_BYTES);
  return soundAt({ file: file.path, offset }, () => openSealed(sealed, { id, offset }));
}

function readBytes(file: TableFile, offset: number, count: number): Bytes {
  const bytes = new Uint8Array(count);
  const got = file.handle.read(offset, bytes);
  if (got < count) corrupt({ file: file.path, offset }, `${got} bytes of ${count} are there`);
  return bytes;
}

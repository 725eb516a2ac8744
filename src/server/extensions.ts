/**
 * SQLite extensions: gathered from files, directories and archives into the data directory, from
 * where every connection loads them (compat reference, section 14).
 *
 * Invariant: what is loaded is what the flag names now; what an earlier start left is gone. An
 * archive cannot write anywhere but into that directory.
 */
import { gunzipSync, inflateRawSync } from "node:zlib";
import { type Bytes, CairnError, errorText, isCairnError } from "#base";
import type { Disk } from "#platform/types";

/** A library that was found. */
interface Library {
  readonly name: string;
  readonly bytes: Bytes;
}

/** Libraries in the data directory, in the order in which they are loaded. */
export interface Extensions {
  readonly names: readonly string[];
  readonly paths: readonly string[];
}

const GZIP_MAGIC = Buffer.from([0x1f, 0x8b]);
const ZIP_MAGIC = Buffer.from("PK\x03\x04", "latin1");

/**
 * Gathers libraries.
 *
 * @param from - each a library, a directory of libraries, or an archive of them.
 * @param dir - made anew.
 * @throws `SERVER_CONFIG_INVALID`, naming what cannot be used and why.
 */
export function gatherExtensions(disk: Disk, from: readonly string[], dir: string): Extensions {
  disk.makeDir(dir);
  for (const name of disk.list(dir)) disk.unlink(`${dir}/${name}`);
  const libraries = from.flatMap((path) => librariesAt(disk, path));
  const names = [...new Set(libraries.map(({ name }) => name))].sort();
  for (const { name, bytes } of libraries) {
    const file = disk.open(`${dir}/${name}`, "read-write");
    try {
      file.truncate(0);
      file.write(0, bytes);
    } finally {
      file.close();
    }
  }
  return { names, paths: names.map((name) => `${dir}/${name}`) };
}

function librariesAt(disk: Disk, path: string): Library[] {
  const inside = namesIn(disk, path);
  if (inside !== undefined) {
    const shown = inside.filter((name) => !name.startsWith("."));
    return shown.map((name) => ({ name, bytes: readAll(disk, `${path}/${name}`) }));
  }
  const bytes = readAll(disk, path);
  try {
    if (startsWith(bytes, ZIP_MAGIC)) return filesOfZip(bytes);
    if (startsWith(bytes, GZIP_MAGIC)) return filesOfTar(gunzipSync(bytes));
  } catch (error) {
    if (isCairnError(error)) throw error;
    return refuse(`${path} is no archive that can be read: ${errorText(error)}`);
  }
  return [{ name: path.slice(path.lastIndexOf("/") + 1), bytes }];
}

/** Names in a directory; undefined if it is none. */
function namesIn(disk: Disk, path: string): string[] | undefined {
  try {
    return disk.list(path);
  } catch (error) {
    if (isCairnError(error)) return undefined;
    throw error;
  }
}

function readAll(disk: Disk, path: string): Bytes {
  try {
    const file = disk.open(path, "read");
    try {
      const bytes = new Uint8Array(file.size());
      file.read(0, bytes);
      return bytes;
    } finally {
      file.close();
    }
  } catch (error) {
    return refuse(`extension ${path} cannot be read: ${errorText(error)}`);
  }
}

const startsWith = (bytes: Bytes, magic: Bytes): boolean =>
  Buffer.compare(bytes.subarray(0, magic.length), magic) === 0;

/** A header of `ustar` is a block; a file's content fills whole blocks behind it. */
const TAR_BLOCK_BYTES = 512;
const TAR_SIZE_OFFSET = 124;
const TAR_TYPE_OFFSET = 156;

function filesOfTar(tar: Buffer): Library[] {
  const files: Library[] = [];
  for (let at = 0; at + TAR_BLOCK_BYTES <= tar.length; ) {
    const header = tar.subarray(at, at + TAR_BLOCK_BYTES);
    const name = textOf(header.subarray(0, 100));
    if (name === "") break;
    const size = Number.parseInt(textOf(header.subarray(TAR_SIZE_OFFSET, 136)), 8);
    const type = String.fromCharCode(header[TAR_TYPE_OFFSET] ?? 0);
    const from = at + TAR_BLOCK_BYTES;
    if (type === "0" || type === "\0") {
      add(files, name.replace(/^\.\//, ""), tar.subarray(from, from + size));
    } else if (type === "5" && name !== "./") refuse(`${name} in the archive is a directory`);
    at = from + Math.ceil(size / TAR_BLOCK_BYTES) * TAR_BLOCK_BYTES;
  }
  return files;
}

/** Signatures and offsets of a zip file's table of contents (APPNOTE 4.3.12, 4.3.16). */
const ZIP_END = 0x0605_4b50;
const ZIP_END_BYTES = 22;
const ZIP_ENTRY = 0x0201_4b50;
const ZIP_ENTRY_BYTES = 46;
const ZIP_LOCAL_BYTES = 30;
const DEFLATED = 8;

function filesOfZip(bytes: Bytes): Library[] {
  const zip = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let end = zip.length - ZIP_END_BYTES;
  while (end >= 0 && zip.readUInt32LE(end) !== ZIP_END) end -= 1;
  if (end < 0) return refuse("a zip file without a table of contents");
  const files: Library[] = [];
  let at = zip.readUInt32LE(end + 16);
  for (let count = zip.readUInt16LE(end + 10); count > 0; count -= 1) {
    if (zip.readUInt32LE(at) !== ZIP_ENTRY) return refuse("a damaged zip file");
    const nameBytes = zip.readUInt16LE(at + 28);
    const name = zip.toString("utf8", at + ZIP_ENTRY_BYTES, at + ZIP_ENTRY_BYTES + nameBytes);
    const local = zip.readUInt32LE(at + 42);
    const from =
      local + ZIP_LOCAL_BYTES + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
    const packed = zip.subarray(from, from + zip.readUInt32LE(at + 20));
    add(files, name, zip.readUInt16LE(at + 10) === DEFLATED ? inflateRawSync(packed) : packed);
    at += ZIP_ENTRY_BYTES + nameBytes + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
  }
  return files;
}

function add(files: Library[], name: string, bytes: Bytes): void {
  if (/[/\\]/.test(name)) refuse(`${name} in the archive lies in a directory`);
  if (!name.startsWith(".")) files.push({ name, bytes });
}

function textOf(bytes: Bytes): string {
  const text = Buffer.from(bytes).toString("utf8");
  const end = text.indexOf("\0");
  return (end < 0 ? text : text.slice(0, end)).trim();
}

function refuse(problem: string): never {
  throw new CairnError("SERVER_CONFIG_INVALID", `server: extensions: ${problem}`);
}

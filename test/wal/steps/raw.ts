/**
 * The log's format, written once more from its table: so that checks can make files that no log
 * would write, and can name the fields of what a log has written.
 */
import type { Bytes } from "#base";
import { crc32c, getU32, getU64, putU32, putU64 } from "#bytes";
import type { ByteExcerpt } from "#learn";
import type { Disk } from "#platform/types";
import type { FrameParts } from "./subject.ts";

export const HEADER_BYTES = 32;
export const FRAME_HEADER_BYTES = 25;
const MARK = 2;

/** A segment's header. */
export function rawHeader(number: number, firstLsn: number): Bytes {
  const header = new Uint8Array(HEADER_BYTES);
  header.set(new TextEncoder().encode("CAIRNWAL"), 4);
  putU32(header, 12, 1);
  putU64(header, 16, number);
  putU64(header, 24, firstLsn);
  putU32(header, 0, crc32c(header.subarray(4)));
  return header;
}

/** A frame, as the table says. */
export function rawFrame(frame: FrameParts, seed: number): Bytes {
  const bytes = new Uint8Array(FRAME_HEADER_BYTES + frame.payload.length);
  putU32(bytes, 4, frame.payload.length);
  bytes[8] = frame.type;
  putU64(bytes, 9, frame.lsn);
  putU64(bytes, 17, frame.watermark);
  bytes.set(frame.payload, FRAME_HEADER_BYTES);
  putU32(bytes, 0, crc32c(bytes.subarray(4), seed));
  return bytes;
}

/** What the frames of a file begin their checksum with. */
export function seedOf(file: Bytes): number {
  return getU32(file, 0);
}

/** A whole frame in a file. */
export interface RawFound {
  readonly at: number;
  readonly lsn: number;
  readonly watermark: number;
  readonly endOffset: number;
}

/** The frame at a place of a segment file, or null if what lies there is none. */
function frameAt(file: Bytes, at: number): RawFound | null {
  if (at + FRAME_HEADER_BYTES > file.length) return null;
  const endOffset = at + FRAME_HEADER_BYTES + getU32(file, at + 4);
  if (file[at + 8] === 0 || endOffset > file.length) return null;
  const sum = crc32c(file.subarray(at + 4, endOffset), seedOf(file));
  if (sum !== getU32(file, at)) return null;
  return { at, lsn: getU64(file, at + 9), watermark: getU64(file, at + 17), endOffset };
}

/** Where a segment's records end, and the whole frames that lie somewhere behind. */
export function framesBehind(file: Bytes): { bad: number; behind: RawFound[] } {
  if (file.length < HEADER_BYTES) return { bad: 1, behind: [] };
  let bad = getU64(file, 24);
  let at = HEADER_BYTES;
  for (let frame = frameAt(file, at); frame !== null; frame = frameAt(file, at)) {
    // A mark has the number of the record that comes next.
    bad = file[at + 8] === MARK ? frame.lsn : frame.lsn + 1;
    at = frame.endOffset;
  }
  const behind: RawFound[] = [];
  for (at += 1; at < file.length; at += 1) {
    const frame = frameAt(file, at);
    if (frame === null) continue;
    behind.push(frame);
    at = frame.endOffset - 1;
  }
  return { bad, behind };
}

/** One array after the other. */
export function joined(...parts: readonly Bytes[]): Bytes {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

/** Makes a file that is durable at once. */
export function putFile(disk: Disk, path: string, content: Bytes): void {
  const handle = disk.open(path, "read-write");
  handle.truncate(0);
  handle.write(0, content);
  handle.sync();
  handle.close();
  disk.syncDir(path.slice(0, path.lastIndexOf("/")));
}

const FRAME_FIELDS = [
  { at: 0, bytes: 4, name: "checksum" },
  { at: 4, bytes: 4, name: "length" },
  { at: 8, bytes: 1, name: "type" },
  { at: 9, bytes: 8, name: "lsn" },
  { at: 17, bytes: 8, name: "watermark" },
  { at: FRAME_HEADER_BYTES, bytes: 7, name: "payload" },
];
const HEADER_FIELDS = [
  { at: 0, bytes: 4, name: "checksum" },
  { at: 4, bytes: 8, name: "magic" },
  { at: 12, bytes: 4, name: "version" },
  { at: 16, bytes: 8, name: "number" },
  { at: 24, bytes: 8, name: "firstLsn" },
  { at: 32, bytes: 16, name: "the first frame" },
];
const EXCERPT_BYTES = 48;

/** Bytes of a frame with the names of its fields. */
export function frameExcerpt(title: string, bytes: Bytes, offset = 0): ByteExcerpt {
  return { title, bytes: bytes.slice(0, EXCERPT_BYTES), offset, fields: FRAME_FIELDS };
}

/** Bytes of a file from an offset on, where a frame should begin; the header if it is there. */
export function fileExcerpt(path: string, content: Bytes, at: number): ByteExcerpt {
  const offset = at < HEADER_BYTES ? 0 : at;
  const name = path.slice(path.lastIndexOf("/") + 1);
  const part = content.subarray(offset, offset + EXCERPT_BYTES);
  const isHeader = offset < HEADER_BYTES;
  if (part.length > 0 && isHeader)
    return { title: name, bytes: part.slice(), fields: HEADER_FIELDS };
  if (part.length > 0) return frameExcerpt(name, part, offset);
  const from = Math.max(0, content.length - LAST_BYTES);
  const title = `${name} ends at byte ${content.length}; its last bytes`;
  return { title, bytes: content.slice(from), offset: from };
}

const LAST_BYTES = 16;

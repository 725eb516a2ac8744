/**
 * Frames on a byte stream between nodes.
 *
 * | offset | bytes | field          | type   | meaning                                   |
 * | -----: | ----: | -------------- | ------ | ----------------------------------------- |
 * |      0 |     4 | length         | u32 LE | bytes of the body, 1 to FRAME_BYTES_MAX   |
 * |      4 |     4 | checksum       | u32 LE | CRC-32C of the body                       |
 * |      8 |     4 | headerChecksum | u32 LE | CRC-32C of the eight bytes before it      |
 * |     12 |     n | body           | bytes  |                                           |
 *
 * TCP's own checksum misses about one damaged segment in 65,536, and proxies rewrite it; a wrong
 * vote or entry must not get through. The header has a checksum of its own: a damaged length would
 * otherwise swallow heartbeats as if they were a body, until an election. Invariant: no body is
 * handed out and no length believed before its checksum was verified. Chapter: 08-replica.
 */
import { type Bytes, CairnError } from "#base";
import { crc32c } from "#bytes";

const LENGTH_OFFSET = 0;
const CHECKSUM_OFFSET = LENGTH_OFFSET + 4;
const HEADER_CHECKSUM_OFFSET = CHECKSUM_OFFSET + 4;
/** Bytes in front of the body. */
export const FRAME_HEADER_BYTES: number = HEADER_CHECKSUM_OFFSET + 4;

/** 192 MiB: one largest log entry (128 MiB) and its headers, with room. */
export const FRAME_BYTES_MAX: number = 192 * 1024 * 1024;

/** Puts a header in front of the parts of one body. The parts are not copied. */
export function frame(parts: readonly Bytes[]): Bytes[] {
  let length = 0;
  for (const part of parts) length += part.length;
  if (length === 0 || length > FRAME_BYTES_MAX) {
    throw new RangeError(`replica: frame body of ${length} bytes, 1 to ${FRAME_BYTES_MAX} allowed`);
  }
  const header = new Uint8Array(FRAME_HEADER_BYTES);
  const view = new DataView(header.buffer);
  view.setUint32(LENGTH_OFFSET, length, true);
  let checksum = 0;
  for (const part of parts) checksum = crc32c(part, checksum);
  view.setUint32(CHECKSUM_OFFSET, checksum, true);
  view.setUint32(HEADER_CHECKSUM_OFFSET, crc32c(header.subarray(0, HEADER_CHECKSUM_OFFSET)), true);
  return [header, ...parts];
}

/** Cuts a stream of chunks back into bodies. */
export interface FrameReader {
  /** Bodies above this are refused. At first {@link FRAME_BYTES_MAX}. */
  bytesMax: number;
  /**
   * Takes a chunk and calls `onBody` for each body that is now complete. A body may be a view into
   * the chunk; both belong to the receiver.
   *
   * @throws `REPLICA_FRAME_CORRUPT`; the stream cannot be trusted any more and must be closed.
   */
  push(chunk: Bytes, onBody: (body: Bytes) => void): void;
}

class ChunkFrameReader implements FrameReader {
  bytesMax: number = FRAME_BYTES_MAX;
  /**
   * What a frame that has begun still lacks; collected here, so that a large frame is copied once.
   */
  #partial: Uint8Array | undefined;
  #filled = 0;
  /** A header that arrived in pieces. */
  readonly #header = new Uint8Array(FRAME_HEADER_BYTES);
  #headerFilled = 0;

  push(chunk: Bytes, onBody: (body: Bytes) => void): void {
    let rest = chunk;
    while (rest.length > 0) {
      rest = this.#partial === undefined ? this.#begin(rest, onBody) : this.#fill(rest, onBody);
    }
  }

  /** At a frame's start: whole frames inside the chunk are handed out as views. */
  #begin(chunk: Bytes, onBody: (body: Bytes) => void): Bytes {
    if (this.#headerFilled === 0 && chunk.length >= FRAME_HEADER_BYTES) {
      const length = this.#length(chunk);
      const end = FRAME_HEADER_BYTES + length;
      if (chunk.length >= end) {
        const body = chunk.subarray(FRAME_HEADER_BYTES, end);
        this.#verify(chunk, body);
        onBody(body);
        return chunk.subarray(end);
      }
    }
    const wanted = FRAME_HEADER_BYTES - this.#headerFilled;
    const taken = Math.min(wanted, chunk.length);
    this.#header.set(chunk.subarray(0, taken), this.#headerFilled);
    this.#headerFilled += taken;
    if (this.#headerFilled === FRAME_HEADER_BYTES) {
      this.#partial = new Uint8Array(this.#length(this.#header));
      this.#filled = 0;
    }
    return chunk.subarray(taken);
  }

  #fill(chunk: Bytes, onBody: (body: Bytes) => void): Bytes {
    const body = this.#partial;
    if (body === undefined) return chunk;
    const taken = Math.min(body.length - this.#filled, chunk.length);
    body.set(chunk.subarray(0, taken), this.#filled);
    this.#filled += taken;
    if (this.#filled === body.length) {
      this.#partial = undefined;
      this.#headerFilled = 0;
      this.#verify(this.#header, body);
      onBody(body);
    }
    return chunk.subarray(taken);
  }

  #length(header: Bytes): number {
    const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
    const length = view.getUint32(LENGTH_OFFSET, true);
    const expected = view.getUint32(HEADER_CHECKSUM_OFFSET, true);
    const found = crc32c(header.subarray(0, HEADER_CHECKSUM_OFFSET));
    if (found !== expected) {
      throw new CairnError(
        "REPLICA_FRAME_CORRUPT",
        `replica: frame header: checksum ${found}, header says ${expected}`,
      );
    }
    if (length === 0 || length > this.bytesMax) {
      throw new CairnError(
        "REPLICA_FRAME_CORRUPT",
        `replica: frame claims a body of ${length} bytes, 1 to ${this.bytesMax} allowed`,
      );
    }
    return length;
  }

  #verify(header: Bytes, body: Bytes): void {
    const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
    const expected = view.getUint32(CHECKSUM_OFFSET, true);
    const found = crc32c(body);
    if (found !== expected) {
      throw new CairnError(
        "REPLICA_FRAME_CORRUPT",
        `replica: frame of ${body.length} bytes: checksum ${found}, header says ${expected}`,
      );
    }
  }
}

/** Makes a reader for one stream. */
export function createFrameReader(): FrameReader {
  return new ChunkFrameReader();
}

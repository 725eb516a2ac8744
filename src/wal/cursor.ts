/**
 * Walks over the frames of one segment file, in order, checking each.
 *
 * Invariant: what `advance` has returned `true` for is a whole frame with a right checksum and the
 * expected LSN (W5). Nothing is allocated from a length that does not fit the file.
 * Chapter: 01-wal
 */
import { assert, type Bytes } from "#base";
import { crc32c } from "#bytes";
import type { FileHandle } from "#platform/types";
import {
  checkFrame,
  FRAME_CHECKED_FROM,
  FRAME_HEADER_BYTES,
  type FrameProblem,
  FrameType,
  frameChecksum,
  frameLength,
  frameType,
  frameWatermark,
} from "./record.ts";
import type { Lsn } from "./types.ts";

/** Where to walk. */
export interface CursorOptions {
  readonly handle: FileHandle;
  readonly seed: number;
  /** Offset and LSN of the first frame. */
  readonly from: { readonly lsn: Lsn; readonly offset: number };
  /** Offset that no frame may reach beyond: the end of the file or of what was written. */
  readonly before: number;
  readonly payloadBytesMax: number;
  /** Bytes read at a time. Payloads are views into such a chunk. */
  readonly chunkBytes: number;
}

/** A place in a segment. */
export interface FrameCursor {
  /** Moves to the next frame. `false`: there is none, and `problem` says why. */
  advance(): boolean;
  /**
   * After `advance` returned `false`: what is wrong with the bytes at `nextOffset`; null when they
   * are just over.
   */
  readonly problem: FrameProblem | null;
  readonly type: number;
  /** Where the current frame starts. */
  readonly offset: number;
  readonly watermark: Lsn;
  /** The current frame's payload: a view that stays valid. */
  payload(): Bytes;
  /** Where the next frame starts. */
  readonly nextOffset: number;
  /** The LSN that the next frame must have. */
  readonly nextLsn: Lsn;
}

/** Makes a cursor in front of the first frame. */
export function createFrameCursor(options: CursorOptions): FrameCursor {
  return new Cursor(options);
}

/** Reads `target` full. @throws InvariantError if the file is shorter than its size said. */
export function readFully(handle: FileHandle, offset: number, target: Bytes): void {
  const count = handle.read(offset, target);
  assert(count === target.length, `wal: read ${count} of ${target.length} bytes at ${offset}`);
}

class Cursor implements FrameCursor {
  readonly #options: CursorOptions;
  #chunk: Bytes = new Uint8Array(0);
  #chunkOffset = 0;
  #expected: { lsn: Lsn; seed: number };
  problem: FrameProblem | null = null;
  type = 0;
  offset: number;
  watermark: Lsn = 0;
  nextOffset: number;

  constructor(options: CursorOptions) {
    this.#options = options;
    this.#expected = { lsn: options.from.lsn, seed: options.seed };
    this.offset = options.from.offset;
    this.nextOffset = options.from.offset;
  }

  get nextLsn(): Lsn {
    return this.#expected.lsn;
  }

  advance(): boolean {
    const at = this.nextOffset;
    const left = this.#options.before - at;
    if (left < FRAME_HEADER_BYTES) return this.#stop(left <= 0 ? null : "header cut off");
    this.#need(at, FRAME_HEADER_BYTES);
    const length = frameLength(this.#chunk, at - this.#chunkOffset);
    const bytes = FRAME_HEADER_BYTES + length;
    if (bytes > left) return this.#stop("length beyond the end of the file");
    if (length > this.#options.payloadBytesMax) return this.#stop(this.#judgeLarge(at, bytes));
    this.#need(at, bytes);
    const start = at - this.#chunkOffset;
    const problem = checkFrame(this.#chunk, start, this.#expected);
    if (problem !== null) return this.#stop(problem);
    this.type = frameType(this.#chunk, start);
    this.watermark = frameWatermark(this.#chunk, start);
    this.offset = at;
    this.nextOffset = at + bytes;
    if (this.type === FrameType.record) this.#expected.lsn += 1;
    return true;
  }

  payload(): Bytes {
    const start = this.offset - this.#chunkOffset;
    return this.#chunk.subarray(start + FRAME_HEADER_BYTES, this.nextOffset - this.#chunkOffset);
  }

  #stop(problem: FrameProblem | null): false {
    this.problem = problem;
    return false;
  }

  /** Makes the chunk hold `count` bytes at `offset`; they are known to be in the file. */
  #need(offset: number, count: number): void {
    if (offset + count <= this.#chunkOffset + this.#chunk.length && offset >= this.#chunkOffset) {
      return;
    }
    const bytes = Math.min(
      Math.max(count, this.#options.chunkBytes),
      this.#options.before - offset,
    );
    // A new array each time: receivers may keep their payloads, which are views into the old one.
    this.#chunk = new Uint8Array(bytes);
    this.#chunkOffset = offset;
    readFully(this.#options.handle, offset, this.#chunk);
  }

  /**
   * A payload above the limit is either nonsense, and then like any other damage, or a real record
   * that was written under a larger limit. Cutting that off would lose it, so the two are told
   * apart.
   */
  #judgeLarge(offset: number, bytes: number): FrameProblem {
    const { handle, seed, chunkBytes } = this.#options;
    const stored = frameChecksum(this.#chunk, offset - this.#chunkOffset);
    return stored === checksumOfFrame(handle, { offset, bytes, seed, chunkBytes })
      ? "payload above the limit"
      : "checksum mismatch";
  }
}

/** The checksum that a frame in a file should have, computed a chunk at a time. */
export function checksumOfFrame(
  handle: FileHandle,
  frame: {
    readonly offset: number;
    readonly bytes: number;
    readonly seed: number;
    readonly chunkBytes: number;
  },
): number {
  const before = frame.offset + frame.bytes;
  let checksum = frame.seed;
  for (let at = frame.offset + FRAME_CHECKED_FROM; at < before; at += frame.chunkBytes) {
    const chunk = new Uint8Array(Math.min(frame.chunkBytes, before - at));
    readFully(handle, at, chunk);
    checksum = crc32c(chunk, checksum);
  }
  return checksum;
}

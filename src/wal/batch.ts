/**
 * Frames that were appended and not yet written: they go to the file in one write per sync.
 *
 * Invariant: the frames are whole, in order of LSN without gaps, and of one segment. Watermark and
 * checksum are set when the batch is written, so that they say as much as is known then.
 * Chapter: 01-wal, "Group commit"
 */
import { assert, type Bytes } from "#base";
import { FRAME_HEADER_BYTES, type FrameType, frameLength, putFrame, sealFrame } from "./record.ts";
import type { Lsn } from "./types.ts";

const CAPACITY_BYTES = 64 * 1024;
/** A larger array, left over from one large payload, is given back after the write. */
const CAPACITY_KEPT_BYTES = 4 * 1024 * 1024;

/** Appended frames in memory. */
export interface Batch {
  /** Bytes of all frames. */
  readonly bytes: number;
  /** LSN of the first record; meaningless when `bytes` is 0. */
  readonly firstLsn: Lsn;
  /** Adds a frame; the payload is copied. */
  add(type: FrameType, lsn: Lsn, payload: Bytes): void;
  /** Completes every frame. @returns the bytes to write, valid until the next `add`. */
  seal(watermark: Lsn, seed: number): Bytes;
  /** Forgets the frames: they are written. */
  clear(): void;
  /** Forgets the records from an LSN on. */
  cut(from: Lsn): void;
  /** The payload of each record: a copy, because the array is used again. */
  copies(): { readonly lsn: Lsn; readonly payload: Bytes }[];
}

/** Makes an empty batch. */
export function createBatch(): Batch {
  return new GrowingBatch();
}

class GrowingBatch implements Batch {
  #target: Bytes = new Uint8Array(CAPACITY_BYTES);
  #bytes = 0;
  firstLsn: Lsn = 0;

  get bytes(): number {
    return this.#bytes;
  }

  add(type: FrameType, lsn: Lsn, payload: Bytes): void {
    if (this.#bytes === 0) this.firstLsn = lsn;
    const end = this.#bytes + FRAME_HEADER_BYTES + payload.length;
    if (end > this.#target.length) this.#grow(end);
    putFrame(this.#target, this.#bytes, { type, lsn, payload });
    this.#bytes = end;
  }

  seal(watermark: Lsn, seed: number): Bytes {
    let at = 0;
    while (at < this.#bytes) at = sealFrame(this.#target, at, watermark, seed);
    assert(at === this.#bytes, "wal: a batch is whole frames");
    return this.#target.subarray(0, at);
  }

  clear(): void {
    this.#bytes = 0;
    if (this.#target.length > CAPACITY_KEPT_BYTES) this.#target = new Uint8Array(CAPACITY_BYTES);
  }

  cut(from: Lsn): void {
    let at = 0;
    for (let lsn = this.firstLsn; lsn < from && at < this.#bytes; lsn += 1) at = this.#endOf(at);
    this.#bytes = at;
  }

  copies(): { readonly lsn: Lsn; readonly payload: Bytes }[] {
    const records = [];
    for (let at = 0, lsn = this.firstLsn; at < this.#bytes; at = this.#endOf(at), lsn += 1) {
      const payload = this.#target.slice(at + FRAME_HEADER_BYTES, this.#endOf(at));
      records.push({ lsn, payload });
    }
    return records;
  }

  #endOf(at: number): number {
    return at + FRAME_HEADER_BYTES + frameLength(this.#target, at);
  }

  #grow(needed: number): void {
    const grown = new Uint8Array(Math.max(needed, this.#target.length * 2));
    grown.set(this.#target.subarray(0, this.#bytes));
    this.#target = grown;
  }
}

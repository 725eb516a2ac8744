/**
 * The end of the log: the segment that is being written, and the list of all segments before it.
 *
 * Invariants: a segment is made only when everything before it is durable; its header and name are
 * durable before it takes a record. Everything below `durableOffset` of the last segment is
 * durable. After any error the caller must not use the tail for writing again. Chapter: 01-wal,
 * "Segments"
 */
import { assert, type Bytes, isCairnError } from "#base";
import type { FileHandle } from "#platform/types";
import { type Batch, createBatch } from "./batch.ts";
import type { WalSettings } from "./options.ts";
import { FRAME_HEADER_BYTES, FrameType } from "./record.ts";
import { rewrite } from "./recovery.ts";
import { createSegment, type Segment, segmentPath } from "./segment.ts";
import {
  decodeSegmentHeader,
  encodeSegmentHeader,
  SEGMENT_HEADER_BYTES,
} from "./segment-header.ts";
import type { Lsn } from "./types.ts";

/** A batch this large is written without waiting for a sync, so that memory stays bounded. */
const BATCH_BYTES_MAX = 1024 * 1024;
/** The first step of making room ahead. Steps double from here, so that a small log stays small. */
const PREALLOCATE_BYTES_MIN = 16 * 1024;
const NOTHING: Bytes = new Uint8Array(0);
/** What room is made of, at most so much at a time. */
const ZEROS: Bytes = new Uint8Array(256 * 1024);

/** What one asynchronous sync covers. */
export interface Flight {
  upTo: Lsn;
  readonly segment: Segment;
  readonly offset: number;
}

/** State of the end of a log as recovery found it. */
export interface TailStart {
  readonly segments: Segment[];
  readonly handle: FileHandle;
  readonly nextLsn: Lsn;
  readonly endOffset: number;
  readonly endsInMark: boolean;
}

/** Makes a new, empty, durable segment and opens it. */
export function makeSegment(
  settings: WalSettings,
  number: number,
  firstLsn: Lsn,
): { segment: Segment; handle: FileHandle } {
  const header = encodeSegmentHeader(number, firstLsn);
  const decoded = decodeSegmentHeader(header, number);
  assert(typeof decoded !== "string", "wal: a header that was just encoded is valid");
  const handle = settings.disk.open(segmentPath(settings.dir, number), "read-write");
  try {
    // A crash may have left an unfinished one of that number.
    handle.truncate(0);
    handle.write(0, header);
    handle.sync();
    settings.disk.syncDir(settings.dir);
  } catch (error) {
    handle.close();
    throw error;
  }
  return { segment: createSegment(settings.dir, decoded), handle };
}

/** The writing end of a log. */
export type Tail = LogTail;

/** Takes over from recovery. */
export function createTail(settings: WalSettings, start: TailStart): Tail {
  return new LogTail(settings, start);
}

class LogTail {
  readonly #settings: WalSettings;
  readonly #batch: Batch = createBatch();
  readonly segments: Segment[];
  #handle: FileHandle;
  /**
   * A second handle on the same file, for asynchronous syncs. Linux reports a failed write-back
   * once per handle; with one handle, a blocking sync and an asynchronous one could each take the
   * other's error.
   */
  #flightHandle: FileHandle | null = null;
  #flight: Flight | null = null;
  /** Handles of older segments that a flight still uses. */
  #retired: FileHandle[] = [];
  #endOffset: number;
  #durableOffset: number;
  #endsInMark: boolean;
  /** Bytes written since a sync was last asked for, and before that one: how often they come. */
  #unsyncedBytes = 0;
  #syncGapBytes = 0;
  nextLsn: Lsn;
  durableLsn: Lsn;

  constructor(settings: WalSettings, start: TailStart) {
    this.#settings = settings;
    this.segments = start.segments;
    this.#handle = start.handle;
    this.nextLsn = start.nextLsn;
    this.durableLsn = start.nextLsn - 1;
    this.#endOffset = start.endOffset;
    this.#durableOffset = start.endOffset;
    this.#endsInMark = start.endsInMark;
  }

  get last(): Segment {
    return this.segments[this.segments.length - 1]!;
  }

  /** Records from here on are only in memory. */
  get batchLsn(): Lsn {
    return this.#batch.bytes === 0 ? this.nextLsn : this.#batch.firstLsn;
  }

  get batch(): Batch {
    return this.#batch;
  }

  append(payload: Bytes): Lsn {
    const bytes = FRAME_HEADER_BYTES + payload.length;
    const isFull = this.#endOffset + this.#batch.bytes + bytes > this.#settings.segmentBytesMax;
    if (isFull && this.nextLsn > this.last.firstLsn) this.#roll();
    const lsn = this.nextLsn;
    this.last.index.note(lsn, this.#endOffset + this.#batch.bytes);
    this.#batch.add(FrameType.record, lsn, payload);
    this.nextLsn = lsn + 1;
    if (this.#batch.bytes >= BATCH_BYTES_MAX) this.#write();
    return lsn;
  }

  /** Hands everything appended to the operating system. */
  flush(): void {
    this.#write();
  }

  /** Makes everything appended durable, on this thread. */
  sync(): void {
    this.#write();
    this.#noteSync();
    if (this.durableLsn === this.nextLsn - 1) return;
    // Should the flight fail, the pages that it drops must be dirty again for this sync to write
    // them.
    if (this.#flight !== null) {
      rewrite(this.#handle, { from: this.#durableOffset, before: this.#endOffset });
    }
    this.#handle.sync();
    this.durableLsn = this.nextLsn - 1;
    this.#durableOffset = this.#endOffset;
  }

  /**
   * Writes what was appended and starts to make it durable. One flight at a time.
   *
   * @param isPoisoned - asked when the sync has returned: after another failure it proves nothing.
   */
  async syncAsync(isPoisoned: () => boolean): Promise<void> {
    assert(this.#flight === null, "wal: one asynchronous sync at a time");
    this.#write();
    this.#noteSync();
    if (this.durableLsn === this.nextLsn - 1) return;
    this.#flightHandle ??= this.#settings.disk.open(this.last.path, "read-write");
    const flight = { upTo: this.nextLsn - 1, segment: this.last, offset: this.#endOffset };
    this.#flight = flight;
    try {
      await this.#flightHandle.syncAsync();
    } finally {
      this.#flight = null;
      for (const handle of this.#retired.splice(0)) handle.close();
    }
    if (isPoisoned()) return;
    // In the meantime the log may have been cut, rolled, or synced further on this thread.
    this.durableLsn = Math.max(this.durableLsn, flight.upTo);
    if (flight.segment === this.last) {
      this.#durableOffset = Math.max(this.#durableOffset, flight.offset);
    }
  }

  /** Removes every record above `lsn`, durably. Some may be in memory only, some in any segment. */
  cutAfter(lsn: Lsn): void {
    const written = this.batchLsn;
    this.#batch.cut(lsn + 1);
    if (lsn + 1 >= written) {
      this.last.index.cut(lsn + 1);
      this.nextLsn = lsn + 1;
      return;
    }
    // A new segment is made only when everything before it is durable: here, too, although some of
    // it is about to go. Recovery relies on that when it takes a segment for a witness.
    this.nextLsn = written;
    this.sync();
    if (this.#flight !== null) this.#flight.upTo = Math.min(this.#flight.upTo, lsn);
    const { segment, handle } = makeSegment(this.#settings, this.last.number + 1, lsn + 1);
    // From here on the log ends at `lsn`, whatever happens: see directory.ts.
    const voided: Segment[] = [];
    while (this.segments.length > 0 && this.last.firstLsn > lsn) voided.push(this.segments.pop()!);
    this.segments[this.segments.length - 1]?.index.cut(lsn + 1);
    this.#continueIn(segment, handle);
    this.nextLsn = lsn + 1;
    this.durableLsn = lsn;
    // Not synced: a void segment that comes back is void again.
    for (const { path } of voided) this.#settings.disk.unlink(path);
  }

  /** Removes the oldest segments as long as all their records are below `lsn`. */
  forgetBefore(lsn: Lsn): void {
    while (this.segments.length > 1 && this.segments[1]!.firstLsn <= lsn) {
      const { disk, dir } = this.#settings;
      disk.unlink(this.segments[0]!.path);
      // One at a time: a crash could keep the older of two removals and lose the newer, or the
      // other way round, and that would be a gap.
      disk.syncDir(dir);
      this.segments.shift();
    }
  }

  /** As `forgetBefore`. @returns the files, still to be removed in this order. */
  detachBefore(lsn: Lsn): string[] {
    const paths: string[] = [];
    while (this.segments.length > 1 && this.segments[1]!.firstLsn <= lsn) {
      paths.push(this.segments.shift()!.path);
    }
    return paths;
  }

  /** Makes everything durable, and leaves a witness for it at the end of the log (W6). */
  finish(): void {
    this.sync();
    if (this.#endsInMark) return;
    this.#batch.add(FrameType.mark, this.nextLsn, NOTHING);
    this.#write({ makesRoom: false });
    this.#handle.sync();
  }

  /** Releases the files. */
  release(): void {
    for (const handle of [this.#handle, this.#flightHandle, ...this.#retired]) handle?.close();
  }

  get handle(): FileHandle {
    return this.#handle;
  }

  get endOffset(): number {
    return this.#endOffset;
  }

  #write({ makesRoom } = { makesRoom: true }): void {
    if (this.#batch.bytes === 0) return;
    const bytes = this.#batch.seal(this.durableLsn, this.last.seed);
    this.#handle.write(this.#endOffset, bytes);
    this.#endOffset += bytes.length;
    this.#unsyncedBytes += bytes.length;
    this.#endsInMark = false;
    this.#batch.clear();
    if (this.#endOffset <= this.last.sizeBytes) return;
    if (makesRoom) this.#makeRoom();
    else this.last.sizeBytes = this.#endOffset;
  }

  /**
   * Fills the file with zeros ahead of what is written. A sync of bytes inside the file need not
   * write the file's size and blocks as well, which on most file systems costs a second write.
   */
  #makeRoom(): void {
    const { preallocateBytes, segmentBytesMax } = this.#settings;
    this.last.sizeBytes = this.#endOffset;
    const step = Math.min(preallocateBytes, Math.max(PREALLOCATE_BYTES_MIN, this.#endOffset));
    const target = Math.min(this.#endOffset + step, segmentBytesMax);
    // Who syncs seldom gains nothing from room, and would write everything twice.
    if (target <= this.#endOffset || this.#syncGapBytes > preallocateBytes / 4) return;
    try {
      for (let at = this.#endOffset; at < target; at += ZEROS.length) {
        this.#handle.write(at, ZEROS.subarray(0, Math.min(ZEROS.length, target - at)));
      }
      this.last.sizeBytes = target;
    } catch (error) {
      // Room ahead is a convenience. Whether the log itself still fits is for the next write to
      // find out.
      if (!isCairnError(error, "DISK_FULL")) throw error;
      this.last.sizeBytes = this.#handle.size();
    }
  }

  #noteSync(): void {
    this.#syncGapBytes = this.#unsyncedBytes;
    this.#unsyncedBytes = 0;
  }

  #roll(): void {
    this.sync();
    const made = makeSegment(this.#settings, this.last.number + 1, this.nextLsn);
    this.#continueIn(made.segment, made.handle);
  }

  #continueIn(segment: Segment, handle: FileHandle): void {
    for (const old of [this.#handle, this.#flightHandle]) {
      if (old === null) continue;
      if (this.#flight === null) old.close();
      else this.#retired.push(old);
    }
    this.segments.push(segment);
    this.#handle = handle;
    this.#flightHandle = null;
    this.#endOffset = SEGMENT_HEADER_BYTES;
    this.#durableOffset = SEGMENT_HEADER_BYTES;
    this.#endsInMark = false;
  }
}

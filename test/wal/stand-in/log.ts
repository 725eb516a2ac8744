/**
 * The open log: what callers hold. Steps 01.2, 01.3 and 01.6 to 01.9. The public methods are mostly
 * given; the work is in the private ones at the end.
 *
 * Invariant: `durableLsn` never says more than a sync that has returned.
 *
 * Written by a reader who had only the pages of chapter 01: neither the reference nor the solution.
 */
import { type Bytes, CairnError } from "#base";
import type { FileHandle } from "#platform/types";
import type { Lsn, Wal } from "#wal/types";
import type { Settings } from "../../../chapters/01-wal/starter/options.ts";
import { encodeFrame, FRAME_HEADER_BYTES, FrameType } from "./frame.ts";
import { createGroupCommit, type GroupCommit } from "./group-commit.ts";
import { createGuard, type Guard } from "./guard.ts";
import { readRecords } from "./read.ts";
import { makeSegment, type Segment } from "./segment.ts";

/** The end of a log as recovery leaves it. */
export interface LogStart {
  readonly segments: Segment[];
  /** Of the last segment. */
  readonly handle: FileHandle;
  readonly nextLsn: Lsn;
}

/** Makes the log that callers hold. Everything that recovery found is durable. */
export function createLog(settings: Settings, start: LogStart): Wal {
  return new Log(settings, start);
}

class Log implements Wal {
  readonly #settings: Settings;
  readonly #guard: Guard = createGuard();
  readonly #group: GroupCommit = createGroupCommit(() => this.#syncGroup());
  readonly #segments: Segment[];
  /** Of the last segment, for writing. */
  #handle: FileHandle;
  #closing: Promise<void> | null = null;
  /** Up to where the asynchronous sync that is under way covers the log. */
  #covered: Lsn = 0;
  nextLsn: Lsn;
  durableLsn: Lsn;

  constructor(settings: Settings, start: LogStart) {
    this.#settings = settings;
    this.#segments = start.segments;
    this.#handle = start.handle;
    this.nextLsn = start.nextLsn;
    this.durableLsn = start.nextLsn - 1;
  }

  get firstLsn(): Lsn {
    return this.#segments[0]!.firstLsn;
  }

  append(payload: Bytes): Lsn {
    this.#guard.check();
    const { payloadBytesMax } = this.#settings;
    if (payload.length > payloadBytesMax) {
      throw new RangeError(`wal: ${payload.length} bytes, the limit is ${payloadBytesMax}`);
    }
    return this.#guard.run(() => this.#write(payload));
  }

  /** Nothing to hand over: `append` has written. */
  flush(): void {
    this.#guard.check();
  }

  sync(): void {
    this.#guard.check();
    this.#guard.run(() => this.#syncNow());
  }

  async syncAsync(): Promise<Lsn> {
    this.#guard.check();
    if (this.durableLsn < this.nextLsn - 1) await this.#group.join(0);
    return this.durableLsn;
  }

  async commit(payload: Bytes): Promise<Lsn> {
    const lsn = this.append(payload);
    await this.#group.join(lsn);
    return lsn;
  }

  read(range: { from: Lsn; before: Lsn }, onRecord: Parameters<Wal["read"]>[1]): void {
    if (range.from < this.firstLsn) {
      const message = `wal: read from ${range.from}: the oldest record kept is ${this.firstLsn}`;
      throw new CairnError("WAL_NOT_RETAINED", message);
    }
    const before = Math.min(range.before, this.nextLsn);
    // What a failed write or sync has left behind is unknown (D4).
    if (!this.#guard.isPoisoned || before > this.durableLsn + 1) this.#guard.check();
    const { disk } = this.#settings;
    readRecords(disk, [...this.#segments], { from: range.from, before }, onRecord);
  }

  truncateBefore(lsn: Lsn): void {
    const paths = this.detachBefore(lsn);
    const { disk, dir } = this.#settings;
    this.#guard.run(() => {
      // One by one, or a power cut could keep the second removal and not the first: a hole.
      for (const path of paths) {
        disk.unlink(path);
        disk.syncDir(dir);
      }
    });
  }

  detachBefore(lsn: Lsn): readonly string[] {
    this.#guard.check();
    if (!(lsn >= 0 && lsn <= this.durableLsn + 1)) {
      throw new RangeError(`wal: forget before ${lsn}: durable up to ${this.durableLsn}`);
    }
    const paths: string[] = [];
    while (this.#segments.length > 1 && this.#segments[1]!.firstLsn <= lsn) {
      paths.push(this.#segments.shift()!.path);
    }
    return paths;
  }

  truncateAfter(lsn: Lsn): void {
    this.#guard.check();
    if (!(lsn >= this.firstLsn - 1 && lsn < this.nextLsn)) {
      throw new RangeError(`wal: cut after ${lsn}: the log ends at ${this.nextLsn - 1}`);
    }
    if (lsn === this.nextLsn - 1) return;
    this.#group.cut(lsn);
    this.#guard.run(() => this.#cutAfter(lsn));
  }

  sizeBytes(): number {
    return this.#segments.reduce((sum, { endOffset }) => sum + endOffset, 0);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { isPoisoned } = this.#guard;
    this.#guard.close();
    await this.#group.idle();
    try {
      if (!isPoisoned && !this.#guard.isPoisoned) this.#guard.run(() => this.#syncNow());
    } finally {
      this.#handle.close();
    }
  }

  /** Step 01.2: writes one record behind the last. Step 01.6: rolls first. @returns its number. */
  #write(payload: Bytes): Lsn {
    const last = this.#segments.at(-1)!;
    const isFull =
      last.endOffset + FRAME_HEADER_BYTES + payload.length > this.#settings.segmentBytesMax;
    if (isFull && last.offsets.length > 0) this.#roll();
    const segment = this.#segments.at(-1)!;
    const lsn = this.nextLsn;
    const watermark = this.durableLsn;
    const frame = encodeFrame({ type: FrameType.record, lsn, watermark, payload }, segment.seed);
    this.#handle.write(segment.endOffset, frame);
    segment.offsets.push(segment.endOffset);
    segment.endOffset += frame.length;
    this.nextLsn += 1;
    return lsn;
  }

  /** Begins a new segment. Everything before it is durable first: recovery counts on that. */
  #roll(): void {
    this.#syncNow();
    const number = this.#segments.at(-1)!.number + 1;
    this.#goOn(makeSegment(this.#settings, number, this.nextLsn));
  }

  /** Step 01.3: makes everything written durable, on this thread. */
  #syncNow(): void {
    if (this.durableLsn === this.nextLsn - 1) return;
    this.#handle.sync();
    this.durableLsn = this.nextLsn - 1;
  }

  /** Step 01.7: one sync for a group of callers. */
  async #syncGroup(): Promise<void> {
    this.#covered = this.nextLsn - 1;
    const { path } = this.#segments.at(-1)!;
    await this.#guard.runAsync(async () => {
      // A handle of its own: the log may roll meanwhile, and close the other one.
      const handle = this.#settings.disk.open(path, "read-write");
      try {
        await handle.syncAsync();
      } finally {
        handle.close();
      }
    });
    this.durableLsn = Math.max(this.durableLsn, this.#covered);
  }

  /** Removes every record above `lsn`: one durable header decides. */
  #cutAfter(lsn: Lsn): void {
    this.#syncNow();
    const number = this.#segments.at(-1)!.number + 1;
    const made = makeSegment(this.#settings, number, lsn + 1);
    const obsolete: Segment[] = [];
    while (this.#segments.length > 0 && this.#segments.at(-1)!.firstLsn > lsn) {
      obsolete.push(this.#segments.pop()!);
    }
    this.nextLsn = lsn + 1;
    this.durableLsn = lsn;
    this.#covered = Math.min(this.#covered, lsn);
    this.#goOn(made);
    for (const { path } of obsolete) this.#settings.disk.unlink(path);
  }

  /** Writes into another segment from now on. */
  #goOn({ segment, handle }: { segment: Segment; handle: FileHandle }): void {
    this.#handle.close();
    this.#segments.push(segment);
    this.#handle = handle;
  }
}

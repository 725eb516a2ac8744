/**
 * The open log: what callers hold. Checks arguments and state, and leaves the work to the tail.
 *
 * Invariant: after the first error from the disk the log is poisoned: it acknowledges nothing and
 * writes nothing any more (W7). Only opening it again tells what is on disk.
 * Chapter: 01-wal
 */
import { assert, type Bytes, CairnError, errorText } from "#base";
import type { FileHandle } from "#platform/types";
import { walCorrupt } from "./corruption.ts";
import { createFrameCursor } from "./cursor.ts";
import { createGroupSync, type GroupSync } from "./group-sync.ts";
import { READ_CHUNK_BYTES, type WalSettings } from "./options.ts";
import { FrameType } from "./record.ts";
import type { Segment } from "./segment.ts";
import type { Tail } from "./tail.ts";
import type { Lsn, Wal } from "./types.ts";

type OnRecord = Parameters<Wal["read"]>[1];

/** Makes the log around its writing end. */
export function createLog(settings: WalSettings, tail: Tail): Wal {
  return new Log(settings, tail);
}

class Log implements Wal {
  readonly #settings: WalSettings;
  readonly #tail: Tail;
  readonly #group: GroupSync;
  #poison: { readonly cause: unknown } | null = null;
  #closing: Promise<void> | null = null;
  #readers = 0;

  constructor(settings: WalSettings, tail: Tail) {
    this.#settings = settings;
    this.#tail = tail;
    this.#group = createGroupSync(() => this.#syncGroup());
  }

  get firstLsn(): Lsn {
    return this.#tail.segments[0]!.firstLsn;
  }

  get nextLsn(): Lsn {
    return this.#tail.nextLsn;
  }

  get durableLsn(): Lsn {
    return this.#tail.durableLsn;
  }

  append(payload: Bytes): Lsn {
    this.#checkUsable();
    const { payloadBytesMax } = this.#settings;
    if (payload.length > payloadBytesMax) {
      throw new RangeError(`wal: append: ${payload.length} bytes, the limit is ${payloadBytesMax}`);
    }
    return this.#orPoison(() => this.#tail.append(payload));
  }

  flush(): void {
    this.#checkUsable();
    this.#orPoison(() => this.#tail.flush());
  }

  sync(): void {
    this.#checkUsable();
    this.#orPoison(() => this.#tail.sync());
  }

  async syncAsync(): Promise<Lsn> {
    this.#checkUsable();
    if (this.#tail.durableLsn === this.#tail.nextLsn - 1) return this.#tail.durableLsn;
    return this.#group.join();
  }

  async commit(payload: Bytes): Promise<Lsn> {
    return this.#group.joinFor(this.append(payload));
  }

  read(range: { from: Lsn; before: Lsn }, onRecord: OnRecord): void {
    this.#checkOpen();
    const { from } = range;
    checkLsn("read: from", from);
    if (from < this.firstLsn) {
      const message = `wal: read from ${from}: the oldest record kept is ${this.firstLsn}`;
      throw new CairnError("WAL_NOT_RETAINED", message);
    }
    const before = Math.min(range.before, this.nextLsn);
    // What a failed write or sync left behind is unknown (rule D4).
    if (this.#poison !== null && before > this.durableLsn + 1) throw this.#poisoned(this.#poison);
    // Taken before the first callback, which may append, and thereby write and reuse the batch.
    const written = this.#tail.batchLsn;
    const inMemory = before > written ? this.#tail.batch.copies() : [];
    this.#readers += 1;
    try {
      if (!this.#readFiles({ from, before: Math.min(before, written) }, onRecord)) return;
      for (const record of inMemory) {
        if (record.lsn >= before) return;
        if (record.lsn >= from && onRecord(record) === false) return;
      }
    } finally {
      this.#readers -= 1;
    }
  }

  truncateBefore(lsn: Lsn): void {
    this.#checkForgettable("truncateBefore", lsn);
    this.#orPoison(() => this.#tail.forgetBefore(lsn));
  }

  detachBefore(lsn: Lsn): readonly string[] {
    this.#checkForgettable("detachBefore", lsn);
    return this.#tail.detachBefore(lsn);
  }

  truncateAfter(lsn: Lsn): void {
    this.#checkUsable();
    this.#checkNotReading();
    checkLsn("truncateAfter", lsn);
    if (lsn < this.firstLsn - 1 || lsn >= this.nextLsn) {
      const kept = `${this.firstLsn} to ${this.nextLsn - 1}`;
      throw new RangeError(`wal: truncateAfter ${lsn}: the log holds ${kept}`);
    }
    if (lsn === this.nextLsn - 1) return;
    this.#group.cut(lsn);
    this.#orPoison(() => this.#tail.cutAfter(lsn));
  }

  sizeBytes(): number {
    return this.#tail.segments.reduce((sum, segment) => sum + segment.sizeBytes, 0);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#group.idle();
    try {
      if (this.#poison === null) this.#orPoison(() => this.#tail.finish());
    } finally {
      this.#tail.release();
    }
  }

  async #syncGroup(): Promise<Lsn> {
    // Not `checkUsable`: who joined before `close` is still served.
    if (this.#poison !== null) throw this.#poisoned(this.#poison);
    try {
      await this.#tail.syncAsync(() => this.#poison !== null);
    } catch (error) {
      this.#poison ??= { cause: error };
      throw error;
    }
    // A blocking call may have failed in the meantime. Nothing is acknowledged after that (W7).
    if (this.#poison !== null) throw this.#poisoned(this.#poison);
    return this.#tail.durableLsn;
  }

  /** Reads from files. @returns false if the receiver has had enough. */
  #readFiles(range: { from: Lsn; before: Lsn }, onRecord: OnRecord): boolean {
    const { segments } = this.#tail;
    for (const [i, segment] of [...segments].entries()) {
      const end = Math.min(range.before, segments[i + 1]?.firstLsn ?? range.before);
      const from = Math.max(range.from, segment.firstLsn);
      if (from >= end) continue;
      if (segment === this.#tail.last) {
        const limit = { handle: this.#tail.handle, endOffset: this.#tail.endOffset };
        if (!this.#readSegment(segment, limit, { from, before: end }, onRecord)) return false;
        continue;
      }
      const handle = this.#settings.disk.open(segment.path, "read");
      try {
        const limit = { handle, endOffset: handle.size() };
        if (!this.#readSegment(segment, limit, { from, before: end }, onRecord)) return false;
      } finally {
        handle.close();
      }
    }
    return true;
  }

  #readSegment(
    segment: Segment,
    file: { handle: FileHandle; endOffset: number },
    range: { from: Lsn; before: Lsn },
    onRecord: OnRecord,
  ): boolean {
    const cursor = createFrameCursor({
      handle: file.handle,
      seed: segment.seed,
      from: segment.index.nearest(range.from),
      before: file.endOffset,
      payloadBytesMax: this.#settings.payloadBytesMax,
      chunkBytes: READ_CHUNK_BYTES,
    });
    while (cursor.nextLsn < range.before) {
      if (!cursor.advance()) {
        const { path, number } = segment;
        const problem = cursor.problem ?? "the file is over";
        throw walCorrupt(
          { path, number, offset: cursor.nextOffset },
          `record ${cursor.nextLsn} cannot be read: ${problem}`,
        );
      }
      if (cursor.type !== FrameType.record || cursor.nextLsn <= range.from) continue;
      const record = { lsn: cursor.nextLsn - 1, payload: cursor.payload() };
      if (onRecord(record) === false) return false;
    }
    return true;
  }

  #orPoison<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      this.#poison ??= { cause: error };
      throw error;
    }
  }

  #checkForgettable(place: string, lsn: Lsn): void {
    this.#checkUsable();
    this.#checkNotReading();
    checkLsn(place, lsn);
    if (lsn > this.durableLsn + 1) {
      throw new RangeError(`wal: ${place} ${lsn}: durable is only ${this.durableLsn}`);
    }
  }

  #checkUsable(): void {
    this.#checkOpen();
    if (this.#poison !== null) throw this.#poisoned(this.#poison);
  }

  #checkOpen(): void {
    if (this.#closing !== null) {
      throw new CairnError("WAL_CLOSED", `wal: ${this.#settings.dir}: closed`);
    }
  }

  #checkNotReading(): void {
    assert(this.#readers === 0, "wal: the log is not truncated from inside a read");
  }

  #poisoned(poison: { readonly cause: unknown }): CairnError {
    const why = errorText(poison.cause);
    return new CairnError("WAL_POISONED", `wal: ${this.#settings.dir}: failed before: ${why}`, {
      cause: poison.cause,
    });
  }
}

function checkLsn(place: string, lsn: Lsn): void {
  if (!Number.isSafeInteger(lsn) || lsn < 0) {
    throw new RangeError(`wal: ${place}: ${lsn} is not a whole number from 0`);
  }
}

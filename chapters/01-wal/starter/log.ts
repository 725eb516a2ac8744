/**
 * The open log: what callers hold. Steps 01.2, 01.3, 01.6, 01.7 and
 * 01.9. The public methods are mostly given; the work is in the private ones at the end.
 *
 * Invariant: `durableLsn` never says more than a sync that has returned.
 */
import { type Bytes, CairnError, notWritten } from "#base";
import type { FileHandle } from "#platform/types";
import type { Lsn, Wal } from "#wal/types";
import { createGroupCommit, type GroupCommit } from "./group-commit.ts";
import { createGuard, type Guard } from "./guard.ts";
import type { Settings } from "./options.ts";
import { readRecords } from "./read.ts";
import type { Segment } from "./segment.ts";

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

  syncAsync(): Promise<Lsn> {
    return notWritten("01.7", "syncAsync");
  }

  commit(_payload: Bytes): Promise<Lsn> {
    return notWritten("01.7", "commit");
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

  truncateBefore(_lsn: Lsn): void {
    notWritten("01.9", "truncateBefore");
  }

  detachBefore(_lsn: Lsn): readonly string[] {
    return notWritten("01.9", "detachBefore");
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
  #write(_payload: Bytes): Lsn {
    return notWritten("01.2", "append");
  }

  /** Step 01.3: makes everything written durable, on this thread. */
  #syncNow(): void {
    notWritten("01.3", "sync");
  }

  /** Step 01.7: one sync for a group of callers. */
  #syncGroup(): Promise<void> {
    return notWritten("01.7", "syncGroup");
  }

  /** Step 01.9: removes every record above `lsn`, durably. */
  #cutAfter(_lsn: Lsn): void {
    notWritten("01.9", "truncateAfter");
  }
}

/**
 * The Raft log on our own WAL: entries, term, vote and truncation are records of one stream.
 *
 * One append and one sync make a whole step of consensus durable. In memory the log keeps, for each
 * entry, its LSN, term and size, and the bytes of the newest ones; older bytes are read back from
 * disk.
 *
 * Invariant: what recovery rebuilds from any prefix of the stream is a state in which this node
 * really was.
 * Chapter: 08-replica.
 */
import { assert, CairnError } from "#base";
import type { Disk } from "#platform/types";
import type { HardState, Index, Term, TermRun } from "#raft/types";
import { openWal } from "#wal";
import type { Lsn, RecoveryReport, Wal } from "#wal/types";
import { decodeConfiguration } from "./configuration.ts";
import { decodeEntry } from "./entry.ts";
import { decodeLogRecord, encodeLogRecord, type LogRecord } from "./log-record.ts";
import type { Configuration, LogEntry, RaftLog, RaftLogState } from "./types.ts";

/** Bytes of the newest entries kept in memory: what followers that keep up are served from. */
const CACHE_BYTES_MAX = 32 * 1024 * 1024;

/** What is known of one entry without reading it. */
interface EntrySlot {
  readonly term: Term;
  readonly lsn: Lsn;
  readonly size: number;
  bytes: Uint8Array | undefined;
}

/** The entries behind the compacted point; index `base + 1` is at position 0. */
class EntryTable {
  base: Index = 0;
  baseTerm: Term = 0;
  readonly #slots: EntrySlot[] = [];
  #cachedFrom: Index = 1;
  #cachedBytes = 0;

  get lastIndex(): Index {
    return this.base + this.#slots.length;
  }

  at(index: Index): EntrySlot | undefined {
    return this.#slots[index - this.base - 1];
  }

  push(slot: EntrySlot): void {
    this.#slots.push(slot);
    if (slot.bytes === undefined) {
      this.#cachedFrom = this.lastIndex + 1;
      return;
    }
    this.#cachedBytes += slot.size;
    // The newest entry stays even if it alone is above the limit: it is about to be sent.
    while (this.#cachedBytes > CACHE_BYTES_MAX && this.#cachedFrom < this.lastIndex) {
      this.#evict(this.at(this.#cachedFrom));
      this.#cachedFrom += 1;
    }
  }

  #evict(slot: EntrySlot | undefined): void {
    if (slot?.bytes === undefined) return;
    this.#cachedBytes -= slot.size;
    slot.bytes = undefined;
  }

  cutFrom(from: Index): void {
    for (let index = from; index <= this.lastIndex; index += 1) this.#evict(this.at(index));
    this.#slots.length = Math.max(0, from - this.base - 1);
    this.#cachedFrom = Math.min(this.#cachedFrom, this.lastIndex + 1);
  }

  forget(upTo: Index, term: Term): void {
    for (let index = this.base + 1; index <= Math.min(upTo, this.lastIndex); index += 1) {
      this.#evict(this.at(index));
    }
    this.#slots.splice(0, upTo - this.base);
    this.base = upTo;
    this.baseTerm = term;
    this.#cachedFrom = Math.max(this.#cachedFrom, upTo + 1);
  }

  runs(): TermRun[] {
    const runs: TermRun[] = [];
    this.#slots.forEach((slot, position) => {
      if (runs.at(-1)?.term !== slot.term) {
        runs.push({ first: this.base + 1 + position, term: slot.term });
      }
    });
    return runs;
  }

  sizes(): number[] {
    return this.#slots.map((slot) => slot.size);
  }
}

/**
 * Rebuilds the state from the stream. A plain fold, so that a reader of the code can check each
 * case.
 */
class Recovery {
  readonly entries = new EntryTable();
  hardState: HardState = { term: 0, vote: 0 };
  configuration: Configuration | undefined;
  /** Where the entries begin is known. Before that it is inferred from the first one there is. */
  #isAnchored = false;

  take(lsn: Lsn, record: LogRecord): void {
    switch (record.type) {
      case "hardState":
        this.hardState = record.hardState;
        return;
      case "truncate":
        // It may reach below an inferred start, or concern entries that are gone.
        if (record.from <= this.entries.lastIndex) this.entries.cutFrom(record.from);
        return;
      case "base":
        this.hardState = record.hardState;
        this.configuration = record.configuration;
        this.#anchor(record.compactedIndex, record.compactedTerm);
        return;
      case "entry":
        this.#takeEntry(lsn, record);
        return;
    }
  }

  /**
   * A base record is written while newer entries are there. Where those are missing, a later base
   * record has let them go, and only that one tells where the entries begin.
   */
  #anchor(compactedIndex: Index, compactedTerm: Term): void {
    const { base, lastIndex } = this.entries;
    if (compactedIndex < base || compactedIndex >= lastIndex) return;
    this.entries.forget(compactedIndex, compactedTerm);
    this.#isAnchored = true;
  }

  #takeEntry(lsn: Lsn, record: LogRecord & { type: "entry" }): void {
    const isFirst = this.entries.lastIndex === this.entries.base;
    // The segments before this one are gone; the base record further on says what they held.
    if (isFirst && !this.#isAnchored) this.entries.base = record.index - 1;
    if (record.index !== this.entries.lastIndex + 1) {
      throw new CairnError(
        "REPLICA_LOG_CORRUPT",
        `replica: raft log: record ${lsn} holds entry ${record.index}, ` +
          `expected ${this.entries.lastIndex + 1}`,
        { details: { lsn, index: record.index } },
      );
    }
    const { term, bytes } = record;
    this.entries.push({ term, lsn, size: bytes.length, bytes: undefined });
    const entry = decodeEntry(bytes);
    if (entry.kind === "configuration") this.configuration = decodeConfiguration(entry.payload);
  }

  finish(): void {
    if (this.entries.base > 0 && !this.#isAnchored) {
      throw new CairnError(
        "REPLICA_LOG_CORRUPT",
        `replica: raft log: begins at entry ${this.entries.base + 1} without a base record`,
      );
    }
  }
}

class WalRaftLog implements RaftLog {
  readonly #wal: Wal;
  readonly #entries: EntryTable;
  #hardState: HardState;
  #configuration: Configuration | undefined;

  constructor(wal: Wal, recovery: Recovery) {
    this.#wal = wal;
    this.#entries = recovery.entries;
    this.#hardState = recovery.hardState;
    this.#configuration = recovery.configuration;
  }

  get state(): RaftLogState {
    return {
      hardState: this.#hardState,
      compactedIndex: this.#entries.base,
      compactedTerm: this.#entries.baseTerm,
      runs: this.#entries.runs(),
      sizes: this.#entries.sizes(),
      configuration: this.#configuration,
    };
  }

  get lastIndex(): Index {
    return this.#entries.lastIndex;
  }

  get sizeBytes(): number {
    return this.#wal.sizeBytes();
  }

  write(change: Parameters<RaftLog["write"]>[0]): void {
    if (change.hardState !== undefined) {
      this.#hardState = change.hardState;
      this.#wal.append(encodeLogRecord({ type: "hardState", hardState: change.hardState }));
    }
    if (change.truncateFrom !== undefined) {
      const from = change.truncateFrom;
      assert(from > this.#entries.base, `replica: truncation from ${from} is behind the base`);
      this.#wal.append(encodeLogRecord({ type: "truncate", from }));
      this.#entries.cutFrom(from);
    }
    for (const entry of change.entries ?? []) {
      const { index, term, bytes } = entry;
      assert(index === this.lastIndex + 1, `replica: entry ${index} follows ${this.lastIndex}`);
      const lsn = this.#wal.append(encodeLogRecord({ type: "entry", index, term, bytes }));
      this.#entries.push({ term, lsn, size: bytes.length, bytes });
      if (index === 1) this.#adoptConfiguration(bytes);
    }
  }

  #adoptConfiguration(bytes: Uint8Array): void {
    const entry = decodeEntry(bytes);
    if (entry.kind === "configuration") this.#configuration = decodeConfiguration(entry.payload);
  }

  async sync(): Promise<void> {
    await this.#wal.syncAsync();
  }

  syncNow(): void {
    this.#wal.sync();
  }

  read(from: Index, before: Index, bytesMax = Number.POSITIVE_INFINITY): readonly LogEntry[] {
    if (from <= this.#entries.base || before > this.lastIndex + 1) {
      throw new CairnError(
        "WAL_NOT_RETAINED",
        `replica: raft log: entries ${from} to ${before - 1} asked for, ` +
          `${this.#entries.base + 1} to ${this.lastIndex} kept`,
      );
    }
    const end = this.#endWithin(from, before, bytesMax);
    const result: LogEntry[] = [];
    for (let index = from; index < end; index += 1) {
      const slot = this.#slot(index);
      if (slot.bytes === undefined) return this.#readFromDisk(from, end);
      result.push({ index, term: slot.term, bytes: slot.bytes });
    }
    return result;
  }

  #endWithin(from: Index, before: Index, bytesMax: number): Index {
    let bytes = 0;
    for (let index = from; index < before; index += 1) {
      bytes += this.#slot(index).size;
      if (bytes > bytesMax && index > from) return index;
    }
    return before;
  }

  #slot(index: Index): EntrySlot {
    const slot = this.#entries.at(index);
    assert(slot !== undefined, `replica: entry ${index} is in the table`);
    return slot;
  }

  #readFromDisk(from: Index, before: Index): readonly LogEntry[] {
    const result: LogEntry[] = [];
    const range = { from: this.#slot(from).lsn, before: this.#slot(before - 1).lsn + 1 };
    this.#wal.read(range, ({ lsn, payload }) => {
      const record = decodeLogRecord(payload);
      // Entries that were truncated later still stand in the stream; the table knows which count.
      if (record.type !== "entry" || this.#entries.at(record.index)?.lsn !== lsn) return;
      result.push({ index: record.index, term: record.term, bytes: record.bytes });
    });
    assert(
      result.length === before - from,
      `replica: entries ${from} to ${before - 1} are on disk`,
    );
    return result;
  }

  async compact(upTo: Index): Promise<Index> {
    const { base } = this.#entries;
    const target = Math.min(upTo, this.lastIndex - 1);
    if (target <= base || this.#configuration === undefined) return base;
    const firstKept = this.#slot(target + 1).lsn;
    const compactedTerm = this.#slot(target).term;
    this.#wal.append(
      encodeLogRecord({
        type: "base",
        compactedIndex: target,
        compactedTerm,
        hardState: this.#hardState,
        configuration: this.#configuration,
      }),
    );
    this.#entries.forget(target, compactedTerm);
    await this.#wal.syncAsync();
    this.#wal.truncateBefore(firstKept);
    return target;
  }

  async close(): Promise<void> {
    await this.#wal.close();
  }
}

/**
 * Opens the Raft log in `dir`, recovering it.
 *
 * @throws `WAL_CORRUPT`, `REPLICA_LOG_CORRUPT`, `BYTES_MALFORMED`; nothing on disk is changed then.
 */
export function openRaftLog(options: { disk: Disk; dir: string; segmentBytesMax?: number }): {
  log: RaftLog;
  report: RecoveryReport;
} {
  const recovery = new Recovery();
  const { wal, report } = openWal(options, ({ lsn, payload }) => {
    recovery.take(lsn, decodeLogRecord(payload));
  });
  recovery.finish();
  return { log: new WalRaftLog(wal, recovery), report };
}

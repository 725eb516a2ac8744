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
import type { HardState, Index } from "#raft/types";
import { openWal } from "#wal";
import type { RecoveryReport, Wal } from "#wal/types";
import type { ConfigurationHistory } from "./configuration-history.ts";
import type { EntrySlot, EntryTable } from "./entry-table.ts";
import { decodeLogRecord, encodeLogRecord, type StartReason } from "./log-record.ts";
import { LogRecovery } from "./log-recovery.ts";
import type {
  Configuration,
  LogChange,
  LogEntry,
  LogReset,
  RaftLog,
  RaftLogState,
  StoredConfiguration,
} from "./types.ts";

class WalRaftLog implements RaftLog {
  readonly #wal: Wal;
  readonly #entries: EntryTable;
  readonly #configurations: ConfigurationHistory;
  #hardState: HardState;
  #resetCopy: number;

  constructor(wal: Wal, recovery: LogRecovery) {
    this.#wal = wal;
    this.#entries = recovery.entries;
    this.#configurations = recovery.configurations;
    this.#hardState = recovery.hardState;
    this.#resetCopy = recovery.resetCopy;
  }

  get state(): RaftLogState {
    return {
      hardState: this.#hardState,
      compactedIndex: this.#entries.base,
      compactedTerm: this.#entries.baseTerm,
      runs: this.#entries.runs(),
      sizes: this.#entries.sizes(),
      base: this.#configurations.base,
      configurations: this.#configurations.behind,
      configuration: this.#configurations.inForce?.configuration,
      resetCopy: this.#resetCopy,
    };
  }

  get compactedIndex(): Index {
    return this.#entries.base;
  }

  get inForce(): StoredConfiguration | undefined {
    return this.#configurations.inForce;
  }

  configurationAt(index: Index): StoredConfiguration | undefined {
    return this.#configurations.at(index);
  }

  get epoch(): number {
    return this.#configurations.epoch;
  }

  expectEpoch(epoch: number): void {
    this.#configurations.expectEpoch(epoch);
  }

  get lastIndex(): Index {
    return this.#entries.lastIndex;
  }

  get sizeBytes(): number {
    return this.#wal.sizeBytes();
  }

  write(change: LogChange): void {
    if (change.hardState !== undefined) {
      this.#hardState = change.hardState;
      this.#wal.append(encodeLogRecord({ type: "hardState", hardState: change.hardState }));
    }
    if (change.reset !== undefined) this.#reset(change.reset);
    if (change.recovered !== undefined) this.#recover(change.recovered);
    if (change.truncateFrom !== undefined) {
      const from = change.truncateFrom;
      assert(from > this.#entries.base, `replica: truncation from ${from} is behind the base`);
      this.#wal.append(encodeLogRecord({ type: "truncate", from }));
      this.#entries.cutFrom(from);
      this.#configurations.cutFrom(from);
    }
    for (const entry of change.entries ?? []) {
      const { index, term, bytes } = entry;
      assert(index === this.lastIndex + 1, `replica: entry ${index} follows ${this.lastIndex}`);
      const lsn = this.#wal.append(encodeLogRecord({ type: "entry", index, term, bytes }));
      this.#entries.push({ term, lsn, size: bytes.length, bytes });
      this.#configurations.append(index, bytes);
    }
  }

  #reset({ index, term, configuration, copy }: LogReset): void {
    this.#entries.restart(index, term);
    this.#configurations.restart(configuration);
    this.#resetCopy = copy;
    this.#appendStart({ why: "reset", index, term, copy, configuration });
  }

  #recover(configuration: Configuration): void {
    const { base: index, baseTerm: term } = this.#entries;
    const stored = { index, configuration };
    this.#configurations.startBehind(index, stored);
    const copy = this.#resetCopy;
    this.#appendStart({ why: "recovery", index, term, copy, configuration: stored });
  }

  /** Repeats all that still counts at an index where the log begins from now on. */
  #appendStart(start: LogReset & { readonly why: StartReason }): void {
    const { why, index, term, copy, configuration } = start;
    const record = {
      type: "start",
      why,
      compactedIndex: index,
      compactedTerm: term,
      hardState: this.#hardState,
      copy,
      configuration,
    } as const;
    this.#wal.append(encodeLogRecord(record));
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

  async compact(upTo: Index, onForgotten: () => void = () => undefined): Promise<Index> {
    const { base } = this.#entries;
    const target = Math.min(upTo, this.lastIndex - 1);
    const configuration = this.#configurations.at(target);
    if (target <= base || configuration === undefined) return base;
    const firstKept = this.#slot(target + 1).lsn;
    const { term } = this.#slot(target);
    this.#appendStart({ why: "compaction", index: target, term, copy: 0, configuration });
    await this.#wal.syncAsync();
    // Meanwhile a snapshot may have taken the log's place.
    if (target <= this.#entries.base) return this.#entries.base;
    this.#entries.forget(target, term);
    this.#configurations.startBehind(target, configuration);
    this.#resetCopy = 0;
    onForgotten();
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
 * `epochMin`: configurations of older epochs do not count, in what is there and in what comes.
 *
 * @throws `WAL_CORRUPT`, `REPLICA_LOG_CORRUPT`, `BYTES_MALFORMED`; nothing on disk is changed then.
 */
export function openRaftLog(options: {
  disk: Disk;
  dir: string;
  segmentBytesMax?: number;
  epochMin?: number;
}): { log: RaftLog; report: RecoveryReport } {
  const { epochMin = 0, ...walOptions } = options;
  const recovery = new LogRecovery(epochMin);
  const { wal, report } = openWal(walOptions, ({ lsn, payload }) => {
    recovery.take(lsn, decodeLogRecord(payload));
  });
  recovery.finish();
  return { log: new WalRaftLog(wal, recovery), report };
}

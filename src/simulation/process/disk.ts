/**
 * The model of one node's disk: what is durable, and what waits for a sync.
 *
 * Records become durable in order and whole, as those of a checksummed log do: a crash keeps some
 * first ones of those that wait, and loses the rest.
 * Invariant: the durable image changes only by a sync, a crash, a compaction or a wipe.
 * Chapter: 11-simulation.
 */
import type { HardState, Index, PersistSeq, RaftBootState } from "#raft/types";
import { runsOf } from "./entry.ts";
import { emptyBase, ModelLog, NO_SETS } from "./log.ts";
import type { LogBase, ModelCopy, ModelEntry } from "./types.ts";

/** One record of the log: durable as a whole or not at all. */
export interface PendingRecord {
  readonly kind: "record";
  readonly seq: PersistSeq;
  readonly hardState: HardState | undefined;
  readonly reset: LogBase | undefined;
  readonly truncateFrom: Index | undefined;
  readonly entries: readonly ModelEntry[];
}

/** A chunk of a snapshot that was written and not synced. */
export interface PendingChunk {
  readonly kind: "chunk";
  readonly index: Index;
  readonly copy: number;
  /** What is stored once this is. */
  readonly nextOffset: number;
  /** The whole copy, with the last chunk. */
  readonly complete: ModelCopy | undefined;
}

/** What waits for a sync. */
export type PendingWrite = PendingRecord | PendingChunk;

/** See the file's header. */
export class ModelDisk {
  hardState: HardState = { term: 0, vote: 0 };
  /** The log as a restart would find it. */
  readonly log: ModelLog;
  /** Snapshots that were received whole, by the number of their copy. */
  readonly files = new Map<number, ModelCopy>();
  /** Oldest first. */
  readonly pending: PendingWrite[] = [];

  constructor(base: LogBase) {
    this.log = new ModelLog(base);
  }

  /** Makes the oldest waiting write durable. */
  syncOne(): PendingWrite | undefined {
    const write = this.pending.shift();
    if (write === undefined) return undefined;
    if (write.kind === "chunk") {
      if (write.complete !== undefined) this.files.set(write.copy, write.complete);
      return write;
    }
    if (write.hardState !== undefined) this.hardState = write.hardState;
    if (write.reset !== undefined) this.log.reset(write.reset);
    if (write.truncateFrom !== undefined) this.log.truncateFrom(write.truncateFrom);
    for (const entry of write.entries) this.log.append(entry);
    return write;
  }

  /**
   * Loses what waits, save the first `kept` writes. Files that no log names are removed at the next
   * start, and so at once here.
   */
  crash(kept: number): void {
    for (let i = 0; i < kept && this.pending.length > 0; i += 1) this.syncOne();
    this.pending.length = 0;
    for (const copy of this.files.keys()) {
      if (copy !== this.log.base.copy) this.files.delete(copy);
    }
  }

  /** Loses everything. */
  wipe(): void {
    this.hardState = { term: 0, vote: 0 };
    this.log.reset(emptyBase({ index: 0, sets: NO_SETS }));
    this.files.clear();
    this.pending.length = 0;
  }

  /** Puts a log on an empty disk, for tests that begin with one. */
  preload(hardState: HardState, entries: readonly ModelEntry[]): void {
    this.hardState = hardState;
    for (const entry of entries) this.log.append(entry);
  }
}

/** What a core is told when it starts from this disk. */
export function bootOf({ hardState, log }: ModelDisk, appliedIndex: Index): RaftBootState {
  const { base, entries, configurations } = log;
  return {
    hardState,
    compactedIndex: base.index,
    compactedTerm: base.term,
    configuration: base.configuration,
    configurations: [...configurations],
    runs: runsOf(entries, base.index + 1),
    sizes: entries.map(({ size }) => size),
    appliedIndex,
  };
}

/**
 * Rebuilds the Raft log's state from the stream of its records: a plain fold, so that a reader of
 * the code can check each case.
 *
 * Invariant: any prefix of the stream gives a state in which this node really was.
 * Chapter: 08-replica.
 */
import { CairnError } from "#base";
import type { HardState } from "#raft/types";
import type { Lsn } from "#wal/types";
import { ConfigurationHistory } from "./configuration-history.ts";
import { EntryTable } from "./entry-table.ts";
import type { LogRecord } from "./log-record.ts";

/** See the file's header. */
export class LogRecovery {
  readonly entries = new EntryTable();
  readonly configurations: ConfigurationHistory;
  hardState: HardState = { term: 0, vote: 0 };
  resetCopy = 0;
  /** Where the entries begin is known. Before that it is inferred from the first one there is. */
  #isAnchored = false;

  constructor(epochMin: number) {
    this.configurations = new ConfigurationHistory(epochMin);
  }

  take(lsn: Lsn, record: LogRecord): void {
    switch (record.type) {
      case "hardState":
        this.hardState = record.hardState;
        return;
      case "truncate":
        // It may reach below an inferred start, or concern entries that are gone.
        if (record.from > this.entries.lastIndex) return;
        this.entries.cutFrom(record.from);
        this.configurations.cutFrom(record.from);
        return;
      case "start":
        this.hardState = record.hardState;
        this.#takeStart(record);
        return;
      case "entry":
        this.#takeEntry(lsn, record);
        return;
    }
  }

  #takeStart(record: LogRecord & { type: "start" }): void {
    const { why, compactedIndex, compactedTerm, copy, configuration } = record;
    if (why === "reset") {
      this.entries.restart(compactedIndex, compactedTerm);
      this.configurations.restart(configuration);
      this.resetCopy = copy;
      this.#isAnchored = true;
      return;
    }
    // It was written while newer entries were there. Where those are missing, a later record has
    // let them go, and only that one tells where the entries begin.
    const { base, lastIndex } = this.entries;
    if (compactedIndex < base || (compactedIndex >= lastIndex && compactedIndex > base)) return;
    if (compactedIndex > base) this.resetCopy = 0;
    this.entries.forget(compactedIndex, compactedTerm);
    this.configurations.startBehind(compactedIndex, configuration);
    this.#isAnchored = true;
  }

  #takeEntry(lsn: Lsn, record: LogRecord & { type: "entry" }): void {
    const isFirst = this.entries.lastIndex === this.entries.base;
    // The segments before this one are gone; a start record further on says what they held.
    if (isFirst && !this.#isAnchored) this.entries.base = record.index - 1;
    if (record.index !== this.entries.lastIndex + 1) {
      throw new CairnError(
        "REPLICA_LOG_CORRUPT",
        `replica: raft log: record ${lsn} holds entry ${record.index}, ` +
          `expected ${this.entries.lastIndex + 1}`,
        { details: { lsn, index: record.index } },
      );
    }
    const { term, index, bytes } = record;
    this.entries.push({ term, lsn, size: bytes.length, bytes: undefined });
    this.configurations.append(index, bytes);
  }

  finish(): void {
    if (this.entries.base > 0 && !this.#isAnchored) {
      throw new CairnError(
        "REPLICA_LOG_CORRUPT",
        `replica: raft log: begins at entry ${this.entries.base + 1} without a start record`,
      );
    }
  }
}

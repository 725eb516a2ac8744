/**
 * The small engine: all parts together. Half of it is given; write the rest in 04.5 (`write`,
 * freeze, flush), 04.6 (compaction, and scans that keep their files) and 04.9 (back-pressure).
 *
 * One thread, everything synchronous: a write is durable when it returns, and background work
 * happens where `step` is called. Invariant: the memtables, the frozen ones from the oldest to the
 * newest and then the active one, hold what the log has from `logFrom` on.
 * Chapter: 04-lsm, steps 04.5, 04.6 and 04.9
 */
import { type Bytes, notWritten, type Sequence } from "#base";
import type { CompactionPlan, Picker, TableShape, Version } from "#lsm/reference";
import type { KeyRange, Memtable } from "#memtable/types";
import { createLeveledPicker } from "./leveled-picker.ts";
import { readKey, scanRange } from "./read.ts";
import { type Recovered, recoverStore } from "./recover.ts";
import { createTableFiles, type TableFiles } from "./tables.ts";
import type { Change, FrozenMemtable, ReadView, Store, StoreOptions, StoreStats } from "./types.ts";

const MIB = 1024 * 1024;
const LEVELED = { levelRatio: 10, levelZeroCompactRuns: 4 };

/** Opens or creates a store and recovers it. @throws `LSM_CORRUPT`, `WAL_CORRUPT`. */
export function openStore(options: StoreOptions): Store {
  return new SmallStore(options, recoverStore(options));
}

class SmallStore implements Store {
  readonly #options: StoreOptions;
  readonly #found: Recovered;
  readonly #tables: TableFiles;
  readonly #picker: Picker;
  /** How flush and compaction write tables. */
  readonly shape: TableShape;
  #active: Memtable;
  /** Oldest first. */
  #frozen: FrozenMemtable[] = [];
  #sequence: Sequence;

  constructor(options: StoreOptions, found: Recovered) {
    this.#options = options;
    this.#found = found;
    this.#tables = createTableFiles(options.disk, options.dir);
    this.#picker = options.picker ?? createLeveledPicker(LEVELED);
    const tableBytesMax = options.tableBytesMax ?? 2 * MIB;
    this.shape = { tableBytesMax, blockBytes: 4096, filterBitsPerKey: 10, compression: "none" };
    this.#active = found.memtable;
    this.#sequence = found.sequence;
  }

  put(key: Bytes, value: Bytes): void {
    this.write([{ key, value }]);
  }

  delete(key: Bytes): void {
    this.write([{ key, value: null }]);
  }

  /**
   * 04.5: freeze the active memtable if it is full; the log, durably; then the memtable. Given:
   * `createOperations()`, whose `seal(sequence)` makes the record, and `applyGroup(record,
   * memtable, Number.MAX_SAFE_INTEGER)`. 04.9: before all that, ask `pressureOf`.
   */
  write(_changes: readonly Change[]): void {
    notWritten("04.5", "Store.write");
  }

  get(key: Bytes): Bytes | undefined {
    return readKey(this.#view(), key);
  }

  scan(range: KeyRange = {}): IterableIterator<[Bytes, Bytes]> {
    // 04.6: hold the version until the scan ends or is left.
    return scanRange(this.#view(), range);
  }

  flush(): void {
    this.#freeze();
    while (this.#frozen.length > 0) this.#flushOldest();
  }

  step(): boolean {
    if (this.#frozen.length > 0) {
      this.#flushOldest();
      return true;
    }
    const plan = this.#picker.pick(this.#version);
    if (plan === null) return false;
    this.#compact(plan);
    return true;
  }

  stats(): StoreStats {
    const { runs } = this.#version;
    return {
      levelZeroRuns: runs.filter(({ level }) => level === 0).length,
      frozenMemtables: this.#frozen.length,
      tables: runs.reduce((sum, { tables }) => sum + tables.length, 0),
      // 04.9: why a write would be turned away now, and what the meter says.
      reason: null,
      stops: 0,
      stopMs: 0,
    };
  }

  async close(): Promise<void> {
    const { wal, manifest, unlock } = this.#found;
    await wal.close();
    await manifest.close();
    this.#tables.close();
    unlock();
  }

  get #version(): Version {
    return this.#found.manifest.state.version;
  }

  /** Whether it should be frozen before more goes into it. */
  get isActiveFull(): boolean {
    return this.#active.approximateBytes() >= (this.#options.memtableBytesMax ?? MIB);
  }

  #view(): ReadView {
    const frozen = this.#frozen.map(({ memtable }) => memtable).reverse();
    return {
      memtables: [this.#active, ...frozen],
      version: this.#version,
      at: this.#sequence,
      open: (table) => this.#tables.open(table),
    };
  }

  /** 04.5: the active memtable takes no more, and a new one takes its place. Nothing if empty. */
  #freeze(): void {
    notWritten("04.5", "Store.freeze");
  }

  /** 04.5: flushes `#frozen[0]` with `flushMemtable`, and lets go of it when that is through. */
  #flushOldest(): void {
    notWritten("04.5", "Store.flushOldest");
  }

  /**
   * 04.6: runs the plan with `runCompaction`; then one edit takes the inputs out and puts the
   * outputs in; then the inputs are retired. Given: `createJobTables` makes the `TableIo`, and is
   * closed after the job; `olderSpans(version, plan)`; `checkPlan` throws for a bad plan.
   */
  #compact(_plan: CompactionPlan): void {
    notWritten("04.6", "Store.compact");
  }
}

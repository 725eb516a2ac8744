/**
 * The small engine: all parts together (04.5, 04.6, 04.9).
 *
 * One thread, everything synchronous: a write is durable when it returns, and background work
 * happens where `step` is called. Invariant: the memtables, the frozen ones from the oldest to the
 * newest and then the active one, hold what the log has from `logFrom` on.
 * Chapter: 04-lsm, steps 04.5, 04.6 and 04.9
 */
import { type Bytes, CairnError, type Cancel, type Ms, type Sequence } from "#base";
import {
  applyGroup,
  type CompactionPlan,
  checkPlan,
  createJobTables,
  createOperations,
  olderSpans,
  type Picker,
  type StallReason,
  type TableShape,
  type Version,
} from "#lsm/reference";
import { createMemtable } from "#memtable";
import type { KeyRange, Memtable } from "#memtable/types";
import { runCompaction } from "./compaction.ts";
import { flushMemtable } from "./flush.ts";
import { createLeveledPicker } from "./leveled-picker.ts";
import { createStallMeter, pressureOf } from "./pressure.ts";
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
  readonly #shape: TableShape;
  readonly #stalls = createStallMeter();
  #active: Memtable;
  /** Oldest first. */
  #frozen: FrozenMemtable[] = [];
  #sequence: Sequence;
  /** Lets go of the current version. */
  #release: Cancel;

  constructor(options: StoreOptions, found: Recovered) {
    this.#options = options;
    this.#found = found;
    this.#tables = createTableFiles(options.disk, options.dir);
    this.#picker = options.picker ?? createLeveledPicker(LEVELED);
    const tableBytesMax = options.tableBytesMax ?? 2 * MIB;
    this.#shape = { tableBytesMax, blockBytes: 4096, filterBitsPerKey: 10, compression: "none" };
    this.#active = found.memtable;
    this.#sequence = found.sequence;
    this.#release = this.#tables.hold(this.#version);
  }

  put(key: Bytes, value: Bytes): void {
    this.write([{ key, value }]);
  }

  delete(key: Bytes): void {
    this.write([{ key, value: null }]);
  }

  write(changes: readonly Change[]): void {
    if (changes.length === 0) return;
    this.#holdBack();
    if (this.#isActiveFull) this.#freeze();
    const operations = createOperations();
    for (const { key, value } of changes) {
      if (value === null) operations.delete(key);
      else operations.put(key, value);
    }
    const group = operations.seal(this.#sequence + 1);
    const { wal } = this.#found;
    wal.append(group);
    wal.sync();
    // Only now: what the log has lost must not be in memory.
    applyGroup(group, this.#active, Number.MAX_SAFE_INTEGER);
    this.#sequence += changes.length;
  }

  get(key: Bytes): Bytes | undefined {
    return readKey(this.#view(), key);
  }

  scan(range: KeyRange = {}): IterableIterator<[Bytes, Bytes]> {
    const view = this.#view();
    const release = this.#tables.hold(view.version);
    return releasing(scanRange(view, range), release);
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
      reason: this.#pressure(),
      stops: this.#stalls.stops,
      stopMs: this.#stalls.stopMs(this.#now),
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

  get #now(): Ms {
    return this.#options.clock?.now() ?? 0;
  }

  get #isActiveFull(): boolean {
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

  #pressure(): StallReason | null {
    const { levelZeroStopRuns = 20, frozenMemtablesMax = 2 } = this.#options;
    const levelZeroRuns = this.#version.runs.filter(({ level }) => level === 0).length;
    const frozenMemtables = this.#frozen.length;
    const state = { levelZeroRuns, frozenMemtables, isActiveFull: this.#isActiveFull };
    return pressureOf(state, { levelZeroStopRuns, frozenMemtablesMax });
  }

  /** @throws `LSM_STALLED` while writes have to wait. */
  #holdBack(): void {
    const reason = this.#pressure();
    if (reason === null) return;
    this.#stalls.stopped(this.#now);
    throw new CairnError("LSM_STALLED", `lsm: writes wait: ${reason}`, { details: { reason } });
  }

  #freeze(): void {
    if (this.#active.entries === 0) return;
    this.#active.freeze();
    const { nextLsn } = this.#found.wal;
    const frozen = { memtable: this.#active, sequence: this.#sequence, logBefore: nextLsn };
    this.#frozen.push(frozen);
    this.#active = createMemtable();
  }

  #flushOldest(): void {
    const { manifest, wal, numbers } = this.#found;
    const { disk, dir } = this.#options;
    const io = createJobTables({ disk, dir, allocateId: () => numbers.take() });
    const target = { io, shape: this.#shape, manifest, wal, numbers };
    for (const _ of flushMemtable(this.#frozen[0]!, target));
    this.#frozen.shift();
    this.#adoptVersion();
  }

  #compact(plan: CompactionPlan): void {
    const { manifest, numbers } = this.#found;
    const { disk, dir } = this.#options;
    checkPlan(this.#version, plan);
    const io = createJobTables({ disk, dir, allocateId: () => numbers.take() });
    const older = olderSpans(this.#version, plan);
    try {
      const run = runCompaction({ plan, older, snapshots: [], shape: this.#shape }, io);
      let done = run.next();
      while (!done.done) done = run.next();
      const number = plan.outputRun ?? numbers.take();
      manifest.apply({
        remove: plan.inputs.flatMap(({ level, tables }) => tables.map(({ id }) => ({ level, id }))),
        add: done.value.tables.map((table) => ({ level: plan.outputLevel, run: number, table })),
        nextNumber: numbers.next,
      });
    } finally {
      io.close();
    }
    this.#adoptVersion();
    this.#tables.retire(plan.inputs.flatMap(({ tables }) => tables));
  }

  /** The manifest has moved on: hold the new version, let go of the old one. */
  #adoptVersion(): void {
    const release = this.#release;
    this.#release = this.#tables.hold(this.#version);
    release();
    if (this.#pressure() === null) this.#stalls.released(this.#now);
  }
}

/** Passes on what an iterator gives; calls `release` when it ends or is left. */
function* releasing<Value>(from: Iterable<Value>, release: Cancel): Generator<Value, void, void> {
  try {
    yield* from;
  } finally {
    release();
  }
}

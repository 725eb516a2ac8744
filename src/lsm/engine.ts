/**
 * The engine: what callers hold.
 *
 * Reads and writes run on the caller's thread, from beginning to end: the way to another thread and
 * back takes longer than a lookup. Only flush, compaction and syncs leave it.
 *
 * Invariants: a group is in the log before it is in the memtable (M7). Behind `close` nothing is
 * read or written.
 * Chapter: 04-lsm
 */
import { type Bytes, CairnError, errorText, isCairnError, type Lookup, type Sequence } from "#base";
import { createBlockCache } from "#sstable";
import type { BlockCache } from "#sstable/types";
import { createStallMeter, type Pressure, pressureOf } from "./back-pressure.ts";
import { type Background, createBackground, type JobRunner } from "./background.ts";
import { createEngineLog, refused } from "./engine-log.ts";
import type { EngineParts } from "./engine-parts.ts";
import { createEngineReads, type EngineReads } from "./engine-reads.ts";
import { createRunner } from "./job-runner.ts";
import { createLeveledPicker } from "./leveled-picker.ts";
import type { EngineSettings } from "./options.ts";
import type { Picker } from "./parts.ts";
import type { Recovered } from "./recover.ts";
import { createSnapshots } from "./snapshots.ts";
import { createCounters, describeStats } from "./statistics.ts";
import { createTableSet } from "./table-set.ts";
import { createTieredPicker } from "./tiered-picker.ts";
import type * as Contract from "./types.ts";
import { verifyTables } from "./verify.ts";
import { checkBytes, checkRoom, closed, operationsOf } from "./write-batch.ts";
import { applyGroup, type Operations } from "./write-group.ts";
import {
  type Admission,
  createWriteQueue,
  type GroupSink,
  type WriteQueue,
} from "./write-queue.ts";

/** A memtable of this size is written out by `close`: replaying it would take longer than this. */
const FLUSH_AT_CLOSE_BYTES = 1024 * 1024;

/** Starts an engine on what recovery has found. */
export function startEngine(settings: EngineSettings, found: Recovered): Contract.Engine {
  return new OpenEngine(settings, found);
}

class OpenEngine implements Contract.Engine, GroupSink {
  readonly dir: string;
  readonly report: Contract.OpenReport;
  readonly #parts: EngineParts;
  readonly #background: Background;
  readonly #runner: JobRunner;
  readonly #queue: WriteQueue;
  readonly #cache: BlockCache;
  readonly #unlock: () => void;
  readonly #stalls = createStallMeter();
  readonly #reads: EngineReads;
  #sequence: Sequence;
  #levelZeroRuns = 0;
  #isRunnerPrepared = false;
  #closing: Promise<void> | null = null;

  constructor(settings: EngineSettings, found: Recovered) {
    const { manifest, numbers, memory, wal, logNumber } = found;
    this.dir = settings.dir;
    this.report = found.report;
    this.#unlock = found.unlock;
    this.#sequence = found.sequence;
    this.#cache = createBlockCache(settings.cacheBytesMax);
    const { disk, dir, openTablesMax, clock, logBytesPerSync, isThreaded } = settings;
    this.#parts = {
      ...{ settings, manifest, numbers, memory },
      log: createEngineLog({
        ...{ wal, number: logNumber, logBytesPerSync },
        onFailure: () => this.#background.pump(),
      }),
      tables: createTableSet(
        {
          ...{ disk, dir, openTablesMax, cache: this.#cache },
          onObsolete: (paths) => this.#background.unlink(paths),
        },
        manifest.state.version,
      ),
      snapshots: createSnapshots(),
      counters: createCounters(),
      picker: pickerOf(settings),
      horizon: { timestamp: 0 },
      freeze: () => this.#freeze(),
      install: () => this.#install(),
    };
    this.#reads = createEngineReads(this.#parts);
    this.#queue = createWriteQueue({ sink: this, clock, mayDelay: isThreaded });
    this.#background = createBackground(this.#parts, () => this.#queue.drain());
    this.#install();
    this.#runner = createRunner(settings, numbers, this.#background);
    this.#background.start(this.#runner);
  }

  get sequence(): Sequence {
    return this.#sequence;
  }

  get(key: Bytes, options?: Contract.ReadOptions): Bytes | undefined {
    const found = this.#find(key, options);
    return found.kind === "value" ? found.value : undefined;
  }

  has(key: Bytes, options?: Contract.ReadOptions): boolean {
    return this.#find(key, options).kind === "value";
  }

  put(key: Bytes, value: Bytes, options?: Contract.WriteOptions): Promise<void> {
    if (this.#closing !== null) return Promise.reject(this.#closed());
    checkBytes("key", key);
    checkBytes("value", value);
    checkRoom(0, key.length + value.length);
    return this.#queue.put(key, value, options?.sync === true);
  }

  delete(key: Bytes, options?: Contract.WriteOptions): Promise<void> {
    if (this.#closing !== null) return Promise.reject(this.#closed());
    checkBytes("key", key);
    checkRoom(0, key.length);
    return this.#queue.delete(key, options?.sync === true);
  }

  write(batch: Contract.WriteBatch, options?: Contract.WriteOptions): Promise<void> {
    if (this.#closing !== null) return Promise.reject(this.#closed());
    return this.#queue.write(operationsOf(batch), options?.sync === true);
  }

  writeSync(batch: Contract.WriteBatch, options?: Contract.WriteOptions): void {
    this.#checkOpen();
    const operations = operationsOf(batch);
    this.#queue.drain(true);
    const admission = this.#queue.isEmpty ? this.admit() : "wait";
    if (admission === "wait") {
      const reason = this.#pressure().reason ?? "memtables wait for their flush";
      const message = `lsm: a blocking write would have to wait: ${reason}`;
      throw new CairnError("LSM_STALLED", message, { details: { reason } });
    }
    if (typeof admission !== "string") throw admission;
    if (admission === "slow") this.#stalls.slowed(0);
    this.carryOut(operations);
    if (options?.sync === true) this.#parts.log.sync();
  }

  iterator(options: Contract.IteratorOptions = {}): Contract.EngineIterator {
    this.#checkOpen();
    return this.#reads.iterator(options, this.#sequence);
  }

  snapshot(): Contract.Snapshot {
    this.#checkOpen();
    return this.#parts.snapshots.take(this.#sequence);
  }

  approximateBytes(from: Bytes, before: Bytes): number {
    this.#checkOpen();
    checkBytes("from", from);
    checkBytes("before", before);
    return this.#reads.approximateBytes(from, before);
  }

  async flush(): Promise<void> {
    this.#checkOpen();
    this.#queue.drain(true);
    await this.#flush();
  }

  async compact(range: { readonly from?: Bytes; readonly before?: Bytes } = {}): Promise<void> {
    await this.flush();
    this.#checkOpen();
    await this.#background.compactRange({ ...range });
  }

  setHorizon(timestamp: number): void {
    this.#checkOpen();
    const { settings, horizon } = this.#parts;
    if (settings.timestampedKeys === undefined || !Number.isSafeInteger(timestamp)) {
      throw new RangeError(`lsm: setHorizon: ${timestamp}: keys have no timestamps, or it is none`);
    }
    horizon.timestamp = Math.max(horizon.timestamp, timestamp);
  }

  step(): boolean {
    this.#checkOpen();
    return !this.#parts.settings.isThreaded && this.#background.step();
  }

  async idle(): Promise<void> {
    this.#checkOpen();
    await this.#background.until(() => this.#background.isIdle());
  }

  stats(): Contract.EngineStats {
    this.#checkOpen();
    const { memory, log, snapshots, counters, tables, settings } = this.#parts;
    const { bytes, bytesMax, hits, misses } = this.#cache;
    const stalls = this.#stalls;
    const failure = this.#background.failure;
    return describeStats({
      sequence: this.#sequence,
      memtableBytes: memory.bytes(),
      frozenMemtables: memory.frozen.length,
      logBytes: log.sizeBytes(),
      snapshots: snapshots.open,
      iterators: this.#reads.iterators,
      stalls: {
        reason: this.#pressure().reason,
        slowdowns: stalls.slowdowns,
        slowdownMs: stalls.slowdownMs,
        stops: stalls.stops,
        stopMs: stalls.stopMs(settings.clock.now()),
      },
      cache: { bytes, bytesMax, hits, misses },
      counters,
      version: this.#parts.manifest.state.version,
      reads: tables.reads,
      failure: failure === null ? null : errorText(failure.error),
    });
  }

  verify(): Contract.VerifyReport {
    this.#checkOpen();
    return verifyTables(this.#parts.settings, this.#parts.manifest.state.version);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /* ---- for the queue ---- */

  admit(): Admission {
    this.#freezeIfFull();
    const { effect } = this.#pressure();
    if (effect === "stop" || effect === "refuse") {
      this.#stalls.stopped(this.#parts.settings.clock.now());
      if (effect === "stop") return "wait";
      // Somebody needs it now; what is not long ago is not tried again.
      this.#background.tryAgain("rested");
      return refused(this.#background.failure?.error ?? "unknown");
    }
    if (this.#stalls.isStopped) this.#stalls.released(this.#parts.settings.clock.now());
    return effect === "slow" ? "slow" : "go";
  }

  carryOut(operations: Operations): void {
    const { count } = operations;
    if (count === 0) return;
    const { log, memory, snapshots, counters } = this.#parts;
    const group = operations.seal(this.#sequence + 1);
    log.append(group);
    applyGroup(group, memory.active.memtable, snapshots.newest);
    this.#sequence += count;
    counters.batches += 1;
    counters.operations += count;
    counters.userBytes += operations.userBytes;
    counters.logBytes += group.length;
    this.#freezeIfFull();
  }

  makeDurable(): Promise<void> {
    return this.#parts.log.syncAsync();
  }

  slowed(ms: number): void {
    this.#stalls.slowed(ms);
  }

  #find(key: Bytes, options: Contract.ReadOptions | undefined): Lookup {
    this.#checkOpen();
    checkBytes("key", key);
    return this.#reads.find(key, options);
  }

  #pressure(): Pressure {
    const { memory, log, settings } = this.#parts;
    const background = this.#background;
    const isManifestFailed = background.isFailing("manifest");
    return pressureOf(
      {
        levelZeroRuns: this.#levelZeroRuns,
        frozenMemtables: memory.frozen.length,
        isActiveFull: this.#isActiveFull(),
        isLogFailed: log.failure !== null,
        isFlushFailed: isManifestFailed || background.isFailing("flush"),
        isCompactionFailed: isManifestFailed || background.isFailing("compaction"),
      },
      settings,
    );
  }

  #isActiveFull(): boolean {
    const { memory, settings } = this.#parts;
    return memory.active.memtable.approximateBytes() >= settings.memtableBytesMax;
  }

  #freezeIfFull(): void {
    const { memory, settings } = this.#parts;
    if (!this.#isActiveFull()) {
      if (!this.#isRunnerPrepared) this.#prepareRunner();
      return;
    }
    if (memory.frozen.length >= settings.frozenMemtablesMax) return;
    this.#freeze();
    this.#background.pump();
  }

  #prepareRunner(): void {
    const { memory, settings } = this.#parts;
    if (memory.active.memtable.approximateBytes() < settings.memtableBytesMax / 2) return;
    this.#isRunnerPrepared = true;
    this.#runner.prepare();
  }

  #freeze(): void {
    const { memory, log } = this.#parts;
    memory.freeze({ sequence: this.#sequence, logBefore: log.before });
  }

  #install(): void {
    const { version } = this.#parts.manifest.state;
    this.#reads.version = version;
    this.#levelZeroRuns = version.runs.filter(({ level }) => level === 0).length;
    this.#parts.tables.setCurrent(version);
  }

  #flush(): Promise<void> {
    const { memory } = this.#parts;
    this.#freeze();
    return this.#background.flushed(memory.active.number - 1);
  }

  async #close(): Promise<void> {
    const failures: unknown[] = [];
    const attempt = async (work: () => unknown): Promise<void> => {
      try {
        await work();
      } catch (error) {
        failures.push(error);
      }
    };
    await attempt(() => this.#settle());
    this.#queue.rejectAll(this.#closed());
    await attempt(() => this.#reads.close());
    const { log, manifest, tables } = this.#parts;
    await attempt(() => this.#background.close());
    this.#background.rejectWaiters(this.#closed());
    await attempt(() => log.close());
    await attempt(() => manifest.close());
    await attempt(() => tables.close());
    await attempt(() => this.#unlock());
    if (failures.length > 0) throw failures[0];
  }

  /** Carries out what waits, and writes out what would take long to replay, or be lost. */
  async #settle(): Promise<void> {
    const { log, settings } = this.#parts;
    this.#queue.drain(true);
    if (settings.isThreaded && !this.#queue.isEmpty) {
      await this.#background.until(() => this.#queue.isEmpty);
    }
    if (log.failure !== null) {
      await this.#background.until(() => log.failure === null);
    } else if (settings.isThreaded && log.sizeBytes() > FLUSH_AT_CLOSE_BYTES) {
      try {
        await this.#flush();
        // What is in tables is in the log as well, and would be read by the next opening.
        if (log.sizeBytes() > FLUSH_AT_CLOSE_BYTES) await this.#background.renewLog();
      } catch (error) {
        // The log has it all, and the next opening reads it.
        if (!isCairnError(error)) throw error;
      }
    }
  }

  #closed(): CairnError {
    return closed(this.dir);
  }

  #checkOpen(): void {
    if (this.#closing !== null) throw this.#closed();
  }
}

function pickerOf({ picker, levelRatio, levelZeroCompactRuns }: EngineSettings): Picker {
  if (picker === "leveled") return createLeveledPicker({ levelRatio, levelZeroCompactRuns });
  if (picker === "tiered") return createTieredPicker({ levelRatio, levelZeroCompactRuns });
  return picker;
}

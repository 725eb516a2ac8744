/**
 * What is done behind the caller's back, and in which order: heal the log, flush, edit the
 * manifest, compact, unlink.
 *
 * The same rules serve both ways of running. `step` does one unit on the caller's thread. `pump`
 * starts whatever may start, and is called again whenever something has ended. A unit that failed
 * is tried again: by the next step, or after a while.
 *
 * Invariants: edits are applied one at a time, in the order in which they were made. The oldest
 * frozen memtable is flushed first, and dropped when the edit that names its table is durable (L3).
 * An edit that failed is tried again as it is, since a crash may bring it back.
 * Chapter: 04-lsm, "Background work"
 */
import { assert, isCairnError } from "#base";
import { createEditQueue, type EditQueue } from "./edit-queue.ts";
import { compactionEdit, flushEdit, moveEdit } from "./edits.ts";
import type { EngineParts } from "./engine-parts.ts";
import { logPath } from "./file-names.ts";
import type { FlushOrder, JobKind, JobListener } from "./jobs.ts";
import type { FrozenLayer } from "./memory.ts";
import { beginLog, dropLog, type NewLog } from "./new-log.ts";
import { compactionJob, flushOrder } from "./orders.ts";
import type { CompactionJob, CompactionPlan, JobResult } from "./parts.ts";
import { checkPlan, isMove, lowestLevel } from "./picker-math.ts";
import { type PlannedRange, planRange } from "./range-plan.ts";
import { createRetries, type Retries } from "./retries.ts";
import { createWaiters } from "./waiters.ts";

/** Who runs jobs: this thread in slices, or a worker. */
export interface JobRunner {
  /** A job is to come soon. */
  prepare(): void;
  flush(layer: FrozenLayer, order: FlushOrder): void;
  compact(job: CompactionJob): void;
  /** @param syncDir - to be synced behind each of them. */
  unlink(paths: readonly string[], syncDir?: string): void;
  /** Does a bounded piece of work on this thread. @returns false if there was none. */
  slice(): boolean;
  /** Gives up what is under way. */
  close(): Promise<void>;
}

/** What can fail. */
type Failing = JobKind | "manifest" | "log";

/** What keeps a memtable from becoming part of the manifest. */
const FLUSH_FAILURES: readonly Failing[] = ["flush", "manifest"];
const ALL_FAILURES: readonly Failing[] = ["flush", "compaction", "manifest", "log"];

interface RangeRequest {
  readonly range: PlannedRange;
  level: number;
  isDone: boolean;
}

interface Compacting {
  readonly plan: CompactionPlan;
  /** The run that the outputs join. */
  readonly run: number;
  /** Who asked for it; null: the picker. */
  readonly request: RangeRequest | null;
}

/** The background of one engine. */
export type Background = Director;

/** @param onProgress - writes that were held back may be able to go on, or must be refused. */
export function createBackground(parts: EngineParts, onProgress: () => void): Background {
  return new Director(parts, onProgress);
}

class Director implements JobListener {
  readonly #parts: EngineParts;
  readonly #onProgress: () => void;
  readonly #waiters = createWaiters();
  readonly #failures = new Map<Failing, unknown>();
  readonly #retries: Retries<Failing>;
  readonly #edits: EditQueue;
  readonly #requests: RangeRequest[] = [];
  #runner!: JobRunner;
  #flushing: FrozenLayer | null = null;
  #compacting: Compacting | null = null;
  #newLog: NewLog | null = null;
  #lastError: unknown = null;
  #isApplying = false;
  #isClosed = false;

  constructor(parts: EngineParts, onProgress: () => void) {
    this.#parts = parts;
    this.#onProgress = onProgress;
    this.#retries = createRetries(parts.settings.clock, () => this.pump());
    this.#edits = createEditQueue({
      manifest: parts.manifest,
      log: parts.log,
      onApplied: () => {
        this.#failures.delete("manifest");
        this.#retries.worked();
      },
      onFailed: (error) => this.#fail("manifest", error),
    });
  }

  /** Says who runs the jobs; once, before anything else. */
  start(runner: JobRunner): void {
    this.#runner = runner;
    this.pump();
  }

  /** What fails at the moment; null if nothing does. */
  get failure(): { readonly error: unknown } | null {
    for (const error of this.#failures.values()) return { error };
    return this.#parts.log.failure;
  }

  isFailing(what: Failing): boolean {
    return this.#failures.has(what);
  }

  /** Does one unit on this thread. @returns false if there was none. */
  step(): boolean {
    if (this.#isClosed) return false;
    this.#lastError = null;
    this.#prepare();
    const worked = this.#edits.apply() || this.#runner.slice() || this.#lastError !== null;
    if (worked) this.#changed();
    return worked;
  }

  /** Starts whatever may start. Does nothing where somebody steps. */
  pump(): void {
    if (!this.#parts.settings.isThreaded || this.#isClosed) return;
    this.#prepare();
    // Rejects for our own bugs only, and those are nobody's to catch.
    if (!this.#isApplying && this.#mayApply()) void this.#applyAll();
    this.#waiters.look();
  }

  /** Tries again what has failed, unless the last try is just over: somebody needs it. */
  tryAgain(which: "all" | "rested"): void {
    this.#retries.wake(which);
    this.pump();
  }

  /** Resolves when all layers up to one are in tables. @throws what failed meanwhile. */
  flushed(through: number): Promise<void> {
    const { memory } = this.#parts;
    const isTrue = (): boolean => (memory.frozen[0]?.number ?? through + 1) > through;
    return this.#until(isTrue, FLUSH_FAILURES);
  }

  /** Resolves when something is true that work leads to. @throws what failed meanwhile. */
  until(isTrue: () => boolean): Promise<void> {
    return this.#until(isTrue, ALL_FAILURES);
  }

  /** Merges a range into its lowest level. @throws what failed. */
  compactRange(range: PlannedRange): Promise<void> {
    const request: RangeRequest = { range, level: 0, isDone: false };
    this.#requests.push(request);
    return this.#until(() => request.isDone, ALL_FAILURES);
  }

  /** Whether nothing is running or due. */
  isIdle(): boolean {
    const { memory, log, picker } = this.#parts;
    const isBusy = this.#flushing !== null || this.#compacting !== null || !this.#edits.isEmpty;
    if (isBusy || memory.frozen.length > 0 || log.failure !== null) return false;
    return this.#requests.length === 0 && picker.pick(this.#parts.manifest.state.version) === null;
  }

  /** Goes on in a new log; nothing must be in memory. The old one need not be read again. */
  async renewLog(): Promise<void> {
    const { log } = this.#parts;
    const { number } = log;
    if (this.#newLog === null) this.#beginLog();
    await this.#until(() => log.number !== number, ALL_FAILURES);
  }

  /** Ends all work. Tables that no edit names yet are removed by the next opening. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#retries.wake("all");
    await this.#edits.settled();
    await this.#runner.close();
    await this.#newLog?.wal.close();
  }

  /** Tells everybody who waits. */
  rejectWaiters(error: unknown): void {
    this.#waiters.rejectAll(error);
  }

  /** Removes files that no version in use names any more. */
  unlink(paths: readonly string[]): void {
    if (!this.#isClosed) this.#runner.unlink(paths);
  }

  done(kind: JobKind, result: JobResult): void {
    if (kind === "flush") this.#flushDone(result);
    else this.#compactionDone(result);
    this.pump();
  }

  failed(kind: JobKind, error: unknown): void {
    if (kind === "flush") this.#flushing = null;
    else this.#compacting = null;
    this.#fail(kind, error);
  }

  /** Works towards something, or waits until it is true. */
  async #until(isTrue: () => boolean, failures: readonly Failing[]): Promise<void> {
    if (!this.#parts.settings.isThreaded) {
      while (!isTrue()) {
        const worked = this.step();
        if (this.#lastError !== null) throw this.#lastError;
        assert(worked || isTrue(), "lsm: who waits for the background waits for work that is due");
      }
      return;
    }
    const waiting = this.#waiters.wait(isTrue, failures);
    this.tryAgain("all");
    await waiting;
  }

  /** Hands out whatever is due and not under way. */
  #prepare(): void {
    const { memory, log } = this.#parts;
    if (log.failure !== null) this.#parts.freeze();
    const layer = memory.frozen[0];
    if (layer !== undefined) this.#startFlush(layer);
    else if (log.failure !== null && this.#newLog === null) this.#beginLog();
    this.#startCompaction();
  }

  #startFlush(layer: FrozenLayer): void {
    if (this.#flushing !== null || this.#retries.isResting("flush")) return;
    this.#flushing = layer;
    this.#runner.flush(layer, flushOrder(this.#parts));
  }

  #startCompaction(): void {
    if (this.#compacting !== null || this.#retries.isResting("compaction")) return;
    const { numbers, manifest } = this.#parts;
    const next = this.#nextPlan();
    if (next === null) return;
    const { plan, request } = next;
    checkPlan(manifest.state.version, plan);
    this.#compacting = { plan, request, run: plan.outputRun ?? numbers.take() };
    if (request === null && isMove(plan)) {
      this.#move(this.#compacting);
      return;
    }
    this.#runner.compact(compactionJob(this.#parts, plan));
  }

  #move({ plan, run }: Compacting): void {
    const { counters, numbers } = this.#parts;
    this.#edits.add({
      make: () => moveEdit(plan, { run, nextNumber: numbers.next }),
      applied: () => {
        for (const { tables } of plan.inputs) counters.moves += tables.length;
        this.#compacted();
      },
    });
  }

  #nextPlan(): Omit<Compacting, "run"> | null {
    const { version } = this.#parts.manifest.state;
    for (let request = this.#requests[0]; request !== undefined; request = this.#requests[0]) {
      for (; request.level < lowestLevel(version); request.level += 1) {
        const plan = planRange(version, request.level, request.range);
        if (plan !== null) return { plan, request };
      }
      request.isDone = true;
      this.#requests.shift();
    }
    const plan = this.#parts.picker.pick(version);
    return plan === null ? null : { plan, request: null };
  }

  #flushDone(result: JobResult): void {
    const { memory, counters, numbers } = this.#parts;
    const layer = this.#flushing!;
    this.#edits.add({
      make: (isLogDurable) =>
        flushEdit(layer, result, {
          run: numbers.take(),
          nextNumber: numbers.next,
          logFrom: isLogDurable ? layer.logBefore : null,
        }),
      applied: (edit) => {
        this.#parts.install();
        memory.drop(layer);
        counters.flushes += 1;
        counters.flushBytes += result.bytesWritten;
        this.#flushing = null;
        this.#failures.delete("flush");
        if (edit.logFrom !== undefined) this.#retire(edit.logFrom);
      },
    });
  }

  #compactionDone(result: JobResult): void {
    const { counters, numbers } = this.#parts;
    const { plan, run, request } = this.#compacting!;
    this.#edits.add({
      make: () => compactionEdit(plan, result, { run, nextNumber: numbers.next }),
      applied: () => {
        counters.compactions += 1;
        counters.compactionBytes += result.bytesWritten;
        counters.compactionBytesRead += result.bytesRead;
        if (request !== null) request.level += 1;
        this.#compacted();
      },
    });
  }

  #compacted(): void {
    this.#parts.install();
    this.#compacting = null;
    this.#failures.delete("compaction");
  }

  /** Begins a new log; the old one has failed, and nothing is in memory any more. */
  #beginLog(): void {
    const { log, settings, numbers } = this.#parts;
    let next: NewLog;
    try {
      next = beginLog(settings, numbers);
    } catch (error) {
      if (!isCairnError(error)) throw error;
      this.#fail("log", error);
      return;
    }
    this.#newLog = next;
    this.#edits.add({
      make: () => ({
        remove: [],
        add: [],
        logNumber: next.number,
        logFrom: next.wal.firstLsn,
        nextNumber: numbers.next,
      }),
      applied: () => {
        const oldPath = logPath(settings.dir, log.number);
        const old = log.replace(next.wal, next.number);
        this.#newLog = null;
        this.#failures.delete("log");
        // Nobody waits for this, and it never rejects.
        void dropLog(old, settings.disk, oldPath);
      },
    });
  }

  /** The files go last, and on another thread if there is one: removing a large one takes long. */
  #retire(logFrom: number): void {
    const { log, settings } = this.#parts;
    const paths = log.retire(logFrom);
    if (paths.length > 0) this.#runner.unlink(paths, logPath(settings.dir, log.number));
  }

  #mayApply(): boolean {
    return !this.#isClosed && !this.#edits.isEmpty && !this.#retries.isResting("manifest");
  }

  /** Applies all edits, one behind the other. */
  async #applyAll(): Promise<void> {
    this.#isApplying = true;
    while (this.#mayApply()) if (await this.#edits.applyAsync()) this.#changed();
    this.#isApplying = false;
    this.pump();
  }

  #changed(): void {
    this.#onProgress();
    this.#waiters.look();
  }

  #fail(what: Failing, error: unknown): void {
    this.#parts.counters.failures += 1;
    this.#failures.set(what, error);
    this.#lastError = error;
    this.#requests.length = 0;
    this.#waiters.reject(what, error);
    if (this.#parts.settings.isThreaded && !this.#isClosed) this.#retries.rest(what);
    this.#onProgress();
  }
}

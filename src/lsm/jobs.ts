/**
 * Running flush and compaction in slices, on whichever thread this is.
 *
 * At most one of each kind is under way. A flush goes first: writes wait for it. Files to unlink
 * come last, one in each slice, since removing a large file takes long.
 *
 * Invariant: each job that was started is reported exactly once, done or failed, and has closed its
 * tables before.
 * Chapter: 04-lsm, "Background work"
 */
import { assert, type Cursor, isCairnError, type Sequence } from "#base";
import { runCompaction } from "./compaction.ts";
import { runFlush } from "./flush.ts";
import { createJobTables, type JobPlace, type JobTables } from "./job-tables.ts";
import type { CompactionJob, JobResult, JobRun, TableShape } from "./parts.ts";

/** What runs. */
export type JobKind = "flush" | "compaction";

/** A flush, wherever its memtable is. */
export interface FlushOrder {
  readonly snapshots: readonly Sequence[];
  readonly shape: TableShape;
}

/** Who hears of the outcome. */
export interface JobListener {
  done(kind: JobKind, result: JobResult): void;
  /** The disk failed, or a table is damaged. What the job had made is removed. */
  failed(kind: JobKind, error: unknown): void;
}

/** The jobs of one thread. */
export type Jobs = SlicedJobs;

/** Makes an idle one. */
export function createJobs(place: JobPlace, listener: JobListener): Jobs {
  return new SlicedJobs(place, listener);
}

interface Running {
  readonly run: JobRun;
  readonly tables: JobTables;
}

/** A file that nobody needs any more. */
interface Removal {
  readonly path: string;
  readonly syncDir: string | undefined;
}

class SlicedJobs {
  readonly #place: JobPlace;
  readonly #listener: JobListener;
  #flush: Running | null = null;
  #compaction: Running | null = null;
  readonly #removals: Removal[] = [];
  /** Removals that failed, and those that must stay behind them: tried again with the next. */
  readonly #late: Removal[] = [];

  constructor(place: JobPlace, listener: JobListener) {
    this.#place = place;
    this.#listener = listener;
  }

  get isIdle(): boolean {
    return this.#flush === null && this.#compaction === null && this.#removals.length === 0;
  }

  /** Starts to write a memtable out. @param cursor - closed by the job. */
  flush(cursor: Cursor, order: FlushOrder): void {
    assert(this.#flush === null, "lsm: one flush at a time");
    const tables = createJobTables(this.#place);
    this.#flush = { run: runFlush(cursor, order.snapshots, order.shape, tables), tables };
  }

  compact(job: CompactionJob): void {
    assert(this.#compaction === null, "lsm: one compaction at a time");
    const tables = createJobTables(this.#place);
    this.#compaction = { run: runCompaction(job, tables), tables };
  }

  /** @param syncDir - to be synced behind each of them. Default: none. */
  unlink(paths: readonly string[], syncDir?: string): void {
    this.#removals.push(...this.#late.splice(0));
    for (const path of paths) this.#removals.push({ path, syncDir });
  }

  /** Does a bounded piece of work. @returns false if there is nothing to do. */
  slice(): boolean {
    if (this.#flush !== null) return this.#slice("flush", this.#flush);
    if (this.#compaction !== null) return this.#slice("compaction", this.#compaction);
    const removal = this.#removals.shift();
    if (removal === undefined) return false;
    try {
      this.#remove(removal);
    } catch (error) {
      if (!isCairnError(error)) throw error;
      this.#putOff(removal);
    }
    return true;
  }

  /** Gives up what is under way; unfinished tables are removed. Nothing is reported. */
  stop(): void {
    for (const running of [this.#flush, this.#compaction]) {
      if (running === null) continue;
      running.run.return(NOTHING);
      running.tables.close();
    }
    this.#flush = null;
    this.#compaction = null;
    this.#removals.length = 0;
    this.#late.length = 0;
  }

  /** What is gone already was removed by an earlier try, or with its log. */
  #remove({ path, syncDir }: Removal): void {
    const { disk } = this.#place;
    try {
      disk.unlink(path);
    } catch (error) {
      if (!isCairnError(error, "DISK_NOT_FOUND")) throw error;
    }
    if (syncDir !== undefined && disk.exists(syncDir)) disk.syncDir(syncDir);
  }

  /**
   * A file of nobody's stays for now; at the latest, the next opening removes it. Those of its log
   * that come behind it stay too, also those that are handed in later: what is removed of a log
   * must be its beginning, for a gap would be damage.
   */
  #putOff(failed: Removal): void {
    this.#late.push(failed);
    if (failed.syncDir === undefined) return;
    const waiting = this.#removals.splice(0);
    for (const removal of waiting) {
      (removal.syncDir === failed.syncDir ? this.#late : this.#removals).push(removal);
    }
  }

  #slice(kind: JobKind, running: Running): true {
    let result: JobResult;
    try {
      const turn = running.run.next();
      if (!turn.done) return true;
      result = turn.value;
    } catch (error) {
      this.#end(kind, running);
      if (!isCairnError(error)) throw error;
      this.#listener.failed(kind, error);
      return true;
    }
    this.#end(kind, running);
    this.#listener.done(kind, result);
    return true;
  }

  #end(kind: JobKind, running: Running): void {
    if (kind === "flush") this.#flush = null;
    else this.#compaction = null;
    running.tables.close();
  }
}

/** What a job that is given up returns; nobody looks at it. */
const NOTHING: JobResult = { tables: [], bytesRead: 0, bytesWritten: 0, entriesDropped: 0 };

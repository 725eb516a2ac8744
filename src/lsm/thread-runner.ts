/**
 * The worker of one engine, as the engine sees it.
 *
 * It is taken with the first job or a little before, and keeps the process alive only while it has
 * something to do. A worker that dies has failed its jobs; the next job takes another.
 *
 * Invariant: each job is reported exactly once, whatever becomes of the worker.
 * Chapter: 04-lsm, "Background work"
 */
import { CairnError } from "#base";
import { atTurnEnd } from "#platform";
import type { JobRunner } from "./background.ts";
import type { FlushOrder, JobKind, JobListener, Jobs } from "./jobs.ts";
import type { FrozenLayer } from "./memory.ts";
import type { SharedNumbers } from "./numbers.ts";
import type { CompactionJob } from "./parts.ts";
import { giveBackWorker, takeWorker, type WorkerThread } from "./worker-pool.ts";
import {
  type FromWorker,
  type ToWorker,
  unpackError,
  type WorkerStart,
} from "./worker-protocol.ts";

/**
 * Makes a runner that has no worker yet.
 *
 * @param local - for memtables that cannot be shared: they are written out on this thread.
 */
export function createThreadRunner(
  dir: string,
  numbers: SharedNumbers,
  listener: JobListener,
  local: Jobs,
): JobRunner {
  return new ThreadRunner({ dir, numbers: numbers.memory }, listener, local);
}

class ThreadRunner implements JobRunner {
  readonly #start: WorkerStart;
  readonly #listener: JobListener;
  readonly #local: Jobs;
  readonly #running = new Set<JobKind>();
  #thread: WorkerThread | null = null;
  /** Orders given to the present worker. It is idle when it has done as many. */
  #orders = 0;
  #isClosed = false;
  /** Set by `close`: the worker is idle, or gone. */
  #onIdle: () => void = () => {};

  constructor(start: WorkerStart, listener: JobListener, local: Jobs) {
    this.#start = start;
    this.#listener = listener;
    this.#local = local;
  }

  /** A thread takes longer to start than a memtable to fill. */
  prepare(): void {
    if (this.#thread === null && !this.#isClosed) this.#take().keepAlive(false);
  }

  flush({ memtable }: FrozenLayer, order: FlushOrder): void {
    const shared = memtable.share();
    if (shared === null) {
      this.#local.flush(memtable.cursor(), order);
      this.#runLocal();
      return;
    }
    this.#running.add("flush");
    this.#post({ kind: "flush", memtable: shared, order });
  }

  compact(job: CompactionJob): void {
    this.#running.add("compaction");
    this.#post({ kind: "compact", job });
  }

  unlink(paths: readonly string[], syncDir?: string): void {
    this.#post({ kind: "unlink", paths, syncDir });
  }

  slice(): boolean {
    return false;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#local.stop();
    const thread = this.#thread;
    if (thread === null) return;
    // Jobs are given up: they may take long. Files to remove are removed first.
    if (this.#orders > 0 && this.#running.size === 0) {
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve;
      });
    }
    this.#thread = null;
    if (this.#orders === 0) await giveBackWorker(thread);
    else await thread.terminate();
  }

  #post(message: ToWorker): void {
    const thread = this.#thread ?? this.#take();
    if (this.#orders === 0) thread.keepAlive(true);
    this.#orders += 1;
    thread.post(message);
  }

  #take(): WorkerThread {
    const thread = takeWorker(this.#start);
    this.#thread = thread;
    this.#orders = 0;
    thread.onMessage((message) => this.#onMessage(thread, message));
    thread.onError((error) => this.#onDeath(thread, error));
    return thread;
  }

  #onMessage(thread: WorkerThread, message: FromWorker): void {
    if (thread !== this.#thread) return;
    if (message.kind === "idle") {
      this.#orders -= message.orders;
      if (this.#orders > 0) return;
      thread.keepAlive(false);
      this.#onIdle();
      return;
    }
    this.#running.delete(message.job);
    if (message.kind === "done") this.#listener.done(message.job, message.result);
    else this.#listener.failed(message.job, unpackError(message.error));
  }

  #onDeath(thread: WorkerThread, error: Error): void {
    if (thread !== this.#thread) return;
    this.#thread = null;
    thread.close();
    this.#onIdle();
    const failure = new CairnError("DISK_IO", `lsm: the worker has ended: ${error.message}`, {
      cause: error,
    });
    const failed = [...this.#running];
    this.#running.clear();
    for (const kind of failed) this.#listener.failed(kind, failure);
  }

  /** Slices between which this thread does other things. */
  #runLocal(): void {
    atTurnEnd(() => {
      if (!this.#isClosed && this.#local.slice()) this.#runLocal();
    });
  }
}

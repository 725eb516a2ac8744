/**
 * The worker of one engine, as the engine sees it.
 *
 * It is started with the first job or a little before, and keeps the process alive only while it
 * has something to do. A worker that dies has failed its jobs; the next job starts another.
 *
 * Invariant: each job is reported exactly once, whatever becomes of the worker.
 * Chapter: 04-lsm, "Background work"
 */
import { CairnError } from "#base";
import { atTurnEnd, spawnThread, type Thread } from "#platform";
import type { JobRunner } from "./background.ts";
import type { FlushOrder, JobKind, JobListener, Jobs } from "./jobs.ts";
import type { FrozenLayer } from "./memory.ts";
import type { SharedNumbers } from "./numbers.ts";
import type { CompactionJob } from "./parts.ts";
import {
  type FromWorker,
  type ToWorker,
  unpackError,
  type WorkerStart,
} from "./worker-protocol.ts";

/**
 * Makes a runner whose worker is not started yet.
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
  #thread: Thread<ToWorker, FromWorker> | null = null;
  /** Orders given to the present worker. It is idle when it has done as many. */
  #orders = 0;
  #isClosed = false;

  constructor(start: WorkerStart, listener: JobListener, local: Jobs) {
    this.#start = start;
    this.#listener = listener;
    this.#local = local;
  }

  /** A thread takes longer to start than a memtable to fill. */
  prepare(): void {
    if (this.#thread === null && !this.#isClosed) this.#spawn().keepAlive(false);
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
    this.#thread = null;
    await thread?.terminate();
  }

  #post(message: ToWorker): void {
    const thread = this.#thread ?? this.#spawn();
    if (this.#orders === 0) thread.keepAlive(true);
    this.#orders += 1;
    thread.post(message);
  }

  #spawn(): Thread<ToWorker, FromWorker> {
    const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
    const thread = spawnThread<ToWorker, FromWorker>(
      new URL(`./background-worker.${extension}`, import.meta.url),
      { name: "lsm-background", data: this.#start },
    );
    this.#thread = thread;
    this.#orders = 0;
    thread.onMessage((message) => this.#onMessage(thread, message));
    thread.onError((error) => this.#onDeath(thread, error));
    return thread;
  }

  #onMessage(thread: Thread<ToWorker, FromWorker>, message: FromWorker): void {
    if (thread !== this.#thread) return;
    if (message.kind === "idle") {
      this.#orders -= message.orders;
      if (this.#orders === 0) thread.keepAlive(false);
      return;
    }
    this.#running.delete(message.job);
    if (message.kind === "done") this.#listener.done(message.job, message.result);
    else this.#listener.failed(message.job, unpackError(message.error));
  }

  #onDeath(thread: Thread<ToWorker, FromWorker>, error: Error): void {
    if (thread !== this.#thread) return;
    this.#thread = null;
    thread.close();
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

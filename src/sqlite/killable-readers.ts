/**
 * Reader processes for reads with a time limit, seen from the main thread.
 *
 * A process does one read at a time, and is killed and replaced when the read's time is up: SQLite
 * has no other way to be stopped that we can reach. Processes are started when they are needed, and
 * end when nobody has needed them for a while: most clients never set a limit.
 * Invariant: each read ends in exactly one answer, at the latest a moment after its time is up; a
 * read that is stopped disturbs no other.
 * Chapter: 09-sqlite.
 */
import { type Bytes, CairnError, type Cancel, type Ms } from "#base";
import { type Child, createNodeClock, spawnProcess } from "#platform";
import { fromWireError } from "#replica";
import { QUERY_TIMEOUT_TEXT } from "./read-script.ts";
import { renderError } from "./render.ts";
import type { FromReader, ReaderData, ToReader } from "./thread-protocol.ts";
import type { ReadRequest, ReadResponse } from "./types.ts";

/** See the file's header. */
export interface KillableReaders {
  /**
   * Does a read. When its time is up, what was done by then and `query timeout` for the rest.
   *
   * @throws `SQLITE_READER_FAILED` if its process dies by itself.
   */
  read(request: ReadRequest): Promise<ReadResponse>;
  /** Ends all processes; reads that are not done end with `SQLITE_READER_FAILED`. */
  close(): Promise<void>;
}

/** How they are opened. */
export interface KillableReadersOptions {
  readonly path: string;
  readonly extensions: readonly string[];
  readonly processesMax: number;
}

/** A reader looks at the clock between rows; it is killed only if it does not get there. */
const GRACE_MS: Ms = 50;
/** A process takes tens of megabytes; somebody who sets limits asks again sooner than this. */
const IDLE_MS: Ms = 30_000;

/** A day: more than anybody waits, and no more than a timer holds. */
const TIMEOUT_MS_MAX: Ms = 24 * 3_600_000;

const utf8 = new TextEncoder();
const clock = createNodeClock();

interface Job {
  readonly request: ReadRequest;
  readonly timeoutMs: Ms;
  readonly resolve: (response: ReadResponse) => void;
  readonly reject: (error: Error) => void;
  /** Results of the statements that are done. */
  readonly done: string[];
  cancelTimer: Cancel;
}

interface Slot {
  readonly child: Child<ToReader, FromReader>;
  isOpen: boolean;
  job: Job | undefined;
  cancelIdle: Cancel;
}

/** Makes the pool; no process runs yet. */
export function createKillableReaders(options: KillableReadersOptions): KillableReaders {
  return new ProcessPool(options);
}

const nothing: Cancel = () => undefined;

class ProcessPool implements KillableReaders {
  readonly #options: KillableReadersOptions;
  readonly #slots = new Set<Slot>();
  readonly #queue: Job[] = [];
  readonly #dying = new Set<Promise<void>>();
  #isClosed = false;

  constructor(options: KillableReadersOptions) {
    this.#options = options;
  }

  read(request: ReadRequest): Promise<ReadResponse> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) {
        reject(failed("the readers are closed"));
        return;
      }
      const timeoutMs = Math.min(request.timeoutMs ?? 0, TIMEOUT_MS_MAX);
      const job = { request, timeoutMs, resolve, reject, done: [], cancelTimer: nothing };
      this.#queue.push(job);
      this.#dispatch();
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const job of this.#queue.splice(0)) this.#fail(job, failed("the readers are closed"));
    for (const slot of [...this.#slots]) {
      if (slot.job !== undefined) this.#fail(slot.job, failed("the readers are closed"));
      this.#kill(slot);
    }
    await Promise.all(this.#dying);
  }

  #dispatch(): void {
    for (const slot of this.#slots) {
      const job = slot.isOpen && slot.job === undefined ? this.#queue.shift() : undefined;
      if (job !== undefined) this.#begin(slot, job);
    }
    const starting = [...this.#slots].filter((slot) => !slot.isOpen).length;
    const wanted = Math.min(
      this.#queue.length - starting,
      this.#options.processesMax - this.#slots.size,
    );
    for (let n = 0; n < wanted; n += 1) this.#spawn();
    this.#limitWaiting();
  }

  /** A read waits for a process that works for at most as long as it may run; starting is free. */
  #limitWaiting(): void {
    const isStarting = [...this.#slots].some((slot) => !slot.isOpen);
    for (const job of this.#queue) {
      if (isStarting || job.cancelTimer !== nothing) continue;
      job.cancelTimer = clock.after(job.timeoutMs, () => {
        this.#queue.splice(this.#queue.indexOf(job), 1);
        job.resolve(timedOut(job));
      });
    }
  }

  #begin(slot: Slot, job: Job): void {
    job.cancelTimer();
    slot.cancelIdle();
    slot.job = job;
    slot.child.post({ kind: "job", id: 1, job: { kind: "read", request: job.request } });
    job.cancelTimer = clock.after(job.timeoutMs + GRACE_MS, () => {
      slot.job = undefined;
      this.#kill(slot);
      job.resolve(timedOut(job));
      this.#dispatch();
    });
  }

  #spawn(): void {
    const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
    const { path, extensions } = this.#options;
    const data: ReaderData = { path, extensions };
    const child = spawnProcess<ToReader, FromReader>(
      new URL(`./reader-process.${extension}`, import.meta.url),
      data,
    );
    const slot: Slot = { child, isOpen: false, job: undefined, cancelIdle: nothing };
    this.#slots.add(slot);
    child.onMessage((message) => this.#hear(slot, message));
    child.onError((error) => this.#died(slot, error));
    child.post({ kind: "open" });
  }

  #hear(slot: Slot, message: FromReader): void {
    switch (message.kind) {
      case "opened":
        slot.isOpen = true;
        break;
      case "progress":
        slot.job?.done.push(message.text);
        return;
      case "answer": {
        const { job } = slot;
        slot.job = undefined;
        if (job === undefined) break;
        job.cancelTimer();
        // A reader answers a read with what `SqliteReader.read` returns: see reader-host.ts.
        if (message.outcome.ok) job.resolve(message.outcome.value as ReadResponse);
        else job.reject(fromWireError(message.outcome.error));
        break;
      }
      case "fatal":
        this.#died(slot, fromWireError(message.error));
        return;
      case "closed":
        return;
    }
    this.#dispatch();
    if (slot.job === undefined) {
      slot.cancelIdle = clock.after(IDLE_MS, () => this.#kill(slot));
    }
  }

  /** It ended by itself, or cannot open the database: whoever waits for it hears why. */
  #died(slot: Slot, cause: Error): void {
    if (!this.#slots.has(slot)) return;
    const jobs = slot.job === undefined ? [] : [slot.job];
    // Another one would fare no better.
    if (!slot.isOpen) jobs.push(...this.#queue.splice(0));
    for (const job of jobs)
      this.#fail(job, failed(`a reader process died: ${cause.message}`, cause));
    this.#kill(slot);
    this.#dispatch();
  }

  #fail(job: Job, error: Error): void {
    job.cancelTimer();
    job.reject(error);
  }

  #kill(slot: Slot): void {
    slot.cancelIdle();
    this.#slots.delete(slot);
    const gone = slot.child.kill().finally(() => this.#dying.delete(gone));
    this.#dying.add(gone);
  }
}

/** What was done, and the reference's words for the rest. */
function timedOut({ request, done }: Job): ReadResponse {
  const { statements, rendering } = request;
  const count = statements.filter(({ sql }) => sql !== "").length;
  const rest = Math.max(0, count - done.length);
  const error = renderError(QUERY_TIMEOUT_TEXT, rendering, "read");
  const results: Bytes = utf8.encode(`[${[...done, ...Array(rest).fill(error)].join(",")}]`);
  return { needsWrite: false, results };
}

function failed(problem: string, cause?: Error): CairnError {
  return new CairnError("SQLITE_READER_FAILED", `sqlite: readers: ${problem}`, { cause });
}

/**
 * Reader threads behind one queue, seen from the main thread.
 *
 * The first reader is there from the start, the others come when it is busy. A reader is given a
 * few jobs ahead, because a hop between threads costs more than a small read.
 * If it is then held up by a long one, the jobs behind are taken back and given to others: reads
 * change nothing, so one that had just begun may be done twice and answered once.
 * Invariant: each job ends in exactly one of an answer and an error; a job waits for a long one
 * only while every reader has a long one.
 * Chapter: 09-sqlite.
 */
import { CairnError } from "#base";
import { createNodeClock, spawnThread, type Thread } from "#platform";
import { fromWireError, type Outcome } from "#replica";
import type { FromReader, ReaderJob, ToReader } from "./thread-protocol.ts";

/** See the file's header. */
export interface ReaderPool {
  /** Does a job. @throws `SQLITE_READER_FAILED` if its thread dies of it; what the job throws. */
  run(job: ReaderJob): Promise<unknown>;
  /**
   * Ends all threads; jobs that are not done end with `SQLITE_READER_FAILED`. @throws the same when
   * a thread is inside a statement that does not end: then only the end of the process ends it.
   */
  close(): Promise<void>;
}

/** How a pool is opened. */
export interface ReaderPoolOptions {
  readonly path: string;
  readonly extensions: readonly string[];
  readonly readerCount: number;
  readonly heapMegabytesMax: number | undefined;
  /** Called when readers cannot be opened any more. */
  readonly onFatal: (error: Error) => void;
}

/** Jobs that a reader has at once: enough to hide the hop, few enough to take back. */
const AHEAD_MAX = 8;
/** So many jobs at once on the least busy reader mean that there is work for another. */
const AHEAD_MIN = 2;
/** A reader without an answer for this long is held up. */
const PATIENCE_MS = 20;
/** A statement that takes longer than this to end may as well never do. */
const CLOSE_MS_MAX = 2000;
/** Readers that may die in a row before they open: then it is not the fault of a read. */
const FAILURES_MAX = 3;

/** Starts the threads without opening the database: it may not exist yet. */
export function createReaderPool(options: ReaderPoolOptions): ReaderPool & {
  /** Opens the database in all threads; resolves when all have. */
  open(): Promise<void>;
} {
  return new Pool(options);
}

interface Waiting {
  readonly id: number;
  readonly job: ReaderJob;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

interface Slot {
  readonly thread: Thread<ToReader, FromReader>;
  /** In the order in which the thread does them. */
  readonly jobs: Map<number, Waiting>;
  readonly opened: Promise<void>;
  isOpen: boolean;
  /** Its first job has taken long, or will: it is given no other. */
  isHeldUp: boolean;
  /** Answers so far, to see whether it moves. */
  answers: number;
  answersSeen: number;
}

const clock = createNodeClock();

class Pool implements ReaderPool {
  readonly #options: ReaderPoolOptions;
  readonly #slots: Slot[] = [];
  #queue: Waiting[] = [];
  #nextId = 1;
  #failures = 0;
  #isClosed = false;
  #isWatching = false;

  constructor(options: ReaderPoolOptions) {
    this.#options = options;
    this.#slots.push(this.#spawn());
  }

  async open(): Promise<void> {
    for (const { thread } of this.#slots) thread.post({ kind: "open" });
    await Promise.all(this.#slots.map((slot) => slot.opened));
  }

  run(job: ReaderJob): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) {
        reject(closedError());
        return;
      }
      this.#queue.push({ id: this.#nextId, job, resolve, reject });
      this.#nextId += 1;
      this.#dispatch();
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const left = [...this.#queue, ...this.#slots.flatMap(({ jobs }) => [...jobs.values()])];
    this.#queue = [];
    for (const { reject } of left) reject(closedError());
    const gone = Promise.all(this.#slots.map(({ thread }) => thread.terminate()));
    // A thread inside a statement ends when the statement does, which may be never.
    await new Promise<void>((resolve, reject) => {
      const cancel = clock.after(CLOSE_MS_MAX, () => {
        reject(failedError("a read does not end, and its thread cannot be ended"));
      });
      void gone.then(() => {
        cancel();
        resolve();
      });
    });
  }

  /** Gives queued jobs to the readers with the fewest. */
  #dispatch(): void {
    while (this.#queue.length > 0) {
      const slot = this.#leastBusy();
      if (slot === undefined) break;
      const waiting = this.#queue.shift()!;
      if (slot.jobs.size >= AHEAD_MIN) this.#grow();
      slot.jobs.set(waiting.id, waiting);
      slot.thread.post({ kind: "job", id: waiting.id, job: waiting.job });
      if (waiting.job.kind !== "read") slot.isHeldUp = true;
    }
    if (this.#queue.length > 0) this.#grow();
    this.#watch();
  }

  /** One more reader, if there may be more: a thread takes 20 MiB, so none is made for nothing. */
  #grow(): void {
    const isAnyComing = this.#slots.some(({ isOpen }) => !isOpen);
    if (isAnyComing || this.#slots.length >= this.#options.readerCount || this.#isClosed) return;
    const slot = this.#spawn();
    this.#slots.push(slot);
    slot.thread.post({ kind: "open" });
  }

  #leastBusy(): Slot | undefined {
    let least: Slot | undefined;
    for (const slot of this.#slots) {
      if (!slot.isOpen || slot.isHeldUp || slot.jobs.size >= AHEAD_MAX) continue;
      if (least === undefined || slot.jobs.size < least.jobs.size) least = slot;
    }
    return least;
  }

  /** While any reader has jobs, looks now and then whether it moves. */
  #watch(): void {
    const isBusy = this.#slots.some((slot) => slot.jobs.size > 0 && !slot.isHeldUp);
    if (this.#isWatching || this.#isClosed || !isBusy) return;
    this.#isWatching = true;
    for (const slot of this.#slots) slot.answersSeen = slot.answers;
    clock.after(PATIENCE_MS, () => {
      this.#isWatching = false;
      for (const slot of this.#slots) {
        if (slot.jobs.size > 0 && slot.answers === slot.answersSeen) this.#takeBack(slot);
      }
      this.#dispatch();
    });
  }

  /** Leaves a held-up reader with its first job, and puts the others in front of the queue. */
  #takeBack(slot: Slot): void {
    slot.isHeldUp = true;
    const [, ...behind] = slot.jobs.values();
    if (behind.length === 0) return;
    for (const { id } of behind) slot.jobs.delete(id);
    slot.thread.post({ kind: "forget", ids: behind.map(({ id }) => id) });
    this.#queue.unshift(...behind);
  }

  #spawn(): Slot {
    const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
    const { path, extensions, heapMegabytesMax } = this.#options;
    const thread = spawnThread<ToReader, FromReader>(
      new URL(`./reader-worker.${extension}`, import.meta.url),
      { name: "sql-reader", data: { path, extensions }, heapMegabytesMax },
    );
    let settle: { resolve: () => void; reject: (error: Error) => void } | undefined;
    const opened = new Promise<void>((resolve, reject) => {
      settle = { resolve, reject };
    });
    // A replacement has nobody who waits for it to open; its death is handled by `#died`.
    opened.catch(() => undefined);
    const slot: Slot = {
      thread,
      jobs: new Map(),
      opened,
      isOpen: false,
      isHeldUp: false,
      answers: 0,
      answersSeen: 0,
    };
    thread.onMessage((message) => {
      if (message.kind === "answer") this.#answered(slot, message.id, message.outcome);
      else if (message.kind === "opened") {
        slot.isOpen = true;
        this.#failures = 0;
        settle?.resolve();
        this.#dispatch();
      } else if (message.kind === "fatal") {
        const error = fromWireError(message.error);
        settle?.reject(error);
        this.#died(slot, error);
      }
    });
    thread.onError((error) => {
      settle?.reject(error);
      this.#died(slot, error);
    });
    return slot;
  }

  #answered(slot: Slot, id: number, outcome: Outcome<unknown>): void {
    slot.answers += 1;
    const waiting = slot.jobs.get(id);
    // A job that was taken back after it had begun: the other reader's answer counts.
    if (waiting === undefined) return;
    slot.jobs.delete(id);
    if (slot.jobs.size === 0) slot.isHeldUp = false;
    if (outcome.ok) waiting.resolve(outcome.value);
    else waiting.reject(fromWireError(outcome.error));
    this.#dispatch();
  }

  /** Puts a new thread in the place of a dead one. What it was doing is not tried again. */
  #died(slot: Slot, cause: Error): void {
    const place = this.#slots.indexOf(slot);
    if (this.#isClosed || place < 0) return;
    slot.thread.close();
    const [first, ...behind] = slot.jobs.values();
    first?.reject(failedError(`a reader thread died: ${cause.message}`, cause));
    this.#queue.unshift(...behind);
    if (!slot.isOpen) this.#failures += 1;
    if (this.#failures > FAILURES_MAX) {
      this.#options.onFatal(cause);
      return;
    }
    const replacement = this.#spawn();
    this.#slots[place] = replacement;
    replacement.thread.post({ kind: "open" });
    this.#dispatch();
  }
}

function closedError(): CairnError {
  return failedError("the readers are closed");
}

function failedError(problem: string, cause?: Error): CairnError {
  return new CairnError("SQLITE_READER_FAILED", `sqlite: readers: ${problem}`, { cause });
}

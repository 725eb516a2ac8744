/**
 * What a reader's thread or process does: jobs in, answers out, one after the other.
 *
 * Invariant: before a job is begun, everything that has been said meanwhile is heard, so that jobs
 * which the main thread took back while a long one ran are not done twice.
 * Chapter: 09-sqlite.
 */
import { assert } from "#base";
import type { Port } from "#platform";
import { type Outcome, toWireError } from "#replica";
import { type InnerReader, openSqliteReader } from "./reader.ts";
import type { FromReader, ReaderData, ReaderJob, ToReader } from "./thread-protocol.ts";
import type { ReadRequest } from "./types.ts";

/** Does jobs that come in on a port. */
export class ReaderHost {
  readonly #main: Port<FromReader, ToReader>;
  readonly #data: ReaderData;
  readonly #jobs = new Map<number, ReaderJob>();
  #reader: InnerReader | undefined;
  #isClosing = false;

  constructor(main: Port<FromReader, ToReader>, data: ReaderData) {
    this.#main = main;
    this.#data = data;
  }

  start(): void {
    this.#main.onMessage((message) => {
      this.#hear(message);
      this.#work();
    });
  }

  #hear(message: ToReader): void {
    switch (message.kind) {
      case "open":
        this.#open();
        break;
      case "job":
        this.#jobs.set(message.id, message.job);
        break;
      case "forget":
        for (const id of message.ids) this.#jobs.delete(id);
        break;
      case "close":
        this.#isClosing = true;
    }
  }

  #work(): void {
    for (;;) {
      for (let next = this.#main.take(); next !== undefined; next = this.#main.take()) {
        this.#hear(next);
      }
      if (this.#isClosing) return this.#close();
      const [first] = this.#jobs;
      if (first === undefined) return;
      const [id, job] = first;
      this.#jobs.delete(id);
      this.#do(id, job);
    }
  }

  #do(id: number, job: ReaderJob): void {
    const reader = this.#reader;
    assert(reader !== undefined, "sqlite: a reader is opened before its first job");
    if (job.kind === "backup") {
      // Its pages are copied between other jobs; both ways out end in an answer.
      void reader.backup(job.request).then(
        () => this.#answer(id, { ok: true, value: null }),
        (error: unknown) => this.#answer(id, { ok: false, error: toWireError(error) }),
      );
      return;
    }
    try {
      if (job.kind === "digest") {
        this.#answer(id, { ok: true, value: reader.digest() });
        return;
      }
      const value = reader.read(job.request, this.#progressOf(id, job.request));
      const moved = value.needsWrite ? [] : [value.results.buffer as ArrayBuffer];
      this.#main.post({ kind: "answer", id, outcome: { ok: true, value } }, moved);
    } catch (error) {
      this.#answer(id, { ok: false, error: toWireError(error) });
    }
  }

  /**
   * Tells of each statement that is done, if the read may be ended before it is: then that much of
   * its answer is known.
   */
  #progressOf(id: number, request: ReadRequest): ((text: string) => void) | undefined {
    const { timeoutMs = 0, statements } = request;
    if (timeoutMs <= 0 || statements.length < 2) return undefined;
    return (text) => this.#main.post({ kind: "progress", id, text });
  }

  #answer(id: number, outcome: Outcome<unknown>): void {
    if (!this.#isClosing) this.#main.post({ kind: "answer", id, outcome });
  }

  #open(): void {
    try {
      this.#reader = openSqliteReader(this.#data.path, this.#data.extensions);
      this.#main.post({ kind: "opened" });
    } catch (error) {
      this.#main.post({ kind: "fatal", error: toWireError(error) });
    }
  }

  #close(): void {
    this.#reader?.close();
    this.#main.post({ kind: "closed" });
    this.#main.close();
  }
}

/**
 * The SQL threads of one node, as the main thread sees them: one writer, some readers.
 *
 * Invariant: nothing here runs SQL, so whatever a statement costs, this thread goes on.
 * Chapter: 09-sqlite, "Threads".
 */
import type { MessagePort } from "node:worker_threads";
import { type Bytes, CairnError } from "#base";
import { createPortPair, spawnThread, type Thread } from "#platform";
import { fromWireError, type KvRead, type Outcome } from "#replica";
import { createKillableReaders, type KillableReaders } from "./killable-readers.ts";
import { createReaderPool, type ReaderPool } from "./reader-pool.ts";
import type { FromWriter, ToWriter, WriterData } from "./thread-protocol.ts";
import type {
  BackupRequest,
  ReadRequest,
  ReadResponse,
  SqliteStatus,
  SqliteThreads,
  SqliteThreadsOptions,
} from "./types.ts";

const READER_COUNT_DEFAULT = 2;

/**
 * Starts the threads and opens the database on each; makes it if there is none.
 *
 * @throws `SQLITE_FILE_INVALID`, `SQLITE_ENGINE_FAILED`; no thread is left then.
 */
export async function openSqliteThreads(options: SqliteThreadsOptions): Promise<SqliteThreads> {
  const { readerCount = READER_COUNT_DEFAULT, readerHeapMegabytesMax, ...machine } = options;
  if (!(Number.isInteger(readerCount) && readerCount > 0)) {
    throw new RangeError(`sqlite: readerCount ${readerCount}, must be 1 or more`);
  }
  const [applierPort, far] = createPortPair();
  const data: WriterData = { options: machine, applierPort: far };
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const writer = spawnThread<ToWriter, FromWriter>(
    new URL(`./writer-worker.${extension}`, import.meta.url),
    { name: "sql-writer", data, transfer: [far] },
  );
  // Before the readers are opened nothing else is heard; later the main side replaces this.
  let onFatal: (error: Error) => void = () => undefined;
  const { path, extensions = [] } = options;
  const readers = createReaderPool({
    path,
    extensions,
    readerCount,
    heapMegabytesMax: readerHeapMegabytesMax,
    onFatal: (error) => onFatal(error),
  });
  try {
    const opened = await openedAt(writer);
    await readers.open();
    const killable = createKillableReaders({ path, extensions, processesMax: readerCount });
    const threads = new MainSide(writer, { readers, killable }, applierPort, opened);
    onFatal = (error) => threads.fail(error);
    return threads;
  } catch (error) {
    applierPort.close();
    await Promise.all([writer.terminate(), readers.close()]);
    throw error;
  }
}

/** What the writer is asked beside its entries. */
type WriterQuestion =
  | { readonly kind: "status" | "checkpoint" }
  | { readonly kind: "readKv"; readonly read: KvRead };

type Opened = Extract<FromWriter, { readonly kind: "opened" }>;

/** What the writer has found in its files. */
function openedAt(writer: Thread<ToWriter, FromWriter>): Promise<Opened> {
  return new Promise((resolve, reject) => {
    writer.onError(reject);
    writer.onMessage((message) => {
      if (message.kind === "opened") resolve(message);
      else if (message.kind === "fatal") reject(fromWireError(message.error));
    });
  });
}

class MainSide implements SqliteThreads {
  readonly applierPort: MessagePort;
  readonly appliedIndexAtOpen: number;
  readonly newestIndexAtOpen: number;
  readonly #writer: Thread<ToWriter, FromWriter>;
  readonly #readers: ReaderPool;
  readonly #killable: KillableReaders;
  readonly #waiting = new Map<number, (outcome: Outcome<unknown>) => void>();
  #nextId = 1;
  #resulted: (proposalId: number, index: number, result: Bytes) => void = () => undefined;
  #failed: ((error: Error) => void) | undefined;
  #failure: Error | undefined;
  #closed: (() => void) | undefined;

  constructor(
    writer: Thread<ToWriter, FromWriter>,
    { readers, killable }: { readers: ReaderPool; killable: KillableReaders },
    applierPort: MessagePort,
    opened: Opened,
  ) {
    this.#writer = writer;
    this.#readers = readers;
    this.#killable = killable;
    this.applierPort = applierPort;
    this.appliedIndexAtOpen = opened.appliedIndex;
    this.newestIndexAtOpen = opened.newestIndex;
    writer.onMessage((message) => this.#onMessage(message));
    writer.onError((error) => this.fail(error));
  }

  onResult(f: (proposalId: number, index: number, result: Bytes) => void): void {
    this.#resulted = f;
  }

  onFatal(f: (error: Error) => void): void {
    this.#failed = f;
    if (this.#failure !== undefined) f(this.#failure);
  }

  async read(request: ReadRequest): Promise<ReadResponse> {
    // A thread inside a statement cannot be ended; a process can, and takes longer to reach.
    if (request.timeoutMs !== undefined && request.timeoutMs > 0) {
      return this.#killable.read(request);
    }
    // A reader answers this kind of job with what `SqliteReader.read` returns: see
    // reader-host.ts.
    return (await this.#readers.run({ kind: "read", request })) as ReadResponse;
  }

  async backup(request: BackupRequest): Promise<void> {
    await this.#readers.run({ kind: "backup", request });
  }

  async digest(): Promise<{ appliedIndex: number; digest: string }> {
    // See reader-host.ts: the answer is what `InnerReader.digest` returns.
    const answer = await this.#readers.run({ kind: "digest" });
    return answer as { appliedIndex: number; digest: string };
  }

  async status(): Promise<SqliteStatus> {
    // See writer-worker.ts: the answer is what `SqliteMachine.status` returns.
    return (await this.#askWriter({ kind: "status" })) as SqliteStatus;
  }

  async checkpoint(): Promise<boolean> {
    return (await this.#askWriter({ kind: "checkpoint" })) === true;
  }

  async readKv(read: KvRead): Promise<Bytes> {
    // See writer-machine.ts: the answer is bytes.
    return (await this.#askWriter({ kind: "readKv", read })) as Bytes;
  }

  #askWriter(question: WriterQuestion): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#isGone()) {
        reject(new CairnError("SQLITE_ENGINE_FAILED", "sqlite: writer: the thread is gone"));
        return;
      }
      const id = this.#nextId;
      this.#nextId += 1;
      this.#waiting.set(id, (outcome) => {
        if (outcome.ok) resolve(outcome.value);
        else reject(fromWireError(outcome.error));
      });
      this.#writer.post({ ...question, id });
    });
  }

  async close(): Promise<void> {
    const readers = await Promise.allSettled([this.#readers.close(), this.#killable.close()]);
    if (!this.#isGone()) {
      const closed = new Promise<void>((resolve) => {
        this.#closed = resolve;
      });
      this.#writer.post({ kind: "close" });
      await closed;
    }
    await this.#writer.terminate();
    this.applierPort.close();
    // The writer, which matters, is closed by now.
    for (const outcome of readers) if (outcome.status === "rejected") throw outcome.reason;
  }

  /** Tells of the first failure; nothing waits for the dead. */
  fail(error: Error): void {
    if (this.#closed !== undefined) this.#closed();
    if (this.#failure !== undefined) return;
    this.#failure = error;
    for (const settle of this.#waiting.values()) {
      settle({
        ok: false,
        error: { code: "SQLITE_ENGINE_FAILED", message: error.message, details: {} },
      });
    }
    this.#waiting.clear();
    this.#failed?.(error);
  }

  #isGone(): boolean {
    return this.#failure !== undefined || this.#closed !== undefined;
  }

  #onMessage(message: FromWriter): void {
    switch (message.kind) {
      case "results":
        return this.#onResults(message);
      case "answer":
        this.#waiting.get(message.id)?.(message.outcome);
        this.#waiting.delete(message.id);
        return;
      case "fatal":
        return this.fail(fromWireError(message.error));
      case "closed":
        return this.#closed?.();
      case "opened":
        return;
    }
  }

  #onResults({ ids, indexes, ends, bytes }: Extract<FromWriter, { kind: "results" }>): void {
    let from = 0;
    for (const [at, id] of ids.entries()) {
      const end = ends[at] ?? from;
      this.#resulted(id, indexes[at] ?? 0, bytes.subarray(from, end));
      from = end;
    }
  }
}

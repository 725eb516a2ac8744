/**
 * Queued writes: confirmed at once, written in batches (compat reference, section 5).
 *
 * One batch is under way at a time, so writes keep their order. A batch that was refused for
 * certain is tried again, for ever; one whose outcome nobody knows is not, because it may have been
 * done. A batch has one sender's credentials, so that the leader can check them.
 *
 * Invariant: a request is written at most once, and after every request that came before it.
 */
import { CairnError, type ErrorCode, errorText, isCairnError, type Ms } from "#base";
import type { Command, Statement } from "#sqlite/types";
import type { Counters } from "./counters.ts";
import type { WriteQueueConfig } from "./node-config.ts";
import type { CallOptions, Credentials } from "./types.ts";

/** Between two tries of a batch. */
const RETRY_MS: Ms = 1000;
/** How long another node may take for one batch. */
const FORWARD_MS: Ms = 30_000;
const NANOSECONDS_PER_MS = 1_000_000n;

/** Refusals that say for certain that nothing was done, and that may pass. */
const PASSING: Partial<Record<ErrorCode, string>> = {
  SERVER_NO_LEADER: "queued_executions_no_leader",
  REPLICA_NOT_LEADER: "queued_executions_not_leader",
  REPLICA_LEADERSHIP_LOST: "queued_executions_leadership_lost",
  REPLICA_BUSY: "queued_executions_unknown_error",
  REPLICA_TRANSFERRING: "queued_executions_unknown_error",
  REPLICA_DIVERGED: "queued_executions_unknown_error",
  REPLICA_STOPPED: "queued_executions_unknown_error",
  SERVER_NOT_READY: "queued_executions_unknown_error",
  NET_UNREACHABLE: "queued_executions_unknown_error",
};

/** What `/status` tells. */
export interface QueueStatus {
  readonly capacity: number;
  readonly batchRequests: number;
  readonly timeoutMs: Ms;
  /** Of the last request that was written. */
  readonly sequenceNumber: bigint;
}

/** A request that was taken. */
export interface Queued {
  readonly sequenceNumber: bigint;
  /** Settles when it is written, or given up. Ignored without harm. */
  readonly written: Promise<void>;
}

/** See the file's header. */
export interface WriteQueue {
  /**
   * Takes a request; resolves at once unless the queue is full. Without statements it only waits
   * for those before it.
   *
   * @throws `REPLICA_STOPPED`
   */
  put(statements: readonly Statement[], credentials: Credentials | undefined): Promise<Queued>;
  /** Facts for `/status`. */
  status(): QueueStatus;
  /** Tries once more to write what waits, then gives it up. */
  close(): Promise<void>;
}

/** What a queue is made of. */
export interface WriteQueueOptions {
  readonly config: WriteQueueConfig;
  readonly counters: Counters;
  readonly execute: (command: Command, options: CallOptions) => Promise<unknown>;
  /** Told of batches that were given up. */
  readonly onLoss: (text: string) => void;
}

interface Waiting {
  readonly sequenceNumber: bigint;
  readonly statements: readonly Statement[];
  readonly credentials: Credentials | undefined;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

const RENDERING = {
  associative: false,
  blobArray: false,
  qualifyColumns: false,
  timings: false,
};

class BatchingQueue implements WriteQueue {
  readonly #options: WriteQueueOptions;
  readonly #waiting: Waiting[] = [];
  /** Callers that wait for a place. */
  readonly #blocked: (() => void)[] = [];
  #next = BigInt(Date.now()) * NANOSECONDS_PER_MS;
  #written = 0n;
  #isClosing = false;
  #running: Promise<void> | undefined;
  /** Ends the pause that is under way. */
  #wake: () => void = () => undefined;
  /** That pause waits for a batch to fill. */
  #lingers = false;

  constructor(options: WriteQueueOptions) {
    this.#options = options;
  }

  async put(
    statements: readonly Statement[],
    credentials: Credentials | undefined,
  ): Promise<Queued> {
    const { counters, config } = this.#options;
    while (this.#waiting.length >= config.capacity && !this.#isClosing) {
      await new Promise<void>((resolve) => this.#blocked.push(resolve));
    }
    if (this.#isClosing) throw new CairnError("REPLICA_STOPPED", "server: the node is stopping");
    this.#next += 1n;
    const sequenceNumber = this.#next;
    const written = new Promise<void>((resolve, reject) => {
      this.#waiting.push({ sequenceNumber, statements, credentials, resolve, reject });
    });
    // Most callers do not wait for it.
    written.catch(() => undefined);
    counters.add("queue", "objects_rx");
    counters.add("http", "queued_executions_num_stmts_rx", statements.length);
    const isDue = this.#waiting.length >= config.batchRequests || statements.length === 0;
    if (isDue && this.#lingers) this.#wake();
    this.#running ??= this.#run();
    return { sequenceNumber, written };
  }

  status(): QueueStatus {
    const { capacity, batchRequests, timeoutMs } = this.#options.config;
    return { capacity, batchRequests, timeoutMs, sequenceNumber: this.#written };
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    this.#wake();
    for (const resolve of this.#blocked.splice(0)) resolve();
    await this.#running;
    for (const waiting of this.#waiting.splice(0)) {
      waiting.reject(new CairnError("REPLICA_STOPPED", "server: the node is stopping"));
    }
  }

  /** Runs while anything waits. */
  async #run(): Promise<void> {
    const { config, counters } = this.#options;
    while (this.#waiting.length > 0) {
      const isFull = this.#waiting.length >= config.batchRequests;
      const isAwaited = this.#waiting.some(({ statements }) => statements.length === 0);
      if (isFull || isAwaited || this.#isClosing) counters.add("queue", "num_flush");
      else {
        counters.add("queue", "num_timeout");
        this.#lingers = true;
        await this.#pause(config.timeoutMs);
        this.#lingers = false;
      }
      if (!(await this.#deliver(this.#takeBatch()))) break;
    }
    this.#running = undefined;
  }

  #takeBatch(): readonly Waiting[] {
    const first = this.#waiting[0];
    const limit = this.#options.config.batchRequests;
    const end = this.#waiting.findIndex(
      ({ credentials }, at) => at >= limit || !isSame(credentials, first?.credentials),
    );
    const batch = this.#waiting.splice(0, end < 0 ? limit : end);
    for (const resolve of this.#blocked.splice(0)) resolve();
    return batch;
  }

  /** Writes a batch, however long it takes. @returns false if the queue was closed meanwhile. */
  async #deliver(batch: readonly Waiting[]): Promise<boolean> {
    const { config, counters, execute } = this.#options;
    const statements = batch.flatMap((waiting) => waiting.statements);
    const command: Command = {
      kind: "execute",
      statements,
      transaction: config.transaction,
      rendering: RENDERING,
    };
    const options = { timeoutMs: FORWARD_MS, credentials: batch[0]?.credentials };
    for (;;) {
      try {
        if (statements.length > 0) await execute(command, options);
        counters.add("queue", "objects_tx", batch.length);
        counters.add("http", "queued_executions_ok", batch.length);
        counters.add("http", "queued_executions_num_stmts_tx", statements.length);
        this.#written = batch.at(-1)?.sequenceNumber ?? this.#written;
        for (const { resolve } of batch) resolve();
        return true;
      } catch (error) {
        const passing = isCairnError(error) ? PASSING[error.code] : undefined;
        if (passing !== undefined && !this.#isClosing) {
          counters.add("http", passing);
          await this.#pause(RETRY_MS);
          continue;
        }
        this.#giveUp(batch, error);
        return passing === undefined;
      }
    }
  }

  #giveUp(batch: readonly Waiting[], error: unknown): void {
    const { counters, onLoss } = this.#options;
    counters.add("http", "queued_executions_failed", batch.length);
    onLoss(`queue: ${batch.length} requests are not written again: ${errorText(error)}`);
    for (const { reject } of batch) reject(error);
  }

  #pause(ms: Ms): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

function isSame(one: Credentials | undefined, other: Credentials | undefined): boolean {
  return one?.username === other?.username && one?.password === other?.password;
}

/** Makes the queue of one node. */
export function createWriteQueue(options: WriteQueueOptions): WriteQueue {
  return new BatchingQueue(options);
}

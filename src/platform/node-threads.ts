/**
 * Worker threads and the ports between them, with types.
 *
 * A port delivers whole messages in order. Invariant: no message is lost because its listener came
 * late, and a thread that ends unasked is always reported.
 * Chapter: 09-sqlite, "Threads".
 */
import {
  MessageChannel,
  type MessagePort,
  parentPort,
  receiveMessageOnPort,
  type Transferable,
  Worker,
  workerData,
} from "node:worker_threads";
import { assert } from "#base";
import { modulesOfReader, ownConditions } from "./node-conditions.ts";

/** One end of a conversation: `Sends` goes out, `Receives` comes in. */
export interface Port<Sends, Receives> {
  /** Sends a copy. What `transfer` names is moved instead of copied, and gone on this side. */
  post(message: Sends, transfer?: readonly Transferable[]): void;
  /** Sets the listener. Messages that came before it are kept for it. */
  onMessage(f: (message: Receives) => void): void;
  /** The next message that is already here, taken out of turn; undefined if there is none. */
  take(): Receives | undefined;
  /**
   * Called with an uncaught error of the other side's thread, its unasked end, or an unreadable
   * message.
   */
  onError(f: (error: Error) => void): void;
  /** Ends the conversation. On the port of a spawned thread: ends the thread at once. */
  close(): void;
}

/** A thread as the one sees it that started it. */
export interface Thread<Sends, Receives> extends Port<Sends, Receives> {
  /** Ends the thread at once, wherever it is; resolves when it is gone. */
  terminate(): Promise<void>;
  /** Whether the process stays for this thread. True at first. */
  keepAlive(keeps: boolean): void;
}

/** How a thread is started. */
export interface ThreadOptions {
  /** For debuggers and log lines. */
  readonly name: string;
  /** What `threadStart` finds in the thread: a copy. */
  readonly data: unknown;
  /** Parts of `data` that are moved instead of copied; ports must be. */
  readonly transfer?: readonly Transferable[];
  /** The thread dies alone when its heap would grow beyond this. Default: Node's own limit. */
  readonly heapMegabytesMax?: number | undefined;
}

/** What every thread of ours is started with. */
interface WorkerData {
  readonly entry: string;
  readonly data: unknown;
}

/**
 * Starts a thread.
 *
 * Works from `dist` and from sources: what is TypeScript, the entry or a reader's module
 * (`--conditions=mine-…`), goes through a bootstrap that registers tsx. The conditions of this
 * process are handed on, so that both run the same modules.
 *
 * @param entry - the thread's file; it calls {@link threadStart}.
 */
export function spawnThread<Sends, Receives>(
  entry: URL,
  options: ThreadOptions,
): Thread<Sends, Receives> {
  const isSource = entry.pathname.endsWith(".ts");
  const conditions = ownConditions();
  if (isSource && !conditions.includes("source")) conditions.push("source");
  const isTypeScript = isSource || modulesOfReader().length > 0;
  const file = isTypeScript ? new URL("./thread-bootstrap.mjs", import.meta.url) : entry;
  const data: WorkerData = { entry: entry.href, data: options.data };
  const worker = new Worker(file, {
    name: options.name,
    workerData: data,
    transferList: [...(options.transfer ?? [])],
    ...(options.heapMegabytesMax === undefined
      ? {}
      : { resourceLimits: { maxOldGenerationSizeMb: options.heapMegabytesMax } }),
    ...(isTypeScript ? { execArgv: conditions.map((name) => `--conditions=${name}`) } : {}),
  });
  return new SpawnedThread(worker, options.name);
}

/** The other end, and the data given, as a started thread sees them. Call it once, first. */
export function threadStart<Sends, Receives, Data>(): {
  readonly port: Port<Sends, Receives>;
  readonly data: Data;
} {
  assert(parentPort !== null, "platform: threadStart is called in a thread");
  // Whoever spawned this thread named the same types: the two sides are written together.
  const { data } = workerData as WorkerData & { readonly data: Data };
  return { port: wrapPort(parentPort), data };
}

/** Gives a raw port types. The raw port must not be used beside it. */
export function wrapPort<Sends, Receives>(port: MessagePort): Port<Sends, Receives> {
  return new WrappedPort(port);
}

/** Two raw ports that talk to each other; either can be given to a thread through `transfer`. */
export function createPortPair(): readonly [MessagePort, MessagePort] {
  const { port1, port2 } = new MessageChannel();
  return [port1, port2];
}

/**
 * Runs `f` when the sockets and messages that are ready now have been handled: the moment to send
 * in one message what they have asked for.
 */
export function atTurnEnd(f: () => void): void {
  setImmediate(f);
}

class WrappedPort<Sends, Receives> implements Port<Sends, Receives> {
  readonly #port: MessagePort;
  #listener: ((message: Receives) => void) | undefined;

  constructor(port: MessagePort) {
    this.#port = port;
  }

  post(message: Sends, transfer: readonly Transferable[] = []): void {
    this.#port.postMessage(message, transfer);
  }

  onMessage(f: (message: Receives) => void): void {
    // The port keeps messages back until it has its first listener.
    if (this.#listener === undefined) {
      this.#port.on("message", (message: Receives) => this.#listener?.(message));
    }
    this.#listener = f;
  }

  take(): Receives | undefined {
    // The other side posts nothing but `Receives`.
    return receiveMessageOnPort(this.#port)?.message as Receives | undefined;
  }

  onError(f: (error: Error) => void): void {
    this.#port.on("messageerror", f);
  }

  close(): void {
    this.#port.close();
  }
}

class SpawnedThread<Sends, Receives> implements Thread<Sends, Receives> {
  readonly #worker: Worker;
  readonly #early: Receives[] = [];
  readonly #gone: Promise<void>;
  #listener: ((message: Receives) => void) | undefined;
  #failed: ((error: Error) => void) | undefined;
  #failure: Error | undefined;
  #isClosed = false;

  constructor(worker: Worker, name: string) {
    this.#worker = worker;
    worker.on("message", (message: Receives) => {
      if (this.#listener === undefined) this.#early.push(message);
      else this.#listener(message);
    });
    worker.on("error", (error) => this.#fail(error));
    worker.on("messageerror", (error) => this.#fail(error));
    this.#gone = new Promise((resolve) => {
      worker.on("exit", (code) => {
        this.#fail(new Error(`platform: thread ${name} ended unasked, with code ${code}`));
        resolve();
      });
    });
  }

  post(message: Sends, transfer: readonly Transferable[] = []): void {
    this.#worker.postMessage(message, transfer);
  }

  onMessage(f: (message: Receives) => void): void {
    this.#listener = f;
    for (const message of this.#early.splice(0)) f(message);
  }

  take(): Receives | undefined {
    return this.#early.shift();
  }

  onError(f: (error: Error) => void): void {
    this.#failed = f;
    if (this.#failure !== undefined) f(this.#failure);
  }

  close(): void {
    this.#isClosed = true;
    // Whoever needs to know when the thread is gone calls `terminate`.
    void this.#worker.terminate();
  }

  async terminate(): Promise<void> {
    this.close();
    await this.#gone;
  }

  keepAlive(keeps: boolean): void {
    if (keeps) this.#worker.ref();
    else this.#worker.unref();
  }

  /** Tells of the first failure only: a thread that fails also ends. */
  #fail(error: Error): void {
    if (this.#isClosed || this.#failure !== undefined) return;
    this.#failure = error;
    this.#failed?.(error);
  }
}

/**
 * Child processes that do one kind of work, and can be ended in the middle of it.
 *
 * A thread that is inside a long call of native code cannot be ended: Node waits for the call to
 * return. A process can. Invariant: no child outlives its parent by more than a second, whatever
 * either of them is doing.
 * Chapter: 09-sqlite, "Threads".
 */
import { type ChildProcess, fork } from "node:child_process";
import { argv } from "node:process";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { assert } from "#base";
import { modulesOfReader, ownConditions } from "./node-conditions.ts";
import type { Port } from "./node-threads.ts";

/** A process as the one sees it that started it. */
export interface Child<Sends, Receives> extends Port<Sends, Receives> {
  /** Undefined if it could not be started. */
  readonly pid: number | undefined;
  /** Ends the process at once, whatever it is doing; resolves when it is gone. */
  kill(): Promise<void>;
}

/**
 * Starts a process.
 *
 * Works from `dist` and from sources, as `spawnThread` does.
 *
 * @param entry - the process's file; it calls {@link processStart}.
 * @param data - what it finds there: plain JSON.
 */
export function spawnProcess<Sends, Receives>(entry: URL, data: unknown): Child<Sends, Receives> {
  const isSource = entry.pathname.endsWith(".ts");
  const conditions = ownConditions();
  if (isSource && !conditions.includes("source")) conditions.push("source");
  const isTypeScript = isSource || modulesOfReader().length > 0;
  const file = isTypeScript ? new URL("./process-bootstrap.mjs", import.meta.url) : entry;
  const child = fork(fileURLToPath(file), [entry.href, JSON.stringify(data)], {
    execArgv: conditions.map((name) => `--conditions=${name}`),
    // Bytes and 64-bit integers arrive as what they are.
    serialization: "advanced",
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  return new SpawnedProcess(child);
}

/** The other end, and the data given, as a started process sees them. Call it once, first. */
export function processStart<Sends, Receives, Data>(): {
  readonly port: Port<Sends, Receives>;
  readonly data: Data;
} {
  assert(process.send !== undefined, "platform: processStart is called in a child process");
  new Worker(new URL("./process-watch.mjs", import.meta.url), { workerData: process.ppid }).unref();
  process.on("disconnect", () => process.kill(process.pid, "SIGKILL"));
  // A terminal sends these to the whole group; the parent decides when its children end.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.on(signal, () => undefined);
  // Whoever spawned this process named the same types: the two sides are written together.
  const data = JSON.parse(argv.at(-1) ?? "null") as Data;
  return { port: new ParentPort(), data };
}

class ParentPort<Sends, Receives> implements Port<Sends, Receives> {
  post(message: Sends): void {
    process.send?.(message);
  }

  onMessage(f: (message: Receives) => void): void {
    process.on("message", (message) => f(message as Receives));
  }

  take(): Receives | undefined {
    return undefined;
  }

  onError(): void {
    // The parent is there, or this process is not.
  }

  close(): void {
    process.disconnect();
  }
}

class SpawnedProcess<Sends, Receives> implements Child<Sends, Receives> {
  readonly #child: ChildProcess;
  readonly #gone: Promise<void>;
  #failed: ((error: Error) => void) | undefined;
  #failure: Error | undefined;
  #isKilled = false;

  constructor(child: ChildProcess) {
    this.#child = child;
    this.#gone = new Promise((resolve) => {
      child.on("error", (error) => {
        this.#fail(error);
        if (child.pid === undefined) resolve();
      });
      child.on("exit", (code, signal) => {
        this.#fail(new Error(`platform: a child process ended unasked: ${signal ?? code}`));
        resolve();
      });
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  post(message: Sends): void {
    // One that is gone is told of by its exit.
    if (this.#child.connected) this.#child.send(message as object, () => undefined);
  }

  onMessage(f: (message: Receives) => void): void {
    this.#child.on("message", (message) => f(message as Receives));
  }

  take(): Receives | undefined {
    return undefined;
  }

  onError(f: (error: Error) => void): void {
    this.#failed = f;
    if (this.#failure !== undefined) f(this.#failure);
  }

  close(): void {
    void this.kill();
  }

  async kill(): Promise<void> {
    this.#isKilled = true;
    this.#child.kill("SIGKILL");
    await this.#gone;
  }

  #fail(error: Error): void {
    if (this.#isKilled || this.#failure !== undefined) return;
    this.#failure = error;
    this.#failed?.(error);
  }
}

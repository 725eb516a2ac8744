/**
 * One `cairnd` as a child process: started, watched, started again when it ends, stopped.
 *
 * A node that was killed starts again after a pause, however often. A node that ends by itself
 * three times in a row is given up. Invariant: a child never outlives this process: it holds the
 * other end of a pipe that the kernel closes (`exit-with-parent.ts`).
 */
import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Ms } from "#base";
import { EXIT_WITH_PARENT } from "./exit-with-parent.ts";
import type { NodeLogFile } from "./node-log.ts";

/** Long enough to see that the others go on without it. */
export const RESTART_MS: Ms = 3000;
const FAILURES_MAX = 3;
/** A graceful stop finishes running requests; after this the node is killed, which is as safe. */
const STOP_MS_MAX: Ms = 10_000;

/** Signals by which others end a process; any other one (a crash) is the node's own failure. */
const FROM_OUTSIDE: ReadonlySet<string> = new Set(["SIGKILL", "SIGTERM", "SIGINT", "SIGHUP"]);

/** `failed`: given up. */
export type ProcessPhase = "running" | "down" | "failed" | "stopped";

/** A child and what became of it. */
export interface NodeProcess {
  readonly id: string;
  readonly phase: ProcessPhase;
  /** Undefined while no process runs. */
  readonly pid: number | undefined;
  readonly log: NodeLogFile;
  start(): void;
  /** Tells that the node has answered: failures before that do not count any more. */
  confirm(): void;
  /** Asks the process to stop and resolves when it has; kills it after ten seconds. */
  stop(): Promise<void>;
  /** Ends the process at once. */
  kill(): void;
}

/** What a child is started with. */
export interface NodeProcessOptions {
  readonly id: string;
  /** Flags and data directory. */
  readonly flags: readonly string[];
  readonly log: NodeLogFile;
  /** Takes what a visitor should read. */
  readonly say: (text: string) => void;
}

class SupervisedProcess implements NodeProcess {
  readonly id: string;
  readonly log: NodeLogFile;
  readonly #options: NodeProcessOptions;
  #phase: ProcessPhase = "stopped";
  #child: ChildProcess | undefined;
  #failures = 0;
  #restart: NodeJS.Timeout | undefined;

  constructor(options: NodeProcessOptions) {
    this.#options = options;
    this.id = options.id;
    this.log = options.log;
  }

  get phase(): ProcessPhase {
    return this.#phase;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  start(): void {
    this.#phase = "running";
    const child = spawn(process.execPath, [...process.execArgv, programPath(), ...this.#flags()], {
      stdio: ["pipe", "pipe", "pipe"],
      env: { ...process.env, [EXIT_WITH_PARENT]: "1" },
      // Its own process group: Ctrl-C in a terminal must reach only this process, which then stops
      // its nodes in order.
      detached: true,
      windowsHide: true,
    });
    this.#child = child;
    child.stdout?.on("data", (chunk: Uint8Array) => this.log.write(chunk));
    child.stderr?.on("data", (chunk: Uint8Array) => this.log.write(chunk));
    // A pipe to a process that is gone is told by its exit.
    child.stdin?.on("error", () => undefined);
    let ended = false;
    const end = (code: number | null, signal: string | null, error?: Error): void => {
      if (ended) return;
      ended = true;
      if (error !== undefined) this.log.write(Buffer.from(`${error.message}\n`));
      if (this.#child === child) this.#ended(code, signal, child.pid);
    };
    child.once("error", (error) => end(null, null, error));
    // `close` rather than `exit`: by then the last lines are in the log.
    child.once("close", (code, signal) => end(code, signal));
  }

  confirm(): void {
    this.#failures = 0;
  }

  async stop(): Promise<void> {
    clearTimeout(this.#restart);
    this.#phase = "stopped";
    const child = this.#child;
    if (child === undefined) return;
    await new Promise<void>((resolve) => {
      const limit = setTimeout(() => child.kill("SIGKILL"), STOP_MS_MAX);
      child.once("close", () => {
        clearTimeout(limit);
        resolve();
      });
      child.kill("SIGTERM");
    });
  }

  kill(): void {
    this.#child?.kill("SIGKILL");
  }

  #flags(): readonly string[] {
    return this.#options.flags;
  }

  #ended(code: number | null, signal: string | null, pid: number | undefined): void {
    this.#child = undefined;
    if (this.#phase !== "running") return;
    const { say } = this.#options;
    const killed = signal !== null && FROM_OUTSIDE.has(signal);
    const how = signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`;
    const who = `${this.id} (process ${pid ?? "not started"})`;
    this.#failures = killed ? 0 : this.#failures + 1;
    if (this.#failures >= FAILURES_MAX) {
      this.#phase = "failed";
      say(
        `${who} ${how}, ${FAILURES_MAX} times in a row: given up.\n` +
          `The end of ${this.log.path}:\n${indent(this.log.tail())}`,
      );
      return;
    }
    this.#phase = "down";
    say(`${who} ${how}; it starts again in ${RESTART_MS / 1000} s`);
    this.#restart = setTimeout(() => this.start(), RESTART_MS);
  }
}

/** The program beside this file: built when this is built, a source when this is one. */
function programPath(): string {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  return fileURLToPath(new URL(`./cairnd.${extension}`, import.meta.url));
}

function indent(lines: readonly string[]): string {
  return lines.length === 0 ? "  (nothing)" : lines.map((line) => `  ${line}`).join("\n");
}

/** Makes the child; `start` starts it. */
export function createNodeProcess(options: NodeProcessOptions): NodeProcess {
  return new SupervisedProcess(options);
}

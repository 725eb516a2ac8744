/**
 * Real `cairnd` processes for end-to-end tests, one by one (`cluster.ts` has whole clusters), with
 * free ports, temporary directories and waiting.
 *
 * Invariants: no process outlives the test process, even if that is killed (each child watches a
 * pipe that we hold); waiting is polling with a deadline, and a missed deadline tells the last
 * state and the ends of the logs. The processes run `dist`, so build first.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { createHttpClient, type HttpClient } from "./http-client.ts";

const DIST = resolve(fileURLToPath(import.meta.url), "../../../dist");

/** The built server process. */
export const CAIRND: string = join(DIST, "cli/cairnd.js");
/** The built program for people. */
export const CAIRN: string = join(DIST, "cli/cairn.js");

const HOST = "127.0.0.1";
const POLL_MS = 25;
/** Generous, since two test files and their clusters share the machine. */
export const WAIT_MS_MAX = 30_000;
const LOG_TAIL_LINES = 15;
/** Why a node does not start stands at the beginning: usage or a stack may follow. */
const START_LOG_MAX = 4000;

/** How a process ended. */
export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: string | null;
}

/** What a node says of itself. */
export interface NodeState {
  readonly role: "Leader" | "Follower" | "Candidate";
  readonly term: number;
  readonly commit: number;
  readonly applied: number;
  /** Raft address of the leader, or the empty string. */
  readonly leaderAddress: string;
}

/** One node, running or not. */
export interface ProcessNode {
  readonly id: string;
  readonly url: string;
  readonly raftAddress: string;
  readonly dataDir: string;
  /** Undefined when no process runs. */
  readonly pid: number | undefined;
  /** Starts the process without waiting for anything. `extraFlags` are added this time only. */
  spawn(extraFlags?: readonly string[]): void;
  /** Starts the process and waits until it answers. Rejects, with the log, if it ends instead. */
  start(extraFlags?: readonly string[]): Promise<void>;
  /** SIGKILL; resolves when the process is gone. */
  kill9(): Promise<void>;
  /** SIGTERM; resolves with how the process ended. */
  terminate(): Promise<ProcessEnd>;
  /** Resolves when the process ends, or with its end if it has. */
  exit(): Promise<ProcessEnd>;
  /** Everything printed so far, all starts together. */
  log(): string;
  /** Undefined when the node does not answer. */
  state(): Promise<NodeState | undefined>;
}

/** Keeps processes from outliving this one; a Set, since a process may be started many times. */
const alive = new Set<ChildProcess>();
const temporaryDirs = new Set<string>();
process.on("exit", () => {
  for (const child of alive) child.kill("SIGKILL");
  for (const dir of temporaryDirs) removeDir(dir);
});

/** Removes a temporary directory before its time. */
export function removeDir(dir: string): void {
  // A process that has just been killed may still be making files.
  rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
  temporaryDirs.delete(dir);
}

/** Ports below those that the system gives to outgoing connections, so that none is in the way. */
const PORT_FROM = 12_000;
const PORT_BEFORE = 32_000;
const PORTS_PER_PROCESS = 40;
let nextPort =
  PORT_FROM + ((process.pid * PORTS_PER_PROCESS) % (PORT_BEFORE - PORT_FROM - PORTS_PER_PROCESS));

/** A port that nobody listens on, and that this process has not given out before. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = nextPort;
    nextPort = nextPort + 1 < PORT_BEFORE ? nextPort + 1 : PORT_FROM;
    const free = await new Promise<boolean>((done) => {
      const server = createServer();
      server.once("error", () => done(false));
      server.listen({ host: HOST, port, exclusive: true }, () => server.close(() => done(true)));
    });
    if (free) return port;
  }
}

/** A fresh directory, removed when the running test ends; from a hook: when the process does. */
export function temporaryDir(): string {
  const dir = mkdtempSync(join(tmpdir(), "cairn-test-"));
  temporaryDirs.add(dir);
  atTestEnd(() => removeDir(dir));
  return dir;
}

/** Runs `cleanUp` when the running test ends; outside of a test, never. */
export function atTestEnd(cleanUp: () => void | Promise<void>): void {
  try {
    onTestFinished(cleanUp);
  } catch {
    // Called from a hook such as `beforeAll`, where nothing ends yet; its author cleans up.
  }
}

/**
 * Polls until `probe` gives something other than undefined.
 *
 * @param describe - called at the deadline, for the message.
 */
export async function waitUntil<T>(
  what: string,
  probe: () => T | undefined | Promise<T | undefined>,
  options: { readonly timeoutMs?: number; readonly describe?: () => string | Promise<string> } = {},
): Promise<T> {
  const { timeoutMs = WAIT_MS_MAX, describe = () => "" } = options;
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const found = await probe();
    if (found !== undefined) return found;
    if (performance.now() > deadline) {
      throw new Error(`not within ${timeoutMs} ms: ${what}\n${await describe()}`);
    }
    await new Promise((done) => setTimeout(done, POLL_MS));
  }
}

/** Tells whether a process is there (a zombie that nobody has waited for counts). */
export function isProcessAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    // There is no such process; what other reason there is does not matter to a test.
    return false;
  }
}

/** What a node is made from. */
export interface ProcessNodeOptions {
  readonly id: string;
  readonly httpPort: number;
  readonly raftPort: number;
  readonly dataDir: string;
  /** Beside the data directory, so that a test may empty that. */
  readonly logPath: string;
  readonly flags: readonly string[];
  readonly http: HttpClient;
}

class ChildNode implements ProcessNode {
  readonly id: string;
  readonly url: string;
  readonly raftAddress: string;
  readonly dataDir: string;
  readonly #options: ProcessNodeOptions;
  #child: ChildProcess | undefined;
  #exit: Promise<ProcessEnd> = Promise.resolve({ code: null, signal: null });

  constructor(options: ProcessNodeOptions) {
    this.#options = options;
    this.id = options.id;
    this.url = `http://${HOST}:${options.httpPort}`;
    this.raftAddress = `${HOST}:${options.raftPort}`;
    this.dataDir = options.dataDir;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  spawn(extraFlags: readonly string[] = []): void {
    if (this.#child !== undefined) throw new Error(`${this.id} runs already`);
    if (!existsSync(CAIRND)) throw new Error(`${CAIRND} is missing: npm run build`);
    const own = ["-node-id", this.id, "-http-addr", `${HOST}:${this.#options.httpPort}`];
    const flags = [...own, "-raft-addr", this.raftAddress, ...this.#options.flags, ...extraFlags];
    const log = openSync(this.#options.logPath, "a");
    const child = spawn(process.execPath, [CAIRND, ...flags, this.dataDir], {
      stdio: ["pipe", log, log],
      env: { ...process.env, CAIRN_EXIT_WITH_PARENT: "1" },
    });
    closeSync(log);
    alive.add(child);
    this.#child = child;
    child.stdin?.on("error", () => undefined);
    this.#exit = new Promise((done, fail) => {
      child.once("error", fail);
      child.once("exit", (code, signal) => {
        alive.delete(child);
        if (this.#child === child) this.#child = undefined;
        done({ code, signal });
      });
    });
  }

  async start(extraFlags: readonly string[] = []): Promise<void> {
    const from = this.log().length;
    this.spawn(extraFlags);
    const describe = (): string => this.log().slice(from, from + START_LOG_MAX);
    await waitUntil(
      `${this.id} answers`,
      async () => {
        if (this.#child === undefined) throw new Error(`${this.id} ended\n${describe()}`);
        return this.state();
      },
      { describe },
    );
  }

  async kill9(): Promise<void> {
    this.#child?.kill("SIGKILL");
    await this.#exit;
  }

  async terminate(): Promise<ProcessEnd> {
    this.#child?.kill("SIGTERM");
    return this.#exit;
  }

  exit(): Promise<ProcessEnd> {
    return this.#exit;
  }

  log(): string {
    const { logPath } = this.#options;
    return existsSync(logPath) ? readFileSync(logPath, "utf8") : "";
  }

  async state(): Promise<NodeState | undefined> {
    try {
      const { status, text } = await this.#options.http.get(`${this.url}/status?key=store`);
      return status === 200 ? stateOf(JSON.parse(text) as StoreSection) : undefined;
    } catch {
      // It does not run, or not yet: that is what undefined says.
      return undefined;
    }
  }
}

interface StoreSection {
  readonly leader?: { readonly addr?: string };
  readonly raft?: Readonly<Record<string, string | number>>;
}

function stateOf({ leader, raft = {} }: StoreSection): NodeState {
  return {
    role: raft["state"] as NodeState["role"],
    term: Number(raft["term"]),
    commit: Number(raft["commit_index"]),
    applied: Number(raft["applied_index"]),
    leaderAddress: leader?.addr ?? "",
  };
}

/** The end of a node's log, with a heading, for messages. */
export function tail(node: ProcessNode): string {
  const lines = node.log().trimEnd().split("\n").slice(-LOG_TAIL_LINES);
  return `--- ${node.id} (${node.pid ?? "does not run"})\n${lines.join("\n")}`;
}

/** Makes a node; nothing runs before `spawn` or `start`. */
export function createProcessNode(options: Omit<ProcessNodeOptions, "http">): ProcessNode {
  return new ChildNode({ ...options, http: createHttpClient() });
}

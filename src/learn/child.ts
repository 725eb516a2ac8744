/**
 * The process that judges, from the runner's side: started, asked, watched, stopped.
 *
 * Invariant: a child never outlives its answer: it ends by itself, or is killed when nothing was
 * heard from it for a while.
 */
import { type ChildProcess, spawn } from "node:child_process";
import type { Ms } from "#base";
import type { Book } from "./book.ts";
import { type ChildEvent, type ChildRequest, isChildEvent } from "./child-protocol.ts";
import { join } from "./files.ts";

/** A check takes far less than a second; ten leave room for a slow machine. */
const SILENT_SECONDS_MAX = 10;
/** `CAIRN_LIMIT_SECONDS` gives a very slow one more. */
export const SILENT_MS_MAX: Ms =
  1000 * (Number(process.env["CAIRN_LIMIT_SECONDS"]) || SILENT_SECONDS_MAX);
/** To start takes a few times as long as one check may take. */
const STARTS = 3;
/** Experiments kill processes by the hundred, and say little meanwhile. */
export const EXPERIMENT_SILENT_MS_MAX: Ms = 120_000;
/** What reader's code may print before the rest is dropped. */
const PRINTED_CHARACTERS_MAX = 64 * 1024;

/** How a child ended. */
export type ChildEnd =
  | { readonly how: "answered" }
  /** Nothing was heard for `ms`: it was killed. */
  | { readonly how: "stuck"; readonly ms: Ms }
  | { readonly how: "died"; readonly code: number | null; readonly signal: string | null };

/** What became of a request. */
export interface ChildResult {
  readonly end: ChildEnd;
  /** What the child printed, lines of both streams. */
  readonly printed: readonly string[];
}

/** A child that waits for its request. */
export interface WaitingChild {
  /** Sends the request; resolves when the child is gone. */
  ask(request: ChildRequest, options: AskOptions): Promise<ChildResult>;
  /** Ends it unasked. */
  dismiss(): void;
}

/** How to listen to a child. */
export interface AskOptions {
  readonly silentMsMax?: Ms;
  readonly onEvent: (event: ChildEvent) => void;
}

/** Starts a child in which each of `mine` is the reader's module. */
export function startChild(book: Book, mine: readonly string[]): WaitingChild {
  const conditions = [...mine.map((module) => `mine-${module}`), "source"];
  const child = spawn(
    process.execPath,
    [
      ...conditions.map((name) => `--conditions=${name}`),
      "--import",
      "tsx",
      join(book.root, "test/support/step-main.ts"),
    ],
    {
      cwd: book.root,
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      serialization: "advanced",
      windowsHide: true,
    },
  );
  const printed = collectOutput(child);
  return {
    ask: (request, options) => ask(child, printed, request, options),
    dismiss: () => void child.kill("SIGKILL"),
  };
}

function ask(
  child: ChildProcess,
  printed: () => string[],
  request: ChildRequest,
  { silentMsMax = SILENT_MS_MAX, onEvent }: AskOptions,
): Promise<ChildResult> {
  return new Promise((resolve, reject) => {
    let hasAnswered = false;
    let isStuck = false;
    const stop = (): void => {
      isStuck = true;
      child.kill("SIGKILL");
    };
    // Before the first word a process has to start, and to load everything.
    let timer = setTimeout(stop, silentMsMax * STARTS);
    child.on("message", (message) => {
      if (!isChildEvent(message)) return;
      clearTimeout(timer);
      timer = setTimeout(stop, silentMsMax);
      if (isLast(message)) hasAnswered = true;
      if (message.type === "cairn-broken") {
        reject(new Error(`the workbook itself is at fault: ${message.text}`));
        return;
      }
      try {
        onEvent(message);
      } catch (error) {
        child.kill("SIGKILL");
        reject(error);
      }
    });
    child.once("error", reject);
    child.once("close", (code, signal) => {
      clearTimeout(timer);
      const end: ChildEnd = hasAnswered
        ? { how: "answered" }
        : isStuck
          ? { how: "stuck", ms: silentMsMax }
          : { how: "died", code, signal };
      resolve({ end, printed: printed() });
    });
    child.send(request, (error) => {
      // A child that is gone already is told by `close`.
      if (error !== null) child.kill("SIGKILL");
    });
  });
}

function isLast({ type }: ChildEvent): boolean {
  return ["cairn-done", "cairn-not-loaded", "cairn-unsettled", "cairn-crashed"].includes(type);
}

/** Collects both streams; lines in the order in which they came. */
function collectOutput(child: ChildProcess): () => string[] {
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8");
    stream?.on("data", (chunk: string) => {
      if (text.length < PRINTED_CHARACTERS_MAX) text += chunk;
    });
  }
  return () => {
    const whole = text.slice(0, PRINTED_CHARACTERS_MAX).trimEnd();
    return whole === "" ? [] : whole.split("\n");
  };
}

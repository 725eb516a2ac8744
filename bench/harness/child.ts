/**
 * Benchmarks in processes of their own: where memory is measured, or a process must be killed, or
 * one subject's garbage must not be the next one's.
 *
 * Invariant: no child outlives this process; each ends when its channel closes.
 */
import { type ChildProcess, fork } from "node:child_process";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

/**
 * Starts a TypeScript file with a message channel, garbage collection on demand, and the loader.
 *
 * @param built - whether `#name` means what was built, rather than the sources.
 */
export function forkModule(path: string, { built }: { readonly built: boolean }): ChildProcess {
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;
  return fork(path, [], {
    execArgv: ["--expose-gc", ...(built ? [] : ["--conditions=source"]), "--import", tsx],
  });
}

/** Sends one message and waits for one. Rejects when the child ends instead. */
export async function ask(child: ChildProcess, question: object): Promise<unknown> {
  const answered = new Promise<unknown>((resolve, reject) => {
    const onExit = (code: number | null, signal: string | null) => {
      const how = code ?? signal;
      reject(new Error(`bench: the process ended with ${how}: ${JSON.stringify(question)}`));
    };
    child.once("exit", onExit);
    child.once("message", (message) => {
      child.off("exit", onExit);
      resolve(message);
    });
  });
  child.send(question);
  return await answered;
}

/** Ends a child, politely or at once. Resolves when it is gone. */
export async function endChild(child: ChildProcess, how?: "kill"): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  if (how === "kill") child.kill("SIGKILL");
  else if (child.connected) child.disconnect();
  await ended;
}

/** In a child: answers each message with what `reply` makes of it, and ends with the channel. */
export function serveParent(reply: (question: unknown) => Promise<object>): void {
  process.on("disconnect", () => process.exit());
  process.on("message", (question) => {
    reply(question).then(
      (answer) => process.send!(answer),
      (error: unknown) => {
        const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
        process.send!({ kind: "failed", reason });
      },
    );
  });
}

/**
 * What a command of the workbook gets from the terminal: a style, an output, somebody to ask, keys.
 *
 * Invariant: wrong usage is one message and exit code 2; the terminal is given back as it was.
 */
import { createInterface } from "node:readline";
import type { Command } from "commander";
import type { ExitCode, Keys, LearnCommand } from "#learn";

/** Runs a command of the workbook and sets the exit code. */
export async function runWorkbook(command: Command, learnCommand: LearnCommand): Promise<void> {
  const learn = await import("#learn");
  const { plain = false } = command.optsWithGlobals<{ readonly plain?: boolean }>();
  const style = learn.createStyle({
    isPlain: plain,
    isTerminal: process.stdout.isTTY === true,
    environment: process.env,
  });
  const out = learn.createOutput(process.stdout, style);
  await withUsageErrors(style.finish, async () => {
    const runner = { book: learn.openBook(), out, now: () => Date.now(), ask: asker() };
    return learn.runLearn(runner, learnCommand);
  });
}

/** Does something whose wrong usage is told to the reader. */
export async function withUsageErrors(
  finish: (text: string) => string,
  work: () => Promise<ExitCode>,
): Promise<void> {
  const { UsageError } = await import("#learn");
  try {
    process.exitCode = await work();
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`cairn: ${finish(error.message)}\n`);
    process.exitCode = 2;
  }
}

/** The keyboard; null where nobody sits at one. */
export function terminalKeys(): Keys | null {
  const { stdin } = process;
  if (!isTerminal()) return null;
  return {
    onKey(take) {
      stdin.setRawMode(true);
      stdin.setEncoding("utf8");
      stdin.on("data", (keys: string) => {
        for (const key of keys) take(key);
      });
      stdin.resume();
    },
    end() {
      stdin.setRawMode(false);
      stdin.pause();
    },
  };
}

/** What a reader means by ending the input. */
const QUIT = "q";

/** Asks on the terminal; null where nobody sits at one. */
function asker(): ((question: string) => Promise<string>) | null {
  if (!isTerminal()) return null;
  return (question) => {
    const lines = createInterface({ input: process.stdin, output: process.stdout });
    return new Promise((resolve) => {
      // Ctrl-C and Ctrl-D close it without an answer.
      lines.once("close", () => resolve(QUIT));
      lines.question(question, (answer) => {
        resolve(answer);
        lines.close();
      });
    });
  };
}

function isTerminal(): boolean {
  return process.stdin.isTTY === true && process.stdout.isTTY === true;
}

/**
 * The workbook's commands on the command line: flags in, exit code out.
 *
 * Invariant: nothing is done here; what is loaded is loaded when a command runs.
 */
import { createInterface } from "node:readline/promises";
import type { Command } from "commander";
import { InvalidArgumentError, Option } from "commander";
import type { ExitCode, Runner } from "#learn";

/** Seeds are whole numbers that JSON and the generators agree on. */
const SEED_MAX = 0xffffffff;

/** Flags that every command has. */
interface CommonFlags {
  readonly plain?: boolean;
}

/** Adds the commands of the workbook. */
export function addLearnCommands(cairn: Command): void {
  cairn.option("--plain", "ASCII only: no colors, no cursor movement");
  addStart(cairn);
  addTest(cairn);
  cairn
    .command("doctor")
    .description("Look whether everything is here that the workbook needs.")
    .action((_: unknown, command: Command) =>
      run(command, async (runner, learn) => learn.runDoctor(runner)),
    );
}

function addStart(cairn: Command): void {
  interface StartFlags {
    readonly bare: boolean;
    readonly git: boolean;
  }
  cairn
    .command("start")
    .description("Begin a chapter: check this machine, copy the starter, show the first red.")
    .argument("[chapter]", "01 or wal; the first one if not given")
    .option("--bare", "only the door of the module, nothing given", false)
    .option("--git", "make work/ a git repository of its own", false)
    .action((chapter: string | undefined, flags: StartFlags, command: Command) =>
      run(command, async (runner, learn) =>
        learn.runStart(runner, {
          ...(chapter === undefined ? {} : { chapter }),
          isBare: flags.bare,
          withGit: flags.git,
        }),
      ),
    );
}

function addTest(cairn: Command): void {
  interface TestFlags {
    readonly all: boolean;
    readonly seed: number;
    readonly on: "mine" | "reference" | "starter" | "solution";
  }
  cairn
    .command("test")
    .description("Judge a step, with a quick look at earlier ones; or a chapter.")
    .argument("[what]", "01.3, 01 or wal; the step that you are at if not given")
    .option("--all", "every started chapter; with a step, every earlier check", false)
    .addOption(seedOption())
    .addOption(
      new Option("--on <whose>", "judge other code than yours")
        .choices(["mine", "reference", "starter", "solution"])
        .default("mine"),
    )
    .addHelpText("after", "\nExit code: 0 passed, 1 red, 2 wrong usage.")
    .action((what: string | undefined, flags: TestFlags, command: Command) =>
      run(command, async (runner, learn) =>
        learn.runTest(runner, {
          ...(what === undefined ? {} : { what }),
          isAll: flags.all,
          seed: flags.seed,
          judged: flags.on,
        }),
      ),
    );
}

function seedOption(): Option {
  return new Option("--seed <number>", "from which every random choice comes")
    .argParser((text: string): number => {
      const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
      if (value <= SEED_MAX) return value;
      throw new InvalidArgumentError(`Not a whole number from 0 to ${SEED_MAX}.`);
    })
    .default(1);
}

type Learn = typeof import("#learn");

/** Runs a command of the workbook and sets the exit code. */
async function run(
  command: Command,
  work: (runner: Runner, learn: Learn) => Promise<ExitCode>,
): Promise<void> {
  const learn = await import("#learn");
  const { plain = false } = command.optsWithGlobals<CommonFlags>();
  const style = learn.createStyle({
    isPlain: plain,
    isTerminal: process.stdout.isTTY === true,
    environment: process.env,
  });
  const out = learn.createOutput(process.stdout, style);
  // A reader such as `head` may have gone before the end.
  process.stdout.on("error", () => process.exit());
  try {
    const book = learn.openBook();
    process.exitCode = await work({ book, out, now: () => Date.now(), ask: asker() }, learn);
  } catch (error) {
    if (!(error instanceof learn.UsageError)) throw error;
    process.stderr.write(`cairn: ${style.finish(error.message)}\n`);
    process.exitCode = 2;
  }
}

/** Asks on the terminal; null where nobody sits at one. */
function asker(): ((question: string) => Promise<string>) | null {
  if (process.stdin.isTTY !== true || process.stdout.isTTY !== true) return null;
  return async (question) => {
    const lines = createInterface({ input: process.stdin, output: process.stdout });
    try {
      return await lines.question(question);
    } finally {
      lines.close();
    }
  };
}

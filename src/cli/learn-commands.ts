/**
 * The workbook's commands on the command line: flags in, a request out.
 *
 * Invariant: nothing is done here; what a command needs is loaded when it runs.
 */
import { resolve } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import type { LearnCommand } from "#learn";
import { addPartsCommands } from "./learn-parts.ts";
import { runWorkbook, terminalKeys } from "./learn-runner.ts";

/** Seeds are whole numbers that JSON and the generators agree on. */
const WHOLE_MAX = 0xffffffff;
const HINTS = 3;

/** Where a chapter or a step may be left out. */
const HERE = "the step that you are at if not given";
const EXIT_CODES =
  "\nA check that says nothing for 10 seconds is stopped; CAIRN_LIMIT_SECONDS changes that." +
  "\nExit code: 0 passed, 1 red, 2 wrong usage.";

/** Adds the commands of the workbook. */
export function addLearnCommands(cairn: Command): void {
  cairn.option("--plain", "ASCII only: no colors, no cursor movement; also by CAIRN_PLAIN=1");
  addStart(cairn);
  addTest(cairn);
  addHelp(cairn);
  addCrash(cairn);
  addQuiz(cairn);
  addSolution(cairn);
  addPartsCommands(cairn);
  addReset(cairn);
  addStatus(cairn);
  addCertify(cairn);
  addTeach(cairn);
}

function addStart(cairn: Command): void {
  cairn
    .command("start")
    .description("Begin a chapter: check this machine, copy the starter, show the first red.")
    .argument("[chapter]", "01 or wal; the first one if not given")
    .option("--bare", "only the door of the module, nothing given", false)
    .option("--git", "make work/ a git repository of its own", false)
    .action((chapter: string | undefined, flags: StartFlags, command: Command) =>
      runWorkbook(command, {
        name: "start",
        request: { ...given({ chapter }), isBare: flags.bare, withGit: flags.git },
      }),
    );
  cairn
    .command("watch")
    .description("Run your step again at each save; cairn alone does the same.")
    .action((_: unknown, command: Command) =>
      runWorkbook(command, {
        name: "watch",
        request: {
          keys: terminalKeys(),
          control: (sequence) => void process.stdout.write(sequence),
        },
      }),
    );
}

interface StartFlags {
  readonly bare: boolean;
  readonly git: boolean;
}

function addTest(cairn: Command): void {
  cairn
    .command("test")
    .description("Judge a step, with a quick look at earlier ones; or a chapter.")
    .argument("[what]", `01.3, 01 or wal; ${HERE}`)
    .option("--all", "every started chapter; with a step, every earlier check", false)
    .addOption(wholeOption("--seed <number>", "from which every random choice comes").default(1))
    .addOption(onOption())
    .addHelpText("after", EXIT_CODES)
    .action((what: string | undefined, flags: TestFlags, command: Command) =>
      runWorkbook(command, {
        name: "test",
        request: { ...given({ what }), isAll: flags.all, seed: flags.seed, judged: flags.on },
      }),
    );
}

type Judged = "mine" | "reference" | "starter" | "solution";

interface TestFlags {
  readonly all: boolean;
  readonly seed: number;
  readonly on: Judged;
}

function addHelp(cairn: Command): void {
  cairn
    .command("hint")
    .description("A hint: first a question, then the idea, then a sketch.")
    .argument("[step]", `01.3; ${HERE}`)
    .addOption(new Option("--level <number>", "one that you have seen").argParser(level))
    .action((step: string | undefined, flags: { level?: number }, command: Command) =>
      runWorkbook(command, { name: "hint", request: given({ step, level: flags.level }) }),
    );
  cairn
    .command("explain")
    .description("The last failure in full, and the rule that it broke.")
    .action((_: unknown, command: Command) => runWorkbook(command, { name: "explain" }));
}

function addCrash(cairn: Command): void {
  cairn
    .command("crash")
    .description("Cut the power before each operation of a history, and recover.")
    .argument("<chapter>", "01 or wal")
    .addOption(wholeOption("--seed <number>", "only this outcome at each point"))
    .addOption(wholeOption("--point <number>", "only this point"))
    .option("--all-points", "go on after a broken promise, and draw which points break one", false)
    .option("--experiment <name>", "run an experiment instead, such as kill9")
    .addOption(onOption())
    .addHelpText("after", "\nExit code: 0 no promise broken, 1 one was, 2 wrong usage.")
    .action((chapter: string, flags: CrashFlags, command: Command) => {
      const { seed, point, experiment } = flags;
      const optional = given({ seed, point, experiment });
      return runWorkbook(command, {
        name: "crash",
        request: { chapter, ...optional, isWhole: flags.allPoints, judged: flags.on },
      });
    });
}

interface CrashFlags {
  readonly seed?: number;
  readonly point?: number;
  readonly experiment?: string;
  readonly allPoints: boolean;
  readonly on: Judged;
}

function addQuiz(cairn: Command): void {
  cairn
    .command("quiz")
    .description("Questions; each option explains itself once you have answered.")
    .argument("<chapter>", "01 or wal")
    .option("--answer <q1=b...>", "answer without being asked")
    .option("--again", "forget the answers of this chapter first", false)
    .action((chapter: string, flags: { answer?: string[]; again: boolean }, command: Command) =>
      runWorkbook(command, {
        name: "quiz",
        request: { chapter, answers: flags.answer ?? [], isAgain: flags.again },
      }),
    );
}

function addSolution(cairn: Command): void {
  cairn
    .command("solution")
    .description("One solution of a step that has passed, with comments and an alternative.")
    .argument("<step>", "01.3")
    .option("--give-up <step>", "show it although the step has not passed: type its name again")
    .action((step: string, flags: { giveUp?: string }, command: Command) =>
      runWorkbook(command, {
        name: "solution",
        request: { step, ...given({ givesUp: flags.giveUp }) },
      }),
    );
  cairn
    .command("diff")
    .description("Your code beside the solution's, once the step has passed.")
    .argument("<step>", "01.3")
    .action((step: string, _: unknown, command: Command) =>
      runWorkbook(command, { name: "diff", step }),
    );
}

function addReset(cairn: Command): void {
  cairn
    .command("reset")
    .description("A step or chapter as it was in the beginning; yours is put aside first.")
    .argument("[what]", "01.3 or 01")
    .option("--undo <name>", "bring back what was put aside")
    .action((what: string | undefined, flags: { undo?: string }, command: Command) => {
      const wanted: LearnCommand | undefined =
        flags.undo !== undefined
          ? { name: "undo", stash: flags.undo }
          : what !== undefined
            ? { name: "reset", what }
            : undefined;
      if (wanted === undefined) command.error("error: name a step or a chapter, or --undo <name>");
      return runWorkbook(command, wanted);
    });
}

function addStatus(cairn: Command): void {
  cairn
    .command("status")
    .description("How far you are, and which modules are yours.")
    .option("--repair", "put a damaged progress file aside and begin a new one", false)
    .option("--json", "print the progress file", false)
    .action((flags: { repair: boolean; json: boolean }, command: Command) =>
      runWorkbook(command, {
        name: "status",
        request: { isRepair: flags.repair, isJson: flags.json },
      }),
    );
  cairn
    .command("doctor")
    .description("Look whether everything is here that the workbook needs.")
    .action((_: unknown, command: Command) => runWorkbook(command, { name: "doctor" }));
}

function addCertify(cairn: Command): void {
  cairn
    .command("certify")
    .description("Judge every started chapter from a clean copy, with fresh seeds, as a file.")
    .option("--out <file>", "where it is written; into work/ if not given")
    .option("--verify <file>", "run again what a file claims")
    .action((flags: { out?: string; verify?: string }, command: Command) => {
      const path = (file?: string): string | undefined =>
        file === undefined ? undefined : resolve(file).replaceAll("\\", "/");
      const request = given({ out: path(flags.out), verify: path(flags.verify) });
      return runWorkbook(command, { name: "certify", request });
    });
}

function addTeach(cairn: Command): void {
  const teach = cairn.command("teach").description("For whoever runs a room, or doubts the book.");
  teach
    .command("check")
    .description("Try every step four ways: starter, reference, solution, planted mistakes.")
    .argument("[chapters...]", "01 or wal; all if not given")
    .action((chapters: string[], _: unknown, command: Command) =>
      runWorkbook(command, { name: "teach", request: { what: "check", chapters } }),
    );
  teach
    .command("agenda")
    .description("Four schedules, with the minutes of each step.")
    .argument("[schedule]", "90-minutes, half-day, two-days or five-days")
    .action((schedule: string | undefined, _: unknown, command: Command) =>
      runWorkbook(command, { name: "teach", request: { what: "agenda", ...given({ schedule }) } }),
    );
  teach
    .command("catch-up")
    .description("Go to a step, with the chapters before it on the reference.")
    .argument("<step>", "04.5")
    .action((step: string, _: unknown, command: Command) =>
      runWorkbook(command, { name: "teach", request: { what: "catch-up", step } }),
    );
}

/** Whose code is judged. */
function onOption(): Option {
  return new Option("--on <whose>", "judge other code than yours")
    .choices(["mine", "reference", "starter", "solution"])
    .default("mine");
}

function wholeOption(flags: string, description: string): Option {
  return new Option(flags, description).argParser((text: string): number => {
    const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
    if (value <= WHOLE_MAX) return value;
    throw new InvalidArgumentError(`Not a whole number from 0 to ${WHOLE_MAX}.`);
  });
}

function level(text: string): number {
  const value = /^\d$/.test(text) ? Number(text) : Number.NaN;
  if (value >= 1 && value <= HINTS) return value;
  throw new InvalidArgumentError(`There are hints 1 to ${HINTS}.`);
}

/** The properties that have a value. */
function given<Values extends object>(
  values: Values,
): { [Name in keyof Values]?: Exclude<Values[Name], undefined> } {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as ReturnType<typeof given<Values>>;
}

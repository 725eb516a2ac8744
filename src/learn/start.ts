/**
 * `cairn start`: from a fresh clone to the first red, with a green self-check before it.
 *
 * Invariant: a reader sees green before red, and the sentence that this red is expected; starting
 * again changes nothing that is there.
 */
import { spawnSync } from "node:child_process";
import { type BookChapter, findChapter, isStarted } from "./book.ts";
import { isComplete, renderComplete } from "./completion.ts";
import { quickFindings, sayFinding } from "./doctor.ts";
import { join } from "./files.ts";
import { isGreen, readProgress, updateProgress } from "./progress.ts";
import { counted, paintFailure } from "./render-verdict.ts";
import type { ExitCode, Runner } from "./runner.ts";
import { copyStarter, writeSurroundings } from "./starter-files.ts";
import { testStep } from "./test-steps.ts";
import { judgeSteps } from "./verdict.ts";

/** What `cairn start` was asked for. */
export interface StartRequest {
  /** `01` or `wal`; undefined: the first chapter. */
  readonly chapter?: string;
  /** Only the door. */
  readonly isBare: boolean;
  /** An own git repository in `work/`. */
  readonly withGit: boolean;
}

/** The self-check runs the steps of one chapter on the reference. */
const SELF_CHECK_SEED = 1;

/** Runs `cairn start`. */
export async function startCommand(runner: Runner, request: StartRequest): Promise<ExitCode> {
  const { book, out } = runner;
  const asked = request.chapter ?? book.chapters[0]?.number ?? "";
  const chapter = findChapter(book, asked);
  out.say(out.style.paint("strong", `${chapter.number}  ${chapter.title}`));
  const findings = quickFindings(book);
  for (const finding of findings) sayFinding(runner, finding);
  if (findings.some(({ isFine }) => !isFine)) return 1;
  if (!(await selfCheck(runner, chapter))) return 1;
  const wasStarted = isStarted(book, chapter);
  const made = copyStarter(book, chapter, request);
  writeSurroundings(book);
  const folder = `work/${chapter.module}`;
  sayFinding(runner, {
    isFine: true,
    text:
      made === null
        ? `${folder} is there already: nothing was copied over it`
        : `${folder} is made: ${counted(made.length, "file")} for you`,
  });
  if (request.withGit) sayFinding(runner, makeRepository(runner));
  return showFirst(runner, chapter, wasStarted);
}

/** Runs the chapter's checks on the reference: red here is no fault of the reader's. */
async function selfCheck(runner: Runner, chapter: BookChapter): Promise<boolean> {
  const { book, out } = runner;
  const steps = chapter.steps.map(({ id }) => id);
  const progress = readProgress(book);
  const question = { chapter, steps, seed: SELF_CHECK_SEED, judged: "reference" } as const;
  const verdict = await judgeSteps(book, progress, question);
  const failed = verdict.checks.filter(({ failure }) => failure !== null);
  const isFine = verdict.problem === undefined && failed.length === 0;
  sayFinding(runner, {
    isFine,
    text: isFine
      ? `self-check: ${counted(verdict.checks.length, "check")} pass on the reference`
      : "self-check: the reference does not pass here",
    advice: "This is not your fault. Try npm install and npx cairn doctor; else report it.",
  });
  if (verdict.problem !== undefined) out.say(`      ${verdict.problem.happened}`);
  const failure = failed[0]?.failure;
  if (failure !== undefined && failure !== null) {
    for (const line of paintFailure(out.style, failure)) out.say(line);
  }
  return isFine;
}

/** Shows the step that the reader is at in this chapter, or that none is left. */
async function showFirst(
  runner: Runner,
  chapter: BookChapter,
  wasStarted: boolean,
): Promise<ExitCode> {
  const { book, out } = runner;
  const progress = readProgress(book);
  if (wasStarted && isComplete(chapter, progress)) {
    out.say();
    for (const line of renderComplete({ book, style: out.style }, chapter, progress)) out.say(line);
    out.say(`Once more: npx cairn test ${chapter.number} judges all of its steps.`);
    return 0;
  }
  const step = chapter.steps.find(({ id }) => !isGreen(progress, id)) ?? chapter.steps[0];
  if (step === undefined) return 0;
  updateProgress(book, (before) => ({ ...before, current: step.id }));
  out.say();
  if (wasStarted) {
    out.say(`You are at step ${step.id}:`);
  } else {
    out.say(`Everything works. Now the first red. It is expected: step ${step.id} is yours to do.`);
  }
  out.say();
  const request = { isAll: false, seed: SELF_CHECK_SEED, judged: "mine" } as const;
  await testStep(runner, { chapter, step }, request);
  out.say();
  const files = step.files.map((file) => `work/${chapter.module}/${file}`).join(", ");
  out.say(`Read:  chapters/${chapter.name}/README.md, "Step ${step.id}"`);
  out.say(`Write: ${files}`);
  out.say("Then:  npx cairn              runs the step again at each save");
  out.say(`       npx cairn test ${step.id}    runs it once`);
  return 0;
}

function makeRepository({ book }: Runner): { isFine: boolean; text: string; advice?: string } {
  const work = join(book.root, "work");
  if (book.disk.exists(join(work, ".git"))) {
    return { isFine: true, text: "work/ is a git repository already" };
  }
  const git = spawnSync("git", ["init", "--quiet", "."], {
    cwd: work,
    encoding: "utf8",
    windowsHide: true,
  });
  const isFine = git.status === 0;
  return {
    isFine,
    text: isFine ? "work/ is a git repository of its own" : "git init did not work in work/",
    advice: "Install git, or go on without: the workbook does not need it.",
  };
}

/**
 * `cairn test`: a step, a chapter or everything, with the verdict remembered.
 *
 * Invariant: a step counts as passed only if each of its checks passed in one run on the reader's
 * own code.
 */
import {
  type Book,
  type BookChapter,
  type BookStep,
  findChapter,
  findStep,
  isDoorLost,
  isStarted,
  notStarted,
} from "./book.ts";
import type { WaitingChild } from "./child.ts";
import type { Judged } from "./child-protocol.ts";
import { isComplete, renderComplete, renderCompleteShort } from "./completion.ts";
import { keepFailure } from "./keep-failure.ts";
import {
  isGreen,
  type Progress,
  readProgress,
  stepProgress,
  updateProgress,
  withStep,
} from "./progress.ts";
import {
  counted,
  countFailed,
  paintFailure,
  renderChecks,
  renderPrinted,
  renderProblem,
  renderStepTitle,
} from "./render-verdict.ts";
import type { ExitCode, Runner } from "./runner.ts";
import { UsageError } from "./usage-error.ts";
import { type CheckVerdict, judgeSteps, type Verdict } from "./verdict.ts";

/** What `cairn test` was asked for. */
export interface TestRequest {
  /** `01.3`, `01` or `wal`; undefined: the step that the reader is at. */
  readonly what?: string;
  /** Every chapter that was started; with a step: all earlier checks, however long they take. */
  readonly isAll: boolean;
  readonly seed: number;
  readonly judged: Judged;
}

/** Runs `cairn test`. */
export async function testCommand(runner: Runner, request: TestRequest): Promise<ExitCode> {
  const { book } = runner;
  const { what } = request;
  if (what === undefined && request.isAll) return testEverything(runner, request);
  if (what !== undefined && !what.includes(".")) {
    return testChapter(runner, findChapter(book, what), request);
  }
  const current = what ?? currentStep(runner, readProgress(book));
  return testStep(runner, findStep(book, current), request);
}

/** The step that the reader is at: the last one, or the next that is not green if that one is. */
export function currentStep({ book }: Runner, progress: Progress): string {
  const started = book.chapters.filter((chapter) => isStarted(book, chapter));
  const chapter =
    started.find(({ number }) => progress.current?.startsWith(`${number}.`)) ?? started[0];
  if (chapter === undefined) throw new UsageError(nothingStarted(book));
  const at = chapter.steps.find(({ id }) => id === progress.current);
  if (at !== undefined && !isGreen(progress, at.id)) return at.id;
  const open = chapter.steps.filter(({ id }) => !isGreen(progress, id));
  const next = open.find(({ id }) => at === undefined || id > at.id) ?? open[0];
  return (next ?? chapter.steps.at(-1))?.id ?? "";
}

/** Nothing can be judged: because nothing was begun, or because a door is gone. */
function nothingStarted(book: Book): string {
  const lost = book.chapters.find((chapter) => isDoorLost(book, chapter));
  return lost === undefined ? "Nothing is started yet: npx cairn start." : notStarted(book, lost);
}

/** Judges one step, prints the verdict and remembers it. */
export async function testStep(
  runner: Runner,
  at: BookStep,
  request: Omit<TestRequest, "what">,
  child?: WaitingChild,
): Promise<ExitCode> {
  const { book, out } = runner;
  const { chapter, step } = at;
  const progress = readProgress(book);
  mustBeStarted(runner, chapter, request.judged);
  const earlier = chapter.steps
    .map(({ id }) => id)
    .filter((id) => id < step.id && (request.judged !== "mine" || isGreen(progress, id)));
  const verdict = await judgeSteps(book, progress, {
    chapter,
    steps: [step.id],
    earlier,
    seed: request.seed,
    judged: request.judged,
    isPatient: request.isAll,
    ...(child === undefined ? {} : { child }),
  });
  const next = request.judged === "mine" ? remember(runner, chapter, [step.id], verdict) : progress;
  out.say(renderStepTitle(out.style, chapter, step.id));
  const own = verdict.checks.filter(({ isEarlier }) => !isEarlier);
  for (const line of renderChecks(out.style, own, verdict.notRun)) out.say(line);
  sayLesson(runner, verdict);
  const wasComplete = isComplete(chapter, progress);
  return saySummary(runner, { at, verdict, progress: next, wasComplete, own });
}

async function testChapter(
  runner: Runner,
  chapter: BookChapter,
  request: TestRequest,
): Promise<ExitCode> {
  const { book, out } = runner;
  mustBeStarted(runner, chapter, request.judged);
  const steps = chapter.steps.map(({ id }) => id);
  const progress = readProgress(book);
  const verdict = await judgeSteps(book, progress, {
    chapter,
    steps,
    seed: request.seed,
    judged: request.judged,
  });
  if (request.judged === "mine") remember(runner, chapter, steps, verdict);
  out.say(out.style.paint("strong", `${chapter.number}  ${chapter.title}`));
  let green = 0;
  for (const { id, title } of chapter.steps) {
    const checks = verdict.checks.filter(({ step }) => step === id);
    const failed = checks.filter(({ failure }) => failure !== null);
    if (checks.length > 0 && failed.length === 0) green += 1;
    const notRun = verdict.notRun.filter(({ step }) => step === id).length;
    out.say(stepLine(runner, { id, title, checks: checks.length, failed, notRun }));
  }
  sayLesson(runner, verdict);
  out.say();
  const ms = Math.round(verdict.ms);
  out.say(`${green} of ${counted(steps.length, "step")} passed (${ms} ms).`);
  return green === steps.length ? 0 : 1;
}

async function testEverything(runner: Runner, request: TestRequest): Promise<ExitCode> {
  const { book } = runner;
  const chapters = book.chapters.filter(
    (chapter) => request.judged !== "mine" || isStarted(book, chapter),
  );
  if (chapters.length === 0) throw new UsageError(nothingStarted(book));
  let code: ExitCode = 0;
  for (const chapter of chapters) {
    if ((await testChapter(runner, chapter, request)) !== 0) code = 1;
    runner.out.say();
  }
  return code;
}

function stepLine(
  { out: { style } }: Runner,
  step: {
    readonly id: string;
    readonly title: string;
    readonly checks: number;
    readonly failed: readonly CheckVerdict[];
    readonly notRun: number;
  },
): string {
  const { id, title, checks, failed, notRun } = step;
  if (checks === 0) return `  ${style.paint("quiet", "·")} ${id}  ${title}: not tried`;
  if (failed.length === 0) return `  ${style.paint("good", "✓")} ${id}  ${title}`;
  if (failed.every(({ failure }) => failure?.isWaiting === true)) {
    return `  ${style.paint("waiting", "○")} ${id}  ${title}: waiting for you`;
  }
  const text = countFailed(failed.length, checks, notRun);
  return `  ${style.paint("bad", "✗")} ${id}  ${title}: ${text}`;
}

/** The first lesson: what is red before what waits. */
function firstFailure(verdict: Verdict): CheckVerdict | undefined {
  const failed = verdict.checks.filter(({ failure }) => failure !== null);
  return failed.find(({ failure }) => failure?.isWaiting === false) ?? failed[0];
}

function sayLesson(runner: Runner, verdict: Verdict): void {
  const { out } = runner;
  const failure = firstFailure(verdict)?.failure;
  const printed = renderPrinted(out.style, verdict);
  for (const line of printed.length > 0 ? ["", ...printed] : []) out.say(line);
  if (verdict.problem !== undefined) {
    for (const line of renderProblem(out.style, verdict.problem)) out.say(line);
  } else if (failure !== undefined && failure !== null) {
    out.say();
    for (const line of paintFailure(out.style, failure)) out.say(line);
  }
}

function saySummary(
  runner: Runner,
  result: {
    readonly at: BookStep;
    readonly verdict: Verdict;
    readonly progress: Progress;
    /** All steps of the chapter were green before this run. */
    readonly wasComplete: boolean;
    readonly own: readonly CheckVerdict[];
  },
): ExitCode {
  const { out } = runner;
  const { at, verdict, own } = result;
  const ms = `${Math.round(verdict.ms)} ms`;
  const failed = own.filter(({ failure }) => failure !== null);
  const broken = verdict.checks.filter(({ isEarlier, failure }) => isEarlier && failure !== null);
  out.say();
  if (verdict.problem !== undefined) {
    out.say(out.style.paint("bad", `${at.step.id} could not run (${ms}).`));
    return 1;
  }
  if (failed.length > 0) {
    const isWaiting = failed.every(({ failure }) => failure?.isWaiting === true);
    const text = isWaiting
      ? `${failed.length} of ${counted(own.length, "check")} wait for your code`
      : countFailed(failed.length, own.length, verdict.notRun.length);
    out.say(out.style.paint(isWaiting ? "waiting" : "bad", `${text} (${ms}).`));
    return 1;
  }
  if (own.length === 0) {
    out.say(out.style.paint("bad", `${at.step.id} has no verdict (${ms}).`));
    return 1;
  }
  out.say(
    out.style.paint("good", `${at.step.id} passed: ${counted(own.length, "check")} (${ms}).`),
  );
  const earlier = verdict.checks.filter(({ isEarlier }) => isEarlier);
  if (broken.length > 0) {
    const steps = [...new Set(broken.map(({ step }) => step))].join(", ");
    out.say(out.style.paint("bad", `But it broke what worked before: ${steps} is red again.`));
    return 1;
  }
  if (earlier.length > 0) {
    const left = verdict.earlierLeft === 0 ? "" : ` (${verdict.earlierLeft} more with --all)`;
    out.say(`Earlier steps still hold: ${counted(earlier.length, "check")}${left}.`);
  }
  for (const line of whatIsNext(runner, at, result)) out.say(line);
  return 0;
}

/** What a reader may do after a step has passed. */
function whatIsNext(
  { book, out: { style } }: Runner,
  { chapter, step }: BookStep,
  { progress, wasComplete }: { readonly progress: Progress; readonly wasComplete: boolean },
): string[] {
  const lines = [`Compare:  npx cairn solution ${step.id}   npx cairn diff ${step.id}`];
  const next = chapter.steps.find(({ id }) => id > step.id && !isGreen(progress, id));
  if (next !== undefined) {
    const minutes = `about ${next.minutes} minutes`;
    lines.push(`Next:     ${style.paint("strong", `${next.id}  ${next.title}`)}, ${minutes}`);
    return lines;
  }
  if (!isComplete(chapter, progress)) return lines;
  if (!wasComplete) return [...lines, ...renderComplete({ book, style }, chapter, progress)];
  // Told in full when it came true; this is a visit.
  return [...lines, renderCompleteShort(book, chapter, progress)];
}

/** Puts a verdict into the progress. */
function remember(
  runner: Runner,
  chapter: BookChapter,
  asked: readonly string[],
  verdict: Verdict,
): Progress {
  const failure = firstFailure(verdict)?.failure;
  return updateProgress(runner.book, (before) => {
    let progress: Progress = before;
    for (const { id } of chapter.steps) {
      const checks = verdict.checks.filter(({ step }) => step === id);
      const isAsked = asked.includes(id);
      const isRed = checks.some((check) => check.failure !== null);
      const passes = isAsked && checks.length > 0 && !isRed;
      const { attempts, passedAt } = stepProgress(progress, id);
      if (isAsked && (checks.length > 0 || verdict.problem !== undefined)) {
        progress = withStep(progress, id, { attempts: attempts + 1 });
      }
      if (passes) {
        const at = passedAt ?? new Date(runner.now()).toISOString();
        progress = withStep(progress, id, { passedAt: at, isGreen: true });
      } else if (isRed && passedAt !== undefined) {
        progress = withStep(progress, id, { isGreen: false });
      }
    }
    const { lastFailure: _, ...rest } = progress;
    const current = asked.length === 1 ? { current: asked[0] ?? "" } : {};
    const kept = failure === undefined || failure === null ? {} : keepFailure(failure);
    return { ...rest, ...current, ...kept };
  });
}

function mustBeStarted({ book }: Runner, chapter: BookChapter, judged: Judged): void {
  if (judged !== "mine" || isStarted(book, chapter)) return;
  throw new UsageError(notStarted(book, chapter));
}

/**
 * `cairn crash`: the power is cut before each operation of a history, with many outcomes each; and
 * experiments that show something instead of judging.
 */
import { type BookChapter, findChapter, isStarted, notStarted } from "./book.ts";
import { EXPERIMENT_SILENT_MS_MAX, SILENT_MS_MAX, startChild } from "./child.ts";
import type { ChildEvent, ChildWork, Judged } from "./child-protocol.ts";
import { keepFailure } from "./keep-failure.ts";
import { readProgress, updateProgress } from "./progress.ts";
import { wrap } from "./render-failure.ts";
import { counted, paintFailure, renderProblem } from "./render-verdict.ts";
import type { ExitCode, Runner } from "./runner.ts";
import type { Failure } from "./types.ts";
import { UsageError } from "./usage-error.ts";
import { mineFor, requestFor } from "./verdict.ts";

const WIDTH = 96;
const MARKS_PER_LINE = 50;

/** What `cairn crash` was asked for. */
export interface CrashRequest {
  /** `01` or `wal`. */
  readonly chapter: string;
  readonly seed?: number;
  readonly point?: number;
  /** Go on after a broken promise, and draw which points break one. */
  readonly isWhole: boolean;
  readonly experiment?: string;
  readonly judged: Judged;
}

/** Runs `cairn crash`. */
export async function crashCommand(runner: Runner, request: CrashRequest): Promise<ExitCode> {
  const { book, out } = runner;
  const chapter = findChapter(book, request.chapter);
  const { judged } = request;
  if (judged === "mine" && !isStarted(book, chapter)) {
    throw new UsageError(
      `${notStarted(book, chapter)}\n` +
        `npx cairn crash ${chapter.number} --on reference runs the lab on the reference.`,
    );
  }
  const work = workOf(request);
  const isExperiment = work.kind === "experiment";
  const start = performance.now();
  const progress = readProgress(book);
  const child = startChild(book, mineFor(book, progress, { chapter, judged }));
  const lab = new LabScreen(runner, request.isWhole);
  const { end, printed } = await child.ask(
    { ...requestFor(chapter, judged), work },
    {
      silentMsMax: isExperiment ? EXPERIMENT_SILENT_MS_MAX : SILENT_MS_MAX,
      onEvent: (event) => lab.take(event),
    },
  );
  for (const line of printed) out.say(`  | ${line}`);
  if (end.how !== "answered") {
    const how = end.how === "stuck" ? `did not come back within ${end.ms / 1000} s` : "ended early";
    out.say(out.style.paint("bad", `✗ The lab ${how}, after point ${lab.points - 1}.`));
    return 1;
  }
  return conclude(runner, { chapter, lab, isExperiment, ms: performance.now() - start });
}

function workOf({ seed, point, isWhole, experiment }: CrashRequest): ChildWork {
  if (experiment !== undefined) return { kind: "experiment", name: experiment };
  return {
    kind: "crash",
    ...(seed === undefined ? {} : { seed }),
    ...(point === undefined ? {} : { point }),
    isWhole,
  };
}

/** Prints events as they come. */
class LabScreen {
  points = 0;
  runs = 0;
  pointsPlanned = 0;
  failures: Failure[] = [];
  /** The history itself, or the experiment, went wrong: no power was cut. */
  early: Failure | undefined;
  isBroken = false;
  readonly #runner: Runner;
  readonly #isWhole: boolean;
  #marks = "";

  constructor(runner: Runner, isWhole: boolean) {
    this.#runner = runner;
    this.#isWhole = isWhole;
  }

  take(event: ChildEvent): void {
    const { out } = this.#runner;
    if (event.type === "cairn-say") {
      for (const line of wrap(event.line, WIDTH)) out.say(line);
    } else if (event.type === "cairn-crash-plan") {
      this.pointsPlanned = event.points;
      for (const line of wrap(event.about, WIDTH)) out.say(line);
      const seeds = counted(event.seedsPerPoint, "seed");
      out.say(`${counted(event.points, "point")} at which the power can be cut, ${seeds} at each.`);
    } else if (event.type === "cairn-crash-point") {
      this.#takePoint(event);
    } else if (event.type === "cairn-lab-failed") {
      this.early = event.failure;
    } else if (event.type === "cairn-not-loaded") {
      this.isBroken = true;
      for (const line of renderProblem(out.style, event.problem)) out.say(line);
    } else if (event.type === "cairn-unknown") {
      throw new UsageError(event.text);
    } else if (event.type === "cairn-crashed" || event.type === "cairn-unsettled") {
      this.isBroken = true;
      const text = event.type === "cairn-crashed" ? event.text : "A promise never settled.";
      out.say(out.style.paint("bad", `✗ ${text.split("\n")[0]}`));
    }
  }

  /** Draws what is left of the picture. */
  flush(): void {
    if (this.#marks === "") return;
    const first = this.points - this.#marks.length;
    this.#runner.out.say(`  ${String(first).padStart(4)}  ${this.#marks}`);
    this.#marks = "";
  }

  #takePoint({ runs, failure }: Extract<ChildEvent, { type: "cairn-crash-point" }>): void {
    this.points += 1;
    this.runs += runs;
    if (failure !== null) this.failures.push(failure);
    if (!this.#isWhole) return;
    this.#marks += failure === null ? "." : "X";
    if (this.#marks.length === MARKS_PER_LINE) this.flush();
  }
}

function conclude(
  runner: Runner,
  result: {
    readonly chapter: BookChapter;
    readonly lab: LabScreen;
    readonly isExperiment: boolean;
    readonly ms: number;
  },
): ExitCode {
  const { book, out } = runner;
  const { lab, isExperiment } = result;
  const ms = `${Math.round(result.ms)} ms`;
  if (lab.pointsPlanned > 0) lab.flush();
  if (lab.isBroken) return 1;
  const failure = lab.failures[0];
  if (lab.early !== undefined || failure?.isWaiting === true) {
    sayEarly(runner, { ...result, failure: lab.early ?? failure });
    return 1;
  }
  if (isExperiment) return 0;
  if (failure === undefined && lab.runs === 0) {
    throw new UsageError(`There is no such point: there are 0 to ${lab.pointsPlanned - 1}.`);
  }
  out.say();
  if (failure === undefined) {
    out.say(
      out.style.paint("good", `✓ ${counted(lab.runs, "power cut")}, no promise broken (${ms}).`),
    );
    return 0;
  }
  for (const line of paintFailure(out.style, failure)) out.say(line);
  out.say();
  const points = `${lab.failures.length} of ${counted(lab.points, "point")}`;
  out.say(out.style.paint("bad", `A promise was broken at ${points} tried (${ms}).`));
  updateProgress(book, (before) => ({ ...before, ...keepFailure(failure) }));
  return 1;
}

/** Why the lab could not judge anything: a part that waits, or a history that fails by itself. */
function sayEarly(
  { book, out }: Runner,
  at: {
    readonly chapter: BookChapter;
    readonly failure: Failure | undefined;
    readonly isExperiment: boolean;
  },
): void {
  const { chapter, failure, isExperiment } = at;
  if (failure === undefined) return;
  const what = isExperiment ? "experiment" : "lab";
  out.say();
  if (!failure.isWaiting) {
    for (const line of paintFailure(out.style, failure)) out.say(line);
    out.say();
    out.say(
      out.style.paint("bad", `The ${what} ended before any power cut: no promise was tried.`),
    );
    out.say(`Which step it is: npx cairn test ${chapter.number}`);
    updateProgress(book, (before) => ({ ...before, ...keepFailure(failure) }));
    return;
  }
  const step = chapter.steps.find(({ id }) => id === failure.waitsFor);
  const name = step === undefined ? (failure.waitsFor ?? "") : `${step.id}  ${step.title}`;
  out.say(out.style.paint("waiting", `○ The ${what} waits for a step: ${name}`));
  for (const line of wrap(failure.lesson.happened, WIDTH - 2)) out.say(`  ${line}`);
  out.say("  Nothing was judged, and nothing is broken.");
  out.say(`  Next: npx cairn test ${failure.waitsFor ?? chapter.number}`);
}

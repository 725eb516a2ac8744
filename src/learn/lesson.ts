/**
 * Failures that teach: how a check fails, and how a check is run.
 *
 * Invariant: whatever the code under test does, `runCheck` answers with a lesson; only a fault of
 * the check itself is thrown on.
 */
import { errorText, InvariantError, isCairnError, type NotWrittenError } from "#base";
import { placeInReadersCode } from "./load-problem.ts";
import { renderFailure } from "./render-failure.ts";
import type { Chapter, Check, Failure, Lesson } from "./types.ts";

/** What a check throws. The message is the whole lesson, as a reader sees it. */
export class LessonFailure extends Error {
  override readonly name = "LessonFailure";
  readonly lesson: Lesson;

  constructor(lesson: Lesson, options?: { readonly cause?: unknown }) {
    super(lesson.happened, options);
    this.lesson = lesson;
  }
}

/** Fails the check that is running. @throws LessonFailure always. */
export function fail(lesson: Lesson, cause?: unknown): never {
  throw new LessonFailure(lesson, cause === undefined ? undefined : { cause });
}

/** Fails the check unless `holds`. The lesson is made only then. */
export function expectThat(holds: boolean, lesson: () => Lesson): asserts holds {
  if (!holds) fail(lesson());
}

/** Runs one check on a subject. @returns null if its sentence holds. */
export async function runCheck<Subject>(
  chapter: Chapter<Subject>,
  at: { readonly step: string; readonly check: Check<Subject>; readonly seed: number },
  subject: Subject,
): Promise<Failure | null> {
  try {
    await at.check.run(subject, { seed: at.seed });
    return null;
  } catch (error) {
    return failureOf(chapter, at, error);
  }
}

/** A failed check as an error for a test runner: its message is the rendered failure. */
export function failureError(failure: Failure): Error {
  const error = new Error(`\n${renderFailure(failure)}`);
  error.name = "LessonFailure";
  // The frames are the runner's own: they would only hide the lesson.
  error.stack = `${error.name}: ${error.message}`;
  return error;
}

function failureOf<Subject>(
  chapter: Chapter<Subject>,
  at: { readonly step: string; readonly check: Check<Subject>; readonly seed: number },
  error: unknown,
): Failure {
  const lesson = error instanceof LessonFailure ? error.lesson : lessonOf(error);
  const rule = lesson.rule ?? at.check.rule;
  const waiting = waitingPart(error);
  const place = error instanceof LessonFailure ? placeIn(error.cause) : placeIn(error);
  return {
    step: at.step,
    check: at.check.name,
    kind: at.check.kind,
    rule,
    ruleText: chapter.rules[rule] ?? "",
    lesson,
    seed: at.seed,
    isWaiting: waiting !== undefined,
    ...(waiting === undefined ? {} : { waitsFor: waiting.step }),
    ...(place === undefined ? {} : { place }),
  };
}

/** The part that is not written, if that is why something was thrown, however deep. */
function waitingPart(error: unknown): NotWrittenError | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    // By name: the reader's module may have been loaded beside ours.
    if (cause.name === "NotWrittenError") return cause as NotWrittenError;
  }
  return undefined;
}

function lessonOf(error: unknown): Lesson {
  const waiting = waitingPart(error);
  if (waiting !== undefined) {
    return {
      happened: `${waiting.part} is not written yet: step ${waiting.step} is waiting for you.`,
      why: "Red is where every step begins. The check is right, and there is no code yet.",
    };
  }
  const kind = error instanceof Error ? error.name : typeof error;
  const code = isCairnError(error) ? ` with code ${error.code}` : "";
  const isOurs = error instanceof InvariantError;
  return {
    happened: `Your code threw ${kind}${code}: ${errorText(error)}`,
    why: isOurs
      ? "An assertion inside the code did not hold: it has noticed a mistake of its own."
      : "The check did not expect an error here. A caller would have lost the call, and whatever it held.",
  };
}

/** The topmost frame of a stack that lies in the reader's code. */
function placeIn(error: unknown): string | undefined {
  if (!(error instanceof Error) || error.stack === undefined) return undefined;
  return placeInReadersCode(error.stack);
}

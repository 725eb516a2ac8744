/**
 * The verdict on steps: what the child said, and what its silence means.
 *
 * Invariant: whatever becomes of the child, there is a verdict, and a red one has a lesson.
 */
import type { Ms } from "#base";
import type { Book, BookChapter } from "./book.ts";
import { isStarted } from "./book.ts";
import { SILENT_MS_MAX, startChild, type WaitingChild } from "./child.ts";
import type {
  ChildEvent,
  ChildRequest,
  Judged,
  LoadProblem,
  PlannedCheck,
} from "./child-protocol.ts";
import { modulesOfMine, type Progress } from "./progress.ts";
import type { CheckKind, Failure, Lesson } from "./types.ts";

/** Earlier steps are tried again for this long: from save to verdict there are two seconds. */
const EARLIER_MS_MAX: Ms = 700;

/** One check and how it went. */
export interface CheckVerdict {
  readonly step: string;
  readonly check: string;
  readonly isEarlier: boolean;
  readonly failure: Failure | null;
  readonly ms: Ms;
}

/** What came out. */
export interface Verdict {
  readonly checks: readonly CheckVerdict[];
  /** What was asked for and did not run, because a check before it never came back. */
  readonly notRun: readonly PlannedCheck[];
  /** The module could not be loaded: there are no checks. */
  readonly problem?: LoadProblem;
  /** Checks of earlier steps for which there was no time. */
  readonly earlierLeft: number;
  /** What the reader's code printed. */
  readonly printed: readonly string[];
  /** From the start of the process, or from the request to one that waited, to its end. */
  readonly ms: Ms;
}

/** What to judge. */
export interface Question {
  readonly chapter: BookChapter;
  readonly steps: readonly string[];
  readonly earlier?: readonly string[];
  readonly seed: number;
  readonly judged: Judged;
  /** All earlier checks, however long they take. */
  readonly isPatient?: boolean;
  /** A child that waits already, with the right modules. */
  readonly child?: WaitingChild;
  readonly silentMsMax?: Ms;
}

/** The modules that are the reader's in a process that judges a chapter. */
export function mineFor(
  book: Book,
  progress: Progress,
  { chapter, judged }: { readonly chapter: BookChapter; readonly judged: Judged },
): string[] {
  const others = modulesOfMine(book, progress).filter((module) => module !== chapter.module);
  if (judged === "mine") return isStarted(book, chapter) ? [...others, chapter.module] : others;
  // The workbook's own tests: nothing of the reader's takes part.
  return [];
}

/** The request for a chapter, without the work. */
export function requestFor(
  chapter: BookChapter,
  judged: Judged,
): Pick<ChildRequest, "chapter" | "module" | "judged" | "parts"> {
  const parts = chapter.steps.flatMap(({ id, parts: names }) =>
    names.map((name) => ({ step: id, name })),
  );
  return { chapter: chapter.name, module: chapter.module, judged, parts };
}

/** Runs checks in a child and says how they went. */
export async function judgeSteps(
  book: Book,
  progress: Progress,
  question: Question,
): Promise<Verdict> {
  const start = performance.now();
  const { chapter, judged } = question;
  const child = question.child ?? startChild(book, mineFor(book, progress, { chapter, judged }));
  const heard = new Heard();
  const { end, printed } = await child.ask(
    {
      ...requestFor(chapter, judged),
      work: {
        kind: "steps",
        steps: question.steps,
        seed: question.seed,
        earlier: question.earlier ?? [],
        earlierMsMax: question.isPatient === true ? Number.POSITIVE_INFINITY : EARLIER_MS_MAX,
      },
    },
    {
      silentMsMax: question.silentMsMax ?? SILENT_MS_MAX,
      onEvent: (event) => heard.take(event),
    },
  );
  const silence = lessonOfEnd(end, heard, printed);
  const interrupted = silence === null ? [] : [heard.interrupted(silence, question)];
  const checks = [...heard.checks, ...interrupted];
  return {
    checks,
    notRun: heard.planned.filter((one) => !checks.some((ran) => isSame(ran, one))),
    ...(heard.problem === undefined ? {} : { problem: heard.problem }),
    earlierLeft: heard.earlierLeft,
    printed: silence === null ? printed : [],
    ms: performance.now() - start,
  };
}

type Started = Extract<ChildEvent, { type: "cairn-check" }>;

function isSame(ran: CheckVerdict, { step, check }: PlannedCheck): boolean {
  return !ran.isEarlier && ran.step === step && ran.check === check;
}

/** What a child has said so far. */
class Heard {
  readonly checks: CheckVerdict[] = [];
  planned: readonly PlannedCheck[] = [];
  problem: LoadProblem | undefined;
  earlierLeft = 0;
  isUnsettled = false;
  crash: { readonly text: string; readonly place?: string } | undefined;
  #running: Started | undefined;

  take(event: ChildEvent): void {
    if (event.type === "cairn-plan") this.planned = event.checks;
    if (event.type === "cairn-check") this.#running = event;
    if (event.type === "cairn-not-loaded") this.problem = event.problem;
    if (event.type === "cairn-earlier-left") this.earlierLeft = event.checks;
    if (event.type === "cairn-unsettled") this.isUnsettled = true;
    if (event.type === "cairn-crashed") this.crash = event;
    if (event.type === "cairn-verdict") {
      const { step, check, isEarlier, failure, ms } = event;
      this.checks.push({ step, check, isEarlier, failure, ms });
      this.#running = undefined;
    }
  }

  /** The verdict on the check that never gave one. */
  interrupted(lesson: Lesson, question: Question): CheckVerdict {
    const running = this.#running;
    const step = running?.step ?? question.steps[0] ?? "";
    const check = running?.check ?? "your module is loaded";
    const kind: CheckKind = running?.kind ?? "unit";
    const place = this.crash?.place;
    const failure: Failure = {
      step,
      check,
      kind,
      rule: running?.rule ?? "",
      ruleText: running?.ruleText ?? "",
      lesson,
      seed: question.seed,
      isWaiting: false,
      ...(place === undefined ? {} : { place }),
    };
    return { step, check, isEarlier: running?.isEarlier ?? false, failure, ms: 0 };
  }
}

type End = Awaited<ReturnType<WaitingChild["ask"]>>["end"];

/** The lesson in how a child ended; null if it ended as it should. */
function lessonOfEnd(end: End, heard: Heard, printed: readonly string[]): Lesson | null {
  if (end.how === "stuck") {
    return {
      happened:
        `Your code had not come back from this check after ${end.ms / 1000} seconds, so it was ` +
        "stopped.",
      why:
        "A loop that does not move forward holds up everything: in a database, that is a node " +
        "that answers nobody. Look at what each turn of a loop changes: an offset that grows by " +
        "0, a length that is never used up.",
    };
  }
  if (heard.isUnsettled) {
    return {
      happened:
        "Your code gave back a promise that can never settle: nothing is left that could resolve " +
        "or reject it.",
      why: "Whoever awaits it waits for ever. Tell each waiter, also when something failed.",
    };
  }
  if (heard.crash !== undefined) {
    return {
      happened: `An error escaped that nobody could catch: ${heard.crash.text.split("\n")[0]}`,
      why:
        "It ends the whole process. It is thrown in a callback, or it rejects a promise that " +
        "nobody awaits: hand it to whoever waits for the result.",
    };
  }
  if (end.how === "answered") return null;
  const how = end.signal === null ? `exit code ${end.code}` : `signal ${end.signal}`;
  const last = printed.at(-1);
  return {
    happened: `The process ended in the middle of this check, with ${how}.`,
    why: "Code of a module must not end its process: others live in it.",
    ...(last === undefined ? {} : { timeline: printed.slice(-LAST_LINES) }),
  };
}

/** Enough to see the end of a stack. */
const LAST_LINES = 6;

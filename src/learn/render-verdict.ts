/**
 * A verdict as a reader sees it: one line for each check, the first lesson in full, what is next.
 *
 * Invariant: there is at most one lesson on the screen. A reader mends one thing at a time.
 */
import type { BookChapter } from "./book.ts";
import type { LoadProblem, PlannedCheck } from "./child-protocol.ts";
import { renderFailure, wrap } from "./render-failure.ts";
import type { Style } from "./style.ts";
import type { Failure } from "./types.ts";
import type { CheckVerdict, Verdict } from "./verdict.ts";

/** As wide as the labels of a failure. */
const LABEL_CHARACTERS = 17;
const TEXT_CHARACTERS = 79;
const PRINTED_LINES_MAX = 20;

/** A failure in colours. */
export function paintFailure(style: Style, failure: Failure): string[] {
  const [title = "", ...lines] = renderFailure(failure).split("\n");
  const tone = failure.isWaiting ? "waiting" : "bad";
  return [style.paint(tone, title), ...lines.map((line) => paintLabel(style, line))];
}

/** Why nothing could run. */
export function renderProblem(style: Style, problem: LoadProblem): string[] {
  const lines = [style.paint("bad", "✗ Your module cannot be loaded")];
  const add = (label: string, text: string): void => {
    for (const [index, line] of wrap(text, TEXT_CHARACTERS).entries()) {
      const head = `  ${(index === 0 ? label : "").padEnd(LABEL_CHARACTERS - 2)}`;
      lines.push(paintLabel(style, `${head} ${line}`));
    }
  };
  add("What happened", problem.happened);
  if (problem.place !== undefined) add("Where", problem.place);
  add("Why it matters", problem.why);
  return lines;
}

/** One line for each check of a step; those that did not run stand last, as they would have run. */
export function renderChecks(
  style: Style,
  checks: readonly CheckVerdict[],
  notRun: readonly PlannedCheck[],
): string[] {
  const ran = checks.map(({ check, failure }) => {
    if (failure === null) return `  ${style.paint("good", "✓")} ${check}`;
    if (failure.isWaiting) return `  ${style.paint("waiting", "○")} ${check}`;
    return `  ${style.paint("bad", "✗")} ${check}`;
  });
  const rest = notRun.map(({ check }) => `  ${style.paint("quiet", "·")} not run: ${check}`);
  return [...ran, ...rest];
}

/** `1 of 9 checks failed, 5 did not run` */
export function countFailed(failed: number, ran: number, notRun: number): string {
  const rest = notRun === 0 ? "" : `, ${notRun} did not run`;
  return `${failed} of ${counted(ran + notRun, "check")} failed${rest}`;
}

/** `01.3 Ack means durable`, and the reader's files. */
export function renderStepTitle(style: Style, chapter: BookChapter, id: string): string {
  const step = chapter.steps.find((one) => one.id === id);
  if (step === undefined) return id;
  const files = step.files.map((file) => `work/${chapter.module}/${file}`).join(", ");
  return `${style.paint("strong", `${id}  ${step.title}`)}   ${style.paint("quiet", files)}`;
}

/** What the reader's code printed while it was judged. */
export function renderPrinted(style: Style, verdict: Verdict): string[] {
  if (verdict.printed.length === 0) return [];
  const shown = verdict.printed.slice(0, PRINTED_LINES_MAX);
  const hidden = verdict.printed.length - shown.length;
  return [
    style.paint("quiet", "Your code printed:"),
    ...shown.map((line) => `  | ${line}`),
    ...(hidden > 0 ? [`  | … ${hidden} lines more`] : []),
  ];
}

/** `3 checks`, `1 check`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** The labels of a failure stand out, the texts beside them do not. */
function paintLabel(style: Style, line: string): string {
  const label = line.slice(0, LABEL_CHARACTERS);
  if (label.trim() === "" || !line.startsWith("  ")) return line;
  return style.paint("strong", label) + line.slice(LABEL_CHARACTERS);
}

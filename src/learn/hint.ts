/**
 * `cairn hint`: a question, then the idea, then a sketch; one more at each call.
 *
 * Invariant: a hint that was not asked for is not shown. They are counted for the reader alone.
 */
import { type BookStep, findStep } from "./book.ts";
import { join, readText } from "./files.ts";
import { readProgress, stepProgress, updateProgress, withStep } from "./progress.ts";
import type { ExitCode, Runner } from "./runner.ts";
import { renderMarkdown, sectionOf, sectionsOf } from "./sections.ts";
import { currentStep } from "./test-steps.ts";
import { UsageError } from "./usage-error.ts";

/** What the three levels are. */
const LEVELS: readonly string[] = ["a question", "the idea", "a sketch"];

/** What `cairn hint` was asked for. */
export interface HintRequest {
  /** `01.3`; undefined: the step that the reader is at. */
  readonly step?: string;
  /** One that was seen already; undefined: the next. */
  readonly level?: number;
}

/** Runs `cairn hint`. */
export function hintCommand(runner: Runner, request: HintRequest): ExitCode {
  const { book, out } = runner;
  const progress = readProgress(book);
  const at = findStep(book, request.step ?? currentStep(runner, progress));
  const { id, title } = at.step;
  const hints = hintsOf(runner, at);
  const seen = stepProgress(progress, id).hints;
  const level = request.level ?? Math.min(seen + 1, hints.length);
  if (level > seen + 1) {
    throw new UsageError(`Hint ${level} of ${id} comes after hint ${seen + 1}.`);
  }
  const text = hints[level - 1];
  if (text === undefined) throw new UsageError(`Step ${id} has ${hints.length} hints.`);
  const what = LEVELS[level - 1] ?? "";
  out.say(out.style.paint("strong", `${id}  ${title}: hint ${level} of ${hints.length}, ${what}`));
  out.say();
  for (const line of renderMarkdown(out.style, text)) out.say(line);
  out.say();
  out.say(
    level < hints.length
      ? `The next one, ${LEVELS[level] ?? ""}:  npx cairn hint ${id}`
      : `That was the last. An earlier one again:  npx cairn hint ${id} --level 1`,
  );
  if (level > seen) updateProgress(book, (before) => withStep(before, id, { hints: level }));
  return 0;
}

/** The hints of a step, in order. */
function hintsOf({ book }: Runner, { chapter, step }: BookStep): string[] {
  const page = readText(book.disk, join(book.root, "chapters", chapter.name, "hints.md"));
  const section = page === null ? undefined : sectionOf(page, step.id);
  const hints = section === undefined ? [] : sectionsOf(section.text, 3).map(({ text }) => text);
  if (hints.length === 0) throw new UsageError(`There are no hints for step ${step.id} yet.`);
  return hints;
}

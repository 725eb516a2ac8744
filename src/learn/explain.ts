/**
 * `cairn explain`: the last failure in full: every byte, the rule with its reasons, and where to
 * read on.
 */
import type { BookChapter } from "./book.ts";
import { join, readText } from "./files.ts";
import { keptFailure } from "./keep-failure.ts";
import { readProgress } from "./progress.ts";
import { renderBytes } from "./render-bytes.ts";
import { paintFailure } from "./render-verdict.ts";
import type { ExitCode, Runner } from "./runner.ts";
import { renderMarkdown, sectionOf } from "./sections.ts";
import type { CheckKind, Failure } from "./types.ts";

/** How each kind of check works. */
const KINDS: Readonly<Record<CheckKind, string>> = {
  unit: "an example: one small case, written out",
  model: "random operations, done by your code and by a naive model; both must answer the same",
  crash:
    "power cuts: the simulated disk loses and tears what was not synced, then your code recovers",
  fault: "a failing disk: errors, a full disk, flipped bits",
  property: "a property of many runs, such as a distribution",
  mistake: "a known mistake: made because ordinary tests let it live",
};

/** Runs `cairn explain`. */
export function explainCommand(runner: Runner): ExitCode {
  const { book, out } = runner;
  const kept = readProgress(book).lastFailure;
  if (kept === undefined) {
    out.say("Nothing has failed since the last green run. npx cairn test runs the step again.");
    return 0;
  }
  const failure = keptFailure(kept);
  for (const line of paintFailure(out.style, failure)) out.say(line);
  sayAllBytes(runner, failure);
  out.say();
  out.say(out.style.paint("strong", "How it was checked"));
  out.say(`  ${KINDS[failure.kind]}`);
  out.say(`  seed ${failure.seed}: the same seed brings the same run`);
  const chapter = chapterOf(runner, failure);
  if (chapter === undefined) return 0;
  sayRule(runner, chapter, failure.rule);
  const isStep = chapter.steps.some(({ id }) => id === failure.step);
  const where = isStep ? `"Step ${failure.step}"` : '"Crash lab"';
  out.say();
  out.say(`Read on: chapters/${chapter.name}/README.md, ${where}; contract.md beside it.`);
  return 0;
}

/** More than the few lines of a failure, if there are more. */
function sayAllBytes({ out }: Runner, { lesson: { bytes } }: Failure): void {
  if (bytes === undefined) return;
  const all = renderBytes(bytes, Number.POSITIVE_INFINITY);
  if (all.length === renderBytes(bytes).length) return;
  out.say();
  out.say(out.style.paint("strong", "All bytes"));
  for (const line of all) out.say(`  ${line}`);
}

function sayRule({ book, out }: Runner, chapter: BookChapter, rule: string): void {
  const page = readText(book.disk, join(book.root, "chapters", chapter.name, "contract.md"));
  const section = rule === "" || page === null ? undefined : sectionOf(page, rule);
  if (section === undefined) return;
  out.say();
  out.say(out.style.paint("strong", `Rule ${section.heading}`));
  out.say();
  for (const line of renderMarkdown(out.style, section.text)) {
    out.say(line === "" ? "" : `  ${line}`);
  }
}

function chapterOf({ book }: Runner, { step }: Failure): BookChapter | undefined {
  // A step is `01.3`, a crash lab `crash 01`.
  const number = /\d\d/.exec(step)?.[0];
  return book.chapters.find((chapter) => chapter.number === number);
}

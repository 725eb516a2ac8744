/**
 * `cairn solution` and `cairn diff`: how the chapter's solution does it, once the step has passed.
 *
 * Invariant: nobody sees a solution by accident: the step has passed, or its name was typed.
 */
import { spawnSync } from "node:child_process";
import { type BookStep, findStep } from "./book.ts";
import { codePart } from "./code-parts.ts";
import { join, readText } from "./files.ts";
import { isGreen, readProgress, stepProgress, updateProgress, withStep } from "./progress.ts";
import type { ExitCode, Runner } from "./runner.ts";
import { renderMarkdown, sectionOf } from "./sections.ts";
import { UsageError } from "./usage-error.ts";

/** What `cairn solution` was asked for. */
export interface SolutionRequest {
  readonly step: string;
  /** The step's name, typed by who gives it up. */
  readonly givesUp?: string;
}

/** Runs `cairn solution`. */
export async function solutionCommand(runner: Runner, request: SolutionRequest): Promise<ExitCode> {
  const { book, out } = runner;
  const at = findStep(book, request.step);
  const { id, title } = at.step;
  if (!(await mayBeShown(runner, at, request.givesUp))) return 1;
  const folder = `chapters/${at.chapter.name}/solution`;
  out.say(out.style.paint("strong", `${id}  ${title}: one solution`));
  for (const line of partsOf(runner, at, folder)) out.say(line);
  const page = readText(book.disk, join(book.root, "chapters", at.chapter.name, "notes.md"));
  const notes = page === null ? undefined : sectionOf(page, id);
  if (notes !== undefined) {
    out.say();
    for (const line of renderMarkdown(out.style, notes.text)) out.say(line);
  }
  out.say();
  out.say(`Whole files: ${folder}. The code that the database runs on: src/${at.chapter.module}.`);
  return 0;
}

/** Runs `cairn diff`. */
export function diffCommand(runner: Runner, asked: string): ExitCode {
  const { book, out } = runner;
  const at = findStep(book, asked);
  const { chapter, step } = at;
  if (!isOpen(runner, step.id)) {
    out.say(`Step ${step.id} has not passed yet. A diff would tell you the solution.`);
    out.say(`npx cairn hint ${step.id}   npx cairn solution ${step.id} --give-up ${step.id}`);
    return 1;
  }
  const isColored = out.style.paint("good", "x") !== "x";
  let files = 0;
  for (const file of step.files) {
    const mine = `work/${chapter.module}/${file}`;
    const theirs = `chapters/${chapter.name}/solution/${file}`;
    if (![mine, theirs].every((path) => book.disk.exists(join(book.root, path)))) continue;
    files += 1;
    out.say(out.style.paint("strong", `yours: ${mine}   solution: ${theirs}`));
    const text = gitDiff(book.root, [mine, theirs], isColored);
    out.say(text === "" ? "  no difference" : text);
  }
  if (files === 0) {
    throw new UsageError(`The solution of ${step.id} has other files than yours: see it whole.`);
  }
  return 0;
}

/** Has a step passed once, or been given up? */
function isOpen({ book }: Runner, id: string): boolean {
  const progress = readProgress(book);
  const { passedAt, isGivenUp } = stepProgress(progress, id);
  return isGreen(progress, id) || passedAt !== undefined || isGivenUp === true;
}

async function mayBeShown(
  runner: Runner,
  { step: { id } }: BookStep,
  givesUp: string | undefined,
): Promise<boolean> {
  const { book, out, ask } = runner;
  if (isOpen(runner, id)) return true;
  let typed = givesUp;
  if (typed === undefined) {
    out.say(`Step ${id} has not passed yet. npx cairn hint ${id} has three hints.`);
    if (ask === null) {
      out.say(`To see the solution all the same: npx cairn solution ${id} --give-up ${id}`);
      return false;
    }
    typed = await ask(`Type ${id} to see the solution all the same: `);
  }
  if (typed.trim() !== id) {
    out.say(`That was not "${id}". The solution stays closed.`);
    return false;
  }
  updateProgress(book, (before) => withStep(before, id, { isGivenUp: true }));
  return true;
}

/** The parts of a step out of the solution; whole files where a part is not found. */
function partsOf({ book, out: { style } }: Runner, { step }: BookStep, folder: string): string[] {
  const lines: string[] = [];
  const show = (title: string, text: string): void => {
    lines.push("", style.paint("quiet", title), ...text.split("\n").map((line) => `  ${line}`));
  };
  const texts = step.files.flatMap((file) => {
    const text = readText(book.disk, join(book.root, folder, file));
    return text === null ? [] : [{ file: `${folder}/${file}`, text: text.trimEnd() }];
  });
  const shown = new Set<string>();
  for (const name of step.parts) {
    // `Towers.find` is looked for where there are towers first.
    const owner = name.includes(".") ? (name.split(".")[0] ?? "") : "";
    const isOwners = ({ text }: { text: string }): boolean => codePart(text, owner) !== undefined;
    const ordered = [...texts.filter(isOwners), ...texts.filter((one) => !isOwners(one))];
    for (const { file, text } of ordered) {
      const part = codePart(text, name);
      if (part === undefined) continue;
      shown.add(file);
      show(`${file}:${part.line}`, part.text);
      break;
    }
  }
  for (const { file, text } of texts) if (!shown.has(file)) show(file, text);
  return lines;
}

function gitDiff(root: string, paths: readonly string[], isColored: boolean): string {
  const color = isColored ? "--color=always" : "--color=never";
  const flags = ["diff", "--no-index", "--no-ext-diff", color, "--", ...paths];
  const git = spawnSync("git", flags, { cwd: root, encoding: "utf8", windowsHide: true });
  if (git.error !== undefined) {
    throw new UsageError("cairn diff needs git, which is not found. Compare the two files by eye.");
  }
  // Without the four lines that name the files again.
  return git.stdout.replace(/^(?:(?!.*@@).*\n)+/, "").trimEnd();
}

/**
 * The workbook's own test as a table: each step of each chapter, tried four ways.
 *
 * Started by `cairn teach check`. Exit code 0 only if every starter is red, every reference and
 * every solution is green, and every planted mistake is caught by its check.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Chapter, ChapterPage, Failure } from "#learn";
import {
  complaint,
  failuresOf,
  loadSolution,
  loadStarter,
  type StepMistake,
  tryMistake,
} from "./four-way.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const WRONG_USAGE = 2;
const COLUMN = 11;

interface Totals {
  steps: number;
  checks: number;
  mistakes: number;
  caught: number;
  complaints: string[];
}

const say = (line = ""): void => void process.stdout.write(`${line}\n`);

/** Chapters with steps, by the names that were asked for. */
function pagesOf(asked: readonly string[]): ChapterPage[] {
  const names = readdirSync(join(ROOT, "chapters"))
    .filter((name) => existsSync(join(ROOT, "chapters", name, "steps.json")))
    .sort();
  const chosen = asked.length === 0 ? names : names.filter((name) => matches(name, asked));
  return chosen.map((name) => {
    const text = readFileSync(join(ROOT, "chapters", name, "steps.json"), "utf8");
    return JSON.parse(text) as ChapterPage;
  });
}

function matches(name: string, asked: readonly string[]): boolean {
  const [number = "", module = ""] = name.split("-");
  return asked.some((one) => [name, number, module].includes(one));
}

/** A failure that an unwritten starter has no reason for. */
function isStrange({ isWaiting, lesson }: Failure): boolean {
  return !isWaiting && lesson.happened.startsWith("Your code threw");
}

async function tryChapter(page: ChapterPage, totals: Totals): Promise<void> {
  const steps = join(ROOT, "test", page.module, "steps");
  const { chapter } = (await import(join(steps, "index.ts"))) as { chapter: Chapter };
  const { mistakes } = (await import(join(steps, "mistakes.ts"))) as {
    mistakes: readonly StepMistake[];
  };
  const reference = (await import(`#${page.module}`)) as object;
  const starter = await loadStarter(chapter);
  const solution = await loadSolution(chapter);
  say(`${page.name}  ${page.title}`);
  say(["  step", "checks", "starter", "reference", "solution", "mistakes"].map(cell).join(""));
  for (const { id, checks } of chapter.steps) {
    const note = (text: string): void => void totals.complaints.push(`${id}: ${text}`);
    const red = await failuresOf(chapter, id, starter);
    const isRed = red.length > 0 && !red.some(isStrange);
    if (!isRed) note("the starter does not fail with the step's own message");
    const isReferenceGreen = (await failuresOf(chapter, id, reference)).length === 0;
    if (!isReferenceGreen) note("the reference fails");
    const isSolutionGreen = (await failuresOf(chapter, id, solution)).length === 0;
    if (!isSolutionGreen) note("the solution fails");
    const own = mistakes.filter(({ step }) => step === id);
    if (own.length === 0) note("no mistake is planted");
    let caught = 0;
    for (const mistake of own) {
      const wrong = complaint(await tryMistake({ chapter, reference, mistakes }, mistake));
      if (wrong === null) caught += 1;
      else note(`"${mistake.name}": ${wrong}`);
    }
    totals.steps += 1;
    totals.checks += checks.length;
    totals.mistakes += own.length;
    totals.caught += caught;
    say(
      [
        `  ${id}`,
        String(checks.length),
        isRed ? "red" : "NOT RED",
        isReferenceGreen ? "passes" : "FAILS",
        isSolutionGreen ? "passes" : "FAILS",
        `${caught} of ${own.length} caught`,
      ]
        .map(cell)
        .join("")
        .trimEnd(),
    );
  }
  say();
}

function cell(text: string): string {
  return text.padEnd(COLUMN);
}

const asked = process.argv.slice(2);
const pages = pagesOf(asked);
if (pages.length === 0) {
  say(`There is no chapter with steps: ${asked.join(", ")}`);
  process.exit(WRONG_USAGE);
}
const totals: Totals = { steps: 0, checks: 0, mistakes: 0, caught: 0, complaints: [] };
for (const page of pages) await tryChapter(page, totals);
say(
  `${pages.length} chapters, ${totals.steps} steps, ${totals.checks} checks; ` +
    `${totals.mistakes} planted mistakes, ${totals.caught} caught.`,
);
for (const line of totals.complaints) say(`✗ ${line}`);
process.exitCode = totals.complaints.length === 0 ? 0 : 1;

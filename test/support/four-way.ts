/**
 * The workbook's own test, of one chapter: each step is tried four ways.
 *
 * The starter must fail, with the step's own message. The reference must pass. Each planted mistake
 * must be caught by the check that is named for it, under the rule that it breaks. Another correct
 * design, the chapter's solution, must pass. No test runner in here: a table is printed from it.
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Chapter, type Check, type Failure, runCheck } from "#learn";
import { type Patch, plantIn } from "./plant.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const SEED = 1;

/** A mistake that a reader might make, planted in a copy of the chapter's solution. */
export interface StepMistake {
  /** What is done wrong, in a few words: `checksum over the payload only`. */
  readonly name: string;
  readonly step: string;
  /** The name of the check that must catch it. */
  readonly caughtBy: string;
  /** The rule that it breaks, and that the failure must name. */
  readonly rule: string;
  readonly patches: readonly Patch[];
  /** The trap of `bugs/` that it is, such as `T1`. */
  readonly trap?: string;
  /** True where the mistake shows as an error that the code throws. Default false. */
  readonly isThrown?: boolean;
}

/** A chapter and what is needed to try it. */
export interface FourWay<Subject> {
  readonly chapter: Chapter<Subject>;
  /** The module's door as it is loaded: the reference. */
  readonly reference: object;
  readonly mistakes: readonly StepMistake[];
}

/** How one mistake fared. */
export interface CaughtMistake {
  readonly mistake: StepMistake;
  /** Null: it went unnoticed. */
  readonly failure: Failure | null;
}

/** Every check of a step on one subject; only failures come back. */
export async function failuresOf<Subject>(
  chapter: Chapter<Subject>,
  stepId: string,
  module: object,
): Promise<Failure[]> {
  const step = chapter.steps.find(({ id }) => id === stepId);
  if (step === undefined) throw new Error(`${chapter.name} has no step ${stepId}`);
  const failures: Failure[] = [];
  for (const check of step.checks) {
    const at = { step: step.id, check, seed: SEED };
    const failure = await runCheck(chapter, at, chapter.subjectOf(module));
    if (failure !== null) failures.push(failure);
  }
  return failures;
}

/** The module that readers start from. */
export async function loadStarter(chapter: { readonly name: string }): Promise<object> {
  return load(`chapters/${chapter.name}/starter/index.ts`);
}

/** The chapter's solution: a small module of another design than the reference. */
export async function loadSolution(chapter: { readonly name: string }): Promise<object> {
  return load(`chapters/${chapter.name}/solution/index.ts`);
}

/** Plants one mistake in the solution and runs the check that must catch it. */
export async function tryMistake<Subject>(
  { chapter }: FourWay<Subject>,
  mistake: StepMistake,
): Promise<CaughtMistake> {
  const check = checkOf(chapter, mistake);
  const module = await plantIn<object>(`chapters/${chapter.name}/solution`, mistake.patches);
  const at = { step: mistake.step, check, seed: SEED };
  return { mistake, failure: await runCheck(chapter, at, chapter.subjectOf(module)) };
}

/** What is wrong with how a mistake was caught; null if nothing is. */
export function complaint({ mistake, failure }: CaughtMistake): string | null {
  if (failure === null) return "it went unnoticed";
  if (failure.rule !== mistake.rule) return `the failure names ${failure.rule}`;
  const isThrown = failure.lesson.happened.startsWith("Your code threw");
  if (isThrown && mistake.isThrown !== true) return `no lesson: ${failure.lesson.happened}`;
  return null;
}

function checkOf<Subject>(chapter: Chapter<Subject>, mistake: StepMistake): Check<Subject> {
  const step = chapter.steps.find(({ id }) => id === mistake.step);
  const check = step?.checks.find(({ name }) => name === mistake.caughtBy);
  if (check === undefined) {
    throw new Error(`${mistake.name}: no check ${mistake.step} "${mistake.caughtBy}"`);
  }
  return check;
}

async function load(path: string): Promise<object> {
  return (await import(/* @vite-ignore */ join(ROOT, path))) as object;
}

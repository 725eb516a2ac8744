/**
 * What the runner remembers: `work/.cairn/progress.json`, plain JSON that never leaves the machine.
 *
 * Invariant: the file is replaced whole or not at all, and a damaged one is never written over: it
 * is the reader's, and `cairn status --repair` puts it aside first.
 */
import { replaceFile } from "#bytes/reference";
import { type Book, isStarted } from "./book.ts";
import { join, readText } from "./files.ts";
import type { Failure } from "./types.ts";
import { UsageError } from "./usage-error.ts";

/** Raised when an older runner could not read the file. */
export const PROGRESS_VERSION = 1;

/** Whose code stands in for a module. */
export type Whose = "mine" | "reference";

/** What is known of one step. */
export interface StepProgress {
  /** Times its checks were run. */
  readonly attempts: number;
  /** Hints seen, 0 to 3. */
  readonly hints: number;
  /** When it passed first, as ISO 8601; undefined if it never did. */
  readonly passedAt?: string;
  /** False if it has failed again since. */
  readonly isGreen?: boolean;
  /** The solution was shown before the step had passed. */
  readonly isGivenUp?: boolean;
}

/** A failure as it is kept: bytes as hexadecimal digits. */
export interface KeptFailure extends Omit<Failure, "lesson"> {
  readonly lesson: Omit<Failure["lesson"], "bytes"> & {
    readonly bytes?: {
      readonly title: string;
      readonly hex: string;
      readonly offset?: number;
      readonly fields?: readonly {
        readonly at: number;
        readonly bytes: number;
        readonly name: string;
      }[];
    };
  };
}

/** One answer to a question. */
export interface QuizAnswer {
  /** The option, `a` to `z`. */
  readonly answer: string;
  readonly isRight: boolean;
}

/** The whole file. */
export interface Progress {
  readonly version: number;
  /** The step that the reader is at. */
  readonly current?: string;
  readonly steps: Readonly<Record<string, StepProgress>>;
  /** What `cairn use` said. What is not named runs on the reference. */
  readonly modules: Readonly<Record<string, Whose>>;
  readonly quiz: Readonly<Record<string, QuizAnswer>>;
  readonly lastFailure?: KeptFailure;
}

/** Nothing done yet. */
export const NO_PROGRESS: Progress = {
  version: PROGRESS_VERSION,
  steps: {},
  modules: {},
  quiz: {},
};

const NOTHING_YET: StepProgress = { attempts: 0, hints: 0 };

/** Where the file is. */
export function progressPath(book: Book): string {
  return join(book.root, "work/.cairn/progress.json");
}

/** Reads the file. @throws UsageError if it is damaged, or of a newer runner. */
export function readProgress(book: Book): Progress {
  const text = readText(book.disk, progressPath(book));
  if (text === null) return NO_PROGRESS;
  const read = parseProgress(text);
  if (typeof read !== "string") return read;
  throw new UsageError(
    `work/.cairn/progress.json ${read}. Your code is not touched by that.\n` +
      "npx cairn status --repair puts the file aside and begins a new one from what is in work/.",
  );
}

/** The progress in a text, or what is wrong with it. */
export function parseProgress(text: string): Progress | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // A file that is no JSON is one kind of damage: it is said below.
    return "is damaged";
  }
  if (!isRecord(value) || typeof value["version"] !== "number") return "is damaged";
  if (value["version"] > PROGRESS_VERSION) return "was written by a newer cairn";
  const { steps, modules, quiz } = value;
  if (!isRecord(steps) || !Object.values(steps).every(isStep)) return "is damaged";
  if (!isRecord(modules) || !isRecord(quiz)) return "is damaged";
  return value as unknown as Progress;
}

/** Writes the file. */
export function writeProgress(book: Book, progress: Progress): void {
  const path = progressPath(book);
  book.disk.makeDir(join(book.root, "work/.cairn"));
  const text = `${JSON.stringify(progress, null, 2)}\n`;
  replaceFile(book.disk, path, new TextEncoder().encode(text));
}

/** Changes the file by a function of what it holds now. @returns what it holds then. */
export function updateProgress(book: Book, change: (progress: Progress) => Progress): Progress {
  const next = change(readProgress(book));
  writeProgress(book, next);
  return next;
}

/** What is known of a step. */
export function stepProgress(progress: Progress, id: string): StepProgress {
  return progress.steps[id] ?? NOTHING_YET;
}

/** Progress with one step changed. */
export function withStep(progress: Progress, id: string, change: Partial<StepProgress>): Progress {
  const step = { ...stepProgress(progress, id), ...change };
  return { ...progress, steps: { ...progress.steps, [id]: step } };
}

/** Has a step passed, and not failed since? */
export function isGreen(progress: Progress, id: string): boolean {
  const { passedAt, isGreen: green } = stepProgress(progress, id);
  return passedAt !== undefined && green !== false;
}

/** Modules that run on the reader's code where they are used: chosen, and there. */
export function modulesOfMine(book: Book, progress: Progress): string[] {
  return Object.entries(progress.modules)
    .filter(([module, whose]) => whose === "mine" && isStarted(book, { module }))
    .map(([module]) => module);
}

function isStep(value: unknown): boolean {
  return (
    isRecord(value) && typeof value["attempts"] === "number" && typeof value["hints"] === "number"
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

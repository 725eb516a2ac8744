/**
 * The chapters as the house tests see them: pages, steps, checks, figures.
 *
 * Invariant: what is missing is an empty list here and a failed test there, never an exception.
 */
import { join } from "node:path";
import type { Chapter, ChapterPage, QuizQuestion } from "#learn";
import type { StepMistake } from "../support/four-way.ts";
import { CHAPTERS, exists, filesUnder, root, textOf } from "./sources.ts";

/** Chapters that have steps. */
export const stepped: readonly string[] = CHAPTERS.filter((name) =>
  exists(`chapters/${name}/steps.json`),
);

/** `steps.json` of a chapter. */
export function pageOf(name: string): ChapterPage {
  return JSON.parse(textOf(`chapters/${name}/steps.json`)) as ChapterPage;
}

/** `quiz.json` of a chapter; empty if there is none. */
export function quizOf(name: string): QuizQuestion[] {
  const path = `chapters/${name}/quiz.json`;
  return exists(path) ? (JSON.parse(textOf(path)) as QuizQuestion[]) : [];
}

/** The judging half of a chapter. */
export async function judgingOf(name: string): Promise<{
  readonly chapter: Chapter;
  readonly mistakes: readonly StepMistake[];
  readonly figures: Readonly<Record<string, () => string>>;
}> {
  const folder = join(root, "test", name.slice(3), "steps");
  const load = async (file: string): Promise<object> => {
    const path = `test/${name.slice(3)}/steps/${file}`;
    return exists(path) ? ((await import(/* @vite-ignore */ join(folder, file))) as object) : {};
  };
  const { chapter } = (await load("index.ts")) as { chapter: Chapter };
  const { mistakes = [] } = (await load("mistakes.ts")) as { mistakes?: StepMistake[] };
  const { figures = {} } = (await load("figures.ts")) as {
    figures?: Record<string, () => string>;
  };
  return { chapter, mistakes, figures };
}

/** The Markdown pages of a chapter. */
export function pagesOf(name: string): string[] {
  return filesUnder(`chapters/${name}`, ".md");
}

/**
 * The book as the runner sees it: chapters that have steps, found by number or by word.
 *
 * Invariant: what a reader types is either found or answered with what there is.
 */

import { fileURLToPath } from "node:url";
import { createNodeDisk } from "#platform";
import type { Disk } from "#platform/types";
import { join, namesIn, readText } from "./files.ts";
import type { ChapterPage, StepPage } from "./types.ts";
import { UsageError } from "./usage-error.ts";

/** A chapter that has steps. */
export interface BookChapter extends ChapterPage {
  /** `01` */
  readonly number: string;
}

/** Where the runner works. */
export interface Book {
  /** The repository, without a slash at its end. */
  readonly root: string;
  readonly disk: Disk;
  /** In the order of their numbers. */
  readonly chapters: readonly BookChapter[];
}

/** A step and its chapter. */
export interface BookStep {
  readonly chapter: BookChapter;
  readonly step: StepPage;
}

/** The repository in which this file lies. */
export function ownRoot(): string {
  return fileURLToPath(new URL("../..", import.meta.url)).replace(/[/\\]$/, "");
}

/** Reads the book. @throws UsageError where there is none, as in an installed package. */
export function openBook(root: string = ownRoot(), disk: Disk = createNodeDisk()): Book {
  const names = namesIn(disk, join(root, "chapters")) ?? [];
  const chapters: BookChapter[] = [];
  for (const name of names.filter((one) => /^\d\d-[a-z]+$/.test(one))) {
    const text = readText(disk, join(root, "chapters", name, "steps.json"));
    if (text === null) continue;
    chapters.push({ ...(JSON.parse(text) as ChapterPage), number: name.slice(0, 2) });
  }
  if (chapters.length === 0 || !disk.exists(join(root, "test/support/step-main.ts"))) {
    throw new UsageError(
      "The workbook is not here. It needs a clone of the repository, with chapters and tests.\n" +
        "The database alone works from anywhere: cairn cluster.",
    );
  }
  return { root, disk, chapters };
}

/** The chapter called `01`, `1`, `wal` or `01-wal`. @throws UsageError if there is none. */
export function findChapter(book: Book, asked: string): BookChapter {
  const word = asked.trim().toLowerCase();
  const found = book.chapters.find(
    ({ number, name, module }) =>
      word === number || word === name || word === module || word.padStart(2, "0") === number,
  );
  if (found !== undefined) return found;
  const all = book.chapters.map(({ number, module }) => `${number} (${module})`).join(", ");
  throw new UsageError(`There is no chapter "${asked}" with steps. There is: ${all}.`);
}

/** The step called `01.3` or `1.3`. @throws UsageError if there is none. */
export function findStep(book: Book, asked: string): BookStep {
  const [number = "", index] = asked.trim().split(".");
  if (index === undefined || !/^\d+$/.test(number)) {
    throw new UsageError(`"${asked}" is no step. A step is written as its number: 01.3.`);
  }
  const chapter = findChapter(book, number);
  const id = `${chapter.number}.${Number(index)}`;
  const step = chapter.steps.find((one) => one.id === id);
  if (step !== undefined) return { chapter, step };
  const first = chapter.steps[0]?.id ?? "";
  const last = chapter.steps.at(-1)?.id ?? "";
  throw new UsageError(
    `There is no step ${id}. Chapter ${chapter.number} has ${first} to ${last}.`,
  );
}

/** Every step of the book, in order. */
export function allSteps(book: Book): BookStep[] {
  return book.chapters.flatMap((chapter) => chapter.steps.map((step) => ({ chapter, step })));
}

/** The folder of the reader's module. */
export function workFolder(book: Book, chapter: { readonly module: string }): string {
  return join(book.root, "work", chapter.module);
}

/** Is there a folder of the reader's without its door? */
export function isDoorLost(book: Book, chapter: { readonly module: string }): boolean {
  const names = namesIn(book.disk, workFolder(book, chapter)) ?? [];
  return names.length > 0 && !isStarted(book, chapter);
}

/** Why a chapter cannot be judged, and what helps. */
export function notStarted(book: Book, chapter: BookChapter): string {
  const folder = `work/${chapter.module}`;
  const start = `npx cairn start ${chapter.number}`;
  if (!isDoorLost(book, chapter)) {
    return `${folder} is not there yet. ${start} makes it: ${chapter.title}.`;
  }
  return (
    `${folder}/index.ts is missing: it is the door of your module, and exports its parts.\n` +
    `Call it so again, or let ${start} make a new one: your other files stay as they are.`
  );
}

/** Has the reader begun a chapter: is there a door in `work/<module>`? */
export function isStarted(book: Book, chapter: { readonly module: string }): boolean {
  return book.disk.exists(join(workFolder(book, chapter), "index.ts"));
}

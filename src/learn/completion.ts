/**
 * When a chapter is complete, and what a reader may do then.
 *
 * Invariant: what comes next is a chapter that has something left to do, or nothing.
 */
import type { Book, BookChapter } from "./book.ts";
import { isGreen, type Progress } from "./progress.ts";
import type { Style } from "./style.ts";

/** Has every step of a chapter passed, and none failed since? */
export function isComplete(chapter: BookChapter, progress: Progress): boolean {
  return chapter.steps.every(({ id }) => isGreen(progress, id));
}

/** The first chapter after this one that is not complete. */
export function nextChapter(
  book: Book,
  chapter: BookChapter,
  progress: Progress,
): BookChapter | undefined {
  const later = book.chapters.slice(book.chapters.indexOf(chapter) + 1);
  return later.find((one) => !isComplete(one, progress));
}

/** One line, for those who have read the others already. */
export function renderCompleteShort(book: Book, chapter: BookChapter, progress: Progress): string {
  const next = startOfNext(book, chapter, progress);
  const rest = next === undefined ? "" : ` Next: ${next}`;
  return `Chapter ${chapter.number} is complete.${rest}`;
}

/** What a complete chapter is good for. */
export function renderComplete(
  { book, style }: { readonly book: Book; readonly style: Style },
  chapter: BookChapter,
  progress: Progress,
): string[] {
  const { number, title, module } = chapter;
  const next = startOfNext(book, chapter, progress);
  return [
    style.paint("good", `Chapter ${number} is complete: ${title}.`),
    `Run what follows on it:  npx cairn use ${module}=mine`,
    `Questions: npx cairn quiz ${number}   Power cuts: npx cairn crash ${number}`,
    ...(next === undefined ? [] : [`Next:     ${next}`]),
  ];
}

/** `npx cairn start 02   (The memtable)`; undefined behind the last chapter. */
function startOfNext(book: Book, chapter: BookChapter, progress: Progress): string | undefined {
  const next = nextChapter(book, chapter, progress);
  return next === undefined ? undefined : `npx cairn start ${next.number}   (${next.title})`;
}

/**
 * `cairn reset`: a step or a chapter as it was in the beginning, with what was there put aside.
 *
 * Invariant: nothing is taken away before a whole copy of it is in `work/.stash`; undoing is a
 * reset too, so it can be undone.
 */
import { type BookChapter, findChapter, findStep, isStarted, workFolder } from "./book.ts";
import { copyFolder, createFile, join, namesIn, readBytes, removeFolder } from "./files.ts";
import { readProgress, updateProgress, withStep } from "./progress.ts";
import { counted } from "./render-verdict.ts";
import type { ExitCode, Runner } from "./runner.ts";
import { starterFolder } from "./starter-files.ts";
import { UsageError } from "./usage-error.ts";

/** Runs `cairn reset` for a step such as `01.3`, or a chapter such as `01`. */
export function resetCommand(runner: Runner, what: string): ExitCode {
  const { book, out } = runner;
  const isStep = what.includes(".");
  const chapter = isStep ? findStep(book, what).chapter : findChapter(book, what);
  if (!isStarted(book, chapter)) {
    throw new UsageError(`work/${chapter.module} is not there: there is nothing to reset.`);
  }
  const files = isStep ? findStep(book, what).step.files : null;
  const stash = putAside(runner, chapter);
  const folder = workFolder(book, chapter);
  const starter = join(book.root, starterFolder(chapter));
  if (files === null) {
    removeFolder(book.disk, folder);
    copyFolder(book.disk, starter, folder);
  } else {
    for (const file of files) restoreFile(runner, join(starter, file), join(folder, file));
  }
  const touched = chapter.steps.filter(
    (step) => files === null || step.files.some((file) => files.includes(file)),
  );
  updateProgress(book, (before) => {
    let progress = before;
    for (const { id } of touched) {
      if (before.steps[id]?.passedAt !== undefined) {
        progress = withStep(progress, id, { isGreen: false });
      }
    }
    return progress;
  });
  const names = files === null ? "all files" : files.join(", ");
  out.say(`work/${chapter.module}: ${names} as in the beginning.`);
  if (files !== null && touched.length > 1) {
    const ids = touched.map(({ id }) => id).join(", ");
    out.say(`They hold parts of ${ids}: all of those wait for you again.`);
  }
  out.say(`What was there is in work/.stash/${stash}.`);
  out.say(`Undo:  npx cairn reset --undo ${stash}`);
  return 0;
}

/** Runs `cairn reset --undo`. */
export function undoCommand(runner: Runner, stash: string): ExitCode {
  const { book, out } = runner;
  const from = join(book.root, "work/.stash", stash);
  const module = /^\d+-([a-z]+)$/.exec(stash)?.[1];
  const chapter = book.chapters.find((one) => one.module === module);
  if (chapter === undefined || namesIn(book.disk, from) === null) {
    const there = namesIn(book.disk, join(book.root, "work/.stash")) ?? [];
    const list = there.length === 0 ? "There is none." : `There is: ${there.join(", ")}.`;
    throw new UsageError(`Nothing was put aside as "${stash}". ${list}`);
  }
  const folder = workFolder(book, chapter);
  const now = isStarted(book, chapter) ? putAside(runner, chapter) : null;
  removeFolder(book.disk, folder);
  const files = copyFolder(book.disk, from, folder);
  out.say(`work/${chapter.module} is as it was: ${counted(files.length, "file")}.`);
  if (now !== null) out.say(`Undo that:  npx cairn reset --undo ${now}`);
  out.say(`See where it stands:  npx cairn test ${chapter.number}`);
  return 0;
}

/** Copies a module of the reader's to the stash. @returns the stash's name, `3-wal`. */
export function putAside({ book }: Runner, chapter: BookChapter): string {
  const stash = join(book.root, "work/.stash");
  const taken = (namesIn(book.disk, stash) ?? []).map((name) => Number.parseInt(name, 10));
  const next = Math.max(0, ...taken.filter(Number.isInteger)) + 1;
  const name = `${next}-${chapter.module}`;
  copyFolder(book.disk, workFolder(book, chapter), join(stash, name));
  return name;
}

function restoreFile({ book: { disk } }: Runner, from: string, to: string): void {
  if (disk.exists(to)) disk.unlink(to);
  // A file of a step need not be part of the starter.
  if (disk.exists(from)) createFile(disk, to, readBytes(disk, from));
}

/** What the reader has put aside, the newest last. For `cairn status`. */
export function stashes(runner: Runner): string[] {
  readProgress(runner.book);
  return namesIn(runner.book.disk, join(runner.book.root, "work/.stash")) ?? [];
}

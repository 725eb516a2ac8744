/**
 * `cairn use`: which modules are the reader's own, and which the reference's.
 *
 * Invariant: what is not there cannot be used; what is not named stays as it is.
 */
import { findChapter, isStarted } from "./book.ts";
import { readProgress, updateProgress, type Whose } from "./progress.ts";
import type { ExitCode, Runner } from "./runner.ts";
import { UsageError } from "./usage-error.ts";

/** Runs `cairn use`. @param choices - such as `wal=mine`, `all=reference`. */
export function useCommand(runner: Runner, choices: readonly string[]): ExitCode {
  const { book, out } = runner;
  const chosen = choices.flatMap((choice) => parseChoice(runner, choice));
  if (chosen.length > 0) {
    updateProgress(book, (before) => ({
      ...before,
      modules: { ...before.modules, ...Object.fromEntries(chosen) },
    }));
  }
  const { modules } = readProgress(book);
  out.say("What runs where a module is used (cairn run, cairn bench, later chapters):");
  for (const chapter of book.chapters) {
    const { module } = chapter;
    const isMine = modules[module] === "mine" && isStarted(book, chapter);
    const whose = isMine ? out.style.paint("good", "mine") : "reference";
    const folder = isMine ? `work/${module}` : `src/${module}`;
    out.say(`  ${module.padEnd(10)} ${whose}${" ".repeat(isMine ? 7 : 2)}${folder}`);
  }
  if (chosen.length === 0) out.say("Change it: npx cairn use wal=mine memtable=reference");
  return 0;
}

function parseChoice({ book }: Runner, choice: string): [string, Whose][] {
  const [name = "", whose = ""] = choice.split("=");
  if (whose !== "mine" && whose !== "reference") {
    throw new UsageError(`"${choice}" is no choice. Write it as wal=mine or wal=reference.`);
  }
  if (name === "all") {
    const there = book.chapters.filter(
      (chapter) => whose === "reference" || isStarted(book, chapter),
    );
    return there.map(({ module }) => [module, whose]);
  }
  const chapter = findChapter(book, name);
  if (whose === "mine" && !isStarted(book, chapter)) {
    throw new UsageError(
      `work/${chapter.module} is not there yet. npx cairn start ${chapter.number} makes it.`,
    );
  }
  return [[chapter.module, whose]];
}

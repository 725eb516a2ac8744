/**
 * The reader's folder: `work/<module>` from a starter, and the few files around it.
 *
 * Invariant: a file of the reader's is never replaced. What is made by us and may be made again
 * says so in its first line; without that line it is the reader's.
 */
import { type Book, type BookChapter, isStarted, workFolder } from "./book.ts";
import { copyFolder, createFile, join, readText, writeText } from "./files.ts";

/** The first line of a file that may be made again. */
const MADE_BY_US = "// Made by cairn. Remove this line, and it is yours.";

/**
 * Copies the starter of a chapter, unless the reader has begun it.
 *
 * @returns the files that were made, relative to `work/<module>`; null if the chapter was begun.
 */
export function copyStarter(
  book: Book,
  chapter: BookChapter,
  { isBare = false }: { readonly isBare?: boolean } = {},
): string[] | null {
  if (isStarted(book, chapter)) return null;
  const folder = workFolder(book, chapter);
  if (!isBare) return copyFolder(book.disk, join(book.root, starterFolder(chapter)), folder);
  createFile(book.disk, join(folder, "index.ts"), new TextEncoder().encode(bareDoor(chapter)));
  return ["index.ts"];
}

/** `chapters/01-wal/starter` */
export function starterFolder(chapter: { readonly name: string }): string {
  return `chapters/${chapter.name}/starter`;
}

/** The files around the modules: made again where they are ours. */
export function writeSurroundings(book: Book): void {
  const work = join(book.root, "work");
  makeAgain(book, join(work, "tsconfig.json"), tsconfigOf(book));
  makeOnce(book, join(work, "README.md"), README);
  makeOnce(book, join(work, "AGENTS.md"), AGENTS);
  makeOnce(book, join(work, ".gitignore"), ".cairn/\n.stash/\n.mistake-*/\n");
}

/** A door and nothing else: for who wants an empty file. */
function bareDoor(chapter: BookChapter): string {
  const parts = chapter.steps.map(({ id, parts: names }) => ` * ${id}  ${names.join(", ")}`);
  const type = `${chapter.module.charAt(0).toUpperCase()}${chapter.module.slice(1)}Module`;
  return `/**
 * ${chapter.title}: the door of your module. \`#${chapter.module}\` leads here.
 *
 * Nothing is given. Each step asks for these parts, exported from here:
 *
${parts.join("\n")}
 *
 * Their signatures are in chapters/${chapter.name}/README.md and src/${chapter.module}/types.ts. A given part that
 * you do not want to write comes from "#${chapter.module}/reference".
 */
export type { ${type} } from "#${chapter.module}/types";
`;
}

function tsconfigOf(book: Book): string {
  const mine = book.chapters.filter((chapter) => isStarted(book, chapter));
  const conditions = [...mine.map(({ module }) => `mine-${module}`), "source"];
  const config = {
    extends: "../tsconfig.json",
    compilerOptions: { customConditions: conditions },
    include: ["*/**/*.ts"],
  };
  return `${MADE_BY_US}\n${JSON.stringify(config, null, 2)}\n`;
}

function makeOnce(book: Book, path: string, text: string): void {
  if (!book.disk.exists(path)) writeText(book.disk, path, text);
}

function makeAgain(book: Book, path: string, text: string): void {
  const there = readText(book.disk, path);
  if (there === null || (there.startsWith(MADE_BY_US) && there !== text)) {
    writeText(book.disk, path, text);
  }
}

const README = `# Your part of the workbook

Each folder is one module of yours. The chapter that goes with it says what belongs into it.

    npx cairn                 runs the step that you are at, again at each save
    npx cairn test 00.1       runs one step once
    npx cairn hint 00.1       three hints, one at a time
    npx cairn status          how far you are
    npx tsc -p work           checks the types of your code

This folder is ignored by the repository around it, and cairn never replaces a file in it. If you
want history, make it a repository of its own: \`npx cairn start --git\`.

What cairn remembers is in \`.cairn/progress.json\`. What \`cairn reset\` took away is in \`.stash\`.
`;

const AGENTS = `# For a coding assistant

The person here is learning by building. Help them to understand, and leave the building to them.

- Do not read or quote \`chapters/*/solution\`, \`src/<module>\` of the chapter at hand, or
  \`test/*/steps/mistakes.ts\`. They are the answers.
- Do not write the body of a function that throws \`notWritten\`, unless you are asked for just that.
- Answer with a question or a small example first. \`npx cairn hint NN.N\` has three prepared hints.
- \`npx cairn explain\` tells the last failure in full. Start from it, and from the rule that it names
  in the chapter's \`contract.md\`.
- Say so when you are not sure. A power cut will find out.
`;

/**
 * What the pages say that a command prints is what it prints. Method: each page's transcripts are
 * run in order, in a copy of the repository, as a reader who has just started that chapter.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { pagesOf, stepped } from "../house/book.ts";
import { readPage } from "../house/markdown.ts";
import { copyForReader, type Ran, type ReaderCopy, steady } from "../support/reader-copy.ts";
import { type Exchange, exchangesOf, fits } from "../support/transcript.ts";

interface Transcript {
  readonly path: string;
  readonly line: number;
  readonly exchanges: readonly Exchange[];
}

const pages = stepped
  .flatMap((name) => pagesOf(name).map((path) => ({ chapter: name.slice(0, 2), path })))
  .map(({ chapter, path }) => ({
    chapter,
    path,
    transcripts: readPage(path)
      .fences.filter(({ info }) => info === "console")
      .map(({ line, text }): Transcript => ({ path, line, exchanges: exchangesOf(text) })),
  }))
  .filter(({ transcripts }) => transcripts.length > 0);

/** Runs a command of a page. Only what a reader has: the runner, node, and a look at a file. */
function run(copy: ReaderCopy, [program, ...args]: readonly string[]): Ran {
  const rest = program === "npx" ? args.slice(1) : args;
  if (program === "npx" && args[0] === "cairn") return copy.cairn(rest);
  if (program === "node") return copy.node(args);
  if (program === "cat") return { code: 0, out: args.map(copy.read).join(""), err: "" };
  throw new Error(`a page may use npx cairn, node and cat, not ${program}`);
}

describe.each(pages)("$path", ({ chapter, transcripts }) => {
  let copy: ReaderCopy;

  beforeAll(() => {
    copy = copyForReader();
    expect(copy.cairn(["start", chapter]).err).toBe("");
  });

  afterAll(() => copy.remove());

  test.each(transcripts)("line $line", ({ path, line, exchanges }) => {
    for (const { command, expected } of exchanges) {
      const { out, err } = run(copy, command);
      const printed = `${out}${err}`.trimEnd();
      const wanted = steady(expected, copy.root);
      if (!fits(printed, wanted)) expect(printed, `${path}:${line}`).toBe(wanted);
    }
  });
});

test("a transcript is read as it is written", () => {
  const text = "$ npx cairn test 00.1\nred\n…\nlast (… ms)\n$ cat a\n";
  const [first, second] = exchangesOf(text);
  expect(first?.command).toEqual(["npx", "cairn", "test", "00.1"]);
  expect(second).toEqual({ command: ["cat", "a"], expected: "" });
  expect(fits("red\none\ntwo\nlast (12 ms)", first?.expected ?? "")).toBe(true);
  expect(fits("red\nlast", first?.expected ?? "")).toBe(false);
  expect(fits("a.c", "a.c") && !fits("abc", "a.c")).toBe(true);
});

/**
 * A chapter with steps is whole: what is listed exists, what exists is listed. Method: compare
 * `steps.json` with the checks, the pages and the reader's files.
 */
import ts from "typescript";
import { describe, expect, test } from "vitest";
import { judgingOf, pageOf, quizOf, stepped } from "./book.ts";
import { exists, filesUnder, placeOf, textOf, treeOf, walk } from "./sources.ts";

const HINTS = 3;
const QUESTIONS_MIN = 5;
const SLIDES_MIN = 12;
const SLIDES_MAX = 20;
const STORY_WORDS_MAX = 400;
/** A right answer that always stands at one place needs no reading. */
const SAME_PLACE_SHARE_MAX = 0.6;

/** What every chapter with steps has. */
const FILES = [
  "README.md",
  "contract.md",
  "hints.md",
  "notes.md",
  "quiz.json",
  "bench.md",
  "compare.md",
  "facilitator.md",
  "slides.md",
];

/** Text of a page; empty if it is not there. */
function page(chapter: string, file: string): string {
  const path = `chapters/${chapter}/${file}`;
  return exists(path) ? textOf(path) : "";
}

/** Text below a heading of rank 2 that begins with `word`; undefined if there is none. */
function section(text: string, word: string): string | undefined {
  const parts = text.split(/^## /m).slice(1);
  return parts.find((part) => part.startsWith(`${word} `) || part.startsWith(`Step ${word}:`));
}

test("the first chapters have steps", () => {
  expect(stepped).toEqual(expect.arrayContaining(["00-bytes", "01-wal"]));
});

describe.each(stepped)("%s", (name) => {
  const { steps, labs, module, title } = pageOf(name);
  const ids = steps.map(({ id }) => id);

  test("has every page, a starter, a solution and a bug to find", () => {
    const missing = FILES.filter((file) => !exists(`chapters/${name}/${file}`));
    expect(missing).toEqual([]);
    expect(filesUnder(`chapters/${name}/starter`, ".ts")).not.toEqual([]);
    expect(filesUnder(`chapters/${name}/solution`, ".ts")).not.toEqual([]);
    expect(filesUnder(`chapters/${name}/bugs`, ".md")).not.toEqual([]);
  });

  test("is called the same everywhere", async () => {
    const { chapter } = await judgingOf(name);
    expect(pageOf(name).name).toBe(name);
    expect({ name: chapter.name, module: chapter.module }).toEqual({ name, module });
    expect(module).toBe(name.slice(3));
    expect(page(name, "README.md").split("\n")[0]).toBe(`# ${name.slice(0, 2)} ${title}`);
  });

  test("judges the steps that it lists, in order, each by a check and a mistake", async () => {
    const { chapter, mistakes } = await judgingOf(name);
    expect(chapter.steps.map(({ id }) => id)).toEqual(ids);
    expect(ids).toEqual(ids.map((_, index) => `${name.slice(0, 2)}.${index + 1}`));
    const unchecked = chapter.steps.filter(({ checks }) => checks.length === 0);
    expect(unchecked.map(({ id }) => id)).toEqual([]);
    expect(ids.filter((id) => mistakes.every(({ step }) => step !== id))).toEqual([]);
    const sentences = chapter.steps.flatMap(({ checks }) => checks.map((check) => check.name));
    expect(new Set(sentences).size, "two checks of one name").toBe(sentences.length);
  });

  test("names rules that its contract has", async () => {
    const { chapter } = await judgingOf(name);
    const headings = page(name, "contract.md").match(/^## [A-Z]\d+/gm) ?? [];
    const written = headings.map((heading) => heading.slice("## ".length));
    const named = [
      ...steps.flatMap(({ rules }) => rules),
      ...chapter.steps.flatMap(({ checks }) => checks.map(({ rule }) => rule)),
      ...Object.keys(chapter.rules),
    ];
    const own = named.filter((rule) => written.some((one) => one.charAt(0) === rule.charAt(0)));
    expect([...new Set(own)].filter((rule) => !written.includes(rule))).toEqual([]);
    expect([...new Set(named)].filter((rule) => chapter.rules[rule] === undefined)).toEqual([]);
  });

  test.each(ids)("step %s has its section, three hints and its notes", (id) => {
    const step = steps.find((one) => one.id === id)!;
    const readme = section(page(name, "README.md"), id) ?? "";
    expect(readme.split("\n")[0]).toBe(`Step ${id}: ${step.title}`);
    const hints = (section(page(name, "hints.md"), id) ?? "").match(/^### \d$/gm) ?? [];
    expect(hints).toEqual(Array.from({ length: HINTS }, (_, index) => `### ${index + 1}`));
    expect(section(page(name, "notes.md"), id) ?? "", "notes").not.toBe("");
    const files = step.files.filter((file) => !exists(`chapters/${name}/starter/${file}`));
    expect(files, "files that the starter lacks").toEqual([]);
    expect(step.minutes).toBeGreaterThan(0);
  });

  test("its questions have one right answer each, and a reason for every option", () => {
    const questions = quizOf(name);
    expect(questions.length).toBeGreaterThanOrEqual(QUESTIONS_MIN);
    const expected = questions.map((_, index) => `${name.slice(0, 2)}.q${index + 1}`);
    expect(questions.map(({ id }) => id)).toEqual(expected);
    for (const { id, options } of questions) {
      expect(options.filter(({ isRight }) => isRight).length, id).toBe(1);
      expect(options.length, id).toBeGreaterThan(2);
      const silent = options.filter(({ explanation }) => explanation.trim() === "");
      expect(silent, id).toEqual([]);
    }
    const places = questions.map(({ options }) => options.findIndex(({ isRight }) => isRight));
    for (const place of new Set(places)) {
      const share = places.filter((one) => one === place).length / places.length;
      expect(share, `right answers at place ${place + 1}`).toBeLessThanOrEqual(
        SAME_PLACE_SHARE_MAX,
      );
    }
  });

  test("its labs exist, and every lab is listed", () => {
    expect(labs.map(({ file }) => file).filter((file) => !exists(file))).toEqual([]);
    const files = filesUnder(`bench/${module}`, ".lab.ts");
    expect([...labs.map(({ file }) => file)].sort()).toEqual(files);
  });

  test("its story is short, and its slides are enough for an hour", () => {
    const [story = ""] = page(name, "README.md").split(/^(?:## |\*\*After this chapter)/m);
    expect(story.split(/\s+/).length).toBeLessThanOrEqual(STORY_WORDS_MAX);
    const slides = page(name, "slides.md").split(/^---$/m).length;
    expect(slides).toBeGreaterThanOrEqual(SLIDES_MIN);
    expect(slides).toBeLessThanOrEqual(SLIDES_MAX);
  });

  test("a stub of its starter throws notWritten and does nothing else", () => {
    const busy: string[] = [];
    const lost: string[] = [];
    for (const path of filesUnder(`chapters/${name}/starter`, ".ts")) {
      walk(path, (node) => {
        if (!ts.isCallExpression(node) || node.expression.getText() !== "notWritten") return;
        const [id] = node.arguments;
        const isKnown = id !== undefined && ts.isStringLiteral(id) && ids.includes(id.text);
        if (!isKnown) lost.push(placeOf(path, node));
        if (!isAlone(node)) busy.push(placeOf(path, node));
      });
      expect(treeOf(path).statements.length, path).toBeGreaterThan(0);
    }
    expect({ busy, lost }).toEqual({ busy: [], lost: [] });
  });
});

/** Is a call the only statement of the function around it? */
function isAlone(call: ts.CallExpression): boolean {
  let node: ts.Node = call;
  while (!ts.isFunctionLike(node.parent)) {
    node = node.parent;
    if (ts.isSourceFile(node)) return false;
    if (ts.isBlock(node) && node.statements.length !== 1) return false;
  }
  return true;
}

/**
 * Files, functions and lines that fit a head. Method: count lines of every TypeScript file, and
 * measure every function on its syntax tree, from its first line to its last.
 */
import ts from "typescript";
import { expect, test } from "vitest";
import { filesUnder, textOf, treeOf, walk } from "./sources.ts";

const FILE_LINES_MAX = 400;
const FUNCTION_LINES_MAX = 70;
const LINE_COLUMNS_MAX = 100;

/**
 * Files that may be larger, each with its reason. The aim is an empty list.
 */
const LARGER_FILES: Readonly<Record<string, string>> = {};

/** Comments and strings that no tool can break: a link, or a text that must stay searchable. */
const UNBREAKABLE = /https?:\/\//;

const files: readonly string[] = ["src", "test", "bench", "chapters"].flatMap((dir) =>
  filesUnder(dir, ".ts"),
);

test("no file has more than 400 lines", () => {
  const larger = files
    .map((path) => ({ path, lines: textOf(path).split("\n").length - 1 }))
    .filter(({ path, lines }) => lines > FILE_LINES_MAX && !(path in LARGER_FILES));
  expect(larger).toEqual([]);
});

test("every exception is still needed", () => {
  const idle = Object.keys(LARGER_FILES).filter(
    (path) => !files.includes(path) || textOf(path).split("\n").length - 1 <= FILE_LINES_MAX,
  );
  expect(idle).toEqual([]);
});

test("no function has more than 70 lines", () => {
  const longer: string[] = [];
  for (const path of files) {
    walk(path, (node) => {
      if (!ts.isFunctionLike(node) || !("body" in node) || node.body === undefined) return;
      const tree = treeOf(path);
      const first = tree.getLineAndCharacterOfPosition(node.getStart(tree)).line;
      const last = tree.getLineAndCharacterOfPosition(node.getEnd()).line;
      const lines = last - first + 1;
      if (lines > FUNCTION_LINES_MAX && !isTestGroup(node))
        longer.push(`${path}:${first + 1}: ${lines} lines`);
    });
  }
  expect(longer).toEqual([]);
});

/** Lines on which a text lies across the limit: it is what it is, and the formatter leaves it. */
function linesOfTexts(path: string): Set<number> {
  const lines = new Set<number>();
  walk(path, (node) => {
    if (!ts.isStringLiteralLike(node) && !ts.isTemplateExpression(node)) return;
    const tree = treeOf(path);
    const first = tree.getLineAndCharacterOfPosition(node.getStart(tree));
    const last = tree.getLineAndCharacterOfPosition(node.getEnd());
    for (let line = first.line; line < last.line; line += 1) lines.add(line);
    const begins = last.line > first.line ? 0 : first.character;
    if (last.character > LINE_COLUMNS_MAX && begins < LINE_COLUMNS_MAX) lines.add(last.line);
  });
  return lines;
}

test("no line has more than 100 columns", () => {
  const wider: string[] = [];
  for (const path of files) {
    const lines = textOf(path).split("\n");
    if (lines.every((line) => line.length <= LINE_COLUMNS_MAX)) continue;
    const texts = linesOfTexts(path);
    for (const [index, line] of lines.entries()) {
      const columns = [...line].length;
      const isBreakable = !UNBREAKABLE.test(line) && !texts.has(index);
      if (columns > LINE_COLUMNS_MAX && isBreakable)
        wider.push(`${path}:${index + 1}: ${columns} columns`);
    }
  }
  expect(wider).toEqual([]);
});

/** A heading over tests, measured one by one: the callback of `describe`, or a list of tests. */
function isTestGroup(node: ts.Node & { body?: ts.Node | undefined }): boolean {
  const call = node.parent;
  const isGroup = ts.isCallExpression(call) && /^describe\b/.test(call.expression.getText());
  if (isGroup) return true;
  if (node.body === undefined || !ts.isBlock(node.body)) return false;
  return node.body.statements.every(
    (line) =>
      ts.isExpressionStatement(line) &&
      /^(test|describe|beforeEach|afterEach)\b/.test(line.getText()),
  );
}

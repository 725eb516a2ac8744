/**
 * Links between our own pages lead somewhere. Method: take every relative link and every code span
 * that looks like a path of this repository, and look for the file and, where named, the heading.
 */
import { dirname, join, normalize } from "node:path";
import { expect, test } from "vitest";
import { anchorOf, pages, readPage } from "./markdown.ts";
import { exists } from "./sources.ts";

interface Link {
  readonly place: string;
  readonly target: string;
}

function linksOf(path: string): Link[] {
  return readPage(path).prose.flatMap((line, index) =>
    [...line.matchAll(/\[[^\]]*\]\(([^)\s]+)\)/g)]
      .map((match) => match[1] ?? "")
      .filter((target) => !/^[a-z]+:/.test(target))
      .map((target) => ({ place: `${path}:${index + 1}`, target })),
  );
}

function headingsOf(path: string): string[] {
  return readPage(path)
    .prose.filter((line) => /^#+ /.test(line))
    .map((line) => anchorOf(line.replace(/^#+ /, "")));
}

test.each(pages())("every link of %s leads to a file and a heading that exist", (path) => {
  const lost = linksOf(path).filter(({ target }) => {
    const [file = "", anchor] = target.split("#");
    const page = file === "" ? path : normalize(join(dirname(path), file)).replaceAll("\\", "/");
    if (!exists(page)) return true;
    return anchor !== undefined && page.endsWith(".md") && !headingsOf(page).includes(anchor);
  });
  expect(lost).toEqual([]);
});

test.each(pages())("every path that %s names in a code span exists", (path) => {
  const lost = readPage(path).prose.flatMap((line, index) =>
    [...line.matchAll(/`((?:src|test|bench|chapters|\.ci|\.github)\/[\w./-]+)`/g)]
      .map((match) => match[1] ?? "")
      .filter((target) => !exists(target))
      .map((target) => `${path}:${index + 1}: ${target}`),
  );
  expect(lost).toEqual([]);
});

test("a heading becomes an anchor as renderers make it", () => {
  expect(anchorOf("What works today, and what does not")).toBe(
    "what-works-today-and-what-does-not",
  );
  expect(anchorOf("W5: `crc` over *both*")).toBe("w5-crc-over-both");
});

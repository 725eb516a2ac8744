/**
 * Every file says what it is before it says anything else. Method: read the first comment of each
 * file, and look for a format table in it where the file puts numbers into bytes.
 */
import ts from "typescript";
import { expect, test } from "vitest";
import { CHAPTERS, chapterOf, filesUnder, importsOf, modules, textOf, walk } from "./sources.ts";

/** A word or two is a title, not an explanation. */
const HEADER_CHARACTERS_MIN = 40;

const MARKDOWN_TABLE = /\|[\s:]*-{2,}[-:|\s]*\|/;

/** The opening block comment, without its stars; empty if the file opens with something else. */
function headerOf(path: string): string {
  const text = textOf(path).replace(/^#!.*\n/, "");
  const header = /^\/\*\*?([\s\S]*?)\*\//.exec(text)?.[1] ?? "";
  return header.replace(/^\s*\* ?/gm, "").trim();
}

/** Does the file lay out a format: does it use `putU32` and its kin, or a setter of `DataView`? */
function layOutOf(path: string): boolean {
  const imported = importsOf(path).some(
    ({ specifier, names }) =>
      specifier === "#bytes" && names.some((name) => /^put(U32|U64|Varint)$/.test(name)),
  );
  if (imported) return true;
  let set = false;
  walk(path, (node) => {
    if (!ts.isPropertyAccessExpression(node)) return;
    set ||= /^set(Uint|Int|BigInt|BigUint|Float)\d+$/.test(node.name.text);
  });
  return set;
}

test.each(["src", "test", "bench"])("every file of %s opens with what it is", (dir) => {
  const bare = filesUnder(dir, ".ts").filter(
    (path) => headerOf(path).length < HEADER_CHARACTERS_MIN,
  );
  expect(bare).toEqual([]);
});

test("a file that lays out a format opens with the format's table", () => {
  // `bytes` and `platform` are below formats: they know integers, not what the integers mean.
  const codecs = filesUnder("src", ".ts")
    .filter((path) => !/^src\/(bytes|platform)\//.test(path))
    .filter(layOutOf);
  expect(codecs.filter((path) => !MARKDOWN_TABLE.test(headerOf(path)))).toEqual([]);
});

test("a header names a chapter that exists", () => {
  const lost: string[] = [];
  for (const path of filesUnder("src", ".ts")) {
    for (const match of headerOf(path).matchAll(/Chapter: ([0-9]{2}-[a-z]+)/g)) {
      if (!CHAPTERS.includes(match[1] ?? "")) lost.push(`${path}: ${match[1]}`);
    }
  }
  expect(lost).toEqual([]);
});

test("the door of each module lists its files in reading order", () => {
  const unlisted: string[] = [];
  for (const module of modules()) {
    const door = `src/${module}/index.ts`;
    const all = filesUnder(`src/${module}`, ".ts");
    if (!all.includes(door)) continue;
    // The contract comes first everywhere, and need not be named.
    const files = all.filter((path) => path !== door && path !== `src/${module}/types.ts`);
    const header = headerOf(door);
    const place = chapterOf(module) ?? module;
    for (const path of files) {
      const name = path.slice(`src/${module}/`.length);
      const folder = name.includes("/") ? `${name.split("/")[0]}/` : name;
      if (!header.includes(folder)) unlisted.push(`${place}: ${name}`);
    }
  }
  expect(unlisted).toEqual([]);
});

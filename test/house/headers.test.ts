/**
 * Every file says what it is before it says anything else. Method: read the first comment of each
 * file, and look for a format table in it where the file puts numbers into bytes.
 */
import { expect, test } from "vitest";
import { codecs, tableOf } from "./codecs.ts";
import { CHAPTERS, chapterOf, filesUnder, headerOf, modules } from "./sources.ts";

/** A word or two is a title, not an explanation. */
const HEADER_CHARACTERS_MIN = 40;

test.each(["src", "test", "bench", "chapters"])("every file of %s opens with what it is", (dir) => {
  const bare = filesUnder(dir, ".ts").filter(
    (path) => headerOf(path).length < HEADER_CHARACTERS_MIN,
  );
  expect(bare).toEqual([]);
});

test("a file that lays out a format opens with the format's table", () => {
  expect(codecs().filter((path) => tableOf(path).length === 0)).toEqual([]);
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

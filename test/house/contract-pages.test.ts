/**
 * Every rule of a contract can be broken, and a test tries. Method: read the headings of each
 * contract page, the tests that they name, and the rules that the contract in `src` speaks of.
 */
import { expect, test } from "vitest";
import { chapterOf, exists, modules, textOf } from "./sources.ts";

const taught = modules().filter((module) => chapterOf(module) !== undefined);

/** Sections of a contract page: heading and text. */
function sectionsOf(module: string): { heading: string; text: string }[] {
  const page = textOf(`chapters/${chapterOf(module)}/contract.md`);
  return page
    .split(/^## /m)
    .slice(1)
    .map((part) => ({ heading: part.split("\n")[0] ?? "", text: part }));
}

test.each(taught)("every rule of %s names the tests that try to break it", (module) => {
  const untested = sectionsOf(module)
    .filter(({ heading }) => !heading.endsWith("not built yet"))
    .filter(({ text }) => {
      const line = /^Test: (.+(?:\n.+)*)/m.exec(text)?.[1] ?? "";
      const paths = [...line.matchAll(/`(test\/[^`]+)`/g)].map((match) => match[1] ?? "");
      return paths.length === 0 || !paths.every(exists);
    });
  expect(untested.map(({ heading }) => heading)).toEqual([]);
});

test.each(taught)("every rule that the contract of %s speaks of has its section", (module) => {
  const spoken = textOf(`src/${module}/types.ts`).match(/\b[DWMSLTRKQ]\d\b/g) ?? [];
  const written = sectionsOf(module).flatMap(
    ({ heading }) => /^[DWMSLTRKQ]\d+/.exec(heading) ?? [],
  );
  const foreign = new Set(
    Object.keys(LETTERS)
      .filter((other) => other !== module)
      .map(letterOf),
  );
  const own = [...new Set(spoken)].filter((rule) => !foreign.has(rule.charAt(0)));
  expect(own.filter((rule) => !written.includes(rule))).toEqual([]);
});

/** A module may lean on rules of the modules below; those have their sections elsewhere. */
const LETTERS: Readonly<Record<string, string>> = {
  bytes: "D",
  wal: "W",
  memtable: "M",
  sstable: "S",
  lsm: "L",
  mvcc: "T",
};

function letterOf(module: string): string {
  return LETTERS[module] ?? "";
}

/**
 * One word in four places. Method: for each module of `src` that a chapter teaches, look for the
 * same word in `chapters`, `test`, `bench` and the imports map; and the other way round.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { CHAPTERS, chapterOf, exists, filesUnder, modules, root, textOf } from "./sources.ts";

interface Package {
  readonly imports: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly exports: Readonly<Record<string, unknown>>;
  readonly scripts: Readonly<Record<string, string>>;
}

const { imports, exports } = JSON.parse(textOf("package.json")) as Package;
const taught = modules().filter((module) => chapterOf(module) !== undefined);

test("at least the modules of the first landing have a chapter", () => {
  expect(taught).toEqual(expect.arrayContaining(["bytes", "wal", "raft", "replica", "sqlite"]));
});

test.each(taught)("%s is one word in chapters, src, test and bench", (module) => {
  expect(exists(`chapters/${chapterOf(module)}/contract.md`), "chapter's contract").toBe(true);
  expect(exists(`src/${module}/index.ts`), "door").toBe(true);
  expect(exists(`src/${module}/types.ts`), "contract").toBe(true);
  expect(filesUnder(`test/${module}`, ".test.ts"), "tests").not.toEqual([]);
  expect(filesUnder(`bench/${module}`, ".bench.ts"), "benches").not.toEqual([]);
});

test.each(taught)("%s can be swapped for the reader's own", (module) => {
  const entry = imports[`#${module}`] ?? {};
  const starter = `./chapters/${chapterOf(module)}/starter/index.ts`;
  expect(entry).toEqual({
    ...(exists(starter) ? { starter } : {}),
    [`mine-${module}`]: `./work/${module}/index.ts`,
    source: `./src/${module}/index.ts`,
    default: `./dist/${module}/index.js`,
  });
  // The first condition that holds wins, so the reader's must stand before the sources.
  expect(Object.keys(entry).slice(-3)[0]).toBe(`mine-${module}`);
  expect(imports[`#${module}/types`]).toEqual({
    source: `./src/${module}/types.ts`,
    default: `./dist/${module}/types.js`,
  });
});

test("every entry of the imports map names a module that exists", () => {
  for (const [name, targets] of Object.entries(imports)) {
    expect(exists(targets["source"] ?? ""), `${name}: ${targets["source"]}`).toBe(true);
    if (chapterOf(name.slice(1)) === undefined) expect(Object.keys(targets)).not.toContain("mine");
  }
});

test("every subpath of the package is a module's door", () => {
  for (const subpath of Object.keys(exports)) {
    if (subpath === "./package.json") continue;
    expect(exists(`src/${subpath.slice(2)}/index.ts`), subpath).toBe(true);
  }
});

test("chapters carry the names of the plan, and only those", () => {
  const others = new Set(["appendix", "public", ".vitepress"]);
  const folders = readdirSync(join(root, "chapters"), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !others.has(entry.name))
    .map((entry) => entry.name);
  expect(folders.filter((name) => !CHAPTERS.includes(name))).toEqual([]);
});

test("tests and benches live under the name of what they test", () => {
  const known = new Set([...modules(), "support", "house", "e2e", "compare", "harness", "book"]);
  const folders = ["test", "bench"].flatMap((dir) =>
    readdirSync(join(root, dir), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => ({ dir, name: entry.name })),
  );
  expect(folders.filter(({ name }) => !known.has(name))).toEqual([]);
});

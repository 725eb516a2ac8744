/**
 * Who may import whom. Method: read every import of `src`, `test` and `bench` and compare it with
 * the table of layers; a module that is not in the table is refused, so the table stays complete.
 */
import { expect, test } from "vitest";
import { chapterOf, exists, filesUnder, importsOf, modules } from "./sources.ts";

/** What a module may import besides itself. `*`: anything, minus what is named with `-`. */
const LAYERS: Readonly<Record<string, string>> = {
  base: "",
  platform: "base",
  bytes: "base platform",
  wal: "base platform bytes",
  memtable: "base bytes",
  sstable: "base platform bytes",
  btree: "base platform bytes wal",
  raft: "base",
  lsm: "base platform bytes wal memtable sstable",
  mvcc: "base platform bytes lsm",
  replica: "base platform bytes wal raft lsm mvcc",
  sqlite: "base platform bytes replica",
  operations: "base platform bytes wal lsm replica sqlite",
  simulation:
    "base platform bytes wal memtable sstable btree raft lsm mvcc replica sqlite operations",
  level: "base lsm",
  client: "",
  server: "* -cli -console -learn",
  console: "client",
  cli: "*",
  learn: "*",
};

/** Packages from outside, and the modules that may use them. */
const PACKAGES: Readonly<Record<string, string>> = {
  "better-sqlite3": "sqlite",
  fastify: "server cli",
  pino: "server cli",
  "prom-client": "server operations",
  commander: "cli",
  "abstract-level": "level",
};

/** Modules that also run in a browser: no `node:` imports at all. */
const PURE: ReadonlySet<string> = new Set(["base", "bytes", "wal", "memtable", "raft", "client"]);

function mayImport(module: string, other: string): boolean {
  const words = (LAYERS[module] ?? "").split(" ");
  if (module === other || words.includes(other)) return true;
  return words[0] === "*" && other in LAYERS && !words.includes(`-${other}`);
}

function refuse(module: string, specifier: string): string | undefined {
  if (specifier.startsWith("#")) {
    const [name = "", part] = specifier.slice(1).split("/");
    // The runner judges the reader's code and must not stand on it.
    if (module === "learn" && part === "reference") return undefined;
    if (part !== undefined && part !== "types") return "is deep: use the module's door";
    if (specifier.split("/").length > 2) return "is deep: use the module's door";
    if (name === module) return "is the module's own door: use ./file.ts";
    if (module === "learn" && part === undefined && isTaught(name))
      return `may be the reader's own: use #${name}/reference`;
    return mayImport(module, name) ? undefined : `is not a layer below ${module}`;
  }
  if (specifier.startsWith(".")) {
    return specifier.includes("../") && !insideModule(module, specifier)
      ? "leaves its folder by ../: use #name"
      : undefined;
  }
  if (specifier.startsWith("node:")) {
    return PURE.has(module) ? `reaches out, and ${module} is pure` : undefined;
  }
  const allowed = PACKAGES[specifier.split("/")[0] ?? ""];
  if (allowed === undefined) return "is a package that the table does not name";
  return allowed.split(" ").includes(module) ? undefined : `is a package for ${allowed} only`;
}

/** Is there a chapter in which readers write this module? */
function isTaught(name: string): boolean {
  const chapter = chapterOf(name);
  return chapter !== undefined && exists(`chapters/${chapter}/starter/index.ts`);
}

/**
 * Only these have folders inside; there `../` may climb to the module and no higher, and enter
 * another folder by its door.
 */
function insideModule(module: string, specifier: string): boolean {
  const hasFolders = ["server", "simulation", "replica"].includes(module);
  return hasFolders && /^\.\.\/([a-z-]+|[a-z-]+\/index)\.ts$/.test(specifier);
}

test("every module is in the table of layers", () => {
  expect(modules().filter((name) => !(name in LAYERS))).toEqual([]);
});

test("a module imports only from the layers and packages that the table gives it", () => {
  const refused: string[] = [];
  for (const path of filesUnder("src", ".ts")) {
    const module = path.split("/")[1] ?? "";
    for (const { specifier, place } of importsOf(path)) {
      const reason = refuse(module, specifier);
      if (reason !== undefined) refused.push(`${place}: "${specifier}" ${reason}`);
    }
  }
  expect(refused).toEqual([]);
});

test("tests and benches enter modules by their doors", () => {
  const refused: string[] = [];
  for (const path of [...filesUnder("test", ".ts"), ...filesUnder("bench", ".ts")]) {
    for (const { specifier, place } of importsOf(path)) {
      const isOwn = ownReference(path) === specifier;
      const deep = specifier.startsWith("#") && !isOwn && !/^#[a-z]+(\/types)?$/.test(specifier);
      const aside = specifier.startsWith(".") && /(^|\/)(src|dist)\//.test(specifier);
      if (deep || aside) refused.push(`${place}: "${specifier}"`);
    }
  }
  expect(refused).toEqual([]);
});

/** What judges or measures a module may name the reference's own, apart from what is loaded. */
function ownReference(path: string): string | undefined {
  const judging = /^test\/([a-z]+)\/(?:steps|stand-in)\//.exec(path);
  const measuring = /^bench\/([a-z]+)\/[\w-]+\.lab\.ts$/.exec(path);
  const module = (judging ?? measuring)?.[1];
  return module === undefined ? undefined : `#${module}/reference`;
}

/**
 * What a starter or a solution may import: what its module may, and parts of any reference. The
 * reader's `#wal` may be half written; `#wal/reference` is whole.
 */
function refuseInChapter(module: string, specifier: string): string | undefined {
  const [, name = "", part] = /^#([a-z]+)(?:\/(types|reference))?$/.exec(specifier) ?? [];
  if (specifier === `#${module}/types`) return undefined;
  const extra = (EXERCISES[module] ?? "").split(" ").includes(name);
  if (extra || (part === "reference" && mayImport(module, name))) return undefined;
  return refuse(module, specifier);
}

/** What an exercise uses besides its module's layers: a durable map logs before it stores. */
const EXERCISES: Readonly<Record<string, string>> = { memtable: "platform wal" };

test.each(["starter", "solution"])("the %s of a chapter keeps to its module's layers", (part) => {
  const refused: string[] = [];
  for (const path of filesUnder("chapters", ".ts")) {
    const [, chapter = "", folder] = path.split("/");
    if (folder !== part) continue;
    for (const { specifier, place } of importsOf(path)) {
      const reason = refuseInChapter(chapter.slice(3), specifier);
      if (reason !== undefined) refused.push(`${place}: "${specifier}" ${reason}`);
    }
  }
  expect(refused).toEqual([]);
});

test("the table refuses what it must refuse", () => {
  expect(refuse("raft", "#platform")).toMatch(/not a layer/);
  expect(refuse("wal", "#platform/node-disk.ts")).toMatch(/deep/);
  expect(refuse("wal", "../bytes/index.ts")).toMatch(/\.\.\//);
  expect(refuse("raft", "node:fs")).toMatch(/pure/);
  expect(refuse("replica", "better-sqlite3")).toMatch(/sqlite only/);
  expect(refuse("sqlite", "left-pad")).toMatch(/does not name/);
  expect(refuse("server", "#cli")).toMatch(/not a layer/);
  expect(refuse("server", "#sqlite")).toBeUndefined();
  expect(refuse("wal", "#bytes/reference")).toMatch(/deep/);
  expect(refuse("learn", "#bytes/reference")).toBeUndefined();
  expect(refuse("learn", "#bytes")).toMatch(/#bytes\/reference/);
  expect(refuseInChapter("wal", "#bytes/reference")).toBeUndefined();
  expect(refuseInChapter("wal", "#wal/reference")).toBeUndefined();
  expect(refuseInChapter("wal", "#lsm/reference")).toMatch(/deep/);
  expect(refuseInChapter("wal", "#lsm")).toMatch(/not a layer/);
  expect(refuseInChapter("wal", "#wal")).toMatch(/own door/);
});

/**
 * Code in prose is the code in `src`, and commands in prose exist. Method: a fence that names its
 * source, as in "ts src/wal/types.ts#WalModule.openWal", is compared with that declaration.
 */
import ts from "typescript";
import { expect, test } from "vitest";
import { type Fence, pages, readPage } from "./markdown.ts";
import { exists, textOf, treeOf } from "./sources.ts";

const fences: readonly Fence[] = pages().flatMap((path) => readPage(path).fences);
const quotes = fences.filter(({ info }) => /^\w+ \S+\//.test(info));
const scripts = Object.keys(
  (JSON.parse(textOf("package.json")) as { scripts: Record<string, string> }).scripts,
);

/** The declaration called `names[0]`, inside it the one called `names[1]`, and so on. */
function declaration(node: ts.Node, names: readonly string[]): ts.Node | undefined {
  const [name, ...inner] = names;
  if (name === undefined) return node;
  let found: ts.Node | undefined;
  const visit = (child: ts.Node): void => {
    if (found !== undefined) return;
    if ("name" in child && (child.name as ts.Node | undefined)?.getText() === name) found = child;
    else ts.forEachChild(child, visit);
  };
  ts.forEachChild(node, visit);
  if (found !== undefined && ts.isVariableDeclaration(found)) found = found.parent.parent;
  return found === undefined ? undefined : declaration(found, inner);
}

/** Text of a source such as `src/wal/types.ts#Wal.append`, with its comment, at the left edge. */
function quoted(source: string): string | undefined {
  const [path = "", name] = source.split("#");
  if (!exists(path)) return undefined;
  if (name === undefined) return textOf(path).trimEnd();
  const node = declaration(treeOf(path), name.split("."));
  if (node === undefined) return undefined;
  const text = textOf(path).slice(0, node.getEnd());
  const start = Math.max(0, text.lastIndexOf("\n", node.getStart(treeOf(path), true)) + 1);
  const lines = text.slice(start).split("\n");
  const indent = /^\s*/.exec(lines[0] ?? "")?.[0].length ?? 0;
  return lines.map((line) => line.slice(Math.min(indent, line.search(/\S|$/)))).join("\n");
}

test("a quote equals the source that it names", () => {
  for (const { path, line, info, text } of quotes) {
    const [, source = ""] = info.split(" ");
    expect(text, `${path}:${line}: ${source}`).toBe(quoted(source) ?? "a source that exists");
  }
});

test("the README starts and tests with the commands that the continuous build runs", () => {
  const commands = readPage("README.md")
    .fences.filter(({ info }) => info === "sh")
    .flatMap(({ text }) => text.split("\n"));
  expect(commands).toEqual(
    expect.arrayContaining(["npm install && npm start", "npm install && npm test"]),
  );
  expect(textOf(".ci/run")).toMatch(/\bnpm install\b/);
  expect(textOf(".ci/run")).toMatch(/\bnpm test\b/);
  expect(textOf(".ci/run")).toMatch(/\bnpm run check\b/);
});

test("every npm command that a page names is a script of the package", () => {
  const own = new Set(["install", "ci", ...scripts]);
  const unknown: string[] = [];
  for (const path of pages()) {
    const { fences: blocks, prose } = readPage(path);
    const spans = prose.flatMap((line) => line.match(/`[^`]+`/g) ?? []);
    for (const code of [...spans, ...blocks.map(({ text }) => text)]) {
      for (const match of code.matchAll(/\bnpm (?:run )?([a-z]+)/g)) {
        if (!own.has(match[1] ?? "")) unknown.push(`${path}: ${match[0]}`);
      }
    }
  }
  expect(unknown).toEqual([]);
});

test("a quote is found by name, with its comment, at the left edge", () => {
  const text = quoted("src/wal/types.ts#Wal.firstLsn") ?? "";
  expect(text.split("\n").at(-1)).toBe("readonly firstLsn: Lsn;");
  expect(text.startsWith("/** Oldest record")).toBe(true);
  expect(quoted("src/wal/types.ts#Wal.nothing")).toBeUndefined();
});

/**
 * What may not stand in the code, and where it may. Method: walk syntax trees, so that a comment
 * or a string that names a banned thing is not one. Texts are searched only for words and paths.
 */
import ts from "typescript";
import { describe, expect, test } from "vitest";
import { filesUnder, importsOf, placeOf, textOf, treeOf, walk } from "./sources.ts";

/** Modules that may know the machine's time: the doors, and what talks to people. */
const MAY_KNOW_TIME = ["platform", "server", "cli", "learn"];
const MAY_TOUCH = ["platform"];
const MAY_PRINT = ["cli", "learn"];

const source = filesUnder("src", ".ts");
const tests = filesUnder("test", ".ts");
const benches = filesUnder("bench", ".ts");
const all = [...source, ...tests, ...benches];
const outside = (modules: readonly string[]): string[] =>
  source.filter((path) => !modules.includes(path.split("/")[1] ?? ""));

/** Places in `paths` where `isBanned` says yes. */
function find(paths: readonly string[], isBanned: (node: ts.Node) => boolean): string[] {
  const found: string[] = [];
  for (const path of paths) {
    walk(path, (node) => {
      if (isBanned(node)) found.push(`${placeOf(path, node)}: ${node.getText().split("\n")[0]}`);
    });
  }
  return found;
}

/** `object.name`, written out. */
const member = (node: ts.Node, object: string, name: string): boolean =>
  ts.isPropertyAccessExpression(node) &&
  node.expression.getText() === object &&
  node.name.text === name;

/** A bare name that is used as a value: neither a property nor a declaration. */
function bare(node: ts.Node, names: readonly string[]): boolean {
  if (!ts.isIdentifier(node) || !names.includes(node.text)) return false;
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === node;
  return ts.isCallExpression(parent) || ts.isNewExpression(parent);
}

function imports(paths: readonly string[], specifiers: RegExp, names?: RegExp): string[] {
  return paths.flatMap((path) =>
    importsOf(path)
      .filter((line) => specifiers.test(line.specifier))
      .filter((line) => names === undefined || line.names.some((name) => names.test(name)))
      .map((line) => `${line.place}: ${line.specifier}`),
  );
}

describe("only the platform", () => {
  test("opens files", () => {
    expect(imports(outside(MAY_TOUCH), /^(node:)?fs(\/|$)/)).toEqual([]);
  });

  test("opens sockets", () => {
    expect(imports(outside(MAY_TOUCH), /^(node:)?(net|dgram|tls)$/)).toEqual([]);
  });

  test("draws at random", () => {
    const paths = outside(MAY_TOUCH);
    const drawn = /^(randomBytes|randomInt|randomUUID|randomFill|randomFillSync|webcrypto)$/;
    const found = find(
      paths,
      (node) => member(node, "Math", "random") || member(node, "crypto", "getRandomValues"),
    );
    expect([...found, ...imports(paths, /^(node:)?crypto$/, drawn)]).toEqual([]);
  });
});

test("only the doors, the server and the command line know what time it is", () => {
  const paths = outside(MAY_KNOW_TIME);
  const found = find(
    paths,
    (node) =>
      member(node, "Date", "now") ||
      member(node, "process", "hrtime") ||
      member(node, "process", "uptime") ||
      bare(node, ["performance", "setTimeout", "setInterval", "setImmediate"]) ||
      (ts.isNewExpression(node) &&
        node.expression.getText() === "Date" &&
        (node.arguments?.length ?? 0) === 0),
  );
  expect([...found, ...imports(paths, /^(node:)?(timers|perf_hooks)(\/|$)/)]).toEqual([]);
});

test("only the command line prints", () => {
  expect(find(outside(MAY_PRINT), (node) => bare(node, ["console"]))).toEqual([]);
});

test("tests wait for conditions, never for a while", () => {
  // A helper may look again every few milliseconds; a test says what it waits for.
  const paths = tests.filter((path) => path.endsWith(".test.ts"));
  const sleeps = find(
    paths,
    (node) =>
      ts.isAwaitExpression(node) && /^new Promise.*setTimeout/s.test(node.expression.getText()),
  );
  expect([...sleeps, ...imports(paths, /^(node:)?timers\/promises$/)]).toEqual([]);
});

test("no test stands alone and none is left out", () => {
  const found = find(
    tests,
    (node) =>
      ts.isPropertyAccessExpression(node) &&
      /^(test|it|describe)(\.|$)/.test(node.expression.getText()) &&
      /^(only|skip|todo)$/.test(node.name.text),
  );
  expect(found).toEqual([]);
});

test("an error is never swallowed", () => {
  const found = find(
    all,
    (node) => ts.isCatchClause(node) && !/[^\s{}]/.test(node.block.getFullText()),
  );
  expect(found).toEqual([]);
});

test("a sync is always waited for", () => {
  const found = find(
    all,
    (node) =>
      ts.isCallExpression(node) &&
      ts.isPropertyAccessExpression(node.expression) &&
      node.expression.name.text === "syncAsync" &&
      ts.isExpressionStatement(node.parent),
  );
  expect(found).toEqual([]);
});

test("exports have names", () => {
  const found = find(
    all,
    (node) =>
      ts.isExportAssignment(node) ||
      (ts.canHaveModifiers(node) &&
        (ts.getModifiers(node) ?? []).some((one) => one.kind === ts.SyntaxKind.DefaultKeyword)),
  );
  expect(found).toEqual([]);
});

test("the compiler is never told to look away, and nothing is left for later", () => {
  // Put together here, so that this file does not find itself.
  const words = [
    ["@ts", "ignore"].join("-"),
    ["@ts", "nocheck"].join("-"),
    `FIX${"ME"}`,
    `TO${"DO"}:`,
  ];
  const found = all.flatMap((path) =>
    words.filter((word) => textOf(path).includes(word)).map((word) => `${path}: ${word}`),
  );
  expect(found).toEqual([]);
});

test("no file names a path of one machine", () => {
  const names = ["work", "root", "farm", "home"].join("|");
  const jobs = ["/tmp", "bash"].join("/");
  const absolute = new RegExp(`(?<![\\w.\\-/*@}])/(${names})/[a-z]|(?<![\\w.])${jobs}`, "i");
  const paths = [
    ...all,
    ...["chapters", ".github", "."].flatMap((dir) => filesUnder(dir, ".md")),
    ...["package.json", "typedoc.json", "biome.json", "vitest.config.ts", ".ci/run"],
  ];
  const found = [...new Set(paths)].flatMap((path) =>
    textOf(path)
      .split("\n")
      .flatMap((line, index) => (absolute.test(line) ? [`${path}:${index + 1}: ${line}`] : [])),
  );
  expect(found).toEqual([]);
});

test("every file could be read", () => {
  const broken = all.filter((path) => {
    const { parseDiagnostics = [] } = treeOf(path) as { parseDiagnostics?: unknown[] };
    return parseDiagnostics.length > 0;
  });
  expect(broken).toEqual([]);
});

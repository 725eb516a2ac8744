/**
 * The files of this repository, as the house tests see them: read once, parsed once, never run.
 *
 * Invariant: nothing here writes, imports a module of `src`, or leaves the repository.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

/** The repository's root directory. */
export const root: string = resolve(dirname(fileURLToPath(import.meta.url)), "../..");

/** Directories that hold what others made, or what can be made again. */
const NOT_OURS: ReadonlySet<string> = new Set([
  ".git",
  "coverage",
  "data",
  "dist",
  "node_modules",
  "work",
]);

/** The chapters of the workbook, written or not. The list never changes order. */
export const CHAPTERS: readonly string[] = [
  "00-bytes",
  "01-wal",
  "02-memtable",
  "03-sstable",
  "04-lsm",
  "05-btree",
  "06-mvcc",
  "07-raft",
  "08-replica",
  "09-sqlite",
  "10-operations",
  "11-simulation",
];

/**
 * Paths below `directory` that end in `ending`: relative to the root, `/` between parts, sorted.
 */
export function filesUnder(directory: string, ending: string): string[] {
  const start = join(root, directory);
  if (!existsSync(start)) return [];
  const found: string[] = [];
  for (const entry of readdirSync(start, { withFileTypes: true })) {
    if (NOT_OURS.has(entry.name)) continue;
    const path = join(directory, entry.name);
    if (entry.isDirectory()) found.push(...filesUnder(path, ending));
    else if (entry.name.endsWith(ending)) found.push(path.split("\\").join("/"));
  }
  return found.sort();
}

/** The text of a file of the repository. */
export function textOf(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

/**
 * The opening block comment of a file, without its stars; empty if it opens with something else.
 */
export function headerOf(path: string): string {
  const text = textOf(path).replace(/^#!.*\n/, "");
  const header = /^\/\*\*?([\s\S]*?)\*\//.exec(text)?.[1] ?? "";
  return header.replace(/^\s*\* ?/gm, "").trim();
}

/** Tells whether a path of the repository exists. */
export function exists(path: string): boolean {
  return existsSync(join(root, path));
}

/** Modules that exist: directories of `src` with a contract or a door. */
export function modules(): string[] {
  return readdirSync(join(root, "src"), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && filesUnder(`src/${entry.name}`, ".ts").length > 0)
    .map((entry) => entry.name);
}

/** The chapter that teaches a module, such as `01-wal` for `wal`; undefined for support modules. */
export function chapterOf(module: string): string | undefined {
  return CHAPTERS.find((chapter) => chapter.slice(3) === module);
}

const parsed = new Map<string, ts.SourceFile>();

/** The syntax tree of a TypeScript file, with parents set. */
export function treeOf(path: string): ts.SourceFile {
  let tree = parsed.get(path);
  if (tree === undefined) {
    tree = ts.createSourceFile(path, textOf(path), ts.ScriptTarget.ES2023, true);
    parsed.set(path, tree);
  }
  return tree;
}

/** Calls `visit` for every node of a file, parents before children. */
export function walk(path: string, visit: (node: ts.Node) => void): void {
  const descend = (node: ts.Node): void => {
    visit(node);
    ts.forEachChild(node, descend);
  };
  descend(treeOf(path));
}

/** `file:line`, for messages. */
export function placeOf(path: string, node: ts.Node): string {
  const tree = treeOf(path);
  return `${path}:${tree.getLineAndCharacterOfPosition(node.getStart(tree)).line + 1}`;
}

/** One import of a file: what it names, and where it stands. */
export interface ImportLine {
  readonly specifier: string;
  readonly place: string;
  readonly names: readonly string[];
}

/** Every import, re-export, `import()` and import type of a file. */
export function importsOf(path: string): ImportLine[] {
  const found: ImportLine[] = [];
  const add = (node: ts.Node, specifier: ts.Node | undefined, names: readonly string[]): void => {
    if (specifier === undefined || !ts.isStringLiteralLike(specifier)) return;
    found.push({ specifier: specifier.text, place: placeOf(path, node), names });
  };
  walk(path, (node) => {
    if (ts.isImportDeclaration(node)) add(node, node.moduleSpecifier, importedNames(node));
    else if (ts.isExportDeclaration(node)) add(node, node.moduleSpecifier, []);
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument))
      add(node, node.argument.literal, []);
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
      add(node, node.arguments[0], []);
  });
  return found;
}

function importedNames(node: ts.ImportDeclaration): string[] {
  const bindings = node.importClause?.namedBindings;
  if (bindings === undefined || !ts.isNamedImports(bindings)) return [];
  return bindings.elements.map((element) => (element.propertyName ?? element.name).text);
}

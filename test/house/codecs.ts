/**
 * Files that lay out a format, and the tables at their heads.
 *
 * Invariant: what counts as a codec is decided by what a file calls, not by its name.
 */
import ts from "typescript";
import { filesUnder, headerOf, importsOf, walk } from "./sources.ts";

/** Names that put numbers into bytes: the functions of `bytes`, and its writer. */
const WRITES = /^(put(U32|U64|Varint)|ByteWriter|createByteWriter|openByteWriter)$/;

/** Setters of `DataView` and of `Buffer`. */
const SETS = /^(set|write)(Uint|UInt|Int|BigInt|BigUint|BigUInt|Float|Double)\d*(LE|BE)?$/;

/** Files that put numbers into bytes which nobody reads back as numbers, each with its reason. */
const NO_FORMAT: Readonly<Record<string, string>> = {
  "src/replica/kv/copy.ts": "lengths go into a hash; its header tells in which order",
  "src/replica/message-fields.ts": "fields of messages, whose tables are at their own codecs",
  "src/sqlite/deterministic-functions.ts": "random words become the bytes of a random blob",
  "src/sqlite/digest.ts": "numbers go into a hash; its header tells in which order",
};

/** Files of `src` that lay out a format. Formats begin above `bytes`, which knows integers only. */
export function codecs(): string[] {
  return filesUnder("src", ".ts")
    .filter((path) => !/^src\/(bytes|platform)\//.test(path) && !(path in NO_FORMAT))
    .filter((path) => laysOut(path));
}

function laysOut(path: string): boolean {
  const imported = importsOf(path).some(
    ({ specifier, names }) => specifier === "#bytes" && names.some((name) => WRITES.test(name)),
  );
  let found = imported;
  walk(path, (node) => {
    if (ts.isPropertyAccessExpression(node) && SETS.test(node.name.text)) found = true;
  });
  return found;
}

/** The rows of the Markdown tables in a file's opening comment, spaces made one. */
export function tableOf(path: string): string[] {
  return rowsOf(headerOf(path));
}

/** The rows of the Markdown tables in a text: spaces and dashes made one, links made names. */
export function rowsOf(text: string): string[] {
  return text
    .split("\n")
    .filter((line) => /^\s*\|.*\|\s*$/.test(line))
    .map((line) =>
      line
        .trim()
        .replace(/-{2,}/g, "-")
        .replace(/\{@link ([^}]+)\}/g, "`$1`")
        .replace(/\s+/g, " "),
    );
}

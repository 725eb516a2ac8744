/**
 * The table of error codes, the appendix that explains it, and the code that uses it agree.
 * Method: read the appendix as text, the table as a value, and string literals of `src`.
 */

import ts from "typescript";
import { expect, test } from "vitest";
import { CairnError, ERROR_CODES, type ErrorCodeRow } from "#base";
import { filesUnder, placeOf, textOf, walk } from "./sources.ts";

const APPENDIX = "chapters/appendix/errors.md";
const codes = Object.keys(ERROR_CODES);

/** The part of the appendix under each heading that is a code. */
function sections(): Map<string, string> {
  const parts = textOf(APPENDIX).split(/^### /m).slice(1);
  return new Map(
    parts.map((part): [string, string] => {
      const [heading = "", ...lines] = part.split("\n");
      return [heading.trim(), lines.join("\n").split(/^## /m)[0] ?? ""];
    }),
  );
}

const facts = (row: ErrorCodeRow): string =>
  `Retry: ${row.retry}. HTTP: ${row.httpStatus}. Recorded: ${row.deterministic ? "yes" : "no"}.`;

test("the appendix has one heading for each code, in the table's order, and no other", () => {
  expect([...sections().keys()]).toEqual(codes);
});

test.each(Object.entries(ERROR_CODES))("%s is explained with the table's facts", (code, row) => {
  const section = sections().get(code) ?? "";
  expect(section).toContain(facts(row));
  expect(section).toMatch(/^Meaning: \S.{20,}/m);
  expect(section).toMatch(/^What to do: \S.{20,}/m);
});

test("every code is used somewhere in src", () => {
  const used = new Set<string>();
  for (const path of filesUnder("src", ".ts")) {
    if (path === "src/base/errors.ts") continue;
    walk(path, (node) => {
      if (ts.isStringLiteralLike(node) && node.text in ERROR_CODES) used.add(node.text);
    });
  }
  expect(codes.filter((code) => !used.has(code))).toEqual([]);
});

test("programs branch on codes, never on message texts", () => {
  const branches: string[] = [];
  for (const path of filesUnder("src", ".ts")) {
    // SQLite names the token it could not resolve in its message only, and has no code for it.
    if (path.startsWith("src/sqlite/")) continue;
    walk(path, (node) => {
      if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression)) return;
      const { name, expression } = node.expression;
      const asks = /^(includes|startsWith|endsWith|match|indexOf)$/.test(name.text);
      const text = ts.isPropertyAccessExpression(expression) && expression.name.text === "message";
      if (asks && text) branches.push(placeOf(path, node));
    });
  }
  expect(branches).toEqual([]);
});

test("every message of a CairnError opens with a module and ends without a full stop", () => {
  const wrong: string[] = [];
  for (const path of filesUnder("src", ".ts")) {
    // What the server says goes over the wire, in the words that clients of rqlite know.
    if (path.startsWith("src/server/")) continue;
    walk(path, (node) => {
      if (!ts.isNewExpression(node) || node.expression.getText() !== CairnError.name) return;
      const message = node.arguments?.[1];
      if (message === undefined) return;
      const text = message.getText().replace(/^["'`]|["'`]$/g, "");
      const literal = ts.isStringLiteralLike(message) || ts.isTemplateExpression(message);
      const opens = /^([a-z][a-z-]*|\$\{[^}]*\}): /.test(text);
      if (literal && (!opens || text.endsWith("."))) wrong.push(`${placeOf(path, node)}: ${text}`);
    });
  }
  expect(wrong).toEqual([]);
});

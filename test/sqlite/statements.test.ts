/**
 * Splitting, re-quoting and binding. Method: texts with their pieces, and the same texts on a
 * database.
 */
import { existsSync, readFileSync } from "node:fs";
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { findDisallowedPragma, preparedColumns, prepareLenient, splitStatements } from "#sqlite";
import { openBench, request, sql } from "./machine-support.ts";

/** A data set that lies beside the repository where one has it. */
const CHINOOK = "../shared/data/chinook.sql";

const texts = (text: string): string[] => splitStatements(text).pieces.map((piece) => piece.text);

describe("splitting", () => {
  test.each([
    ["SELECT 1; SELECT 2", ["SELECT 1", "SELECT 2"]],
    ["SELECT ';'; SELECT \";\"; SELECT `;`, [;]", ["SELECT ';'", 'SELECT ";"', "SELECT `;`, [;]"]],
    ["SELECT 'it''s;' -- no; end\n; SELECT 2", ["SELECT 'it''s;'", "SELECT 2"]],
    ["/* ; */ SELECT /* ; */ 1 /* ; */", ["SELECT /* ; */ 1"]],
    ["SELECT 1 /* open ; SELECT 2", ["SELECT 1"]],
    ["SELECT 'open ; SELECT 2", ["SELECT 'open ; SELECT 2"]],
    [";;  ;", []],
    ["", []],
    ["-- only a comment", []],
    ["SELECT 1\0; DROP TABLE t", ["SELECT 1"]],
    [
      "CREATE TRIGGER a DELETE ON t BEGIN SELECT CASE WHEN 1 THEN 2 END; SELECT 3; END; SELECT 4",
      [
        "CREATE TRIGGER a DELETE ON t BEGIN SELECT CASE WHEN 1 THEN 2 END; SELECT 3; END",
        "SELECT 4",
      ],
    ],
    [
      "create temp trigger if not exists a delete on t begin select 1; -- end;\n end ; select 2",
      ["create temp trigger if not exists a delete on t begin select 1; -- end;\n end", "select 2"],
    ],
    ["CREATE TABLE trigger_x (a); SELECT 1", ["CREATE TABLE trigger_x (a)", "SELECT 1"]],
    ["SELECT 1e-3;SELECT 0x1e-3", ["SELECT 1e-3", "SELECT 0x1e-3"]],
  ])("%j is cut where SQLite cuts it", (text, pieces) => {
    expect(texts(text)).toEqual(pieces);
  });

  test.skipIf(!existsSync(CHINOOK))(
    "every statement of a large script is one that SQLite prepares alone",
    () => {
      const database = new Database(":memory:");
      const chinook = readFileSync(CHINOOK, "utf8");
      for (const text of texts(chinook)) database.prepare(text).run();
      const count = database.prepare("SELECT count(*) FROM Track").pluck().get();
      expect(count).toBe(3503);
      database.close();
    },
  );

  test("a text that SQLite would end earlier is refused, not run in part", () => {
    const bench = openBench();
    const answer = bench.apply(request("CREATE TRIGGER x; CREATE TABLE smuggled (a)"));
    expect(answer).toEqual([{ error: 'near ";": syntax error' }]);
    bench.close();
  });
});

describe("double-quoted strings", () => {
  const database = new Database(":memory:");
  database.exec("CREATE TABLE t (a, b); INSERT INTO t VALUES (1, 'zz')");
  const lenient = (text: string) => prepareLenient(database, splitStatements(text).pieces[0]!);

  test.each([
    ['SELECT "abc"', ['"abc"'], [["abc"]]],
    ["SELECT 'abc', \"abc\"", ["'abc'", '"abc"'], [["abc", "abc"]]],
    ['SELECT "a", "x" || "y" FROM t WHERE b = "zz"', ["a", '"x" || "y"'], [[1n, "xy"]]],
    ['SELECT "a" FROM t UNION ALL SELECT "a"', ["a"], [[1n], ["a"]]],
    ['SELECT "it\'s" AS x', ["x"], [["it's"]]],
    ['SELECT "say ""hi"""', ['"say ""hi"""'], [['say "hi"']]],
    ['SELECT group_concat(a, ", ") FROM t', ['group_concat(a, ", ")'], [["1"]]],
    ['SELECT 1 ORDER BY "zz" LIMIT 1', ["1"], [[1n]]],
  ])("%s gives headings and rows as with strings allowed", (text, headings, rows) => {
    const prepared = lenient(text);
    expect(preparedColumns(prepared).map((column) => column.name)).toEqual(headings);
    expect(prepared.statement.all()).toEqual(rows);
  });

  test("a missing column without quotes stays an error", () => {
    expect(() => lenient("SELECT abc")).toThrow("no such column: abc");
    expect(() => lenient('SELECT "nope"."x" FROM t')).toThrow("no such column: nope.x");
  });

  test("a thousand different strings in one insert take no thousand trials", () => {
    const values = Array.from({ length: 1000 }, (_, at) => `("v${at}", "w${at}")`).join(",");
    lenient(`INSERT INTO t VALUES ${values}`).statement.run();
    expect(database.prepare("SELECT count(*) FROM t WHERE a LIKE 'v%'").pluck().get()).toBe(1000);
  });

  test("they work in CHECK and in index conditions", () => {
    lenient('CREATE TABLE c (x CHECK (x <> "bad"))').statement.run();
    lenient('CREATE INDEX ci ON t (a) WHERE b = "zz"').statement.run();
    expect(() => database.exec("INSERT INTO c VALUES ('bad')")).toThrow("CHECK constraint failed");
  });
});

describe("parameters", () => {
  const bench = openBench();
  const ask = (text: string, positional: (bigint | string)[], named: [string, string][] = []) =>
    bench.apply(request({ sql: text, positional, named }))[0] as Record<string, unknown>;

  test.each<[string, (bigint | string)[], [string, string][], unknown[]]>([
    ["SELECT ?, ?", [1n, 2n], [], [1, 2]],
    ["SELECT ?2, ?1", [1n, 2n], [], [2, 1]],
    ["SELECT ?1, ?1", [1n], [], [1, 1]],
    ["SELECT ?, ?5", [1n, 2n, 3n, 4n, 5n], [], [1, 5]],
    [
      "SELECT :a, @a, $a",
      [],
      [
        ["a", "n"],
        ["b", ""],
        ["c", ""],
      ],
      ["n", "n", "n"],
    ],
    ["SELECT :a, ?", [7n], [["a", "n"]], ["n", 7]],
    ["SELECT ?, :a", [7n], [["a", "n"]], [7, "n"]],
    ["SELECT :wrong", [], [["a", "n"]], [null]],
    ["SELECT :a, :b", [1n, 2n], [], [1, 2]],
    ["SELECT ?", [1n, 2n, 3n], [], [1]],
    ["SELECT '?', \":a\", ? -- ?", [1n], [], ["?", ":a", 1]],
  ])("%s binds as the reference does", (text, positional, named, row) => {
    expect(ask(text, positional, named)["values"]).toEqual([row]);
  });

  test("too few are an error that counts", () => {
    const error = "not enough args to execute query: want 2 got 1";
    expect(ask("SELECT ?, ?", [1n])).toEqual({ error });
  });

  test("a name must begin with a letter", () => {
    expect(ask("SELECT :a", [], [["1x", "v"]])).toEqual({
      error: 'name "1x" does not begin with a letter',
    });
  });

  test("several statements in one text take positional values from left to right", () => {
    bench.apply(request("CREATE TABLE p (a, b)"));
    ask("INSERT INTO p VALUES (?, ?); INSERT INTO p VALUES (?, :n)", [1n, 2n, 3n], [["n", "v"]]);
    expect(ask("SELECT * FROM p", [])["values"]).toEqual([
      [1, 2],
      [3, "v"],
    ]);
  });
});

describe("disallowed pragmas", () => {
  test.each([
    "PRAGMA journal_mode=DELETE",
    "  pragma\n main . journal_mode = wal",
    "PRAGMA journal_mode(DELETE)",
    "/* x */ PRAGMA synchronous=OFF",
    "SELECT 1; PRAGMA wal_checkpoint",
    "PRAGMA wal_checkpoint(TRUNCATE)",
    "EXPLAIN PRAGMA query_only=1",
    'PRAGMA "wal_autocheckpoint" = 1',
    "PRAGMA [main].[synchronous](0)",
    "-- PRAGMA\nPRAGMA QUERY_ONLY = on",
  ])("%j is found", (text) => {
    expect(findDisallowedPragma([sql("SELECT 1"), sql(text)])?.sql).toBe(text);
  });

  test.each([
    "PRAGMA journal_mode",
    "PRAGMA foreign_keys=ON",
    "PRAGMA table_info(journal_mode)",
    "SELECT 'PRAGMA journal_mode=DELETE'",
    "CREATE TABLE pragma (journal_mode); UPDATE pragma SET journal_mode=1",
  ])("%j passes", (text) => {
    expect(findDisallowedPragma([sql(text)])).toBeUndefined();
  });
});

/**
 * A reader answers reads, refuses what writes, and stays as it was whatever it is sent. Method: a
 * real file with a writer beside it; after each hostile statement the reader is asked for its
 * settings.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { isCairnError } from "#base";
import { openSqliteReader } from "#sqlite";
import type { ReadRequest, SqliteReader, Statement } from "#sqlite/types";
import { execute, openBench, PLAIN, sql } from "./machine-support.ts";

const dir = mkdtempSync(join(tmpdir(), "cairn-reader-"));
const path = join(dir, "db.sqlite");
const REFUSED = { error: "attempt to change database via query operation" };
let writer: Database.Database;
let reader: SqliteReader;

beforeAll(() => {
  writer = new Database(path);
  writer.pragma("journal_mode = WAL");
  reader = openSqliteReaderAfterSetUp();
});

function openSqliteReaderAfterSetUp(): SqliteReader {
  writer.exec("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT); CREATE INDEX names ON t (name)");
  return openSqliteReader(path);
}

beforeEach(() => {
  writer.exec("DELETE FROM t; INSERT INTO t VALUES (1, 'fiona'), (2, 'declan')");
});

afterAll(() => {
  reader.close();
  writer.close();
  rmSync(dir, { recursive: true, force: true });
});

type Answer = Record<string, unknown>;

/** The answers, or undefined if a write is needed. */
function ask(
  statements: readonly (string | Statement)[],
  options: Partial<ReadRequest> = {},
): Answer[] | undefined {
  const response = reader.read({
    statements: statements.map((one) => (typeof one === "string" ? sql(one) : one)),
    transaction: false,
    rendering: PLAIN,
    mode: "query",
    ...options,
  });
  return response.needsWrite ? undefined : JSON.parse(new TextDecoder().decode(response.results));
}

const rows = (...statements: (string | Statement)[]): unknown[] | undefined =>
  ask(statements)?.map(({ values, error }) => values ?? error);

describe("a query", () => {
  test("gives each statement its answer, and an error stops nothing", () => {
    const answers = rows("SELECT name FROM t", "SELECT * FROM missing", "SELECT 2");
    expect(answers).toEqual([[["fiona"], ["declan"]], "no such table: missing", [[2]]]);
  });

  test("skips exactly empty SQL, and answers blank SQL with nothing", () => {
    expect(ask(["", "SELECT 1", ""])).toHaveLength(1);
    expect(ask([" ", "-- a", ";"])).toEqual([{}, {}, {}]);
    expect(ask([])).toEqual([]);
  });

  test.each([
    "INSERT INTO t VALUES (3, 'x')",
    "INSERT INTO t VALUES (3, 'x') RETURNING id",
    "UPDATE t SET name = 'x'",
    "DELETE FROM t",
    "CREATE TABLE u (a)",
    "CREATE TEMP TABLE u (a)",
    "CREATE TABLE IF NOT EXISTS t (a)",
    "DROP TABLE t",
    "ALTER TABLE t ADD COLUMN x",
    "VACUUM",
    "ANALYZE",
    "REINDEX",
    "PRAGMA user_version = 5",
    "PRAGMA application_id(5)",
    "PRAGMA incremental_vacuum",
  ])("refuses %s", (text) => {
    expect(ask([text])).toEqual([REFUSED]);
    expect(rows("SELECT count(*) FROM t")).toEqual([[[2]]]);
  });

  test("runs only the last of several statements in a text, and binds from left to right", () => {
    const two = sql("SELECT ? AS a; SELECT ? AS b, :c", 1n, "second");
    expect(rows({ ...two, named: [["c", 7n]] })).toEqual([[["second", 7]]]);
    expect(rows("DELETE FROM t; SELECT count(*) FROM t")).toEqual([[[2]]]);
    expect(rows("SELECT * FROM missing; SELECT 1")).toEqual(["no such table: missing"]);
    expect(ask(["SELECT 1; -- end"])).toEqual([{}]);
  });

  test("says how many parameters are missing, and ignores too many", () => {
    const few = "not enough args to execute query: want 2 got 1";
    expect(rows(sql("SELECT ?, ?", 1n))).toEqual([few]);
    expect(rows(sql("SELECT ?", 1n, 2n))).toEqual([[[1]]]);
    expect(rows({ ...sql("SELECT :a"), named: [["b", 1n]] })).toEqual([[[null]]]);
  });

  test("takes double quotes for a string where no column has the name", () => {
    expect(rows('SELECT id FROM t WHERE "name" = "fiona"')).toEqual([[[1]]]);
  });

  test("sees one moment in all its statements, and the next query sees what was written", () => {
    const again = "SELECT count(*) FROM t";
    expect(rows(again, again)).toEqual([[[2]], [[2]]]);
    writer.exec("INSERT INTO t VALUES (3, 'aoife')");
    expect(rows(again)).toEqual([[[3]]]);
  });

  test("sees a changed schema although the same text was prepared before", () => {
    writer.exec("CREATE TABLE changing (a INTEGER)");
    const before = ask(["SELECT * FROM changing"]);
    writer.exec("DROP TABLE changing; CREATE TABLE changing (b TEXT, c DATE)");
    const after = ask(["SELECT * FROM changing"]);
    writer.exec("DROP TABLE changing");
    expect(before).toEqual([{ columns: ["a"], types: ["integer"] }]);
    expect(after).toEqual([{ columns: ["b", "c"], types: ["text", "date"] }]);
    expect(rows("SELECT * FROM changing")).toEqual(["no such table: changing"]);
  });
});

describe("a transaction of a client", () => {
  test("begins and ends without effect, with SQLite's own errors", () => {
    const nested = "cannot start a transaction within a transaction";
    expect(rows("BEGIN", "BEGIN", "COMMIT")).toEqual([undefined, nested, undefined]);
    expect(rows("COMMIT")).toEqual(["cannot commit - no transaction is active"]);
    expect(rows("SAVEPOINT a", "RELEASE a", "RELEASE a")?.[2]).toBe("no such savepoint: a");
    expect(ask(["BEGIN"], { transaction: true })).toEqual([{ error: nested }]);
  });

  test("that was left open does not hold the next query at an old moment", () => {
    rows("BEGIN", "SELECT count(*) FROM t");
    writer.exec("INSERT INTO t VALUES (3, 'aoife')");
    expect(rows("SELECT count(*) FROM t")).toEqual([[[3]]]);
  });
});

describe("the engine's settings", () => {
  const SETTINGS = ["query_only", "foreign_keys", "synchronous", "cache_size", "journal_mode"];
  const settings = (): unknown => rows(...SETTINGS.map((name) => `PRAGMA ${name}`));

  test.each([
    ["PRAGMA journal_mode = DELETE", "disallowed pragma"],
    ["PRAGMA query_only = 0", "disallowed pragma"],
    ["PRAGMA query_only(0)", "disallowed pragma"],
    ["/* hidden */ PRAGMA main.query_only = 0", "disallowed pragma"],
    ["EXPLAIN PRAGMA query_only = 0", "disallowed pragma"],
    ["PRAGMA query_only = 0; SELECT 1", "disallowed pragma"],
    ["PRAGMA wal_checkpoint", "disallowed pragma"],
    ["PRAGMA synchronous = 2", "disallowed pragma"],
    ["PRAGMA case_sensitive_like = 1", "disallowed pragma"],
    ["PRAGMA writable_schema = 1", "disallowed pragma"],
    ["PRAGMA foreign_keys = 1", undefined],
    ["PRAGMA cache_size = 1", undefined],
    ["PRAGMA optimize", undefined],
    ["ATTACH 'other.db' AS other", "ATTACH and DETACH are not supported"],
    ["DETACH other", "ATTACH and DETACH are not supported"],
  ])("are as they were after %s", (text, error) => {
    const before = settings();
    expect(rows(text)).toEqual([error]);
    expect(settings()).toEqual(before);
    expect(rows("SELECT 'A' LIKE 'a'")).toEqual([[[1]]]);
  });

  test("can be read, and so can the schema", () => {
    expect(settings()).toEqual([[[1]], [[0]], [[0]], [[expect.any(Number)]], [["wal"]]]);
    expect(rows("PRAGMA table_info(t)")?.[0]).toHaveLength(2);
    expect(rows("PRAGMA integrity_check")).toEqual([[["ok"]]]);
  });
});

describe("a request", () => {
  test.each<[string, boolean]>([
    ["SELECT 1", false],
    ["EXPLAIN SELECT 1", false],
    ["EXPLAIN INSERT INTO t VALUES (9, 'x')", false],
    ["BEGIN", false],
    ["SAVEPOINT a", false],
    ["PRAGMA foreign_keys = 1", false],
    ["PRAGMA table_info(t)", false],
    ["-- nothing", false],
    ["", false],
    ["BEGIN IMMEDIATE", true],
    ["INSERT INTO t VALUES (9, 'x')", true],
    ["INSERT INTO t VALUES (9, 'x') RETURNING id", true],
    ["SELECT 1; DELETE FROM t", true],
    ["CREATE TABLE IF NOT EXISTS t (a)", true],
    ["VACUUM", true],
    ["ANALYZE", true],
    ["PRAGMA user_version = 5", true],
    ["PRAGMA journal_mode", true],
    ["SELECT * FROM missing", true],
    ["INSRT", true],
  ])("with %s needs a write: %s", (text, expected) => {
    expect(ask(["SELECT 1", text], { mode: "request" }) === undefined).toBe(expected);
    expect(rows("SELECT count(*) FROM t")).toEqual([[[2]]]);
  });
});

test("our own table does not show where clients look for theirs", () => {
  const bench = openBench();
  bench.apply(execute("CREATE TABLE mine (a)"));
  const own = openSqliteReader(bench.path);
  for (const text of [
    "SELECT name FROM sqlite_master",
    "SELECT sql FROM sqlite_schema WHERE type = 'table'",
    "SELECT * FROM sqlite_master ORDER BY name",
    "PRAGMA table_list",
  ]) {
    const statements = [sql(text)];
    const response = own.read({ statements, transaction: false, rendering: PLAIN, mode: "query" });
    const answer = response.needsWrite ? "" : new TextDecoder().decode(response.results);
    expect(answer, text).toContain("mine");
    expect(answer, text).not.toContain("_cairn");
  }
  own.close();
  bench.close();
});

test("a file that is missing or no database is refused by code", () => {
  const wrong = join(dir, "wrong.sqlite");
  writeFileSync(wrong, "no database at all, but long enough to look like something else entirely");
  expect(() => openSqliteReader(wrong)).toThrowError(
    expect.toSatisfy((error) => isCairnError(error, "SQLITE_FILE_INVALID")),
  );
  expect(() => openSqliteReader(join(dir, "none.sqlite"))).toThrowError(
    expect.toSatisfy((error) => isCairnError(error, "SQLITE_ENGINE_FAILED")),
  );
});

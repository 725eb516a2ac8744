/**
 * Results look as rqlite's clients expect them, byte for byte. Method: each row of the tables in
 * the compatibility notes (envelope, types, values) is one case, asked of a reader on a real file.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isCairnError } from "#base";
import { seededRandom } from "#platform";
import { openSqliteReader } from "#sqlite";
import type { Rendering, SqliteReader, SqlValue } from "#sqlite/types";
import { PLAIN, sql } from "./machine-support.ts";

const dir = mkdtempSync(join(tmpdir(), "cairn-render-"));
const path = join(dir, "db.sqlite");
let writer: Database.Database;
let reader: SqliteReader;

beforeAll(() => {
  writer = new Database(path);
  writer.pragma("journal_mode = WAL");
  writer.exec(`CREATE TABLE t (id INTEGER PRIMARY KEY, Name VARCHAR(255), b BLOB);
    INSERT INTO t VALUES (1, 'fiona', x'00ff'), (2, 'declan', NULL);
    CREATE TABLE same (id INT, "10" TEXT, "9" TEXT);
    INSERT INTO same VALUES (1, 'ten', 'nine');
    CREATE VIEW v AS SELECT id, Name FROM t`);
  reader = openSqliteReader(path);
});

afterAll(() => {
  reader.close();
  writer.close();
  rmSync(dir, { recursive: true, force: true });
});

/** The answer to one statement, as text. */
function ask(text: string, options: Partial<Rendering> = {}, ...positional: SqlValue[]): string {
  const response = reader.read({
    statements: [sql(text, ...positional)],
    transaction: false,
    rendering: { ...PLAIN, ...options },
    mode: "query",
  });
  if (response.needsWrite) throw new Error("a query never needs a write");
  return new TextDecoder().decode(response.results).slice(1, -1);
}

/** The JSON text of `value`, stored in a column of the given type. */
function stored(type: string, value: SqlValue, options: Partial<Rendering> = {}): string {
  writer.exec(`DROP TABLE IF EXISTS one; CREATE TABLE one (c ${type})`);
  writer.prepare("INSERT INTO one VALUES (?)").run(value);
  const answer = ask("SELECT c FROM one", options);
  if (!answer.includes("values")) return answer;
  return answer.slice(answer.indexOf('"values":[[') + '"values":[['.length, -"]]}".length);
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("the envelope", () => {
  test.each([
    [
      "SELECT * FROM t",
      '{"columns":["id","Name","b"],"types":["integer","varchar(255)","blob"],' +
        '"values":[[1,"fiona","AP8="],[2,"declan",null]]}',
    ],
    [
      "SELECT id, Name FROM t WHERE id = 9",
      '{"columns":["id","Name"],"types":["integer","varchar(255)"]}',
    ],
    ["-- only a comment", "{}"],
    ["SELECT 1; -- a comment behind", "{}"],
    ["SELECT * FROM missing", '{"error":"no such table: missing"}'],
    ["INSRT", '{"error":"near \\"INSRT\\": syntax error"}'],
    ["SELECT 1 AS a; SELECT 2 AS b", '{"columns":["b"],"types":["integer"],"values":[[2]]}'],
  ])("of %s", (text, expected) => {
    expect(ask(text)).toBe(expected);
  });

  test.each([
    [
      "SELECT * FROM same",
      '{"types":{"10":"text","9":"text","id":"int"},"rows":[{"10":"ten","9":"nine","id":1}]}',
    ],
    ["SELECT id FROM t WHERE id = 9", '{"types":{"id":"integer"},"rows":[]}'],
    ["SELECT 1 AS a, 'two' AS a", '{"types":{"a":"text"},"rows":[{"a":"two"}]}'],
    ["-- only a comment", '{"rows":[]}'],
    ["SELECT * FROM missing", '{"rows":[],"error":"no such table: missing"}'],
    [
      'SELECT 1 AS "é", 2 AS "\u{1F600}", 3 AS "\uFF5E", 4 AS "Z"',
      '{"types":{"Z":"integer","é":"integer","～":"integer","😀":"integer"},' +
        '"rows":[{"Z":4,"é":1,"～":3,"😀":2}]}',
    ],
  ])("in the associative form of %s", (text, expected) => {
    expect(ask(text, { associative: true })).toBe(expected);
  });

  test("names tables where asked to, and expressions stay bare", () => {
    const text =
      "SELECT a.id, b.Name AS other, 1 + 1 FROM t a JOIN t b ON a.id = b.id WHERE a.id = 1";
    expect(ask(text, { qualifyColumns: true })).toContain('["t.id","t.other","1 + 1"]');
  });

  test("has a time only if asked, and last", () => {
    expect(ask("SELECT 1", { timings: true })).toMatch(/"values":\[\[1\]\],"time":[0-9.e-]+\}$/);
    expect(ask("SELECT 1")).not.toContain("time");
  });
});

describe("types", () => {
  test.each([
    ["SELECT count(*) FROM t", ["integer"]],
    ["SELECT 1.5", ["real"]],
    ["SELECT 'a'", ["text"]],
    ["SELECT x'53514C697465'", ["text"]],
    ["SELECT NULL", [""]],
    ["SELECT id + 1, Name FROM t WHERE 0", ["", "varchar(255)"]],
    ["SELECT id, Name FROM v", ["integer", "varchar(255)"]],
    ["SELECT * FROM (SELECT id FROM t)", ["integer"]],
    ["WITH c AS (SELECT Name FROM t) SELECT * FROM c", ["varchar(255)"]],
    ["SELECT Name FROM t UNION SELECT 1", ["varchar(255)"]],
    ["SELECT max(Name), Name || '', CAST(id AS TEXT) FROM t", ["text", "text", "text"]],
    ["SELECT rootpage FROM sqlite_master", ["int"]],
  ])("of %s", (text, expected) => {
    expect(JSON.parse(ask(text)).types).toEqual(expected);
  });

  test("are guessed from the first row only", () => {
    const text = "SELECT * FROM (VALUES (NULL, 1), ('text', 2.5))";
    expect(JSON.parse(ask(text)).types).toEqual(["", "integer"]);
  });
});

describe("a stored value", () => {
  const MAX = 2n ** 63n - 1n;
  test.each<[string, SqlValue, string]>([
    ["BOOLEAN", 1n, "true"],
    ["boolean", 0n, "false"],
    ["boolean", -1n, "false"],
    ["boolean", "yes", '"yes"'],
    ["INTEGER", MAX, "9223372036854775807"],
    ["INTEGER", -MAX - 1n, "-9223372036854775808"],
    ["INTEGER", 9_007_199_254_740_993n, "9007199254740993"],
    ["", 5n, "5"],
    ["datetime", 0n, '"1970-01-01T00:00:00Z"'],
    ["DATE", 1_000_000_000_000n, null as never],
    ["timestamp", 1_000_000_000_001n, '"2001-09-09T01:46:40.001Z"'],
    ["timestamp", -1_000_000_000_001n, '"1938-04-24T22:13:19.999Z"'],
    ["datetime", -1n, '"1969-12-31T23:59:59Z"'],
    ["datetime", -62_167_219_200n, '"0000-01-01T00:00:00Z"'],
    ["datetime", 253_402_300_799n, '"9999-12-31T23:59:59Z"'],
    ["REAL", 1, "1"],
    ["REAL", 0.1, "0.1"],
    ["", -0, "-0"],
    ["REAL", 1e21, "1e+21"],
    ["REAL", 123456789012345680000, "123456789012345680000"],
    ["REAL", 0.000001, "0.000001"],
    ["REAL", 1e-7, "1e-7"],
    ["datetime", 1.5, "1.5"],
    ["TEXT", "a<b>&c", '"a\\u003cb\\u003e\\u0026c"'],
    ["TEXT", 'quote " backslash \\ slash /', '"quote \\" backslash \\\\ slash /"'],
    ["TEXT", "\b\f\n\r\t\u0001\u007f", '"\\b\\f\\n\\r\\t\\u0001\u007f"'],
    ["TEXT", "\u2028\u2029", '"\\u2028\\u2029"'],
    ["TEXT", "grüße 😀", '"grüße 😀"'],
    ["BLOB", "text in a blob column", '"text in a blob column"'],
    ["", bytes("SQLite"), '"SQLite"'],
    ["TEXT", bytes("SQLite"), '"SQLite"'],
    ["JSON", bytes("{}"), '"{}"'],
    ["VARCHAR(10)", bytes("v"), '"v"'],
    ["varying character(10)", bytes("v"), '"v"'],
    ["NCHAR(10)", bytes("v"), '"v"'],
    ["native character(10)", bytes("v"), '"v"'],
    ["nvarchar(10)", bytes("v"), '"v"'],
    ["clob", bytes("v"), '"v"'],
    ["TEXT", Uint8Array.of(0x41, 0xff, 0xe2, 0x82, 0x42), '"A\\ufffd\\ufffd\\ufffdB"'],
    ["TEXT", Uint8Array.of(0xef, 0xbb, 0xbf, 0x41), '"\ufeffA"'],
    ["TEXT", Uint8Array.of(0xed, 0xa0, 0x80), '"\\ufffd\\ufffd\\ufffd"'],
    ["BLOB", Uint8Array.of(0, 1, 255), '"AAH/"'],
    ["TEXT(5)", bytes("v"), '"dg=="'],
    ["BLOB", new Uint8Array(0), '""'],
    ["TEXT", null, "null"],
  ])("declared %s: %s becomes %s", (type, value, expected) => {
    if (expected === null) {
      // In seconds this is the year 33658, which RFC 3339 cannot say.
      expect(stored(type, value)).toContain("year outside of range [0,9999]");
    } else expect(stored(type, value)).toBe(expected);
  });

  test("that is a blob can be an array of numbers, unless it counts as text", () => {
    expect(stored("BLOB", Uint8Array.of(0, 1, 255), { blobArray: true })).toBe("[0,1,255]");
    expect(stored("BLOB", new Uint8Array(0), { blobArray: true })).toBe("[]");
    expect(stored("TEXT", bytes("v"), { blobArray: true })).toBe('"v"');
  });

  test("that is infinite fails the request by code, and the next is served", () => {
    for (const value of ["1e999", "-1e999"]) {
      expect(() => ask(`SELECT ${value}`)).toThrowError(
        expect.toSatisfy((error) => isCairnError(error, "SQLITE_RESULT_UNRENDERABLE")),
      );
    }
    expect(ask("SELECT 1")).toContain("[[1]]");
  });

  test("keeps every real exactly (seed 11)", () => {
    const random = seededRandom(11);
    for (let n = 0; n < 200; n += 1) {
      const value = new DataView(random.bytes(8).buffer).getFloat64(0);
      if (Number.isFinite(value)) expect(JSON.parse(stored("", value)), `n ${n}`).toBe(value);
    }
  });
});

describe("a date text", () => {
  test.each([
    ["2004-02-14", "2004-02-14T00:00:00Z"],
    ["2004-02-14 07:15", "2004-02-14T07:15:00Z"],
    ["2004-02-14T07:15", "2004-02-14T07:15:00Z"],
    ["2004-02-14 07:15:59", "2004-02-14T07:15:59Z"],
    ["2004-02-14T07:15:59Z", "2004-02-14T07:15:59Z"],
    ["2004-02-14 07:15:59.120", "2004-02-14T07:15:59.12Z"],
    ["2004-02-14 07:15:59.000", "2004-02-14T07:15:59Z"],
    ["2004-02-14 07:15:59.1234567899", "2004-02-14T07:15:59.123456789Z"],
    ["2004-02-14 07:15:59.5+02:00", "2004-02-14T07:15:59.5+02:00"],
    ["2004-02-14T07:15:59-11:30", "2004-02-14T07:15:59-11:30"],
    ["2004-02-14T07:15:59+00:00", "2004-02-14T07:15:59Z"],
    ["2004-02-29", "2004-02-29T00:00:00Z"],
    ["2004-02-14Z", "2004-02-14T00:00:00Z"],
    ["0000-01-01", "0000-01-01T00:00:00Z"],
    ["2005-02-29", "0001-01-01T00:00:00Z"],
    ["1900-02-29", "0001-01-01T00:00:00Z"],
    ["2004-13-01", "0001-01-01T00:00:00Z"],
    ["2004-00-01", "0001-01-01T00:00:00Z"],
    ["2004-04-31", "0001-01-01T00:00:00Z"],
    ["2004-02-14 24:00", "0001-01-01T00:00:00Z"],
    ["2004-02-14 07:60", "0001-01-01T00:00:00Z"],
    ["2004-02-14 07:15:60", "0001-01-01T00:00:00Z"],
    ["2004-02-14 07:15+02:00", "0001-01-01T00:00:00Z"],
    ["2004-02-14 07:15:00+25:00", "0001-01-01T00:00:00Z"],
    [" 2004-02-14", "0001-01-01T00:00:00Z"],
    ["2004-02-14ZZ", "0001-01-01T00:00:00Z"],
    ["yesterday", "0001-01-01T00:00:00Z"],
    ["", "0001-01-01T00:00:00Z"],
  ])("%s is written %s", (text, expected) => {
    for (const type of ["date", "DATETIME", "Timestamp"]) {
      expect(stored(type, text), type).toBe(JSON.stringify(expected));
    }
  });

  test("is left alone where the column is no date, or an expression hides that it is", () => {
    expect(stored("dates", "2004-02-14")).toBe('"2004-02-14"');
    stored("date", "2004-02-14");
    expect(ask("SELECT max(c) FROM one")).toContain('[["2004-02-14"]]');
  });
});

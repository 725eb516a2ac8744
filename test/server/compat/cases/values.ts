/** How values are written (compat reference, 2.2), and that they come out as they went in. */
import { type CompatCase, post, query } from "../case.ts";

type Row = readonly [declared: string, value: string, written: string];

/** A value in a column of a declared type, and its JSON. */
const WRITTEN: readonly Row[] = [
  ["INTEGER", "9223372036854775807", "9223372036854775807"],
  ["INTEGER", "-9223372036854775808", "-9223372036854775808"],
  ["INTEGER", "9007199254740993", "9007199254740993"],
  ["BOOLEAN", "1", "true"],
  ["BOOLEAN", "0", "false"],
  ["boolean", "-5", "false"],
  ["BOOLEAN", "7", "true"],
  ["BOOLEAN", "'x'", '"x"'],
  ["BOOL", "1", "1"],
  ["REAL", "1", "1"],
  ["REAL", "1.5", "1.5"],
  ["REAL", "-0.0", "0"],
  ["REAL", "0.1", "0.1"],
  ["REAL", "1e21", "1e+21"],
  ["REAL", "1e20", "100000000000000000000"],
  ["REAL", "0.000001", "0.000001"],
  ["REAL", "0.0000001", "1e-7"],
  ["REAL", "1.7976931348623157e308", "1.7976931348623157e+308"],
  ["REAL", "5e-324", "5e-324"],
  ["", "NULL", "null"],
  ["TEXT", "''", '""'],
  ["TEXT", "'2004-02-14'", '"2004-02-14"'],
  ["DATE", "'2004-02-14'", '"2004-02-14T00:00:00Z"'],
  ["DATETIME", "'2004-02-14 07:15'", '"2004-02-14T07:15:00Z"'],
  ["DATETIME", "'2004-02-14T07:15:00'", '"2004-02-14T07:15:00Z"'],
  ["DATETIME", "'2004-02-14 07:15:00Z'", '"2004-02-14T07:15:00Z"'],
  ["DATETIME", "'2004-02-14 07:15:00.25'", '"2004-02-14T07:15:00.25Z"'],
  ["DATETIME", "'2004-02-14 07:15:00.123456789'", '"2004-02-14T07:15:00.123456789Z"'],
  ["DATETIME", "'2004-02-14 07:15:00+02:00'", '"2004-02-14T07:15:00+02:00"'],
  ["TIMESTAMP", "'nonsense'", '"0001-01-01T00:00:00Z"'],
  ["TIMESTAMP", "''", '"0001-01-01T00:00:00Z"'],
  ["DATETIME", "1076742900", '"2004-02-14T07:15:00Z"'],
  ["DATETIME", "1076742900123", '"2004-02-14T07:15:00.123Z"'],
  ["timestamp", "0", '"1970-01-01T00:00:00Z"'],
  ["DATETIME", "-1", '"1969-12-31T23:59:59Z"'],
  ["DATE", "1.5", "1.5"],
  ["BLOB", "x'00ff'", '"AP8="'],
  ["BLOB", "x''", '""'],
  ["BLOB", "'text'", '"text"'],
  ["", "x'53514C697465'", '"SQLite"'],
  ["", "x'ff41'", '"\\ufffdA"'],
  ["TEXT", "x'414243'", '"ABC"'],
  ["JSON", "x'7b7d'", '"{}"'],
  ["VARCHAR(10)", "x'41'", '"A"'],
  ["NCHAR(5)", "x'41'", '"A"'],
  ["NVARCHAR(5)", "x'41'", '"A"'],
  ["CLOB", "x'41'", '"A"'],
  ["VARYING CHARACTER(5)", "x'41'", '"A"'],
  ["NATIVE CHARACTER(5)", "x'41'", '"A"'],
  ["CHARACTER(5)", "x'41'", '"QQ=="'],
  ["INTEGER", "x'41'", '"QQ=="'],
];

/** With `blob_array`. */
const ARRAYS: readonly Row[] = [
  ["BLOB", "x'00ff'", "[0,255]"],
  ["BLOB", "x''", "[]"],
  ["BLOB", "'text'", '"text"'],
  ["", "x'41'", '"A"'],
];

const table = (declared: string, value: string): readonly string[] => [
  JSON.stringify([`CREATE TABLE d (x ${declared})`, `INSERT INTO d VALUES (${value})`]),
];

/** Values that must come out exactly as they went in, as JSON of the body and of the answer. */
const ROUND_TRIPS: readonly (readonly [name: string, sent: string, back: string])[] = [
  ["the largest integer", "9223372036854775807", "9223372036854775807"],
  ["the smallest integer", "-9223372036854775808", "-9223372036854775808"],
  ["an integer beyond 2^53", "9007199254740993", "9007199254740993"],
  ["a double with 17 digits", "0.30000000000000004", "0.30000000000000004"],
  ["the smallest double", "5e-324", "5e-324"],
  ["a text with NUL", '"a\\u0000b"', '"a\\u0000b"'],
  ["a text in many scripts", '"żółw 漢字 🐢 \u0301"', '"żółw 漢字 🐢 \u0301"'],
  ["a pair of surrogates as escapes", '"\\ud83d\\udc22"', '"🐢"'],
  ["a byte order mark", '"\\ufeffx"', '"\ufeffx"'],
  ["an empty text", '""', '""'],
  ["quotes and backslashes", '"\\"\\\\\'"', '"\\"\\\\\'"'],
];

const MEBIBYTE = 1024 * 1024;

export const VALUES: readonly CompatCase[] = [
  ...WRITTEN.map(([declared, value, written]) =>
    query(
      "2.2",
      `${value} as ${declared || "nothing"}`,
      "SELECT x FROM d",
      new RegExp(`"values":\\[\\[${escaped(written)}\\]\\]`),
      { setup: table(declared, value) },
    ),
  ),
  ...ARRAYS.map(([declared, value, written]) =>
    query(
      "2.2",
      `${value} as ${declared || "nothing"}, blobs as arrays`,
      "SELECT x FROM d",
      new RegExp(`"values":\\[\\[${escaped(written)}\\]\\]`),
      { setup: table(declared, value), flags: "blob_array" },
    ),
  ),
  ...ROUND_TRIPS.flatMap(([name, sent, back]) =>
    ["", "?associative"].map((flag) => ({
      section: "2.3",
      name: `${name} comes back${flag === "" ? "" : " in the other form"}`,
      request: `POST /db/request${flag}`,
      body: `["CREATE TABLE d (x)", ["INSERT INTO d VALUES (?)", ${sent}], "SELECT x FROM d"]`,
      answer: new RegExp(
        flag === ""
          ? `"values":\\[\\[${escaped(back)}\\]\\]`
          : `"rows":\\[\\{"x":${escaped(back)}\\}\\]`,
      ),
    })),
  ),
  post(
    "2.3",
    "a text of 1 MiB comes back",
    [
      "request",
      "CREATE TABLE d (x)",
      ["INSERT INTO d VALUES (?)", "ä".repeat(MEBIBYTE / 2)],
      "SELECT x FROM d",
    ],
    `{},{"last_insert_id":1,"rows_affected":1},` +
      `{"columns":["x"],"types":["text"],"values":[["${"ä".repeat(MEBIBYTE / 2)}"]]}`,
  ),
  post(
    "2.3",
    "a blob of 1 MiB comes back",
    [
      "request",
      "CREATE TABLE d (x BLOB)",
      ["INSERT INTO d VALUES (zeroblob(?))", MEBIBYTE],
      "SELECT x FROM d",
    ],
    new RegExp(`"values":\\[\\["A{${Math.floor(MEBIBYTE / 3) * 4 + 2}}=="\\]\\]`),
  ),
];

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}

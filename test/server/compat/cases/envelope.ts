/** Shapes of answers: plain, associative, pretty (compat reference, 1.4). */
import { type CompatCase, post, query } from "../case.ts";

const TABLE = "CREATE TABLE t (id INTEGER NOT NULL PRIMARY KEY, name TEXT)";
const FIONA = "INSERT INTO t(name) VALUES('fiona')";
const setup = [TABLE, FIONA];
const HEAD = '"columns":["id","name"],"types":["integer","text"]';

export const ENVELOPE: readonly CompatCase[] = [
  post("1.4", "a table is made", ["execute", TABLE], "{}"),
  post("1.4", "a row is inserted", ["execute", FIONA], '{"last_insert_id":1,"rows_affected":1}', {
    setup: [TABLE],
  }),
  query("1.4", "rows", "SELECT * FROM t", `{${HEAD},"values":[[1,"fiona"]]}`, { setup }),
  query("1.4", "no rows: values are left out", "SELECT * FROM t WHERE id=9", `{${HEAD}}`, {
    setup,
  }),
  query(
    "1.4",
    "associative rows",
    "SELECT * FROM t",
    '{"types":{"id":"integer","name":"text"},"rows":[{"id":1,"name":"fiona"}]}',
    { setup, flags: "associative" },
  ),
  query(
    "1.4",
    "associative without rows",
    "SELECT * FROM t WHERE id=9",
    '{"types":{"id":"integer","name":"text"},"rows":[]}',
    { setup, flags: "associative" },
  ),
  post(
    "1.4",
    "associative write",
    ["execute?associative", FIONA],
    '{"last_insert_id":2,"rows_affected":1,"rows":null}',
    { setup },
  ),
  post("1.4", "associative table", ["execute?associative", "CREATE TABLE u (n)"], '{"rows":null}'),
  post(
    "1.4",
    "request answers writes and reads together",
    ["request", FIONA, "SELECT * FROM t"],
    `{"last_insert_id":2,"rows_affected":1},{${HEAD},"values":[[1,"fiona"],[2,"fiona"]]}`,
    { setup },
  ),
  post(
    "1.4",
    "associative request",
    ["request?associative", FIONA, "SELECT * FROM t WHERE id=2"],
    '{"last_insert_id":2,"rows_affected":1,"rows":null},' +
      '{"types":{"id":"integer","name":"text"},"rows":[{"id":2,"name":"fiona"}]}',
    { setup },
  ),
  post("1.4", "an error of execute", ["execute?associative", "INSRT"], /^\{"results":\[\{"error":/),
  query("1.4", "an error of query", "SELECT * FROM nowhere", '{"error":"no such table: nowhere"}'),
  query(
    "1.4",
    "an associative error of query has rows",
    "SELECT * FROM nowhere",
    '{"rows":[],"error":"no such table: nowhere"}',
    { flags: "associative" },
  ),
  post(
    "1.4",
    "an associative error of request that fails to prepare has none",
    ["request?associative", "SELECT * FROM nowhere"],
    '{"error":"no such table: nowhere"}',
  ),
  post(
    "1.4",
    "an associative error of request at run time has rows",
    ["request?associative", "SELECT abs(-9223372036854775808)"],
    '{"rows":[],"error":"integer overflow"}',
  ),
  query("1.4", "a comment alone", "-- nothing", "{}"),
  query("1.4", "an associative comment", "-- nothing", '{"rows":[]}', { flags: "associative" }),
  query("1.4", "blanks alone", "   ", "{}"),
  post("1.4", "a comment through execute", ["execute", "-- nothing"], "{}"),
  query(
    "1.4",
    "associative keys are sorted by their bytes",
    'SELECT 1 AS b, 2 AS a, 3 AS B, 4 AS "10", 5 AS "9", 6 AS é',
    '{"types":{"10":"integer","9":"integer","B":"integer","a":"integer","b":"integer",' +
      '"é":"integer"},"rows":[{"10":4,"9":5,"B":3,"a":2,"b":1,"é":6}]}',
    { flags: "associative" },
  ),
  query(
    "1.4",
    "of columns with one name the last wins",
    "SELECT 1 AS a, 'x' AS a",
    '{"types":{"a":"text"},"rows":[{"a":"x"}]}',
    { flags: "associative" },
  ),
  query(
    "1.4",
    "as arrays they are all there",
    "SELECT 1 AS a, 'x' AS a",
    '{"columns":["a","a"],"types":["integer","text"],"values":[[1,"x"]]}',
  ),
  query(
    "1.4",
    "texts are escaped as Go does",
    "SELECT '<a href=\"x\">&' || char(8, 9, 10, 12, 13, 1, 0x2028, 0x2029, 127) AS x",
    '{"columns":["x"],"types":["text"],"values":[["\\u003ca href=\\"x\\"\\u003e\\u0026' +
      '\\b\\t\\n\\f\\r\\u0001\\u2028\\u2029\u007f"]]}',
  ),
  query(
    "1.4",
    "headings are escaped too",
    "SELECT 1 < 2",
    '{"columns":["1 \\u003c 2"],"types":["integer"],"values":[[1]]}',
  ),
  {
    ...query("1.4", "infinity cannot be told in JSON", "SELECT 9e999", ""),
    answer: /\+Inf/,
    status: 500,
  },
  query(
    "1.4",
    "pretty is indented by four blanks, without a newline at the end",
    "SELECT * FROM t",
    JSON.stringify(
      {
        results: [{ columns: ["id", "name"], types: ["integer", "text"], values: [[1, "fiona"]] }],
      },
      null,
      4,
    ),
    { setup, flags: "pretty" },
  ),
  query(
    "2.2",
    "qualified names",
    "SELECT t.id, u.id, u.name AS n, 1 FROM t, t AS u",
    '{"columns":["t.id","t.id","t.n","1"],"types":["integer","integer","text","integer"],' +
      '"values":[[1,1,"fiona",1]]}',
    { setup, flags: "qualify_columns" },
  ),
  post(
    "1.2",
    "names are not qualified on execute",
    ["execute?qualify_columns", "INSERT INTO t(name) VALUES('x') RETURNING id"],
    '{"columns":["id"],"types":["integer"],"values":[[2]]}',
    { setup },
  ),
];

/** Errors of statements and of whole requests (compat reference, 1.6, 4.1). */
import { type CompatCase, post, query, target } from "../case.ts";

const TABLES = JSON.stringify([
  "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT NOT NULL, c INTEGER UNIQUE CHECK (c > 0))",
  "CREATE TABLE s (x BLOB) STRICT",
  "INSERT INTO t VALUES (1, 'one', 1)",
]);
const setup = [TABLES];

/** What SQLite says, word for word. */
const SQLITE: readonly (readonly [sql: string, error: string])[] = [
  ["INSERT INTO nowhere VALUES (1)", "no such table: nowhere"],
  ["UPDATE t SET missing = 1", "no such column: missing"],
  ["INSRT INTO t", 'near \\"INSRT\\": syntax error'],
  ["INSERT INTO t VALUES (2, 'two', 1)", "UNIQUE constraint failed: t.c"],
  ["INSERT INTO t VALUES (1, 'two', 2)", "UNIQUE constraint failed: t.a"],
  ["INSERT INTO t VALUES (2, NULL, 2)", "NOT NULL constraint failed: t.b"],
  ["INSERT INTO t VALUES (2, 'two', -1)", "CHECK constraint failed: c \\u003e 0"],
  ["CREATE TABLE t (n)", "table t already exists"],
  ["INSERT INTO s VALUES ('text')", "cannot store TEXT value in BLOB column s.x"],
  ["INSERT INTO t VALUES (f(1), 'x', 3)", "no such function: f"],
  ["INSERT INTO t VALUES ('x', 'x', 3)", "datatype mismatch"],
  ["RELEASE missing", "no such savepoint: missing"],
  ["ROLLBACK TO missing", "no such savepoint: missing"],
  ["COMMIT", "cannot commit - no transaction is active"],
  ["ROLLBACK", "cannot rollback - no transaction is active"],
  ["INSERT INTO t VALUES (1)", "table t has 3 columns but 1 values were supplied"],
  ["DROP TABLE nowhere", "no such table: nowhere"],
  ["SELECT", "incomplete input"],
];

/** The same from the readers. */
const READS: readonly (readonly [sql: string, error: string])[] = [
  ["SELECT * FROM nowhere", "no such table: nowhere"],
  ["SELECT missing FROM t", "no such column: missing"],
  ["SELEC 1", 'near \\"SELEC\\": syntax error'],
  ["SELECT f(1)", "no such function: f"],
  ["SELECT abs(-9223372036854775808)", "integer overflow"],
  ["INSERT INTO t VALUES (2, 'two', 2)", "attempt to change database via query operation"],
  ["DELETE FROM t", "attempt to change database via query operation"],
  ["CREATE TABLE u (n)", "attempt to change database via query operation"],
  ["DROP TABLE t", "attempt to change database via query operation"],
  ["VACUUM", "attempt to change database via query operation"],
];

export const ERRORS: readonly CompatCase[] = [
  ...SQLITE.map(([sql, error]) =>
    post("1.6", `execute ${sql}`, ["execute", sql], `{"error":"${error}"}`, { setup }),
  ),
  ...READS.map(([sql, error]) =>
    query("1.6", `query ${sql}`, sql, `{"error":"${error}"}`, { setup }),
  ),
  post(
    "1.6",
    "a foreign key is watched once it is switched on",
    [
      "execute",
      "PRAGMA foreign_keys = ON",
      "CREATE TABLE child (n REFERENCES t(a))",
      "INSERT INTO child VALUES (9)",
    ],
    '{},{},{"error":"FOREIGN KEY constraint failed"}',
    { setup: ["CREATE TABLE t (a INTEGER PRIMARY KEY)"] },
  ),
  post(
    "2.3",
    "too few parameters",
    ["execute", ["INSERT INTO t VALUES (?, ?, ?)", 2, "two"]],
    '{"error":"not enough args to execute query: want 3 got 2"}',
    { setup },
  ),
  post(
    "2.3",
    "too few parameters of a query",
    ["query", ["SELECT ?, ?", 2]],
    '{"error":"not enough args to execute query: want 2 got 1"}',
  ),
  post(
    "1.3",
    "a name that begins with a digit",
    ["query", ["SELECT ?1", { "1x": 5 }]],
    '{"error":"name \\"1x\\" does not begin with a letter"}',
  ),
  post(
    "4.1",
    "an error in the middle does not stop a batch",
    [
      "execute",
      "INSERT INTO t VALUES (2, 'two', 2)",
      "INSERT INTO nowhere VALUES (1)",
      "INSERT INTO t VALUES (3, 'three', 3)",
    ],
    '{"last_insert_id":2,"rows_affected":1},{"error":"no such table: nowhere"},' +
      '{"last_insert_id":3,"rows_affected":1}',
    { setup },
  ),
  post(
    "1.6",
    "a disallowed PRAGMA refuses the whole request",
    ["execute", "CREATE TABLE u (n)", "PRAGMA journal_mode=DELETE"],
    '{"results":[],"error":"disallowed pragma"}',
  ),
  {
    section: "1.1",
    name: "an error carries no served-by",
    request: `GET ${target("/db/query", { q: "PRAGMA journal_mode=DELETE" })}`,
    answer: '{"results":[],"error":"disallowed pragma"}',
    headers: { "x-rqlite-served-by": null },
  },
  query(
    "2.2",
    "a year beyond 9999 is an error of its statement",
    "SELECT d FROM d",
    '{"error":"Time.MarshalText: year outside of range [0,9999]"}',
    {
      setup: [
        JSON.stringify(["CREATE TABLE d (d DATETIME)", "INSERT INTO d VALUES (999999999999)"]),
      ],
    },
  ),
];

/** The `types` of answers (compat reference, 2.1). */
import { type CompatCase, query } from "../case.ts";

/** Declared types, and how they are told. */
const DECLARED: readonly (readonly [declared: string, told: string])[] = [
  ["INTEGER", "integer"],
  ["VARCHAR(255)", "varchar(255)"],
  ["INT", "int"],
  ["Boolean", "boolean"],
  ["REAL", "real"],
  ["DOUBLE PRECISION", "double precision"],
  ["DECIMAL(10,2)", "decimal(10,2)"],
  ["BLOB", "blob"],
  ["JSON", "json"],
  ["DATETIME", "datetime"],
  ["my odd TYPE", "my odd type"],
];

/** Expressions, and what their first row makes of them. */
const INFERRED: readonly (readonly [sql: string, type: string, value: string])[] = [
  ["SELECT 5 AS x", "integer", "5"],
  ["SELECT 1.5 AS x", "real", "1.5"],
  ["SELECT 'a' AS x", "text", '"a"'],
  ["SELECT x'53514C697465' AS x", "text", '"SQLite"'],
  ["SELECT NULL AS x", "", "null"],
  ["SELECT count(*) AS x FROM t", "integer", "2"],
  ["SELECT max(b) AS x FROM t", "text", '"two"'],
  ["SELECT sum(a) AS x FROM t", "integer", "3"],
  ["SELECT avg(a) AS x FROM t", "real", "1.5"],
  ["SELECT CAST(a AS TEXT) AS x FROM t WHERE a = 1", "text", '"1"'],
  ["SELECT 1 = 1 AS x", "integer", "1"],
];

const setup = [
  JSON.stringify([
    "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT)",
    "INSERT INTO t VALUES (1, 'one'), (2, 'two')",
    "CREATE VIEW v AS SELECT a, b, a + 1 AS c FROM t",
    "CREATE TABLE copy AS SELECT a + 0 AS x FROM t",
  ]),
];

/** Columns that keep their declared type on the way, and columns that lose it. */
const KEPT: readonly (readonly [name: string, sql: string, types: string])[] = [
  ["through a view", "SELECT a, b, c FROM v WHERE 0", '["integer","text",""]'],
  ["through a sub-query", "SELECT a FROM (SELECT a FROM t) WHERE 0", '["integer"]'],
  ["through a CTE", "WITH w AS (SELECT b FROM t) SELECT b FROM w WHERE 0", '["text"]'],
  ["through a join", "SELECT t.a, u.b FROM t JOIN t AS u WHERE 0", '["integer","text"]'],
  [
    "from the first arm of a UNION",
    "SELECT b FROM t WHERE 0 UNION SELECT a FROM t WHERE 0",
    '["text"]',
  ],
  ["not through an expression", "SELECT a + 0, b || '' FROM t WHERE 0", '["",""]'],
  ["not through an aggregate", "SELECT max(a) FROM t GROUP BY b HAVING 0", '[""]'],
  ["of sqlite_master", "SELECT rootpage FROM sqlite_master WHERE 0", '["int"]'],
  ["of the rowid", "SELECT rowid FROM t WHERE 0", '["integer"]'],
];

export const TYPES: readonly CompatCase[] = [
  ...DECLARED.map(([declared, told]) =>
    query(
      "2.1",
      `declared ${declared}`,
      "SELECT x FROM d",
      `{"columns":["x"],"types":["${told}"]}`,
      { setup: [`CREATE TABLE d (x ${declared})`] },
    ),
  ),
  ...INFERRED.map(([sql, type, value]) =>
    query("2.1", sql, sql, `{"columns":["x"],"types":["${type}"],"values":[[${value}]]}`, {
      setup,
    }),
  ),
  ...KEPT.map(([name, sql, types]) =>
    query("2.1", `types ${name}`, sql, new RegExp(`"types":${types.replace(/[[\]]/g, "\\$&")}`), {
      setup,
    }),
  ),
  query(
    "2.1",
    "a guess is from the first row alone",
    "SELECT x FROM (SELECT 1 AS x UNION ALL SELECT 'a' UNION ALL SELECT NULL)",
    '{"columns":["x"],"types":["integer"],"values":[[1],["a"],[null]]}',
  ),
  query(
    "2.1",
    "a first NULL says nothing",
    "SELECT x FROM (SELECT NULL AS x UNION ALL SELECT 5)",
    '{"columns":["x"],"types":[""],"values":[[null],[5]]}',
  ),
  query(
    "2.1",
    "a PRAGMA's columns",
    "PRAGMA table_info(t)",
    /"types":\["integer","text","text","integer","","integer"\]/,
    {
      setup,
    },
  ),
  query(
    "2.1",
    "a column without a type",
    "SELECT x FROM d",
    '{"columns":["x"],"types":["integer"],"values":[[1]]}',
    {
      setup: [JSON.stringify(["CREATE TABLE d (x)", "INSERT INTO d VALUES (1)"])],
    },
  ),
];

/** PRAGMAs: which are refused, and what the others say (compat reference, 4.8, 4.9). */
import { type CompatCase, post, query } from "../case.ts";

const REFUSED: readonly string[] = [
  "PRAGMA journal_mode = DELETE",
  "PRAGMA main.journal_mode=DELETE",
  "  pragma  JOURNAL_MODE = wal",
  "PRAGMA wal_autocheckpoint = 10",
  "PRAGMA wal_checkpoint",
  "PRAGMA wal_checkpoint(TRUNCATE)",
  "PRAGMA main.wal_checkpoint",
  "PRAGMA synchronous = FULL",
  "PRAGMA main.synchronous=0",
  "PRAGMA query_only = ON",
];

const WHOLE = '{"results":[],"error":"disallowed pragma"}';

/** PRAGMAs of a reader, and what they say. */
const READ: readonly (readonly [sql: string, values: string])[] = [
  ["PRAGMA journal_mode", '[["wal"]]'],
  ["PRAGMA busy_timeout", "[[5000]]"],
  ["PRAGMA foreign_keys", "[[0]]"],
  ["PRAGMA synchronous", "[[0]]"],
  ["PRAGMA wal_autocheckpoint", "[[1000]]"],
  ["PRAGMA page_size", "[[4096]]"],
  ["PRAGMA encoding", '[["UTF-8"]]'],
  ["PRAGMA user_version", "[[0]]"],
  ["PRAGMA integrity_check", '[["ok"]]'],
];

export const PRAGMAS: readonly CompatCase[] = [
  ...["execute", "query", "request"].flatMap((endpoint) =>
    REFUSED.map((sql) => post("4.8", `${endpoint} refuses ${sql}`, [endpoint, sql], WHOLE)),
  ),
  ...READ.map(([sql, values]) =>
    query("4.8", sql, sql, new RegExp(`"values":${values.replace(/[[\]]/g, "\\$&")}`)),
  ),
  post(
    "4.8",
    "user_version is written through the log",
    ["request", "PRAGMA user_version = 7", "PRAGMA user_version"],
    /"values":\[\[7\]\]/,
  ),
  post(
    "4.8",
    "application_id is written through the log",
    ["request", "PRAGMA application_id = 7", "PRAGMA application_id"],
    /"values":\[\[7\]\]/,
  ),
  post("4.8", "foreign_keys is set for all", ["execute", "PRAGMA foreign_keys = 1"], "{}"),
  query(
    "4.9",
    "FTS5 is there",
    "SELECT 1 FROM pragma_compile_options WHERE compile_options = 'ENABLE_FTS5'",
    /\[\[1\]\]/,
  ),
  post(
    "4.9",
    "R-trees are there",
    ["execute", "CREATE VIRTUAL TABLE r USING rtree(id, a, b)"],
    "{}",
  ),
  post(
    "4.9",
    "full text is there",
    [
      "request",
      "CREATE VIRTUAL TABLE f USING fts5(body)",
      "INSERT INTO f VALUES('hello world')",
      "SELECT count(*) AS c FROM f WHERE f MATCH 'hello'",
    ],
    /"values":\[\[1\]\]/,
  ),
  query(
    "4.9",
    "JSON is there",
    `SELECT json_extract('{"a":[1,2]}', '$.a[1]') AS x`,
    '{"columns":["x"],"types":["integer"],"values":[[2]]}',
  ),
  query(
    "4.9",
    "mathematics are there",
    "SELECT floor(sqrt(17)) AS x",
    '{"columns":["x"],"types":["real"],"values":[[4]]}',
  ),
];

/** Transactions, several statements in one text, RETURNING, counters (4.1 to 4.5). */
import { type CompatCase, post } from "../case.ts";

const TABLE = "CREATE TABLE t (id INTEGER PRIMARY KEY, n UNIQUE)";
const setup = [TABLE];
const one = (id: number): string => `{"last_insert_id":${id},"rows_affected":1}`;
const COUNT = "SELECT count(*) AS c FROM t";
const counted = (count: number): string =>
  `{"columns":["c"],"types":["integer"],"values":[[${count}]]}`;
const insert = (n: number): string => `INSERT INTO t(n) VALUES(${n})`;
const TWICE = '{"error":"UNIQUE constraint failed: t.n"}';

export const TRANSACTIONS: readonly CompatCase[] = [
  post(
    "4.1",
    "without transaction a batch goes on",
    ["request", insert(1), insert(1), insert(2), COUNT],
    `${one(1)},${TWICE},${one(2)},${counted(2)}`,
    { setup },
  ),
  post(
    "4.1",
    "execute?transaction stops at the first error",
    ["execute?transaction", insert(1), insert(1), insert(2)],
    `${one(1)},${TWICE}`,
    { setup },
  ),
  post(
    "4.1",
    "request?transaction stops at an error at run time",
    ["request?transaction", insert(1), insert(1), COUNT],
    `${one(1)},${TWICE}`,
    { setup },
  ),
  post(
    "4.1",
    "request?transaction goes on behind an error at prepare",
    ["request?transaction", insert(1), "INSERT INTO nowhere VALUES(1)", COUNT],
    `${one(1)},{"error":"no such table: nowhere"},${counted(1)}`,
    { setup },
  ),
  post(
    "4.1",
    "execute?transaction that holds is there",
    ["execute?transaction", insert(1), insert(2)],
    `${one(1)},${one(2)}`,
    { setup },
  ),
  post(
    "4.1",
    "query?transaction goes on behind errors",
    ["query?transaction", "SELECT * FROM nowhere", COUNT],
    `{"error":"no such table: nowhere"},${counted(0)}`,
    { setup },
  ),
  post(
    "4.2",
    "COMMIT without BEGIN",
    ["execute", "COMMIT"],
    '{"error":"cannot commit - no transaction is active"}',
  ),
  post(
    "4.2",
    "BEGIN in a transaction",
    ["execute?transaction", "BEGIN"],
    '{"error":"cannot start a transaction within a transaction"}',
  ),
  post(
    "4.2",
    "BEGIN and COMMIT in one request",
    ["request", "BEGIN", insert(1), "COMMIT", COUNT],
    `{},${one(1)},${one(1)},${counted(1)}`,
    { setup },
  ),
  post(
    "4.2",
    "BEGIN and ROLLBACK in one request",
    ["execute", "BEGIN", insert(1), "ROLLBACK", insert(5)],
    `{},${one(1)},${one(1)},${one(1)}`,
    { setup },
  ),
  post(
    "4.2",
    "SAVEPOINT and RELEASE",
    ["execute", "SAVEPOINT a", insert(1), "RELEASE a"],
    `{},${one(1)},${one(1)}`,
    { setup },
  ),
  post("4.2", "VACUUM", ["execute", "VACUUM"], "{}"),
  post(
    "4.3",
    "CREATE behind an INSERT shows its counters",
    ["execute", insert(1), "CREATE TABLE u (n)"],
    `${one(1)},${one(1)}`,
    { setup },
  ),
  post(
    "4.3",
    "an UPDATE that meets nothing",
    ["execute", insert(1), "UPDATE t SET n = 5 WHERE id = 9"],
    `${one(1)},{"last_insert_id":1}`,
    { setup },
  ),
  post(
    "4.3",
    "DELETE counts its rows",
    ["execute", insert(1), insert(2), "DELETE FROM t"],
    `${one(1)},${one(2)},{"last_insert_id":2,"rows_affected":2}`,
    { setup },
  ),
  post(
    "4.3",
    "SELECT through execute shows the counters",
    ["execute", insert(1), "SELECT * FROM t"],
    `${one(1)},${one(1)}`,
    { setup },
  ),
  post(
    "4.4",
    "several statements in one text all run",
    ["request", "INSERT INTO t(n) VALUES(1); INSERT INTO t(n) VALUES(2)", COUNT],
    `${one(2)},${counted(2)}`,
    { setup },
  ),
  post(
    "4.4",
    "they stop at the first error, and keep what they did",
    [
      "request",
      "INSERT INTO t(n) VALUES(1); INSERT INTO t(n) VALUES(1); INSERT INTO t(n) VALUES(2)",
      COUNT,
    ],
    `${TWICE},${counted(1)}`,
    { setup },
  ),
  post(
    "4.4",
    "parameters go from left to right",
    [
      "request",
      ["INSERT INTO t(n) VALUES(?); INSERT INTO t(n) VALUES(?)", 7, 8],
      "SELECT n FROM t",
    ],
    `${one(2)},{"columns":["n"],"types":["integer"],"values":[[7],[8]]}`,
    { setup },
  ),
  post(
    "4.4",
    "a comment behind the last makes the entry empty",
    ["execute", "INSERT INTO t(n) VALUES(1); -- done"],
    "{}",
    { setup },
  ),
  post(
    "4.4",
    "a query runs the last of its statements",
    ["query", "SELECT 1; SELECT 2 AS x"],
    '{"columns":["x"],"types":["integer"],"values":[[2]]}',
  ),
  post("4.4", "a query that ends in a comment is empty", ["query", "SELECT 1; -- done"], "{}"),
  post(
    "4.5",
    "RETURNING of INSERT gives rows",
    ["execute", "INSERT INTO t(n) VALUES(5), (6) RETURNING id, n"],
    '{"columns":["id","n"],"types":["integer","integer"],"values":[[1,5],[2,6]]}',
    { setup },
  ),
  post(
    "4.5",
    "RETURNING of UPDATE",
    ["execute", insert(1), "UPDATE t SET n = 9 RETURNING n"],
    `${one(1)},{"columns":["n"],"types":["integer"],"values":[[9]]}`,
    { setup },
  ),
  post(
    "4.5",
    "RETURNING of DELETE",
    ["execute", insert(1), "DELETE FROM t RETURNING id"],
    `${one(1)},{"columns":["id"],"types":["integer"],"values":[[1]]}`,
    { setup },
  ),
  post(
    "4.5",
    "RETURNING of REPLACE",
    ["execute", "REPLACE INTO t(id, n) VALUES(3, 4) RETURNING id"],
    '{"columns":["id"],"types":["integer"],"values":[[3]]}',
    { setup },
  ),
  post(
    "4.5",
    "RETURNING of nothing",
    ["execute", "DELETE FROM t RETURNING id"],
    '{"columns":["id"],"types":["integer"]}',
    { setup },
  ),
  post(
    "4.5",
    "RETURNING through request",
    ["request", "INSERT INTO t(n) VALUES(5) RETURNING n"],
    '{"columns":["n"],"types":["integer"],"values":[[5]]}',
    { setup },
  ),
  post(
    "3.3",
    "reads alone are not replicated",
    ["request?raft_index", "SELECT 1 AS x"],
    '{"columns":["x"],"types":["integer"],"values":[[1]]}',
  ),
  post(
    "3.3",
    "EXPLAIN of a write alone is a read",
    ["request?raft_index", "EXPLAIN INSERT INTO t(n) VALUES(1)"],
    /^\{"results":\[\{"columns":\["addr"/,
    { setup },
  ),
  post(
    "3.3",
    "a write among reads goes through the log",
    ["request?raft_index", "SELECT 1", insert(1)],
    /"raft_index":\d+\}$/,
    { setup },
  ),
  post("4.2", "ATTACH is refused", ["execute", "ATTACH 'x' AS y"], /"error":/),
];

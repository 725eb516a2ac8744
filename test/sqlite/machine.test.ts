/**
 * The state machine's answers. Method: commands as clients send them, answers as rqlite gives them
 * (compat reference, sections 1.4 and 4), each also after a restart where state could get lost.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openSqliteMachine } from "#sqlite";
import {
  type Bench,
  entryOf,
  execute,
  loadText,
  openBench,
  request,
  sql,
  transaction,
} from "./machine-support.ts";

let bench: Bench;
beforeEach(() => {
  bench = openBench();
  bench.apply(execute("CREATE TABLE t (id INTEGER PRIMARY KEY, a UNIQUE)"));
});
afterEach(() => bench.close());

const ids = (): unknown[] => {
  const [answer] = bench.apply(request("SELECT id FROM t ORDER BY id")) as {
    values?: [number][];
  }[];
  return (answer?.values ?? []).map(([id]) => id);
};
const insert = (id: number): string => `INSERT INTO t (id) VALUES (${id})`;
const wrote = (id: number, rows = 1): object => ({ last_insert_id: id, rows_affected: rows });

describe("statements that stand alone", () => {
  test("an error leaves the others standing", () => {
    expect(bench.apply(execute(insert(1), insert(1), "INSRT", insert(2)))).toEqual([
      wrote(1),
      { error: "UNIQUE constraint failed: t.id" },
      { error: 'near "INSRT": syntax error' },
      wrote(2),
    ]);
    expect(ids()).toEqual([1, 2]);
  });

  test("several in one text stop at the first error; the answer is the last one's", () => {
    expect(bench.apply(execute(`${insert(1)}; ${insert(1)}; ${insert(2)}`, insert(3)))).toEqual([
      { error: "UNIQUE constraint failed: t.id" },
      wrote(3),
    ]);
    expect(bench.apply(execute(`${insert(4)}; ${insert(5)}`))).toEqual([wrote(5)]);
    expect(ids()).toEqual([1, 3, 4, 5]);
  });

  test("empty text gives no answer, a comment an empty one", () => {
    expect(bench.apply(execute("", "-- nothing", "  ", insert(1), `${insert(2)}; -- end`))).toEqual(
      [{}, {}, wrote(1), {}],
    );
    expect(bench.apply(request("", "/* nothing */"))).toEqual([{}]);
  });

  test("counters outlive statements that do not set them, and restarts", () => {
    bench.apply(execute("INSERT INTO t (id) VALUES (7), (8)"));
    bench.reopen();
    expect(bench.apply(execute("CREATE TABLE u (x)", "UPDATE t SET a = 1 WHERE id = 99"))).toEqual([
      wrote(8, 2),
      { last_insert_id: 8 },
    ]);
    bench.apply(execute("UPDATE t SET a = id"));
    bench.reopen();
    const [counters] = bench.apply(
      request("SELECT changes(), last_insert_rowid(), total_changes()"),
    ) as { values: unknown[] }[];
    expect(counters?.values).toEqual([[2, 8, 4]]);
  });

  test("OR FAIL keeps what it did, OR ROLLBACK and STRICT types keep nothing, others go on", () => {
    bench.apply(execute(insert(5), "CREATE TABLE s (x INTEGER) STRICT"));
    const answers = bench.batch(
      execute(insert(1)),
      execute("INSERT OR FAIL INTO t (id) VALUES (10), (5), (11)"),
      execute("INSERT OR ROLLBACK INTO t (id) VALUES (20), (5)"),
      execute("INSERT INTO s SELECT CASE id WHEN 10 THEN 'text' ELSE id END FROM t"),
      execute(insert(2)),
    );
    expect(answers.map(([answer]) => Object.keys(answer as object)[0])).toEqual([
      "last_insert_id",
      "error",
      "error",
      "error",
      "last_insert_id",
    ]);
    expect(ids()).toEqual([1, 2, 5, 10]);
    expect(bench.apply(request("SELECT count(*) FROM s"))).toMatchObject([{ values: [[0]] }]);
  });
});

describe("transactions", () => {
  test("the first error undoes all; earlier answers stay", () => {
    expect(bench.apply(transaction(insert(1), insert(1), insert(2)))).toEqual([
      wrote(1),
      { error: "UNIQUE constraint failed: t.id" },
    ]);
    expect(ids()).toEqual([]);
  });

  test("on request an error at prepare is only an answer, one at run time undoes all", () => {
    const asRequest = (...all: string[]) =>
      bench.apply({ ...transaction(...all), kind: "request" } as never);
    expect(asRequest(insert(1), "SELECT nope", insert(2))).toHaveLength(3);
    expect(ids()).toEqual([1, 2]);
    expect(asRequest(insert(3), "SELECT abs(-9223372036854775807 - 1)", insert(4))).toHaveLength(2);
    expect(ids()).toEqual([1, 2]);
  });

  test("BEGIN and COMMIT of clients work within one entry", () => {
    expect(bench.apply(execute("BEGIN", insert(1), insert(2), "COMMIT"))).toHaveLength(4);
    bench.apply(execute("BEGIN", insert(3), "ROLLBACK", insert(4)));
    bench.apply(execute(`BEGIN; ${insert(5)}; SAVEPOINT a; ${insert(6)}; ROLLBACK TO a; END`));
    bench.apply(execute("SAVEPOINT a", insert(7), "RELEASE a"));
    expect(ids()).toEqual([1, 2, 4, 5, 7]);
  });

  test("misplaced ones get SQLite's words", () => {
    const nothing = "no transaction is active";
    expect(
      bench.apply(execute("COMMIT", "ROLLBACK", "RELEASE x", "BEGIN", "BEGIN", "BEGIN nonsense")),
    ).toEqual([
      { error: `cannot commit - ${nothing}` },
      { error: `cannot rollback - ${nothing}` },
      { error: "no such savepoint: x" },
      {},
      { error: "cannot start a transaction within a transaction" },
      { error: 'near "nonsense": syntax error' },
    ]);
    expect(bench.apply(transaction("BEGIN"))).toEqual([
      { error: "cannot start a transaction within a transaction" },
    ]);
    expect(bench.apply(transaction(insert(1), "COMMIT"))).toHaveLength(2);
    expect(ids()).toEqual([]);
  });

  test("one left open at the end of its entry is undone, and the next entry unharmed", () => {
    bench.batch(execute(insert(1)), execute("BEGIN", insert(2)), execute(insert(3)));
    expect(ids()).toEqual([1, 3]);
  });

  test("nothing that a client writes ends the batch's own transaction", () => {
    bench.batch(
      execute(insert(1)),
      execute("COMMIT; ROLLBACK"),
      execute("ROLLBACK"),
      execute(insert(2)),
    );
    expect(ids()).toEqual([1, 2]);
    expect(
      bench.apply(execute("RELEASE _cairn_entry", 'ROLLBACK TO "_cairn_client"')),
    ).toMatchObject([{ error: expect.any(String) }, { error: expect.any(String) }]);
  });
});

describe("what clients may not do", () => {
  test.each([
    ["ATTACH 'elsewhere' AS x", "not authorized"],
    ["DETACH main", "not authorized"],
    ["VACUUM INTO 'elsewhere'", "not authorized"],
    ["SELECT load_extension('x')", "not authorized"],
    ["PRAGMA journal_mode(DELETE)", "disallowed pragma"],
    ["PRAGMA recursive_triggers=ON", "disallowed pragma"],
    ["PRAGMA writable_schema(1)", "disallowed pragma"],
    ["PRAGMA main.max_page_count=3", "disallowed pragma"],
    ["UPDATE _cairn_state SET applied_index = 0", "reserved for internal use"],
    ['DELETE FROM "_CAIRN_state"', "reserved for internal use"],
    ["CREATE TRIGGER x AFTER INSERT ON t BEGIN DELETE FROM _cairn_state; END", "reserved"],
    ["ALTER TABLE t RENAME TO _cairn_t", "reserved"],
  ])("%s", (text, message) => {
    expect(bench.apply(execute(text))).toEqual([{ error: expect.stringContaining(message) }]);
  });

  test("the words in a string are theirs", () => {
    expect(bench.apply(execute("INSERT INTO t (a) VALUES ('_cairn_state')"))).toEqual([wrote(1)]);
  });
});

describe("settings and what stands outside transactions", () => {
  const enforced = (): unknown => {
    const [answer] = bench.apply(request("PRAGMA foreign_keys")) as { values: [[number]] }[];
    return answer?.values[0][0];
  };

  test("foreign keys are off by default, go on through the log, and stay on", () => {
    expect(enforced()).toBe(0);
    bench.apply(execute(insert(1), "PRAGMA foreign_keys = ON", insert(2)));
    expect(enforced()).toBe(1);
    bench.reopen();
    expect(enforced()).toBe(1);
    expect(ids()).toEqual([1, 2]);
  });

  test("a deferred key is checked where the statement would have committed", () => {
    bench.apply(
      execute(
        "PRAGMA foreign_keys = ON",
        "CREATE TABLE c (p REFERENCES t (id) DEFERRABLE INITIALLY DEFERRED)",
      ),
    );
    const error = "FOREIGN KEY constraint failed";
    const answers = bench.batch(
      execute("INSERT INTO c VALUES (9)"),
      execute(insert(9)),
      transaction("INSERT INTO c VALUES (10)", insert(10)),
      transaction("INSERT INTO c VALUES (11)"),
      execute("BEGIN", "INSERT INTO c VALUES (12)", insert(12), "COMMIT"),
    );
    expect(answers[0]).toEqual([{ error }]);
    expect(answers[3]).toEqual([expect.anything(), { error }]);
    expect(ids()).toEqual([9, 10, 12]);
    expect(bench.apply(request("SELECT p FROM c"))).toMatchObject([{ values: [[10], [12]] }]);
  });

  test("VACUUM runs between statements, and is refused within a transaction", () => {
    expect(bench.apply(execute(insert(1), "VACUUM", insert(2)))).toEqual([
      wrote(1),
      wrote(1),
      wrote(2),
    ]);
    const error = "cannot VACUUM from within a transaction";
    expect(bench.apply(execute("BEGIN", "VACUUM", "COMMIT"))[1]).toEqual({ error });
    expect(bench.apply(transaction("VACUUM"))).toEqual([{ error }]);
  });

  test("temporary tables live as long as their entry", () => {
    expect(
      bench.apply(execute("CREATE TEMP TABLE w (x)", "INSERT INTO w VALUES (1)")),
    ).toHaveLength(2);
    expect(bench.apply(execute("INSERT INTO w VALUES (1)"))).toEqual([
      { error: "no such table: w" },
    ]);
  });
});

describe("loading text", () => {
  const dump = [
    "PRAGMA foreign_keys=OFF;",
    "BEGIN TRANSACTION;",
    "CREATE TABLE foo (id integer not null primary key, name text);",
    `INSERT INTO "foo" VALUES(1,'fiona');`,
    "COMMIT;",
  ].join("\n");

  test("a dump answers with the counters of its last insert, and leaves enforcement alone", () => {
    bench.apply(execute("PRAGMA foreign_keys = ON"));
    expect(bench.apply(loadText(dump))).toEqual([wrote(1)]);
    expect(bench.apply(request("PRAGMA foreign_keys", "SELECT * FROM foo"))).toMatchObject([
      { values: [[1]] },
      { values: [[1, "fiona"]] },
    ]);
  });

  test("an error undoes all of it", () => {
    expect(bench.apply(loadText(`${dump} ${insert(1)}; INSERT INTO nowhere VALUES (1);`))).toEqual([
      { error: "no such table: nowhere" },
    ]);
    expect(
      bench.apply(request("SELECT count(*) FROM sqlite_schema WHERE name = 'foo'")),
    ).toMatchObject([{ values: [[0]] }]);
    expect(ids()).toEqual([]);
  });

  const chinook = "../shared/data/chinook";
  test.skipIf(!existsSync(`${chinook}.sql`))("a real data set gives the rows of the file", () => {
    const fresh = openBench();
    fresh.apply(loadText(readFileSync(`${chinook}.sql`, "utf8")));
    const other = openBench();
    other.apply({ kind: "loadFile", file: readFileSync(`${chinook}.sqlite`) });
    expect(fresh.hex()).toBe(other.hex());
    fresh.close();
    other.close();
  });
});

test("64-bit integers, reals, blobs and text come back exactly", () => {
  bench.apply(execute("CREATE TABLE x (v)"));
  const values = [
    9223372036854775807n,
    -9223372036854775808n,
    9007199254740993n,
    1.5,
    -0.1,
    "text\u0000with nul \u{1f600}",
    Uint8Array.of(0, 255, 1),
    new Uint8Array(0),
    null,
  ];
  for (const value of values) bench.apply(execute(sql("INSERT INTO x VALUES (?)", value)));
  bench.reopen();
  const stored = new Database(bench.path, { readonly: true });
  const rows = stored.prepare("SELECT v FROM x ORDER BY rowid").safeIntegers().pluck().all();
  expect(rows.map((row) => (row instanceof Uint8Array ? new Uint8Array(row) : row))).toEqual(
    values,
  );
  stored.close();
  expect(bench.text(request("SELECT v FROM x LIMIT 3"))).toContain(
    "[[9223372036854775807],[-9223372036854775808],[9007199254740993]]",
  );
});

test("entries that are no commands, and barriers, move the index and nothing else", () => {
  const before = bench.hex();
  const at = bench.machine.appliedIndex();
  const noop = {
    ...entryOf(at + 1, { kind: "barrier" }),
    kind: "noop",
    payload: new Uint8Array(),
  } as const;
  const answers = bench.machine.applyBatch([noop, entryOf(at + 2, { kind: "barrier" })]);
  expect(answers.map((answer) => new TextDecoder().decode(answer ?? undefined))).toEqual([
    "[]",
    "[]",
  ]);
  expect(bench.machine.appliedIndex()).toBe(at + 2);
  expect(bench.hex()).toBe(before);
});

test("a file that is no database, or another program's, is refused and left as it is", () => {
  const dir = mkdtempSync(join(tmpdir(), "cairn-sqlite-"));
  const garbage = join(dir, "garbage");
  writeFileSync(garbage, Buffer.alloc(8192, 7));
  const foreign = join(dir, "foreign");
  const database = new Database(foreign);
  database.exec("CREATE TABLE x (a)");
  database.close();
  for (const path of [garbage, foreign]) {
    const open = () => openSqliteMachine({ path });
    expect(open).toThrow(expect.objectContaining({ code: "SQLITE_FILE_INVALID" }));
  }
  expect(readFileSync(garbage).every((byte) => byte === 7)).toBe(true);
  rmSync(dir, { recursive: true });
});

test("an exhausted AUTOINCREMENT is the statement's failure, not the engine's", () => {
  const full = { error: "database or disk is full" };
  const large = 9223372036854775807n;
  bench.apply(execute("CREATE TABLE s (id INTEGER PRIMARY KEY AUTOINCREMENT)"));
  const next = "INSERT INTO s VALUES (NULL)";
  const first = sql("INSERT INTO s VALUES (?)", large);
  expect(bench.apply(transaction(first, next))[1]).toEqual(full);
  expect(bench.apply(execute(`INSERT INTO s VALUES (${large}), (NULL)`))).toEqual([full]);
  expect(bench.batch(execute(first, insert(1)), execute(next), execute(insert(2)))[1]).toEqual([
    full,
  ]);
  bench.reopen();
  expect(bench.apply(execute(next, insert(3)))[0]).toEqual(full);
  expect(ids()).toEqual([1, 2, 3]);
});

test("an index on the present is refused, and one by a detour harms its statements only", () => {
  const error = expect.stringContaining("non-deterministic use");
  expect(bench.apply(execute("CREATE INDEX i ON t (date('now'))"))).toEqual([{ error }]);
  expect(bench.apply(execute("CREATE INDEX i ON t (a) WHERE a < CURRENT_TIMESTAMP"))).toEqual([
    { error },
  ]);
  bench.apply(execute("CREATE TABLE n (x, y AS (datetime('now')))", "CREATE INDEX n_y ON n (y)"));
  bench.apply(execute("INSERT INTO n (x) VALUES (1)"));
  const [answer] = bench.apply(execute("DELETE FROM n"));
  expect(answer).toBeDefined();
  expect(bench.apply(execute(insert(1)))).toEqual([wrote(1)]);
});

test("a failing engine stops the machine and records nothing", () => {
  const values = Array.from({ length: 400 }, (_, at) => `(${at}, '${"x".repeat(200)}${at}')`);
  bench.apply(execute(`INSERT INTO t VALUES ${values.join(",")}`));
  const at = bench.machine.appliedIndex();
  bench.machine.close();
  const file = readFileSync(bench.path);
  // The first pages hold the schema and our row; behind them are the leaves of the table.
  writeFileSync(bench.path, file.fill(7, 5 * 4096));
  bench.machine = openSqliteMachine({ path: bench.path });
  const attempt = () => bench.machine.applyBatch([entryOf(at + 1, execute("UPDATE t SET a = id"))]);
  const failure = expect.objectContaining({ code: "SQLITE_ENGINE_FAILED" });
  expect(attempt).toThrow(failure);
  expect(attempt).toThrow(failure);
  bench.machine.close();
  bench.machine = openSqliteMachine({ path: bench.path });
  expect(bench.machine.appliedIndex()).toBe(at);
});

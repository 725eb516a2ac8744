/**
 * Double-quoted strings in views and triggers. Method: made as a client of SQLite's default would,
 * then used.
 */
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Bench, execute, openBench, request, transaction } from "./machine-support.ts";

let bench: Bench;
beforeEach(() => {
  bench = openBench();
  bench.apply(execute("CREATE TABLE t (a, b)", "CREATE TABLE log (what, old, new)"));
});
afterEach(() => bench.close());

const values = (text: string): unknown => {
  const [answer] = bench.apply(request(text)) as { values?: unknown }[];
  return answer?.values;
};

test("a trigger with strings fires, on every event and in every part", () => {
  const answers = bench.apply(
    execute(
      `CREATE TRIGGER i AFTER INSERT ON t WHEN NEW."a" <> "skip" BEGIN
        INSERT INTO log VALUES ("in", NULL, NEW."a"); END`,
      `CREATE TRIGGER u AFTER UPDATE OF b ON t BEGIN
        INSERT INTO log VALUES ("up", OLD.b, "it's"); END`,
      `CREATE TRIGGER d AFTER DELETE ON t BEGIN
        SELECT RAISE(ABORT, "not this one") WHERE OLD.a = "keep"; END`,
      "INSERT INTO t VALUES ('x', 1), ('skip', 2), ('keep', 3)",
      "UPDATE t SET b = b + 1 WHERE a = 'x'",
      "DELETE FROM t WHERE a = 'x'",
      "DELETE FROM t",
    ),
  );
  expect(answers.at(-1)).toEqual({ error: "not this one" });
  expect(answers.slice(0, -1).every((one) => !Object.hasOwn(one as object, "error"))).toBe(true);
  expect(values("SELECT * FROM log")).toEqual([
    ["in", null, "x"],
    ["in", null, "keep"],
    ["up", 1, "it's"],
  ]);
});

test("a view with strings can be read, and a name stays a name", () => {
  bench.apply(execute('CREATE VIEW v AS SELECT "a", "lit" AS s FROM t WHERE "b" = "yes"'));
  bench.apply(execute("INSERT INTO t VALUES (1, 'yes'), (2, 'no')"));
  expect(values("SELECT * FROM v")).toEqual([[1, "lit"]]);
});

test("errors are those of the text, and leave nothing", () => {
  expect(bench.apply(execute('CREATE VIEW t AS SELECT "x"'))).toMatchObject([
    { error: expect.stringContaining("t") },
  ]);
  bench.apply(transaction('CREATE VIEW w AS SELECT "x"', "SELECT nothing"));
  expect(values("SELECT count(*) FROM sqlite_schema WHERE type = 'view'")).toEqual([[0]]);
});

test("a view on what is not there yet is made as it is", () => {
  expect(bench.apply(execute('CREATE VIEW later AS SELECT "x" FROM nowhere'))).toEqual([{}]);
});

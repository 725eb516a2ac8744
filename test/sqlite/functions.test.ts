/**
 * Time and chance. Method: the overridden functions against SQLite's own, told the same moment;
 * then two machines with the same entries, one restarted after each.
 */
import Database from "better-sqlite3";
import { afterAll, expect, test } from "vitest";
import { type Bench, entryOf, execute, openBench, request, TIME_MS } from "./machine-support.ts";

const bench = openBench();
afterAll(() => bench.close());
const plain = new Database(":memory:");

function ask(text: string): { values: unknown[][]; types: string[]; error?: string } {
  return bench.apply(request(text))[0] as { values: unknown[][]; types: string[] };
}

const nowOf = (index: number): string =>
  new Date(TIME_MS + index * 1001).toISOString().replace("T", " ").replace("Z", "");

test.each([
  "datetime('now')",
  "datetime()",
  "datetime('NOW', '+1 month', 'start of day')",
  "datetime('now', 'subsec')",
  "datetime('subsec')",
  "date()",
  "date('now', 'weekday 0')",
  "time('Now')",
  "julianday('now')",
  "julianday()",
  "unixepoch()",
  "unixepoch('now', 'subsecond')",
  "strftime('%Y-%m-%d %H:%M:%f')",
  "strftime('%s', 'now', '-1 day')",
  "timediff('now', '2000-01-01')",
  "timediff('2000-01-01', 'now')",
  "CURRENT_TIMESTAMP",
  "current_date",
  "current_time",
  "date('2024-01-31', '+1 month')",
  "datetime(1709210096, 'unixepoch')",
  "datetime(1709210096, 'auto', 'localtime')",
  "datetime('2024-01-01 12:00', 'utc')",
  "date(NULL)",
  "date('nonsense')",
  "date(x'6e6f77')",
  "strftime()",
  "strftime('%J', 2460000.5)",
])("%s is what SQLite says at the entry's time", (expression) => {
  const answer = ask(`SELECT ${expression}`);
  const now = nowOf(bench.machine.appliedIndex());
  const told = expression
    .replace(/x'6e6f77'|'now'/gi, `'${now}'`)
    .replace(/\('subsec'\)/, `('${now}', 'subsec')`)
    .replace(/^(date|time|datetime|julianday|unixepoch)\(\)/, `$1('${now}')`)
    .replace(/^strftime\('([^']*)'\)/, `strftime('$1', '${now}')`)
    .replace(/^current_timestamp$/i, `datetime('${now}')`)
    .replace(/^current_(date|time)$/i, `$1('${now}')`)
    .replace(/, '(localtime|utc)'/, "");
  expect(answer.values[0]).toEqual(plain.prepare(`SELECT ${told}`).raw().get());
});

test("wrong counts of arguments are SQLite's errors", () => {
  expect(ask("SELECT timediff('now')").error).toContain("wrong number of arguments");
  expect(ask("SELECT random(1)").error).toContain("wrong number of arguments");
});

test("random integers use all bits and differ from row to row", () => {
  const rows = ask(
    `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400)
      SELECT random() % 1000 FROM n`,
  ).values;
  expect(new Set(rows.map(String)).size).toBeGreaterThan(250);
  expect(rows.some(([value]) => Number(value) < 0)).toBe(true);
});

test("randomblob has the asked length, and at least one byte", () => {
  const lengths = ask(
    `SELECT length(randomblob(0)), length(randomblob(5)), length(randomblob(NULL)),
      length(randomblob('16x'))`,
  );
  expect(lengths.values).toEqual([[1, 5, 1, 16]]);
  expect(ask("SELECT randomblob(4000000000)").error).toBe("string or blob too big");
});

test("time functions stand in indexes, generated columns and CHECK; random does not", () => {
  const [table, index, chance] = bench.apply(
    request(
      `CREATE TABLE g (at TEXT CHECK (at IS NULL OR date(at) IS NOT NULL),
        day AS (date(at)) STORED)`,
      "CREATE INDEX g_month ON g (strftime('%Y-%m', at))",
      "CREATE INDEX g_random ON g (random())",
    ),
  ) as { error?: string }[];
  expect([table?.error, index?.error]).toEqual([undefined, undefined]);
  expect(chance?.error).toContain("non-deterministic");
});

test("defaults, triggers, views and ORDER BY random() agree, live and after restarts", () => {
  const commands = [
    execute(
      "CREATE TABLE a (id INTEGER PRIMARY KEY, r DEFAULT (random()), at DEFAULT CURRENT_TIMESTAMP)",
      "CREATE TABLE b (a INTEGER, at TEXT, blob DEFAULT (randomblob(8)))",
      "CREATE VIEW seen AS SELECT id, datetime('now') AS at FROM a",
      `CREATE TRIGGER a_b AFTER INSERT ON a BEGIN
        INSERT INTO b (a, at) SELECT id, at FROM seen; END`,
    ),
    ...Array.from({ length: 10 }, () => execute("INSERT INTO a (id) VALUES (NULL), (NULL)")),
    execute(
      "INSERT INTO b (a) SELECT id FROM a ORDER BY random() LIMIT 7",
      "DELETE FROM a WHERE r % 2",
    ),
  ];
  const entries = commands.map((command, at) => entryOf(at + 1, command));
  const live: Bench = openBench();
  const restarted: Bench = openBench();
  live.machine.applyBatch(entries);
  for (const entry of entries) {
    restarted.machine.applyBatch([entry]);
    restarted.reopen();
  }
  expect(restarted.hex()).toBe(live.hex());
  live.close();
  restarted.close();
});

test("the random sequence is part of the format: same seed, same numbers, for ever", () => {
  const fresh = openBench();
  const text = fresh.text(request("SELECT random() AS r, hex(randomblob(3)) AS b"));
  expect(text).toContain('[[-5127037792708577425,"5791F8"]]');
  fresh.close();
});

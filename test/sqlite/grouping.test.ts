/**
 * Batches. Method: random histories, made to meet every awkward corner (failing statements, OR
 * ROLLBACK, STRICT types, client transactions, VACUUM, temporary tables, deferred keys, bad texts),
 * go to one machine entry by entry and to others in random batches, with restarts; answers and
 * digests must be equal.
 */
import { afterEach, expect, test } from "vitest";
import type { Random } from "#platform";
import type { Command } from "#sqlite/types";
import { forEachSeed } from "../support/seeds.ts";
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

let benches: Bench[] = [];
afterEach(() => {
  for (const bench of benches) bench.close();
  benches = [];
});

const SCHEMA = [
  "CREATE TABLE t (id INTEGER PRIMARY KEY, a, r DEFAULT (random()), d DEFAULT CURRENT_TIMESTAMP)",
  "CREATE TABLE u (x INTEGER UNIQUE, y TEXT) STRICT",
  `CREATE TABLE log (what, n, at DEFAULT (strftime('%s:%f', 'now')),
     b DEFAULT (hex(randomblob(4))))`,
  `CREATE TRIGGER t_insert AFTER INSERT ON t BEGIN
     INSERT INTO log (what, n) VALUES ('insert', CASE WHEN NEW.a = 'x' THEN 1 ELSE 2 END);
   END`,
  `CREATE TRIGGER u_delete AFTER DELETE ON u WHEN OLD.x % 5 = 0 BEGIN
     SELECT RAISE(ROLLBACK, 'rolled back by trigger'); END`,
  `CREATE TRIGGER u_update AFTER UPDATE ON u WHEN NEW.x % 7 = 0 BEGIN
     SELECT RAISE(FAIL, 'failed by trigger'); END`,
  "CREATE VIEW v AS SELECT id, datetime('now') AS seen FROM t",
  "CREATE TABLE parent (id INTEGER PRIMARY KEY)",
  `CREATE TABLE child (id INTEGER PRIMARY KEY,
     p REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED)`,
  "CREATE VIRTUAL TABLE f USING fts5(body)",
];

/** One random statement; `n` makes its values differ. */
function statement(random: Random, n: number): string {
  const k = random.below(30);
  const choices = [
    `INSERT INTO t (a) VALUES ('x')`,
    `INSERT INTO t (id, a) VALUES (${k}, "double")`,
    `INSERT OR ROLLBACK INTO t (id) VALUES (${n}), (${k})`,
    `INSERT OR FAIL INTO t (id) VALUES (${n + 100}), (${k}), (${n + 200})`,
    `INSERT OR REPLACE INTO u VALUES (${k}, 'r')`,
    `INSERT INTO u SELECT CASE WHEN id = ${k} THEN 'abc' ELSE id + ${n} END, 'strict' FROM t`,
    `INSERT INTO t (a) SELECT abs(CASE WHEN x = ${k} THEN -9223372036854775808 ELSE x END) FROM u`,
    `DELETE FROM u WHERE x > ${k}`,
    `UPDATE u SET x = x + ${k}`,
    `UPDATE t SET a = changes() WHERE id < ${k}`,
    `INSERT INTO log (what, n) SELECT 'order', id FROM t ORDER BY random() LIMIT 3`,
    `INSERT INTO log (what, n) VALUES (last_insert_rowid(), total_changes())`,
    `INSERT INTO log (what) SELECT seen FROM v LIMIT 1`,
    `INSERT INTO f VALUES ('words ${k} and ${n}')`,
    `DELETE FROM f WHERE f MATCH '${k}'`,
    `INSERT INTO child (p) VALUES (${k})`,
    `INSERT OR IGNORE INTO parent VALUES (${k})`,
    `DELETE FROM parent WHERE id = ${k}`,
    `CREATE TABLE n${n} (x); INSERT INTO n${n} VALUES (${k}); DROP TABLE n${n}`,
    `CREATE TABLE IF NOT EXISTS keep${k} (x DEFAULT (random()), y AS (date(x, 'unixepoch')))`,
    `ALTER TABLE log ADD COLUMN c${k}`,
    `CREATE TEMP TABLE IF NOT EXISTS scratch (x); INSERT INTO scratch VALUES (${k})`,
    `SELECT * FROM scratch`,
    `INSERT INTO t (a) VALUES (1); INSERT INTO t (id) VALUES (${k}); INSERT INTO t (a) VALUES (2)`,
    `BEGIN`,
    `COMMIT`,
    `ROLLBACK`,
    `SAVEPOINT s`,
    `RELEASE s`,
    `ROLLBACK TO s`,
    `SELECT id, a FROM t WHERE id < ${k}`,
    `SELECT abs(-9223372036854775807 - 1)`,
    `VACUUM`,
    `PRAGMA foreign_keys = ${k % 2}`,
    `PRAGMA defer_foreign_keys = ON`,
    `PRAGMA user_version = ${k}`,
    `SELECT nothing FROM nowhere`,
    `INSRT`,
    `UPDATE t SET a = ${k} WHERE id = ${k} RETURNING id, a, r`,
    `ANALYZE`,
    `SELECT changes(), last_insert_rowid()`,
  ];
  return choices[random.below(choices.length)]!;
}

function command(random: Random, n: number): Command {
  const count = 1 + random.below(4);
  const statements = Array.from({ length: count }, (_, at) => statement(random, n * 10 + at));
  switch (random.below(8)) {
    case 0:
    case 1:
      return transaction(...statements);
    case 2:
    case 3:
      return request(...statements);
    case 4:
      return { ...request(...statements), transaction: true } as Command;
    case 5:
      return loadText(statements.join(";\n"));
    default:
      return execute(...statements, sql("INSERT INTO t (a) VALUES (?)", BigInt(n)));
  }
}

function openHere(): Bench {
  const bench = openBench();
  benches.push(bench);
  return bench;
}

const decoder = new TextDecoder();

test("answers and rows do not depend on batches or on restarts", () => {
  forEachSeed(12, (_seed, random) => {
    const commands = [
      execute(...SCHEMA),
      ...Array.from({ length: 40 }, (_, at) => command(random, at + 1)),
    ];
    const entries = commands.map((one, at) => entryOf(at + 1, one));
    const alone = openHere();
    const expected = entries.map((entry) => decoder.decode(alone.machine.applyBatch([entry])[0]!));
    const together = openHere();
    const got: string[] = [];
    for (let from = 0; from < entries.length; ) {
      const size = 1 + random.below(12);
      const answers = together.machine.applyBatch(entries.slice(from, from + size));
      got.push(...answers.map((answer) => decoder.decode(answer!)));
      from += size;
      if (random.below(4) === 0) together.reopen();
    }
    expect(got).toEqual(expected);
    expect(together.hex()).toBe(alone.hex());
    expect(together.machine.appliedIndex()).toBe(entries.length);
    for (const bench of benches) bench.close();
    benches = [];
  });
});

test("a replica that nobody asks applies the same", () => {
  forEachSeed(4, (_seed, random) => {
    const commands = [
      execute(...SCHEMA),
      ...Array.from({ length: 20 }, (_, at) => command(random, at + 1)),
    ];
    const entries = commands.map((one, at) => entryOf(at + 1, one));
    const asked = openHere();
    const silent = openHere();
    asked.machine.applyBatch(entries);
    const answers = silent.machine.applyBatch(
      entries.map((entry) => ({ ...entry, proposalId: 0 })),
    );
    expect(answers.every((answer) => answer === null)).toBe(true);
    expect(silent.hex()).toBe(asked.hex());
    for (const bench of benches) bench.close();
    benches = [];
  });
});

/**
 * Whole files in, fingerprints out. Method: the same rows written in different ways, orders of
 * pages and page sizes must have one digest, any difference another; damaged files must change
 * nothing.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, expect, test } from "vitest";
import { digestDatabase, looksLikeSqlite } from "#sqlite";
import { type Bench, execute, openBench, request } from "./machine-support.ts";

let dir = "";
let bench: Bench;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "cairn-sqlite-"));
  bench = openBench();
});
afterEach(() => {
  bench.close();
  rmSync(dir, { recursive: true });
});

const CONTENT = `
  CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, a TEXT, b BLOB, c REAL);
  CREATE TABLE w (k TEXT PRIMARY KEY, v) WITHOUT ROWID;
  CREATE TABLE plain (x, rowid);
  CREATE VIRTUAL TABLE f USING fts5(body);
  CREATE VIRTUAL TABLE r USING rtree(id, x0, x1);
  CREATE INDEX t_a ON t (a);
  CREATE VIEW v AS SELECT a FROM t;
  CREATE TRIGGER tr AFTER INSERT ON w BEGIN INSERT INTO t (a) VALUES (NEW.k); END;
  INSERT INTO t VALUES (1, 'one', x'00ff', 1.5), (9007199254740993, NULL, NULL, -0.1);
  DELETE FROM t WHERE id > 1;
  INSERT INTO w VALUES ('k', 1);
  INSERT INTO plain VALUES (1, 2);
  INSERT INTO f VALUES ('full text search');
  INSERT INTO r VALUES (1, 0.5, 1.5);
  PRAGMA user_version = 7;
  PRAGMA application_id = 99;
`;

function makeFile(name: string, before = "", after = ""): string {
  const path = join(dir, name);
  const database = new Database(path);
  database.exec(before + CONTENT + after);
  database.close();
  return path;
}

const load = (file: Uint8Array): unknown => bench.apply({ kind: "loadFile", file });

test("a loaded file is the database, with everything in it and the index of its entry", () => {
  bench.apply(execute("CREATE TABLE old (x)", "INSERT INTO old VALUES (1)"));
  const path = makeFile("a");
  expect(load(readFileSync(path))).toEqual([]);
  expect(bench.machine.appliedIndex()).toBe(2);
  expect(bench.hex()).toBe(digestDatabase(path));
  bench.reopen();
  expect(bench.machine.appliedIndex()).toBe(2);
  expect(bench.apply(request("PRAGMA user_version", "PRAGMA application_id"))).toMatchObject([
    { values: [[7]] },
    { values: [[99]] },
  ]);
  expect(bench.apply(request("SELECT body FROM f WHERE f MATCH 'search'"))).toMatchObject([
    { values: [["full text search"]] },
  ]);
  expect(bench.apply(request("SELECT * FROM old"))).toEqual([{ error: "no such table: old" }]);
  expect(bench.apply(execute("INSERT INTO w VALUES ('new', 2)"))).toMatchObject([{}]);
  expect(bench.apply(request("PRAGMA integrity_check"))).toMatchObject([{ values: [["ok"]] }]);
});

test.each([512, 1024, 8192, 65536])("a file with pages of %d bytes is loaded", (bytes) => {
  const path = makeFile("a", `PRAGMA page_size = ${bytes};`);
  expect(load(readFileSync(path))).toEqual([]);
  expect(bench.hex()).toBe(digestDatabase(path));
});

test("a file in WAL mode, and one that is a copy of a database of ours, are loaded", () => {
  const path = makeFile("a", "", "PRAGMA journal_mode = WAL;");
  load(readFileSync(path));
  const expected = bench.hex();
  const copy = join(dir, "copy");
  const reader = new Database(bench.path, { readonly: true });
  reader.exec(`VACUUM INTO '${copy}'`);
  reader.close();
  bench.apply(execute("DELETE FROM t"));
  expect(bench.hex()).not.toBe(expected);
  const index = bench.machine.appliedIndex() + 1;
  expect(load(readFileSync(copy))).toEqual([]);
  expect(bench.hex()).toBe(expected);
  expect(bench.machine.appliedIndex()).toBe(index);
});

test("a reader that is in the middle of the old content stays in it", () => {
  bench.apply(execute("CREATE TABLE old (x)", "INSERT INTO old VALUES (1)"));
  const reader = new Database(bench.path, { readonly: true });
  reader.exec("BEGIN");
  expect(reader.prepare("SELECT count(*) FROM old").pluck().get()).toBe(1);
  load(readFileSync(makeFile("a")));
  expect(reader.prepare("SELECT count(*) FROM old").pluck().get()).toBe(1);
  reader.exec("COMMIT");
  expect(() => reader.prepare("SELECT count(*) FROM old").get()).toThrow("no such table");
  expect(reader.prepare("SELECT count(*) FROM w").pluck().get()).toBe(1);
  reader.close();
});

test("what is no sound database is refused, changes nothing, and moves the index", () => {
  bench.apply(execute("CREATE TABLE kept (x)"));
  const before = bench.hex();
  const good = readFileSync(makeFile("a"));
  const damaged = Buffer.from(good);
  damaged.fill(0x5a, 4096 + 100, 4096 * 6);
  const bad = [
    Buffer.from("CREATE TABLE t (x)"),
    good.subarray(0, 50),
    good.subarray(0, good.length - 3 * 4096),
    damaged,
    Buffer.concat([Buffer.from("SQLite format 3\0"), Buffer.alloc(5000, 1)]),
  ];
  for (const file of bad) {
    const index = bench.machine.appliedIndex() + 1;
    expect(load(file)).toEqual([{ error: "invalid SQLite data" }]);
    expect(bench.machine.appliedIndex()).toBe(index);
    expect(bench.hex()).toBe(before);
  }
  expect(looksLikeSqlite(good)).toBe(true);
  expect(looksLikeSqlite(good.subarray(0, 20))).toBe(false);
});

test("the digest sees every row, type and name, and no layout", () => {
  const plain = digestDatabase(makeFile("a"));
  expect(digestDatabase(makeFile("b", "PRAGMA page_size = 1024; PRAGMA auto_vacuum = 1;"))).toBe(
    plain,
  );
  expect(digestDatabase(makeFile("c", "", "VACUUM; INSERT INTO f(f) VALUES ('optimize');"))).toBe(
    plain,
  );
  const changes = [
    "UPDATE t SET c = 1 WHERE id = 1",
    "UPDATE w SET v = 1.0",
    "UPDATE w SET v = '1'",
    "UPDATE plain SET x = x'31'",
    "UPDATE plain SET x = NULL",
    "DELETE FROM f",
    "UPDATE f SET rowid = 5",
    "UPDATE sqlite_sequence SET seq = 5",
    "DROP INDEX t_a",
    "ALTER TABLE w RENAME TO w2",
    "INSERT INTO plain VALUES ('', '')",
    "UPDATE plain SET x = CAST(x'ff' AS TEXT)",
    "UPDATE plain SET x = CAST(x'fe' AS TEXT)",
    "UPDATE plain SET x = char(65533)",
    "UPDATE plain SET x = 'a' || char(0) || 'b'",
  ];
  const digests = changes.map((change, at) => digestDatabase(makeFile(`d${at}`, "", `${change};`)));
  expect(new Set([plain, ...digests]).size).toBe(changes.length + 1);
});

test("a machine and a plain file with the same rows have one digest", () => {
  const database = new Database(join(dir, "plain"));
  const statements = ["CREATE TABLE t (a, b DEFAULT 'x')", "INSERT INTO t (a) VALUES (1), (2.5)"];
  for (const statement of statements) database.exec(statement);
  database.close();
  bench.apply(execute(...statements));
  expect(bench.hex()).toBe(digestDatabase(join(dir, "plain")));
});

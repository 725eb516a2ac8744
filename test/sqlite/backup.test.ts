/**
 * Backups are whole, of one moment, and equal to what they copy. Method: a database with everything
 * that is hard to write down is copied in each format and compared by digest; dumps are loaded
 * again, also by a machine of our own.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { isCairnError } from "#base";
import { seededRandom } from "#platform";
import { digestDatabase, openSqliteReader } from "#sqlite";
import type { BackupRequest, SqliteReader } from "#sqlite/types";
import { type Bench, execute, loadText, openBench, sql } from "./machine-support.ts";

let dir = "";
let bench: Bench;
let reader: SqliteReader;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "cairn-backup-"));
  bench = openBench();
  reader = openSqliteReader(bench.path);
});

afterEach(() => {
  reader.close();
  bench.close();
  rmSync(dir, { recursive: true, force: true });
});

async function backup(options: Partial<BackupRequest> = {}): Promise<string> {
  const path = join(dir, `copy-${readdirSync(dir).length}`);
  await reader.backup({ format: "binary", vacuum: false, tables: [], path, ...options });
  return path;
}

/** Loads a dump with SQLite alone; `trusted` allows what only sqlite3's own shell allows. */
function load(dump: string, trusted = false): string {
  const path = join(dir, `loaded-${readdirSync(dir).length}`);
  const database = new Database(path);
  database.unsafeMode(trusted);
  database.exec(readFileSync(dump, "utf8"));
  database.close();
  return path;
}

const HARD = [
  "CREATE TABLE plain (id INTEGER PRIMARY KEY, a, b TEXT, c REAL, d BLOB) -- a comment at the end",
  `CREATE TABLE "odd ""name" ("select" INT, "two words" TEXT DEFAULT 'x;y')`,
  "CREATE TABLE counted (id INTEGER PRIMARY KEY AUTOINCREMENT, v)",
  "CREATE TABLE made (a INT, b INT AS (a * 2) STORED, c INT AS (a + 1))",
  "CREATE TABLE keyed (k TEXT PRIMARY KEY, v) WITHOUT ROWID",
  "CREATE TABLE gaps (v)",
  "CREATE TABLE hides (rowid, v)",
  "CREATE TABLE strict (i INTEGER, t TEXT, x ANY) STRICT",
  "CREATE TABLE covered (a INT, b INT)",
  "CREATE INDEX covered_by ON covered (b DESC, a)",
  "CREATE INDEX part ON plain (a) WHERE a > 0",
  "CREATE TABLE journal (what TEXT)",
  "CREATE VIEW seen AS SELECT id, b FROM plain",
  `CREATE TRIGGER noted AFTER INSERT ON plain BEGIN
     INSERT INTO journal VALUES ('added ' || new.id); END`,
  "CREATE TRIGGER instead INSTEAD OF INSERT ON seen BEGIN SELECT 1; END",
  "CREATE VIRTUAL TABLE docs USING fts5(title, body)",
  "CREATE VIRTUAL TABLE boxes USING rtree(id, x0, x1)",
  "INSERT INTO counted(v) VALUES (1), (2), (3)",
  "DELETE FROM counted WHERE id = 3",
  "INSERT INTO made(a) VALUES (1), (2)",
  "INSERT INTO keyed VALUES ('b', 1), ('a', 2)",
  "INSERT INTO gaps VALUES ('one'), ('two'), ('three')",
  "DELETE FROM gaps WHERE v = 'two'",
  "INSERT INTO hides VALUES (9, 'x')",
  "INSERT INTO strict VALUES (1, 'a', x'00')",
  "INSERT INTO covered VALUES (1, 10), (2, 20), (3, 5)",
  "INSERT INTO docs(rowid, title, body) VALUES (5, 'hello', 'world'), (9, 'it''s', 'two\nlines')",
  "INSERT INTO boxes VALUES (1, 0.5, 1.5), (7, 2, 3)",
];

function fillHard(): void {
  for (const text of HARD) {
    const [answer] = bench.apply(execute(text)) as { error?: string }[];
    expect(answer?.error, text).toBeUndefined();
  }
  const insert = "INSERT INTO plain(a, b, c, d) VALUES (?, ?, ?, ?)";
  const random = seededRandom(5);
  const reals = Array.from({ length: 50 }, () =>
    new DataView(random.bytes(8).buffer).getFloat64(0),
  ).filter(Number.isFinite);
  const rows = [
    sql(insert, 2n ** 63n - 1n, "it's", 1, new Uint8Array(0)),
    sql(insert, -(2n ** 63n), "a\0b", -0, random.bytes(300)),
    sql(insert, -0, "line\nline\r\n; -- no comment", Number.POSITIVE_INFINITY, null),
    sql(insert, "text", "grüße 😀 \u2028 \ufffd", Number.NEGATIVE_INFINITY, null),
    ...reals.map((value) => sql(insert, value, "", value, null)),
    sql('INSERT INTO "odd ""name" VALUES (?, ?)', 1n, 'say "hi"'),
  ];
  for (const row of rows) bench.apply(execute(row));
}

describe("a file backup", () => {
  test.each<[Partial<BackupRequest>, string]>([
    [{ format: "binary" }, "wal"],
    [{ format: "delete" }, "delete"],
    [{ format: "binary", vacuum: true }, "delete"],
  ])("as %o holds everything, in journal mode %s, and nothing of ours", async (options, mode) => {
    fillHard();
    const path = await backup(options);
    expect(readdirSync(dir), "no file is left beside it").toHaveLength(1);
    expect(digestDatabase(path)).toBe(bench.hex());
    const copy = new Database(path);
    expect(copy.pragma("journal_mode", { simple: true })).toBe(mode);
    expect(copy.pragma("integrity_check", { simple: true })).toBe("ok");
    expect(copy.prepare("SELECT name FROM sqlite_schema WHERE name LIKE '%cairn%'").all()).toEqual(
      [],
    );
    if (options.vacuum) expect(copy.pragma("freelist_count", { simple: true })).toBe(0);
    copy.close();
  });

  test("is of one moment while the writer goes on", async () => {
    bench.apply(execute("CREATE TABLE t (a, b)"));
    const many = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000)
      INSERT INTO t SELECT i, 'some text that fills a few thousand pages of the file ' || i FROM n`;
    bench.apply(execute(many));
    bench.apply(execute(many));
    const before = bench.hex();
    let isDone = false;
    const copying = backup().then((path) => {
      isDone = true;
      return path;
    });
    let writes = 0;
    while (!isDone) {
      // The first turns open the file; the rest of the copy goes on between these writes.
      await new Promise((resolve) => setImmediate(resolve));
      if (!isDone && writes < 1000) bench.apply(execute("INSERT INTO t VALUES (0, 'late')"));
      writes += 1;
    }
    const copy = new Database(await copying, { readonly: true });
    expect(copy.pragma("integrity_check", { simple: true })).toBe("ok");
    const rows = Number(copy.prepare("SELECT count(*) FROM t").pluck().get());
    copy.close();
    expect(writes).toBeGreaterThan(1);
    // Writes before the copy's moment are in it; there are few, and none comes in half.
    expect(rows).toBeGreaterThanOrEqual(120_000);
    expect(rows).toBeLessThan(120_000 + writes);
    expect(before).not.toBe(bench.hex());
  });

  test("never overwrites, and leaves nothing when it fails", async () => {
    const path = await backup();
    const again = reader.backup({ format: "sql", vacuum: false, tables: [], path });
    await expect(again).rejects.toSatisfy((error) => isCairnError(error, "DISK_EXISTS"));
    const nowhere = join(dir, "none", "copy");
    for (const format of ["binary", "sql"] as const) {
      const failing = reader.backup({ format, vacuum: false, tables: [], path: nowhere });
      await expect(failing).rejects.toSatisfy((error) => isCairnError(error));
    }
    expect(existsSync(nowhere)).toBe(false);
  });
});

describe("a dump", () => {
  test("loaded by plain SQLite gives an equal digest", async () => {
    fillHard();
    expect(digestDatabase(load(await backup({ format: "sql" })))).toBe(bench.hex());
  });

  test("loaded by a machine of ours gives an equal digest, and dumps the same again", async () => {
    fillHard();
    const dump = readFileSync(await backup({ format: "sql" }), "utf8");
    const other = openBench();
    const [answer] = other.apply(loadText(dump)) as { error?: string }[];
    expect(answer?.error).toBeUndefined();
    expect(other.hex()).toBe(bench.hex());
    other.close();
  });

  test("has sqlite3's form", async () => {
    bench.apply(execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v)", "CREATE INDEX i ON t (v)"));
    bench.apply(execute(sql("INSERT INTO t VALUES (1, ?), (2, ?)", "it's", 1)));
    bench.apply(execute(sql("INSERT INTO t VALUES (3, ?), (4, NULL)", Uint8Array.of(1, 254))));
    expect(readFileSync(await backup({ format: "sql" }), "utf8")).toBe(
      "PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\n" +
        "CREATE TABLE t (id INTEGER PRIMARY KEY, v);\n" +
        `INSERT INTO "t" VALUES(1,'it''s');\nINSERT INTO "t" VALUES(2,1.0);\n` +
        `INSERT INTO "t" VALUES(3,X'01fe');\nINSERT INTO "t" VALUES(4,NULL);\n` +
        "CREATE INDEX i ON t (v);\nCOMMIT;\n",
    );
  });

  test("of some tables has these with their indexes and triggers, and no others", async () => {
    fillHard();
    const path = load(await backup({ format: "sql", tables: ["PLAIN", "docs", "missing"] }));
    const copy = new Database(path);
    const names = copy
      .prepare("SELECT name FROM sqlite_schema WHERE name NOT LIKE 'docs_%' ORDER BY name")
      .pluck()
      .all();
    expect(names).toEqual(["docs", "noted", "part", "plain"]);
    expect(copy.prepare("SELECT title FROM docs('world')").pluck().all()).toEqual(["hello"]);
    copy.close();
  });

  test("keeps a full-text index without content, for those who trust the text", async () => {
    bench.apply(execute("CREATE VIRTUAL TABLE bare USING fts5(body, content='')"));
    bench.apply(execute("INSERT INTO bare(rowid, body) VALUES (3, 'needle')"));
    const copy = new Database(load(await backup({ format: "sql" }), true));
    expect(copy.prepare("SELECT rowid FROM bare('needle')").pluck().all()).toEqual([3]);
    copy.close();
  });
});

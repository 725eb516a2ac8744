/**
 * SQL that would reach out of the database. Method: each way that SQLite has, in each place where a
 * client may write SQL, in several spellings; then a look at whether a file came to be, another
 * file was read, or a setting changed.
 */
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { beforeEach, describe, expect, test } from "vitest";
import { temporaryDir } from "../../support/processes.ts";
import { ask } from "../../support/raw-http.ts";
import { type Door, openDoor } from "./door.ts";

let door: Door;
let outside: string;

beforeEach(async () => {
  door = await openDoor();
  outside = temporaryDir();
  const other = new Database(join(outside, "other.db"));
  other.exec("CREATE TABLE secret (v); INSERT INTO secret VALUES ('classified')");
  other.close();
});

/** Everywhere that SQL comes in. Each answers with what the client would see. */
const GATES: Record<string, (sql: string, parameters?: readonly unknown[]) => Promise<string>> = {
  execute: (sql, parameters = []) => post("/db/execute", [[sql, ...parameters]]),
  "execute in a transaction": (sql, parameters = []) =>
    post("/db/execute?transaction", [[sql, ...parameters]]),
  query: (sql, parameters = []) => post("/db/query", [[sql, ...parameters]]),
  "query at level none": (sql, parameters = []) =>
    post("/db/query?level=none", [[sql, ...parameters]]),
  request: (sql, parameters = []) => post("/db/request", [[sql, ...parameters]]),
  load: async (sql) => (await ask(door.address, "/db/load", { body: sql })).text,
  "queued execute": (sql, parameters = []) =>
    post("/db/execute?queue&wait", [[sql, ...parameters]]),
};

async function post(target: string, body: unknown): Promise<string> {
  const reply = await ask(door.address, target, { body: JSON.stringify(body) });
  expect(reply.status).toBeLessThan(500);
  return reply.text;
}

/** Spellings that SQLite reads as the same. */
const spellings = (sql: string): readonly string[] => [
  sql,
  `  ${sql.toLowerCase()};`,
  `/* a comment */ ${sql}`,
  `-- a comment\n${sql}`,
  `SELECT 1; ${sql}`,
  `; ; ${sql}`,
  sql.replace(" ", " /**/\t\n"),
  `EXPLAIN ${sql}`,
];

const gates = Object.keys(GATES);

describe.each(gates)("through %s", (gate) => {
  const send = (sql: string, parameters?: readonly unknown[]): Promise<string> => {
    const through = GATES[gate];
    if (through === undefined) throw new Error(gate);
    return through(sql, parameters);
  };

  test("ATTACH neither makes nor reads a file", async () => {
    const target = join(outside, "made.db");
    const source = join(outside, "other.db");
    for (const sql of spellings(`ATTACH DATABASE '${target}' AS made`)) await send(sql);
    for (const sql of spellings(`ATTACH 'file:${target}?mode=rwc' AS made`)) await send(sql);
    await send("ATTACH ? AS made", [target]);
    await send(`ATTACH '${target}' AS made; CREATE TABLE made.t (v)`);
    for (const sql of spellings(`ATTACH '${source}' AS other`)) {
      const answer = await send(`${sql}; SELECT v FROM other.secret`);
      expect(answer).not.toContain("classified");
    }
    expect(await send("SELECT v FROM other.secret")).not.toContain("classified");
    expect(await send("PRAGMA database_list")).not.toContain("other.db");
    expect(readdirSync(outside)).toEqual(["other.db"]);
  });

  test("VACUUM INTO writes no file", async () => {
    const target = join(outside, "copy.db");
    const parts = ["VACUUM INTO", "VACUUM main INTO", "vacuum\ninto"];
    for (const words of parts) {
      for (const sql of spellings(`${words} '${target}'`)) await send(sql);
    }
    await send("VACUUM INTO ?", [target]);
    await send(`VACUUM "main" INTO '${target}'`);
    expect(existsSync(target)).toBe(false);
  });

  test("load_extension, readfile, writefile and edit do not exist or refuse", async () => {
    const library = join(outside, "evil.so");
    const calls = [
      `load_extension('${library}')`,
      `load_extension('${library}', 'init')`,
      `"load_extension"('${library}')`,
      `readfile('${join(outside, "other.db")}')`,
      `writefile('${library}', 'x')`,
      "edit('x')",
      "fts3_tokenizer('simple', x'0000000000000000')",
    ];
    for (const call of calls) {
      const answer = await send(`SELECT ${call}`);
      if (gate !== "queued execute")
        expect({ call, answer }).toMatchObject({
          answer: expect.stringMatching(/not authorized|no such function|error/),
        });
      await send(`CREATE TABLE IF NOT EXISTS t (a DEFAULT (${call}))`);
      await send("INSERT INTO t DEFAULT VALUES");
    }
    expect(existsSync(library)).toBe(false);
  });

  test("no address of memory can be given to SQLite, nor taken from it", async () => {
    const address = [0x41, 0x41, 0x41, 0x41, 0x41, 0x41, 0x41, 0x41];
    const answers = [
      await send("SELECT fts3_tokenizer(?, ?)", ["simple", address]),
      await send("SELECT FTS3_Tokenizer(:a, :b)", [{ a: "simple", b: address }]),
      await send('SELECT "fts3_tokenizer"(?)', ["simple"]),
      await send("SELECT hex(fts3_tokenizer(?))", ["simple"]),
      await send("INSERT INTO t SELECT fts3_tokenizer(?, ?)", ["simple", address]),
    ];
    // With a bent tokenizer this would end the process.
    await GATES["execute"]?.("CREATE VIRTUAL TABLE IF NOT EXISTS f USING fts3(a, tokenize=simple)");
    await GATES["execute"]?.("INSERT INTO f VALUES ('one two')");
    expect(await GATES["query"]?.("SELECT a FROM f WHERE f MATCH 'two'")).toContain("one two");
    expect(answers.join()).not.toMatch(/values|rows_affected/);
  });

  test("a table cannot do what a PRAGMA may not", async () => {
    await GATES["execute"]?.("CREATE TABLE IF NOT EXISTS big (v)");
    for (const table of ["pragma_optimize", '"PRAGMA_OPTIMIZE"', "[pragma_optimize](65534)"]) {
      await send(`SELECT * FROM ${table}`);
      await send(`CREATE TABLE IF NOT EXISTS big AS SELECT * FROM ${table}`);
    }
    const statistics = "SELECT name FROM sqlite_schema WHERE name LIKE 'sqlite_stat%'";
    expect(await GATES["query"]?.(statistics)).not.toContain("values");
    const said = await GATES["query"]?.("SELECT * FROM pragma_optimize");
    expect(said).toBe('{"results":[{"error":"disallowed pragma"}]}');
    expect(await GATES["query"]?.("SELECT 'pragma_optimize' AS v")).toContain("values");
  });

  test("the schema cannot be written by hand", async () => {
    await send("CREATE TABLE victim (v)");
    const attacks = [
      ...spellings("PRAGMA writable_schema = ON"),
      ...spellings("PRAGMA writable_schema(1)"),
      ...spellings("PRAGMA main.writable_schema = 1"),
      ...spellings("PRAGMA 'writable_schema' = RESET"),
    ];
    for (const sql of attacks) {
      await send(sql);
      await send(`${sql}; UPDATE sqlite_schema SET sql = 'CREATE TABLE victim (w)'`);
    }
    await send("UPDATE sqlite_master SET name = 'gone'");
    await send("DELETE FROM sqlite_schema");
    const schema = await GATES["query"]?.("SELECT name, sql FROM sqlite_schema");
    expect(schema).not.toContain("gone");
    expect(schema).not.toContain("(w)");
  });

  test("no setting of the engine can be changed", async () => {
    const settings = [
      "journal_mode = DELETE",
      "journal_mode(off)",
      "synchronous = OFF",
      "locking_mode = EXCLUSIVE",
      "query_only = OFF",
      "trusted_schema = ON",
      "wal_autocheckpoint = 1",
      "wal_checkpoint(TRUNCATE)",
      "temp_store_directory = '/tmp'",
      "data_store_directory = '/tmp'",
      "mmap_size = 0",
      "cell_size_check = OFF",
      "ignore_check_constraints = ON",
      "recursive_triggers = ON",
      "max_page_count = 1",
      "hard_heap_limit = 1",
      "soft_heap_limit = 1",
      "module_list",
    ];
    const before = await facts();
    for (const setting of settings) {
      for (const sql of spellings(`PRAGMA ${setting}`)) await send(sql);
    }
    expect(await facts()).toEqual(before);
    // And the database still takes a write and gives it back.
    await GATES["execute"]?.("CREATE TABLE IF NOT EXISTS alive (v)");
    await GATES["execute"]?.("INSERT INTO alive VALUES (1)");
    expect(await GATES["query"]?.("SELECT count(*) > 0 AS v FROM alive")).toContain(
      '"values":[[1]]',
    );
  });

  test("our own table cannot be changed", async () => {
    const answers = [
      await send("DROP TABLE _cairn_state"),
      await send("DROP TABLE main.[_cairn_state]"),
      await send('DELETE FROM "_CAIRN_STATE"'),
      await send("REPLACE INTO `_cairn_state` (id) VALUES (1)"),
      await send("UPDATE _cairn_state SET applied_index = 0"),
      await send("CREATE TRIGGER x AFTER INSERT ON _cairn_state BEGIN SELECT 1; END"),
      await send("ALTER TABLE _cairn_state RENAME TO mine"),
    ];
    for (const sql of ["CREATE TABLE still (v)", "INSERT INTO still VALUES (7)"]) {
      await GATES["execute"]?.(sql);
    }
    expect(await GATES["query"]?.("SELECT v FROM still")).toContain("7");
    expect(answers.join()).not.toContain("rows_affected");
  });
});

/** What the reader's connection and the file say of themselves. */
async function facts(): Promise<unknown> {
  const names = ["journal_mode", "synchronous", "locking_mode", "query_only", "trusted_schema"];
  const more = ["recursive_triggers", "ignore_check_constraints", "max_page_count"];
  const answers: Record<string, unknown> = {};
  for (const name of [...names, ...more]) {
    answers[name] = JSON.parse((await GATES["query"]?.(`PRAGMA ${name}`)) ?? "");
  }
  return answers;
}

test("a database that is loaded brings no way out along", async () => {
  const source = join(outside, "trojan.db");
  const target = join(outside, "made.txt");
  const trojan = new Database(source);
  trojan.exec(`
    CREATE TABLE t (v);
    CREATE VIEW files AS SELECT load_extension('${target}') AS v;
    CREATE TRIGGER out AFTER INSERT ON t BEGIN SELECT writefile('${target}', 'x'); END;
  `);
  const bytes = trojan.serialize();
  trojan.close();
  expect((await ask(door.address, "/db/load", { body: bytes })).status).toBe(200);
  expect(await GATES["query"]?.("SELECT * FROM files")).toMatch(/not authorized|unsafe use/);
  expect(await GATES["execute"]?.("INSERT INTO t VALUES (1)")).toMatch(/no such function/);
  expect(existsSync(target)).toBe(false);
});

test("the name of a table for a backup as text cannot break out of its quotes", async () => {
  await GATES["execute"]?.("CREATE TABLE ok (v)");
  const evil = encodeURIComponent(`ok"; ATTACH '${join(outside, "made.db")}' AS x; --`);
  await ask(door.address, `/db/backup?fmt=sql&tables=${evil}`);
  expect(readdirSync(outside)).toEqual(["other.db"]);
});

test("a file beside the database is not overwritten by what is loaded", async () => {
  const path = join(outside, "precious");
  writeFileSync(path, "precious");
  await GATES["load"]?.(`.output ${path}\nSELECT 1;\n.backup ${path}\n`);
  expect(readdirSync(outside).sort()).toEqual(["other.db", "precious"]);
});

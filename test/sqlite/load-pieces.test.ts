/**
 * Files that come in pieces. Method: a machine is given the entries that a load is made of, in
 * order, with gaps, interrupted and restarted; the database is compared before and after.
 */

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, expect, test } from "vitest";
import { decodeCommand, encodeCommand, openSqliteMachine, openSqliteReader } from "#sqlite";
import type { Command, SqliteMachine } from "#sqlite/types";

const PIECE_BYTES = 16 * 1024;

let dir = "";
let path = "";
let machine: SqliteMachine;
let index = 0;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "cairn-pieces-"));
  path = join(dir, "db.sqlite");
  machine = openSqliteMachine({ path });
  index = 0;
  execute("CREATE TABLE old (n)", "INSERT INTO old VALUES (1), (2)");
});

afterEach(() => {
  machine.close();
  rmSync(dir, { recursive: true, force: true });
});

/** Applies a command as the next entry. @returns its answer. */
function apply(command: Command): string {
  index += 1;
  const [answer] = machine.applyBatch([
    {
      index,
      term: 1,
      kind: "command",
      timeMs: 1_700_000_000_000,
      seed: 1n,
      payload: encodeCommand(command),
      proposalId: index,
    },
  ]);
  return Buffer.from(answer ?? "").toString();
}

const RENDERING = {
  associative: false,
  blobArray: false,
  qualifyColumns: false,
  timings: false,
};

function execute(...texts: string[]): string {
  const statements = texts.map((sql) => ({ sql, positional: [], named: [] }));
  return apply({ kind: "execute", statements, transaction: false, rendering: RENDERING });
}

function rows(sql: string): unknown {
  const reader = openSqliteReader(path);
  const statements = [{ sql, positional: [], named: [] }];
  const request = { statements, transaction: false, rendering: RENDERING, mode: "query" } as const;
  const response = reader.read(request);
  reader.close();
  if (response.needsWrite) throw new Error("a query reads");
  const [result] = JSON.parse(Buffer.from(response.results).toString());
  return result.error ?? result.values;
}

/** A database file with some hundred pages. */
function newFile(): Buffer {
  const file = join(dir, "new");
  const database = new Database(file);
  database.exec("CREATE TABLE fresh (n INTEGER PRIMARY KEY, bytes BLOB)");
  const insert = database.prepare("INSERT INTO fresh (bytes) VALUES (randomblob(3000))");
  for (let n = 0; n < 100; n += 1) insert.run();
  database.close();
  return readFileSync(file);
}

function piecesOf(file: Buffer, loadId: bigint): Command[] {
  const pieces: Command[] = [];
  for (let offset = 0; offset < file.length; offset += PIECE_BYTES) {
    const bytes = file.subarray(offset, offset + PIECE_BYTES);
    pieces.push({ kind: "loadPiece", loadId, offset, bytes });
  }
  return pieces;
}

const finish = (file: Buffer, loadId: bigint): Command => ({
  kind: "loadFinish",
  loadId,
  fileBytes: file.length,
});

const REFUSED = '[{"error":"load: another load has begun, or a piece is missing"}]';

test("the last piece brings the new database, and until then the old one is there", () => {
  const file = newFile();
  for (const piece of piecesOf(file, 5n)) {
    expect(apply(piece)).toBe("[]");
    expect(rows("SELECT count(*) FROM old")).toEqual([[2]]);
  }
  expect(rows("SELECT name FROM sqlite_schema")).toEqual([["old"]]);
  expect(apply(finish(file, 5n))).toBe("[]");
  expect(rows("SELECT count(*), sum(length(bytes)) FROM fresh")).toEqual([[100, 300_000]]);
  expect(rows("SELECT name FROM sqlite_schema")).toEqual([["fresh"]]);
  expect(machine.appliedIndex()).toBe(index);
});

test("a restart between two pieces loses none of them", () => {
  const file = newFile();
  for (const piece of piecesOf(file, 5n)) {
    apply(piece);
    machine.close();
    machine = openSqliteMachine({ path });
    expect(machine.appliedIndex()).toBe(index);
  }
  expect(apply(finish(file, 5n))).toBe("[]");
  expect(rows("SELECT count(*) FROM fresh")).toEqual([[100]]);
});

test("a load with a missing piece is refused, and the old database stays", () => {
  const file = newFile();
  const pieces = piecesOf(file, 5n);
  const answers = pieces.filter((_, at) => at !== 2).map(apply);
  expect(answers.slice(0, 2)).toEqual(["[]", "[]"]);
  expect(new Set(answers.slice(2))).toEqual(new Set([REFUSED]));
  expect(apply(finish(file, 5n))).toBe(REFUSED);
  expect(rows("SELECT count(*) FROM old")).toEqual([[2]]);
});

test("a new load ends the one before it", () => {
  const file = newFile();
  const [first, second] = piecesOf(file, 5n);
  const others = piecesOf(file, 6n);
  expect(apply(first!)).toBe("[]");
  expect(apply(others[0]!)).toBe("[]");
  expect(apply(second!)).toBe(REFUSED);
  for (const piece of others.slice(1)) expect(apply(piece)).toBe("[]");
  expect(apply(finish(file, 5n))).toBe(REFUSED);
  expect(apply(finish(file, 6n))).toBe("[]");
});

test("an aborted load leaves nothing behind", () => {
  const file = newFile();
  const before = machine.digest();
  for (const piece of piecesOf(file, 5n)) apply(piece);
  expect(Buffer.compare(machine.digest(), before)).toBe(0);
  expect(apply({ kind: "loadAbort", loadId: 4n })).toBe(REFUSED);
  expect(apply({ kind: "loadAbort", loadId: 5n })).toBe("[]");
  expect(apply(finish(file, 5n))).toBe(REFUSED);
  expect(execute("INSERT INTO old VALUES (3)")).toBe('[{"last_insert_id":3,"rows_affected":1}]');
});

test("a file that is no sound database is refused whole", () => {
  const file = newFile();
  file.fill(0xff, 5000, 60_000);
  for (const piece of piecesOf(file, 5n)) expect(apply(piece)).toBe("[]");
  expect(apply(finish(file, 5n))).toBe('[{"error":"invalid SQLite data"}]');
  expect(rows("SELECT count(*) FROM old")).toEqual([[2]]);
  expect(apply(finish(file, 5n))).toBe(REFUSED);
});

test("clients see and touch none of it, and their counters stay", () => {
  const file = newFile();
  const [first] = piecesOf(file, 5n);
  execute("INSERT INTO old VALUES (7)");
  apply(first!);
  expect(execute("UPDATE old SET n = 0 WHERE n = 99")).toBe('[{"last_insert_id":3}]');
  expect(execute("SELECT last_insert_rowid()")).toBe('[{"last_insert_id":3}]');
  expect(execute("DROP TABLE _cairn_load")).toContain("reserved");
  expect(execute("DELETE FROM _cairn_load")).toContain("reserved");
  expect(rows("SELECT name FROM sqlite_master")).toEqual([["old"]]);
});

test("what is encoded is decoded", () => {
  const commands: Command[] = [
    { kind: "loadPiece", loadId: 2n ** 64n - 1n, offset: 2 ** 40, bytes: Uint8Array.of(1, 2) },
    { kind: "loadFinish", loadId: 1n, fileBytes: 2 ** 40 },
    { kind: "loadAbort", loadId: 0n },
  ];
  for (const command of commands) expect(decodeCommand(encodeCommand(command))).toEqual(command);
});

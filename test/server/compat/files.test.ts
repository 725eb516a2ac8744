/**
 * Files in and out of a cluster: loaded at a follower in pieces, backed up while writes go on, and
 * broken off. Method: three real nodes in this process; what comes out is opened with SQLite.
 */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { RunningNode } from "#server/types";
import { digestDatabase } from "#sqlite";
import { waitUntil } from "../../support/processes.ts";
import { ask } from "../../support/raw-http.ts";
import { startNodes, type TestNodes } from "./nodes.ts";

const ROWS = 2000;

let cluster: TestNodes;
let dir = "";

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "cairn-files-"));
  cluster = await startNodes(3);
});

afterAll(async () => {
  await cluster.close();
  rmSync(dir, { recursive: true, force: true });
});

/** A database of some 8 MB, so that it goes in several pieces. */
function makeFile(name: string): string {
  const path = join(dir, name);
  const database = new Database(path);
  database.exec("CREATE TABLE big (id INTEGER PRIMARY KEY, body BLOB)");
  const insert = database.prepare("INSERT INTO big (body) VALUES (randomblob(4000))");
  database.transaction(() => {
    for (let n = 0; n < ROWS; n += 1) insert.run();
  })();
  database.close();
  return path;
}

async function follower(): Promise<RunningNode> {
  const leader = await cluster.leader();
  const found = cluster.nodes.find((node) => node !== leader);
  if (found === undefined) throw new Error("three nodes have two followers");
  return found;
}

async function count(node: RunningNode, level: string): Promise<unknown> {
  const path = `/db/query?level=${level}&q=${encodeURIComponent("SELECT count(*) FROM big")}`;
  const [result] = JSON.parse((await ask(node.httpAddress, path)).text).results;
  return result.values?.[0]?.[0];
}

/** The database of a node as a file, byte for byte what SQLite would open. */
async function backupOf(node: RunningNode, query: string, name: string): Promise<string> {
  const { status, body } = await ask(node.httpAddress, `/db/backup${query}`);
  expect(status).toBe(200);
  const path = join(dir, name);
  writeFileSync(path, body);
  return path;
}

test("a file that is loaded at a follower is on every node", async () => {
  const file = makeFile("load.sqlite");
  const node = await follower();
  const reply = await ask(node.httpAddress, "/db/load", { body: readFileSync(file) });
  expect([reply.status, reply.text]).toEqual([200, '{"results":[]}']);
  expect(reply.headers["x-rqlite-served-by"]).toBe((await cluster.leader()).raftAddress);
  for (const [at, each] of cluster.nodes.entries()) {
    await waitUntil("the rows", async () =>
      (await count(each, "none")) === ROWS ? true : undefined,
    );
    const copy = await backupOf(each, "?noleader", `load-${at}.sqlite`);
    expect(digestDatabase(copy)).toBe(digestDatabase(file));
  }
});

test("a backup under writes is whole, and of one moment", async () => {
  const leader = await cluster.leader();
  await ask(leader.httpAddress, "/db/execute", {
    body: '["CREATE TABLE pair (a, b)", "CREATE INDEX pairs ON pair (a)"]',
  });
  let isDone = false;
  const writing = (async (): Promise<void> => {
    for (let n = 0; !isDone; n += 1) {
      const statements = [
        ["INSERT INTO pair (a) VALUES (?)", n],
        ["UPDATE pair SET b = a WHERE a = ?", n],
      ];
      const body = JSON.stringify(statements);
      await ask(leader.httpAddress, "/db/execute?transaction", { body });
    }
  })();
  try {
    for (const query of ["", "?vacuum", "?fmt=delete"]) {
      for (const node of [leader, await follower()]) {
        const copy = new Database(await backupOf(node, query, "under-writes.sqlite"));
        expect(copy.pragma("integrity_check", { simple: true })).toBe("ok");
        const half = copy.prepare("SELECT count(*) FROM pair WHERE b IS NOT a").pluck().get();
        expect(half).toBe(0);
        const tables = copy.prepare("SELECT name FROM sqlite_schema ORDER BY name").pluck().all();
        expect(tables).toEqual(["big", "pair", "pairs"]);
        copy.close();
      }
    }
  } finally {
    isDone = true;
    await writing;
  }
});

test("a load that breaks off leaves the database as it was", async () => {
  const leader = await cluster.leader();
  const before = await backupOf(leader, "", "before.sqlite");
  const file = readFileSync(makeFile("broken.sqlite"));
  const index = appliedBy(leader);
  await breakOff(leader, file.subarray(0, 5 * 1024 * 1024), file.length);
  const sent = await index;
  await waitUntil("pieces of it in the log, and then their end", async () =>
    (await appliedBy(leader)) >= sent + 3 ? true : undefined,
  );
  const after = await backupOf(leader, "", "after.sqlite");
  expect(digestDatabase(after)).toBe(digestDatabase(before));
  expect(await count(leader, "strong")).toBe(ROWS);
});

async function appliedBy(node: RunningNode): Promise<number> {
  const store = (await node.service.status())["store"];
  return (store as { db_applied_index: number }).db_applied_index;
}

/** Announces a file, sends a part of it and goes away. */
function breakOff(node: RunningNode, part: Uint8Array, bytes: number): Promise<void> {
  const [host = "", port = ""] = node.httpAddress.split(":");
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), host, () => {
      socket.write(`POST /db/load HTTP/1.1\r\nHost: x\r\nContent-Length: ${bytes}\r\n\r\n`);
      socket.write(part, () => socket.destroy());
    });
    socket.on("close", () => resolve());
    socket.on("error", reject);
  });
}

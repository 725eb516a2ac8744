/**
 * `rqlite-js` from the npm registry, as its users use it: against three nodes, through a change of
 * leader.
 */
import { BackupApiClient, DataApiClient, StatusApiClient } from "rqlite-js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { waitUntil } from "../../support/processes.ts";
import { startNodes, type TestNodes } from "./nodes.ts";

async function textOf(stream: AsyncIterable<Uint8Array>): Promise<string> {
  let text = "";
  for await (const chunk of stream) text += Buffer.from(chunk).toString();
  return text;
}

const LEVELS = ["none", "weak", "linearizable", "strong"] as const;

let cluster: TestNodes;
let hosts: string[] = [];

beforeAll(async () => {
  cluster = await startNodes(3);
  hosts = cluster.nodes.map(({ httpAddress }) => `http://${httpAddress}`);
});

afterAll(() => cluster.close());

test("a table, rows with parameters, and reads at every level", async () => {
  const client = new DataApiClient(hosts);
  const made = await client.execute("CREATE TABLE foo (id INTEGER PRIMARY KEY, name TEXT)");
  expect(made.hasError()).toBe(false);
  const inserted = await client.execute([
    ["INSERT INTO foo(name) VALUES(?)", "fiona"],
    ["INSERT INTO foo(name) VALUES(:name)", { name: "declan" }],
  ]);
  expect([inserted.get(0).getLastInsertId(), inserted.get(1).getLastInsertId()]).toEqual([1, 2]);
  expect(inserted.get(0).getRowsAffected()).toBe(1);
  for (const level of LEVELS) {
    // At level none a follower may be asked that does not have the rows yet.
    const rows = await waitUntil(`rows at level ${level}`, async () => {
      const found = await client.query("SELECT * FROM foo ORDER BY id", { level });
      return found.hasError() || found.toArray().length < 2 ? undefined : found.toArray();
    });
    expect(rows).toEqual([
      { id: 1, name: "fiona" },
      { id: 2, name: "declan" },
    ]);
  }
});

test("several queries in one request", async () => {
  const client = new DataApiClient(hosts);
  const found = await client.query([["SELECT ? AS a", 7], "SELECT 'x' AS b"], { level: "weak" });
  expect(found.toArray()).toEqual([{ a: 7 }, { b: "x" }]);
});

test("a transaction holds as a whole, or not at all", async () => {
  const client = new DataApiClient(hosts);
  const statements = [
    "CREATE TABLE bar (n UNIQUE)",
    "INSERT INTO bar VALUES(1)",
    "INSERT INTO bar VALUES(1)",
  ];
  const failed = await client.execute(statements, { transaction: true, atomic: true });
  expect(failed.getFirstError()?.message).toBe("UNIQUE constraint failed: bar.n");
  const missing = await client.query("SELECT * FROM bar");
  expect(missing.getFirstError()?.message).toBe("no such table: bar");
  const done = await client.execute(statements.slice(0, 2), { transaction: true });
  expect(done.hasError()).toBe(false);
});

test("backup, load and status", async () => {
  const backups = new BackupApiClient(hosts);
  const dump = "CREATE TABLE loaded (n); INSERT INTO loaded VALUES(5);";
  expect(await textOf(await backups.load(dump, "sql"))).toContain('"rows_affected":1');
  const client = new DataApiClient(hosts);
  const rows = await waitUntil("the loaded row", async () => {
    const found = await client.query("SELECT n FROM loaded", { level: "strong" });
    return found.hasError() ? undefined : found.toArray();
  });
  expect(rows).toEqual([{ n: 5 }]);
  expect(await textOf(await backups.backup("sql"))).toContain('INSERT INTO "loaded" VALUES(5);');
  const statuses = await new StatusApiClient(hosts).statusAllHosts();
  expect(statuses).toHaveLength(hosts.length);
});

test("the leader goes, and the client goes on", async () => {
  const client = new DataApiClient(hosts);
  await client.execute(["CREATE TABLE lasting (n)", "INSERT INTO lasting VALUES(1)"]);
  await (await cluster.leader()).close();
  const inserted = await waitUntil("a write behind the change", async () => {
    try {
      const done = await client.execute([["INSERT INTO lasting VALUES(?)", 2]]);
      return done.hasError() ? undefined : done;
    } catch {
      // Every host was asked and none had a leader yet.
      return undefined;
    }
  });
  expect(inserted.get(0).getRowsAffected()).toBe(1);
  const rows = await client.query("SELECT n FROM lasting ORDER BY n", { level: "strong" });
  expect(rows.toArray()).toEqual([{ n: 1 }, { n: 2 }]);
});

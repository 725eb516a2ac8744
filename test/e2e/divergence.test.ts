/**
 * A row is changed in one node's database file, behind its back: the next comparison of states
 * finds it, the node stops serving, fetches its state anew, and is like the others again.
 *
 * Method: real processes; the file is edited while its node is down.
 */
import { join } from "node:path";
import Database from "better-sqlite3";
import { expect, test } from "vitest";
import { startCluster } from "../support/cluster.ts";
import { type ProcessNode, waitUntil } from "../support/processes.ts";
import { digestOf } from "./databases.ts";

interface Comparison {
  readonly index: number;
  readonly digest: string | null;
  readonly differing: readonly string[];
  readonly silent: readonly string[];
}

async function compare(node: ProcessNode): Promise<Comparison> {
  const response = await fetch(`${node.url}/compare`, { method: "POST" });
  const text = await response.text();
  expect(response.status, text).toBe(200);
  return JSON.parse(text) as Comparison;
}

test("a node whose state differs is found, stops serving, and heals", async () => {
  const cluster = await startCluster();
  const leader = await cluster.leader();
  await cluster.execute(leader, ["CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)"]);
  const values = Array.from({ length: 200 }, (_, n) => ["INSERT INTO t(v) VALUES(?)", `row ${n}`]);
  await cluster.execute(leader, values);
  await cluster.waitForApplied();
  expect(await compare(leader)).toMatchObject({ differing: [], silent: [] });

  const broken = cluster.nodes.find((node) => node !== leader) as ProcessNode;
  await broken.terminate();
  const database = new Database(join(broken.dataDir, "db.sqlite"));
  database.prepare("UPDATE t SET v = 'forged' WHERE id = 100").run();
  database.close();
  await broken.start();
  await cluster.waitForApplied();
  const forged = await cluster.rows(broken, "SELECT v FROM t WHERE id = 100");
  expect(forged, "nobody has noticed yet").toEqual([["forged"]]);

  const found = await compare(broken);
  expect(found).toMatchObject({ differing: [broken.id], silent: [] });
  await waitUntil(
    "the node is whole again",
    async () => {
      const answer = await cluster.http.get(`${broken.url}/readyz`);
      if (answer.status !== 200) return undefined;
      const rows = await cluster.rows(broken, "SELECT v FROM t WHERE id = 100");
      return rows[0]?.[0] === "row 99" || undefined;
    },
    { describe: () => broken.log() },
  );
  await cluster.execute(leader, [["INSERT INTO t(v) VALUES(?)", "afterwards"]]);
  await cluster.waitForApplied();
  expect(await compare(leader)).toMatchObject({ differing: [], silent: [] });
  const digests = new Set<string>();
  for (const node of cluster.nodes) digests.add(await digestOf(node));
  expect(digests.size, "all nodes hold the same database").toBe(1);
}, 120_000);

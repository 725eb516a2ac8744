/**
 * SQL that asks for the time and for chance gives the same rows on every node, live and after
 * replay.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ProcessCluster, startCluster } from "../support/cluster.ts";
import { digestOf } from "./databases.ts";

const SCHEMA = [
  `CREATE TABLE event (
     id INTEGER PRIMARY KEY,
     token INTEGER DEFAULT (random()),
     blob BLOB DEFAULT (randomblob(16)),
     at TEXT DEFAULT CURRENT_TIMESTAMP,
     day TEXT DEFAULT CURRENT_DATE,
     name TEXT)`,
  "CREATE TABLE audit (at TEXT, dice INTEGER, name TEXT)",
  "CREATE TABLE shuffled (position INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT)",
  `CREATE TRIGGER event_audit AFTER INSERT ON event BEGIN
     INSERT INTO audit VALUES (strftime('%Y-%m-%d %H:%M:%f', 'now'), abs(random()) % 6, NEW.name);
   END`,
  "CREATE VIEW recent AS SELECT *, datetime('now', '-1 hour') AS since FROM event",
];

const WORK = [
  "INSERT INTO event(name) VALUES ('one'), ('two'), ('three'), ('four')",
  "INSERT INTO event(name) SELECT name || '-' || hex(randomblob(4)) FROM event",
  "INSERT INTO shuffled(name) SELECT name FROM event ORDER BY random()",
  "INSERT INTO audit SELECT since, random(), name FROM recent",
  "UPDATE event SET token = random(), at = datetime('now', 'subsec') WHERE id % 2 = 0",
  `INSERT INTO audit(at, dice, name)
     SELECT unixepoch(), total_changes(), changes() FROM event LIMIT 2`,
  `DELETE FROM shuffled WHERE position IN
     (SELECT position FROM shuffled ORDER BY random() LIMIT 2)`,
];

describe("time and chance", () => {
  let cluster: ProcessCluster;
  beforeAll(async () => {
    cluster = await startCluster({ stopAtTestEnd: false });
    await cluster.execute(await cluster.waitForLeader(), SCHEMA);
  });
  afterAll(async () => {
    await cluster.stopAll();
  });

  async function digests(): Promise<string[]> {
    await cluster.waitForApplied();
    return Promise.all(cluster.nodes.map((node) => digestOf(node)));
  }

  test("all nodes agree live, after a kill with replay, and under another leader", async () => {
    for (let round = 0; round < 3; round += 1) {
      const leader = await cluster.waitForLeader();
      await Promise.all(WORK.map((sql) => cluster.execute(leader, [sql])));
      await cluster.execute(leader, WORK);
      expect(new Set(await digests()).size, `round ${round}, live`).toBe(1);
      await leader.kill9();
      const next = await cluster.waitForLeader({ not: leader });
      await cluster.execute(next, WORK);
      await leader.start();
      expect(new Set(await digests()).size, `round ${round}, after replay`).toBe(1);
    }
    const before = (await digests())[0];
    await cluster.killAll();
    await cluster.startAll();
    await cluster.waitForLeader();
    expect(new Set([...(await digests()), before]).size, "after a restart of all").toBe(1);
  }, 90_000);
});

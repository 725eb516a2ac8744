/**
 * Leaders die with SIGKILL under load, twenty times; then all nodes at once.
 *
 * Method: real processes, 16 writers in closed loops, every answer kept in a ledger, the ledger
 * compared with every node's own rows at the end.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ProcessCluster, startCluster } from "../support/cluster.ts";
import { type ProcessNode, waitUntil } from "../support/processes.ts";
import { digestOf } from "./databases.ts";
import { compare, createLedger, startWriters } from "./load.ts";

const ROUNDS = 20;
const CLIENTS = 16;
/** From the acceptance of the design: a new leader serves within three seconds. */
const FAILOVER_MS_MAX = 3000;

async function valuesOf(cluster: ProcessCluster, node: ProcessNode): Promise<string[]> {
  const rows = await cluster.rows(node, "SELECT value FROM ledger ORDER BY id");
  return rows.map(([value]) => String(value));
}

async function checkAll(
  cluster: ProcessCluster,
  ledger: ReturnType<typeof createLedger>,
): Promise<void> {
  await cluster.waitForApplied();
  const digests = new Set<string>();
  for (const node of cluster.nodes) {
    expect(compare(await valuesOf(cluster, node), ledger), node.id).toEqual([]);
    digests.add(await digestOf(node));
  }
  expect(digests.size, "all nodes hold the same database").toBe(1);
}

describe("nodes that are killed under load", () => {
  let cluster: ProcessCluster;
  beforeAll(async () => {
    cluster = await startCluster({ stopAtTestEnd: false });
    const leader = await cluster.waitForLeader();
    await cluster.execute(leader, [
      "CREATE TABLE ledger (id INTEGER PRIMARY KEY, value TEXT NOT NULL)",
    ]);
  });
  afterAll(async () => {
    await cluster.stopAll();
  });

  test("twenty leaders die: no acknowledged row is lost and none is there twice", async () => {
    const ledger = createLedger();
    const stop = startWriters(cluster, ledger, { clients: CLIENTS, name: "kill" });
    const failovers: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const leader = await cluster.waitForLeader();
      const before = ledger.acknowledged.size;
      await leader.kill9();
      const killedAt = performance.now();
      const next = await cluster.waitForLeader({ not: leader });
      await cluster.execute(next, [["INSERT INTO ledger(value) VALUES(?)", `failover-${round}`]]);
      failovers.push(performance.now() - killedAt);
      await leader.start();
      await cluster.waitForApplied();
      expect(ledger.acknowledged.size, "writers made progress").toBeGreaterThan(before);
    }
    await stop();
    const worst = Math.round(Math.max(...failovers));
    console.log(
      `${ROUNDS} leaders killed; longest time to a new leader's write ${worst} ms; ` +
        `${ledger.acknowledged.size} acknowledged, ${ledger.refused.size} refused, ` +
        `${ledger.unknown.size} unknown`,
    );
    expect(worst).toBeLessThan(FAILOVER_MS_MAX);
    await checkAll(cluster, ledger);
  }, 240_000);

  test("all nodes killed at once under load come back with every acknowledged row", async () => {
    const ledger = createLedger();
    const stop = startWriters(cluster, ledger, { clients: CLIENTS, name: "all" });
    const enough = 200;
    await waitUntil(`${enough} rows`, () => ledger.acknowledged.size >= enough || undefined);
    await cluster.killAll();
    await stop();
    await cluster.startAll();
    await cluster.waitForLeader();
    await checkAll(cluster, ledger);
  }, 60_000);
});

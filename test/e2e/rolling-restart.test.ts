/**
 * Three nodes are stopped and started again, one after the other, under load: no operation
 * of a client fails.
 *
 * Method: real processes, SIGTERM; clients that retry, so that an operation fails only if no node
 * brings it to an end; every node's own rows are compared with what clients were told.
 */
import { expect, test } from "vitest";
import { startCluster } from "../support/cluster.ts";
import { waitUntil } from "../support/processes.ts";
import { missingOn, startClients, TABLE } from "./clients.ts";
import { digestOf } from "./databases.ts";

const ROUNDS = 1;
const CLIENTS = 8;
/** Operations between two stops. */
const STRIDE = 20;

test("a rolling restart loses nothing and refuses nobody", async () => {
  const cluster = await startCluster();
  await cluster.execute(await cluster.leader(), [TABLE]);
  const clients = startClients(() => cluster.nodes, { clients: CLIENTS, name: "rolling" });
  const { log } = clients;
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const node of cluster.nodes) {
      const enough = log.acknowledged.size + STRIDE;
      await waitUntil(`${enough} writes`, () => log.acknowledged.size >= enough || undefined);
      const end = await node.terminate();
      expect(end, `${node.id} ends well`).toEqual({ code: 0, signal: null });
      await node.start();
      await cluster.waitForLeader();
      await cluster.waitForApplied();
    }
  }
  await clients.stop();
  console.log(
    `${ROUNDS * cluster.nodes.length} restarts: ${log.acknowledged.size} writes, ` +
      `${log.retries} retries, longest operation ${Math.round(log.longestMs)} ms`,
  );
  expect(log.failures).toEqual([]);
  await cluster.waitForApplied();
  const digests = new Set<string>();
  for (const node of cluster.nodes) {
    expect(await missingOn(node, log), node.id).toEqual([]);
    digests.add(await digestOf(node));
  }
  expect(digests.size, "all nodes hold the same database").toBe(1);
}, 120_000);

/**
 * A loaded cluster of three gets a fourth and a fifth node; then its leader is removed.
 *
 * Method: real processes; clients that retry, and go to every node that is there.
 */
import { expect, test } from "vitest";
import { type ProcessCluster, startCluster } from "../support/cluster.ts";
import { type ProcessNode, waitUntil } from "../support/processes.ts";
import { missingOn, startClients, TABLE } from "./clients.ts";
import { digestOf } from "./databases.ts";

const CLIENTS = 6;
const STRIDE = 20;

/** Ids of voters as a node lists them. */
async function votersOn(cluster: ProcessCluster, node: ProcessNode): Promise<string> {
  const { text } = await cluster.http.get(`${node.url}/status?key=store.nodes`);
  const nodes = JSON.parse(text) as { id: string; suffrage: string }[];
  const voters = nodes.filter(({ suffrage }) => suffrage === "voter").map(({ id }) => id);
  return voters.sort().join(" ");
}

test("a fourth and a fifth node join under load, then the leader is removed", async () => {
  const cluster = await startCluster();
  await cluster.execute(await cluster.leader(), [TABLE]);
  const clients = startClients(() => cluster.nodes, { clients: CLIENTS, name: "grow" });
  const { log } = clients;
  const more = async (): Promise<void> => {
    const enough = log.acknowledged.size + STRIDE;
    await waitUntil(`${enough} writes`, () => log.acknowledged.size >= enough || undefined);
  };
  await more();
  for (const expected of ["n1 n2 n3 n4", "n1 n2 n3 n4 n5"]) {
    const node = await cluster.addNode();
    await node.start();
    await waitUntil(
      `voters ${expected}`,
      async () => (await votersOn(cluster, node)) === expected || undefined,
      { describe: () => node.log() },
    );
    await more();
  }
  const leader = await cluster.waitForLeader();
  const other = cluster.nodes.find((node) => node !== leader) as ProcessNode;
  const removed = await fetch(`${other.url}/remove`, {
    method: "DELETE",
    body: JSON.stringify({ id: leader.id }),
  });
  expect(removed.status, await removed.text()).toBe(200);
  await waitUntil("the old leader says that it is out", async () => {
    const { text } = await cluster.http.get(`${leader.url}/status?key=store.raft.removed`);
    return text === "true" || undefined;
  });
  await cluster.dropNode(leader);
  const next = await cluster.waitForLeader();
  expect((await votersOn(cluster, next)).split(" ")).toHaveLength(4);
  await more();
  await clients.stop();
  console.log(
    `${log.acknowledged.size} writes, ${log.retries} retries, ` +
      `longest operation ${Math.round(log.longestMs)} ms`,
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

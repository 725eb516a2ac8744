/**
 * A follower that missed more than the log keeps gets a copy of the database, and then the rest,
 * while writes go on.
 *
 * Method: real processes with a small cap on the log; the follower is dead until the leader's log
 * no longer reaches back to where it was.
 */
import { expect, test } from "vitest";
import { startCluster } from "../support/cluster.ts";
import { type ProcessNode, waitUntil } from "../support/processes.ts";
import { missingOn, startClients, TABLE } from "./clients.ts";
import { digestOf } from "./databases.ts";

const CLIENTS = 6;
const LOG_BYTES = 256 * 1024;
const PADDING = "x".repeat(48 * 1024);

async function raftOf(node: ProcessNode): Promise<Record<string, number>> {
  const response = await fetch(`${node.url}/status?key=store.raft`);
  return (await response.json()) as Record<string, number>;
}

test("a follower far behind catches up by a copy while writes go on", async () => {
  const cluster = await startCluster({ extraFlags: ["-raft-log-keep-bytes", String(LOG_BYTES)] });
  const leader = await cluster.leader();
  await cluster.execute(leader, [TABLE]);
  const follower = cluster.nodes.find((node) => node !== leader) as ProcessNode;
  const others = cluster.nodes.filter((node) => node !== follower);
  const { applied = 0 } = (await follower.state()) ?? {};
  await follower.kill9();
  const clients = startClients(() => others, {
    clients: CLIENTS,
    name: "far",
    padding: PADDING,
  });
  const { log } = clients;
  let firstIndex = 0;
  await waitUntil(
    "a log that begins behind the follower's end",
    async () => {
      firstIndex = (await raftOf(await cluster.waitForLeader()))["first_log_index"] ?? 0;
      return firstIndex > applied + 1 || undefined;
    },
    {
      describe: () => `first index ${firstIndex}, ${log.acknowledged.size} writes`,
      timeoutMs: 60_000,
    },
  );
  const before = log.acknowledged.size;
  await follower.start();
  await waitUntil(
    "the follower is there",
    async () => ((await follower.state())?.applied ?? 0) > firstIndex || undefined,
    { describe: () => follower.log() },
  );
  await waitUntil("writes went on", () => log.acknowledged.size > before + 10 || undefined);
  await clients.stop();
  console.log(
    `the follower had applied ${applied}, the log began at ${firstIndex}; ` +
      `${log.acknowledged.size - before} writes while it caught up`,
  );
  expect(log.failures).toEqual([]);
  await cluster.waitForApplied();
  expect((await raftOf(follower))["first_log_index"]).toBeGreaterThan(applied + 1);
  const digests = new Set<string>();
  for (const node of cluster.nodes) {
    expect(await missingOn(node, log), node.id).toEqual([]);
    digests.add(await digestOf(node));
  }
  expect(digests.size, "all nodes hold the same database").toBe(1);
}, 120_000);

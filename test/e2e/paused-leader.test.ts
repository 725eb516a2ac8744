/**
 * A leader is stopped by SIGSTOP for ten seconds and goes on: what it believes of itself then is
 * wrong, and nobody may be told anything stale by it.
 *
 * Method: real processes. Reads at level linearizable are sent to the leader while it is stopped
 * and the moment that it goes on; they were asked after writes that a new leader acknowledged, so
 * each must see them or fail. The ten seconds are those of the promise: many election timeouts.
 */
import { expect, test } from "vitest";
import { startCluster } from "../support/cluster.ts";
import { waitUntil } from "../support/processes.ts";
import { ask, missingOn, startClients, TABLE } from "./clients.ts";

const PAUSE_MS = 10_000;
const CLIENTS = 4;
const STRIDE = 30;
const READS = 20;

test("a leader that was stopped gives no stale read and loses no acknowledged write", async () => {
  const cluster = await startCluster();
  const leader = await cluster.leader();
  await cluster.execute(leader, [TABLE, "CREATE TABLE mark (n INTEGER)"]);
  await cluster.execute(leader, ["INSERT INTO mark VALUES (0)"]);
  const clients = startClients(() => cluster.nodes, { clients: CLIENTS, name: "pause" });
  const { log } = clients;
  const more = async (): Promise<void> => {
    const enough = log.acknowledged.size + STRIDE;
    await waitUntil(`${enough} writes`, () => log.acknowledged.size >= enough || undefined);
  };
  await more();
  process.kill(leader.pid as number, "SIGSTOP");
  const stoppedAt = performance.now();
  const others = cluster.nodes.filter((node) => node !== leader);
  await waitUntil("a mark by another leader", async () =>
    ask(others[0] as (typeof others)[0], "/db/execute", ["UPDATE mark SET n = 1"]),
  );
  // Asked of a process that does not run: they wait in its sockets, and are its first work.
  const read = (): Promise<string | undefined> =>
    ask(leader, "/db/query?level=linearizable&linearizable_timeout=4s", ["SELECT n FROM mark"]);
  await waitUntil(
    "the pause is over",
    () => performance.now() - stoppedAt > PAUSE_MS - 1000 || undefined,
  );
  const early = Array.from({ length: READS }, read);
  await waitUntil("all of it", () => performance.now() - stoppedAt > PAUSE_MS || undefined);
  process.kill(leader.pid as number, "SIGCONT");
  const answers = [...(await Promise.all(early))];
  for (let n = 0; n < READS; n += 1) answers.push(await read());
  const told = answers.filter((answer) => answer !== undefined);
  expect(told.length, "some were answered").toBeGreaterThan(0);
  for (const answer of told) expect(answer).toContain('"values":[[1]]');
  await more();
  await clients.stop();
  console.log(
    `${told.length} of ${answers.length} reads answered, none stale; ` +
      `${log.acknowledged.size} writes, ${log.retries} retries, ` +
      `longest operation ${Math.round(log.longestMs)} ms`,
  );
  expect(log.failures).toEqual([]);
  await cluster.waitForApplied();
  for (const node of cluster.nodes) expect(await missingOn(node, log), node.id).toEqual([]);
}, 120_000);

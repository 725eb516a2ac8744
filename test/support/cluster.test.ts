/**
 * The support for end-to-end tests. Method: run a cluster through all that the support promises.
 */
import { existsSync } from "node:fs";
import { beforeAll, expect, test } from "vitest";
import { type ProcessCluster, startCluster } from "./cluster.ts";
import { isProcessAlive, waitUntil } from "./processes.ts";

let shared: { cluster: ProcessCluster } | undefined;

beforeAll(async () => {
  shared = { cluster: await startCluster({ nodes: 1, stopAtTestEnd: false }) };
  return () => shared?.cluster.stopAll();
});

test("a cluster of beforeAll serves the tests of the file", async () => {
  const { cluster } = shared ?? expect.unreachable();
  const node = await cluster.leader();
  await cluster.execute(node, ["CREATE TABLE t (a)", ["INSERT INTO t VALUES (?)", 7]]);
  expect(await cluster.rows(node, "SELECT a FROM t")).toEqual([[7]]);
  await expect(cluster.rows(node, "SELECT b FROM t")).rejects.toThrow(/no such column/);
});

test("nodes are killed, started and followed", async () => {
  const cluster = await startCluster();
  const leader = await cluster.leader();
  await cluster.execute(leader, ["CREATE TABLE t (a)"]);
  const pid = leader.pid ?? 0;
  await leader.kill9();
  expect(leader.pid).toBeUndefined();
  expect(isProcessAlive(pid)).toBe(false);
  const next = await cluster.waitForLeader({ not: leader });
  await cluster.execute(next, ["INSERT INTO t VALUES (1)"]);
  await leader.start();
  await cluster.waitForApplied();
  expect(await cluster.rows(leader, "SELECT a FROM t")).toEqual([[1]]);
  await cluster.stopAll();
  expect(cluster.nodes.map(({ pid: one }) => one)).toEqual([undefined, undefined, undefined]);
});

test("a deadline that is missed tells the state and the ends of the logs", async () => {
  const { cluster } = shared ?? expect.unreachable();
  const [node] = cluster.nodes;
  await expect(
    cluster.waitForLeader({ timeoutMs: 50, ...(node && { not: node }) }),
  ).rejects.toThrow(/not within 50 ms: a leader[\s\S]*n1: \{"role":"Leader"[\s\S]*--- n1/);
});

test("a node that cannot start says why", async () => {
  const { cluster } = shared ?? expect.unreachable();
  const [node] = cluster.nodes;
  if (node === undefined) return expect.unreachable();
  expect(existsSync(node.dataDir)).toBe(true);
  await node.terminate();
  await expect(node.start(["-no-such-flag"])).rejects.toThrow(/no-such-flag/);
  await node.start();
  await waitUntil("it leads again", async () =>
    (await node.state())?.role === "Leader" ? true : undefined,
  );
});

/**
 * Two of three nodes are gone for good: the operator writes `raft/peers.json`, looks at what would
 * be lost, starts the survivor, and lets new nodes join.
 *
 * Method: real processes, and the real `cairn recover`.
 */
import { execFile } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { startCluster } from "../support/cluster.ts";
import { CAIRN, type ProcessNode, waitUntil } from "../support/processes.ts";

const run = promisify(execFile);

test("a survivor is told that it is the cluster, keeps every row, and others join it", async () => {
  const cluster = await startCluster();
  const leader = await cluster.leader();
  await cluster.execute(leader, ["CREATE TABLE t (v)"]);
  await cluster.execute(leader, ["INSERT INTO t VALUES ('kept')"]);
  await cluster.waitForApplied();
  await cluster.killAll();
  const [survivor, ...lost] = cluster.nodes as [ProcessNode, ...ProcessNode[]];
  for (const node of lost) {
    await cluster.dropNode(node);
    rmSync(node.dataDir, { recursive: true });
  }
  const nothing = run(process.execPath, [CAIRN, "recover", "--dry-run", survivor.dataDir]);
  await expect(nothing).rejects.toMatchObject({ code: 1, stderr: /nothing would be recovered/ });

  mkdirSync(join(survivor.dataDir, "raft"), { recursive: true });
  const members = [{ id: survivor.id, address: survivor.raftAddress, non_voter: false }];
  writeFileSync(join(survivor.dataDir, "raft/peers.json"), JSON.stringify(members));
  const { stdout } = await run(process.execPath, [
    ...[CAIRN, "recover", "--dry-run", survivor.dataDir],
  ]);
  expect(stdout).toMatch(/epoch 0 to 1/);
  expect(stdout).toMatch(/gone for good: n2 at .*, n3 at /);
  expect(stdout).toMatch(/entries may not have been committed; they are kept/);

  await survivor.start();
  await cluster.waitForLeader();
  expect(survivor.log()).toMatch(/gone for good: n2/);
  await cluster.execute(survivor, ["INSERT INTO t VALUES ('new')"]);
  const added = await cluster.addNode();
  await added.start();
  const rows = await waitUntil("the new node reads", () =>
    cluster.rows(added, "SELECT v FROM t", "linearizable").catch(() => undefined),
  );
  expect(rows).toEqual([["kept"], ["new"]]);
}, 60_000);

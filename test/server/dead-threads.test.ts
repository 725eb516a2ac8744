/**
 * A thread of a node dies: the node says so, leaves nobody waiting, and can be closed.
 *
 * Method: a real node of one in this process; its threads are ended from outside, as a crash of the
 * engine or a full heap would.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Worker } from "node:worker_threads";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openNode, readInvocation } from "#server";
import type { RunningNode } from "#server/types";
import type { Command } from "#sqlite/types";

const THREADS = ["consensus", "sql-writer"] as const;

let dir = "";
const workers: Worker[] = [];
const remember = (worker: Worker): void => void workers.push(worker);

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "cairn-dead-threads-"));
  workers.length = 0;
  process.on("worker", remember);
});

afterEach(() => {
  process.off("worker", remember);
  rmSync(dir, { recursive: true, force: true });
});

async function startedNode(): Promise<RunningNode> {
  const invocation = readInvocation([
    ...["-node-id", "1", "-http-addr", "127.0.0.1:0", "-raft-addr", "127.0.0.1:0"],
    dir,
  ]);
  if (invocation.kind !== "run") throw new Error("a command line that runs");
  const node = await openNode(invocation.config);
  await node.joined;
  await expect.poll(() => node.service.isLeader()).toBe(true);
  await node.service.execute(write("CREATE TABLE t (n)"), { timeoutMs: 1000 });
  return node;
}

function write(sql: string): Command {
  return {
    kind: "execute",
    statements: [{ sql, positional: [], named: [] }],
    transaction: false,
    rendering: { associative: false, blobArray: false, qualifyColumns: false, timings: false },
  };
}

/** Threads are started in this order: consensus, the SQL writer, readers. */
function threadOf(name: (typeof THREADS)[number]): Worker {
  const worker = workers[THREADS.indexOf(name)];
  if (worker === undefined) throw new Error(`no thread ${name}`);
  return worker;
}

test.each(THREADS)(
  "the thread %s dies: what is open ends, and the node can be closed",
  async (name) => {
    const node = await startedNode();
    void threadOf(name).terminate();
    const write1 = node.service.execute(write("INSERT INTO t VALUES (1)"), { timeoutMs: 1000 });
    await expect(write1).rejects.toMatchObject({ code: "REPLICA_TIMEOUT" });
    expect((await node.failed).message).toContain(name);
    await expect(node.service.status()).rejects.toThrow();
    await node.close();
  },
);

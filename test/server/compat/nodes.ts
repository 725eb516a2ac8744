/**
 * Real nodes in this process: threads, log, HTTP and the port between nodes, from the sources.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openNode, readInvocation } from "#server";
import type { RunningNode } from "#server/types";
import { freePort, waitUntil } from "../../support/processes.ts";

/** Nodes that know each other. */
export interface TestNodes {
  readonly nodes: readonly RunningNode[];
  readonly dir: string;
  /** The one that leads now; waits for it. */
  leader(): Promise<RunningNode>;
  close(): Promise<void>;
}

const FLAGS = "-db-max-ro-conns 1 -raft-log-level ERROR -raft-heartbeat-timeout 400ms";

/** Starts so many nodes and waits until they have a leader. */
export async function startNodes(count: number, flags: readonly string[] = []): Promise<TestNodes> {
  const dir = mkdtempSync(join(tmpdir(), "cairn-nodes-"));
  const ports: number[] = [];
  for (let n = 0; n < count; n += 1) ports.push(await freePort());
  const join_ = ports.map((port) => `127.0.0.1:${port}`).join(",");
  const together = count > 1 ? ["-bootstrap-expect", String(count), "-join", join_] : [];
  const nodes = await Promise.all(
    ports.map((port, at) => {
      const own = ["-node-id", `n${at + 1}`, "-http-addr", "127.0.0.1:0"];
      const raft = ["-raft-addr", `127.0.0.1:${port}`, "-raft-election-timeout", "400ms"];
      const all = [...own, ...raft, ...FLAGS.split(" "), ...together, ...flags];
      return start([...all, join(dir, `n${at + 1}`)]);
    }),
  );
  await Promise.all(nodes.map((node) => node.joined));
  const result: TestNodes = {
    nodes,
    dir,
    leader: () => leaderOf(nodes),
    async close() {
      await Promise.all(nodes.map((node) => node.close()));
      rmSync(dir, { recursive: true, force: true });
    },
  };
  await result.leader();
  return result;
}

/** Starts one node from a command line. */
export async function start(argv: readonly string[]): Promise<RunningNode> {
  const invocation = readInvocation(argv);
  if (invocation.kind !== "run") throw new Error("a command line that runs");
  return openNode(invocation.config);
}

function leaderOf(nodes: readonly RunningNode[]): Promise<RunningNode> {
  return waitUntil("a leader", () => nodes.find(({ service }) => service.isLeader()));
}

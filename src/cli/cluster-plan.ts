/**
 * Decides which ports the nodes of a cluster take, and with which flags they are started.
 *
 * Invariant: a Raft port, once used, stays: it is part of the configuration that the nodes have
 * agreed on. HTTP ports may be others at each start; nodes tell each other.
 */
import { CairnError, type Ms } from "#base";
import type { ClusterDirectory } from "./cluster-directory.ts";
import { countNodes } from "./cluster-text.ts";
import { createPortPlan, type PortPlan, type PortTest, waitForPort } from "./ports.ts";

/** The nodes trust whoever reaches them, so only this machine may. */
export const LOOPBACK = "127.0.0.1";

/** Without `--raft-port`: above the HTTP ports, behind all that those may become. */
export const RAFT_PORT_OFFSET = 100;
const NODES_DEFAULT = 3;

/** A node of an earlier run whose parent was killed takes this long to end. */
const OLD_NODE_MS: Ms = 5000;

/** What the command line asks for; undefined where it says nothing. */
export interface PlanOptions {
  readonly nodes: number | undefined;
  readonly httpPort: number;
  readonly raftPort: number | undefined;
}

/** One node, with all that it needs to be started. */
export interface PlannedNode {
  readonly id: string;
  readonly url: string;
  readonly raftPort: number;
  readonly logPath: string;
  readonly flags: readonly string[];
}

/**
 * Plans all nodes. Says which port is taken instead of which one.
 *
 * @throws `NET_ADDRESS_IN_USE` when a port is taken and cannot be another; `SERVER_CONFIG_INVALID`
 * when the directory holds a cluster of another size.
 */
export async function planCluster(
  options: PlanOptions,
  directory: ClusterDirectory,
  outside: { readonly isFree: PortTest; readonly say: (text: string) => void },
): Promise<readonly PlannedNode[]> {
  const { remembered } = directory;
  const count = options.nodes ?? remembered?.length ?? NODES_DEFAULT;
  checkSize(directory, count);
  const plan = createPortPlan(outside.isFree);
  const raftPorts: number[] = [];
  for (const node of remembered ?? []) {
    await checkRemembered(node, options, outside);
    plan.reserve(node.raftPort);
    raftPorts.push(node.raftPort);
  }
  const raftBase = options.raftPort ?? options.httpPort + RAFT_PORT_OFFSET;
  const nodes: { id: string; httpPort: number; raftPort: number }[] = [];
  for (let number = 1; number <= count; number += 1) {
    const id = `n${number}`;
    const pick = (wanted: number): Promise<number> => pickPort(plan, { id, wanted }, outside.say);
    const httpPort = await pick(options.httpPort + number - 1);
    const raftPort = raftPorts[number - 1] ?? (await pick(raftBase + number - 1));
    nodes.push({ id, httpPort, raftPort });
  }
  const join = nodes.map(({ raftPort }) => `${LOOPBACK}:${raftPort}`).join(",");
  return nodes.map(({ id, httpPort, raftPort }, index) => ({
    id,
    url: `http://${LOOPBACK}:${httpPort}`,
    raftPort,
    logPath: directory.logPath(index + 1),
    flags: [
      ...["-node-id", id],
      ...["-http-addr", `${LOOPBACK}:${httpPort}`],
      ...["-raft-addr", `${LOOPBACK}:${raftPort}`],
      ...["-bootstrap-expect", String(count)],
      ...["-join", join],
      directory.dataDir(index + 1),
    ],
  }));
}

function checkSize({ path, remembered }: ClusterDirectory, count: number): void {
  if (remembered === undefined || remembered.length === count) return;
  throw new CairnError(
    "SERVER_CONFIG_INVALID",
    `cluster: ${path} holds a cluster of ${countNodes(remembered.length)}, not ${count}, ` +
      "and members " +
      "cannot be changed yet: start over with --fresh, or choose another directory with --dir",
  );
}

async function checkRemembered(
  node: { readonly id: string; readonly raftPort: number },
  options: PlanOptions,
  { isFree, say }: { readonly isFree: PortTest; readonly say: (text: string) => void },
): Promise<void> {
  const { id, raftPort } = node;
  if (options.raftPort !== undefined && id === "n1" && options.raftPort !== raftPort) {
    say(
      `node n1 keeps Raft port ${raftPort}, which its cluster has stored; --raft-port is ignored`,
    );
  }
  if (await isFree(raftPort)) return;
  say(`port ${raftPort} is in use, and node ${id} must have it; waiting a moment`);
  if (await waitForPort(isFree, raftPort, OLD_NODE_MS)) return;
  throw new CairnError(
    "NET_ADDRESS_IN_USE",
    `cluster: port ${raftPort} is in use, and node ${id} can take no other one: its address is ` +
      `stored in the cluster. Find the process with "lsof -i :${raftPort}" (or "ss -ltnp") and ` +
      "stop it, or start over with --fresh, or choose another directory with --dir",
  );
}

async function pickPort(
  plan: PortPlan,
  { id, wanted }: { readonly id: string; readonly wanted: number },
  say: (text: string) => void,
): Promise<number> {
  const port = await plan.pick(wanted);
  if (port === undefined) {
    throw new CairnError(
      "NET_ADDRESS_IN_USE",
      `cluster: port ${wanted} and those 10, 20 … above it are all in use: ` +
        "name others with --http-port and --raft-port",
    );
  }
  if (port !== wanted) say(`port ${wanted} is in use, node ${id} takes ${port} instead`);
  return port;
}

/**
 * Nodes in this process that join, leave and come back: from the sources, each with its own threads
 * and ports.
 *
 * Invariant: whatever a test leaves running is closed, and its directory removed, at the end.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { RunningNode } from "#server/types";
import { freePort, waitUntil } from "../../support/processes.ts";
import { start } from "../compat/nodes.ts";

const FLAGS = [
  ...["-http-addr", "127.0.0.1:0", "-db-max-ro-conns", "1", "-raft-log-level", "ERROR"],
  ...["-raft-heartbeat-timeout", "800ms", "-raft-election-timeout", "800ms"],
  ...["-join-interval", "300ms"],
];

/** What `/status` says, as far as tests read it. */
export interface StoreStatus {
  readonly ready: boolean;
  readonly nodes: readonly { id: string; addr: string; suffrage: string }[];
  readonly raft: Readonly<Record<string, unknown>>;
  readonly leader: { node_id: string; addr: string };
}

/** A place for nodes that know each other, or will. */
export interface NodeYard {
  readonly dir: string;
  /** Starts a node; `port`: where others reach it, a fresh one by default. */
  start(
    id: string,
    options?: { readonly flags?: readonly string[]; readonly port?: number },
  ): Promise<RunningNode>;
  /** Stops one that `start` has given. */
  stop(node: RunningNode): Promise<void>;
  /** Where a node's data lie. */
  dataDir(id: string): string;
}

/** Makes the place. */
export function openYard(): NodeYard {
  const dir = mkdtempSync(join(tmpdir(), "cairn-yard-"));
  const running = new Set<RunningNode>();
  onTestFinished(async () => {
    await Promise.all([...running].map((node) => node.close().catch(() => undefined)));
    rmSync(dir, { recursive: true, force: true });
  });
  return {
    dir,
    dataDir: (id) => join(dir, id),
    start: async (id, { flags = [], port } = {}) => {
      const raft = `127.0.0.1:${port ?? (await freePort())}`;
      const own = ["-node-id", id, "-raft-addr", raft, ...FLAGS, ...flags];
      const node = await start([...own, join(dir, id)]);
      running.add(node);
      return node;
    },
    stop: async (node) => {
      running.delete(node);
      await node.close();
    },
  };
}

/** What a node says of itself. */
export async function storeOf(node: RunningNode): Promise<StoreStatus> {
  return (await node.service.status())["store"] as StoreStatus;
}

/** Waits until a node's list of members reads so: `a voter, b nonvoter`. */
export function waitForMembers(node: RunningNode, members: string): Promise<true> {
  let seen = "";
  return waitUntil(
    members,
    async () => {
      const { nodes } = await storeOf(node);
      seen = nodes.map(({ id, suffrage }) => `${id} ${suffrage}`).join(", ");
      return seen === members || undefined;
    },
    { describe: () => seen },
  );
}

/** Runs one statement. @returns its result, parsed. */
export async function execute(node: RunningNode, sql: string): Promise<unknown> {
  const rendering = {
    associative: false,
    blobArray: false,
    qualifyColumns: false,
    timings: false,
  };
  const statements = [{ sql, positional: [], named: [] }];
  const command = { kind: "execute", statements, transaction: false, rendering } as const;
  const { results } = await node.service.execute(command, { timeoutMs: 10_000 });
  return JSON.parse(new TextDecoder().decode(results));
}

/** Rows of one SELECT, at a level. */
export async function rows(
  node: RunningNode,
  sql: string,
  level: "none" | "weak" | "linearizable" | "strong" | "auto",
  limitMs = 10_000,
): Promise<unknown> {
  const rendering = {
    associative: false,
    blobArray: false,
    qualifyColumns: false,
    timings: false,
  };
  const statements = [{ sql, positional: [], named: [] }];
  const { results } = await node.service.query(
    { statements, transaction: false, rendering, mode: "query" },
    {
      ...{ level, freshnessMs: 0, freshnessStrict: false, databaseTimeoutMs: 0 },
      ...{ linearizableTimeoutMs: limitMs, timeoutMs: 10_000 },
    },
  );
  const [result] = JSON.parse(new TextDecoder().decode(results)) as { values?: unknown }[];
  return result?.values ?? [];
}

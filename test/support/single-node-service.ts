/**
 * A whole node on one thread: the real SQL machine and reader behind `NodeService`, without a log.
 *
 * For tests of what goes over the wire. Who leads, and what goes wrong, is set by the test; the
 * codes are those that the contract of `NodeService` names.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CairnError } from "#base";
import { createCounters, createWriteQueue, readInvocation, sendFile } from "#server";
import type { CallOutcome, NodeConfig, NodeInfo, NodeService, ReadOptions } from "#server/types";
import { encodeCommand, openSqliteMachine, openSqliteReader } from "#sqlite";
import type { Command, ReadRequest, SqliteMachine, SqliteReader } from "#sqlite/types";
import { createSingleKv } from "./single-node-kv.ts";

/** The service, and what a test may do to it. */
export interface SingleNode {
  readonly service: NodeService;
  readonly config: NodeConfig;
  readonly dir: string;
  /** False: calls that need the leader are answered as on a follower without one. */
  leading: boolean;
  leaderUrl: string | undefined;
  /** Thrown by the next calls, as if the cluster had. */
  failure: Error | undefined;
  nodes: readonly NodeInfo[];
  /** What a snapshot finds. */
  hasNews: boolean;
  /** Nodes that were asked to be removed, and targets of handovers. */
  readonly removed: string[];
  readonly steppedDown: (string | undefined)[];
  ready: { ready: boolean; lines: string[] };
  /** Commands that reached the machine, and reads that reached the reader, in order. */
  readonly commands: Command[];
  readonly reads: { request: ReadRequest; options: ReadOptions }[];
  /** Copies that were made and not removed. */
  copies: number;
  close(): void;
}

const SERVED_BY = "127.0.0.1:4001";

/** Opens a node in a fresh directory. */
export function openSingleNode(changes: Partial<NodeConfig> = {}): SingleNode {
  const dir = mkdtempSync(join(tmpdir(), "cairn-http-"));
  const path = join(dir, "db.sqlite");
  const machine = openSqliteMachine({ path });
  const reader = openSqliteReader(path);
  const config: NodeConfig = { ...plainConfig(), dataDir: dir, ...changes };
  const state: NodeState = {
    config,
    dir,
    leading: true,
    leaderUrl: undefined,
    failure: undefined,
    nodes: [],
    hasNews: true,
    removed: [],
    steppedDown: [],
    ready: { ready: true, lines: ["[+]node ok"] },
    commands: [],
    reads: [],
    copies: 0,
    close() {
      reader.close();
      machine.close();
      rmSync(dir, { recursive: true });
    },
  };
  return Object.assign(state, { service: serviceOf(state, machine, reader) });
}

type NodeState = Omit<SingleNode, "service">;

/** Throws what the cluster would throw. */
function check({ failure, leading }: NodeState, needsLeader: boolean): void {
  if (failure !== undefined) throw failure;
  if (needsLeader && !leading) throw new CairnError("SERVER_NO_LEADER", "leader not found");
}

/** The calls that reach the database: each command is one entry, as if it were the log's next. */
function databaseOf(
  node: NodeState,
  machine: SqliteMachine,
  reader: SqliteReader,
): {
  apply(command: Command): CallOutcome;
  read(request: ReadRequest, options: ReadOptions): CallOutcome | undefined;
} {
  const apply = (command: Command): CallOutcome => {
    node.commands.push(command);
    const index = node.commands.length;
    const entry = {
      index,
      term: 1,
      kind: "command" as const,
      timeMs: 1_700_000_000_000 + index,
      seed: BigInt(index),
      payload: encodeCommand(command),
      proposalId: index,
    };
    const [result] = machine.applyBatch([entry]);
    return { results: result ?? new Uint8Array(), raftIndex: index, servedBy: SERVED_BY };
  };
  const read = (request: ReadRequest, options: ReadOptions): CallOutcome | undefined => {
    node.reads.push({ request, options });
    const response = reader.read(request);
    if (response.needsWrite) return undefined;
    const raftIndex = options.level === "strong" ? apply({ kind: "barrier" }).raftIndex : 0;
    return { results: response.results, raftIndex, servedBy: SERVED_BY };
  };
  return { apply, read };
}

/** What operators ask for, as far as one thread without a log can do it. */
function operationsOf(
  node: NodeState,
  apply: (command: Command) => CallOutcome,
): Omit<NodeService, "execute" | "query" | "request" | "backup" | "nodes" | "status"> &
  Pick<NodeService, "queue" | "counters"> {
  const counters = createCounters();
  const execute = async (command: Command): Promise<CallOutcome> => {
    check(node, true);
    return apply(command);
  };
  const config = node.config.writeQueue;
  return {
    config: node.config,
    version: "0.0.0",
    isLeader: () => node.leading,
    hasLeader: () => node.leading,
    leaderApiUrl: async () => node.leaderUrl,
    readiness: async () => node.ready,
    counters,
    kv: createSingleKv((needsLeader) => check(node, needsLeader)),
    queue: createWriteQueue({ config, counters, execute, onLoss: () => undefined }),
    loadFile: (file) => sendFile(file, 7n, execute),
    async boot(file) {
      check(node, true);
      await sendFile(file, 7n, execute);
    },
    async snapshot() {
      check(node, false);
      return node.hasNews;
    },
    async reap() {
      check(node, false);
      return { snapshots: 1, wals: 2 };
    },
    async removeNode(id) {
      check(node, true);
      node.removed.push(id);
      return { servedBy: SERVED_BY };
    },
    async compareStates() {
      check(node, true);
      return { index: 1, digest: "00", differing: [], silent: [] };
    },
    async stepDown({ target }) {
      check(node, true);
      node.steppedDown.push(target);
      return { servedBy: SERVED_BY };
    },
  };
}

function serviceOf(node: NodeState, machine: SqliteMachine, reader: SqliteReader): NodeService {
  const { apply, read } = databaseOf(node, machine, reader);
  return {
    async execute(command) {
      check(node, true);
      return apply(command);
    },
    async query(request, options) {
      check(node, options.level !== "none");
      return read(request, options) ?? apply({ kind: "barrier" });
    },
    async request(command, options) {
      check(node, options.level !== "none");
      if (command.kind !== "request") throw new TypeError("not a request");
      const { statements, transaction, rendering } = command;
      const request: ReadRequest = { statements, transaction, rendering, mode: "request" };
      return read(request, options) ?? apply(command);
    },
    ...operationsOf(node, apply),
    isLeader: () => node.leading,
    hasLeader: () => node.leading || node.leaderUrl !== undefined,
    leaderApiUrl: async () => node.leaderUrl,
    async backup({ local, ...request }) {
      check(node, !local);
      node.copies += 1;
      const copy = join(node.dir, `copy-${node.copies}`);
      await reader.backup({ ...request, path: copy });
      return {
        path: copy,
        remove: () => {
          rmSync(copy);
          node.copies -= 1;
        },
      };
    },
    async nodes() {
      check(node, false);
      return node.nodes;
    },
    async status() {
      check(node, false);
      return { store: { raft: { term: 7, state: "Leader" }, open: {} }, build: { version: "v" } };
    },
    async readiness() {
      check(node, false);
      return node.ready;
    },
  };
}

/** The configuration of a node that listens at free ports; everything else is the default. */
function plainConfig(): NodeConfig {
  const flags = "-http-addr 127.0.0.1:0 -raft-addr 127.0.0.1:0 -http-adv-addr 127.0.0.1:4001";
  const more = "-raft-adv-addr 127.0.0.1:4002 -node-id 1 -db-max-ro-conns 1 data";
  const invocation = readInvocation([...flags.split(" "), ...more.split(" ")]);
  if (invocation.kind !== "run") throw new Error(`expected a run, got ${invocation.kind}`);
  return invocation.config;
}

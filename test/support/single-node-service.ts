/**
 * A whole node on one thread: the real SQL machine and reader behind `NodeService`, without a log.
 *
 * For tests of what goes over the wire. Who leads, and what goes wrong, is set by the test; the codes
 * are those that the contract of `NodeService` names.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CairnError } from "#base";
import type { CallOutcome, NodeConfig, NodeInfo, NodeService, ReadOptions } from "#server/types";
import { encodeCommand, openSqliteMachine, openSqliteReader } from "#sqlite";
import type { Command, ReadRequest } from "#sqlite/types";

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
  const config: NodeConfig = { ...CONFIG, dataDir: dir, ...changes };
  let index = 0;

  const apply = (command: Command): CallOutcome => {
    index += 1;
    node.commands.push(command);
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
  const check = (needsLeader: boolean): void => {
    if (node.failure !== undefined) throw node.failure;
    if (needsLeader && !node.leading) {
      throw new CairnError("SERVER_NO_LEADER", "leader not found");
    }
  };
  const read = (request: ReadRequest, options: ReadOptions): CallOutcome | undefined => {
    node.reads.push({ request, options });
    const response = reader.read(request);
    if (response.needsWrite) return undefined;
    const raftIndex = options.level === "strong" ? apply({ kind: "barrier" }).raftIndex : 0;
    return { results: response.results, raftIndex, servedBy: SERVED_BY };
  };

  const service: NodeService = {
    config,
    version: "0.0.0",
    async execute(command) {
      check(true);
      return apply(command);
    },
    async query(request, options) {
      check(options.level !== "none");
      return read(request, options) ?? apply({ kind: "barrier" });
    },
    async request(command, options) {
      check(options.level !== "none");
      if (command.kind !== "request") throw new TypeError("not a request");
      const { statements, transaction, rendering } = command;
      const request: ReadRequest = { statements, transaction, rendering, mode: "request" };
      return read(request, options) ?? apply(command);
    },
    isLeader: () => node.leading,
    leaderApiUrl: async () => node.leaderUrl,
    async backup({ local, ...request }) {
      check(!local);
      node.copies += 1;
      const copy = join(dir, `copy-${node.copies}-${index}`);
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
      check(false);
      return node.nodes;
    },
    async status() {
      check(false);
      return { store: { raft: { term: 7, state: "Leader" }, open: {} }, build: { version: "v" } };
    },
    async readiness() {
      check(false);
      return node.ready;
    },
  };
  const node: SingleNode = {
    service,
    config,
    dir,
    leading: true,
    leaderUrl: undefined,
    failure: undefined,
    nodes: [],
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
  return node;
}

const CONFIG: NodeConfig = {
  dataDir: "",
  nodeId: "1",
  httpAddress: "127.0.0.1:0",
  httpAdvertisedAddress: SERVED_BY,
  httpAllowOrigin: "",
  httpBodyBytesMax: 64 * 1024 * 1024,
  raftAddress: "127.0.0.1:0",
  raftAdvertisedAddress: "127.0.0.1:4002",
  bootstrapExpect: 0,
  bootstrapExpectTimeoutMs: 1000,
  join: [],
  joinAttempts: 1,
  joinIntervalMs: 1000,
  foreignKeys: false,
  readerCount: 1,
  logLevel: "error",
  heartbeatTimeoutMs: 1000,
  electionTimeoutMs: 1000,
  applyTimeoutMs: 1000,
};

/**
 * One node, built from a configuration: data directory, SQL threads, consensus thread, HTTP,
 * cluster.
 *
 * Opened in this order and closed in reverse. HTTP answers before the node knows its cluster, so
 * that `/status` and `/readyz` can say so. Invariant: one process has a data directory at a time.
 */
import { type Bytes, CairnError, errorText } from "#base";
import { createNodeDisk, nodeRandom } from "#platform";
import type { Disk } from "#platform/types";
import { type ConsensusThread, openConsensusThread } from "#replica";
import { decodeCommand, openSqliteThreads } from "#sqlite";
import type { SqliteThreads } from "#sqlite/types";
import { authorizeCall, credentialsIn } from "./auth/peer.ts";
import { startAutoVacuum } from "./auto-vacuum.ts";
import { type Backups, createBackups } from "./backups.ts";
import { type ClusterFormation, createClusterFormation } from "./cluster.ts";
import { type Counters, createCounters } from "./counters.ts";
import { startReporter } from "./discovery/reporter.ts";
import type { DiscoveredNode } from "./discovery/types.ts";
import { packOutcome, unpackCall, unpackRead, unpackReadOptions } from "./forward.ts";
import { openHttpServer } from "./http/index.ts";
import { createKvCalls, type KvCalls } from "./kv-calls.ts";
import { type Leadership, watchLeadership } from "./leadership.ts";
import { type Access, openAccess } from "./node-access.ts";
import { createNodeOperations, type NodeOperations } from "./node-operations.ts";
import { collectStatus } from "./node-status.ts";
import { createPeers, type Peers } from "./peers.ts";
import { createPendingProposals, type PendingProposals } from "./pending.ts";
import { createWriteQueue, type WriteQueue } from "./queue.ts";
import { type Calls, createCalls } from "./service.ts";
import type { NodeConfig, NodeService, RunningNode } from "./types.ts";
import { API_VERSION, CAIRN_VERSION } from "./version.ts";

/** Ten heartbeats fit into a follower's patience, as in the reference. */
const HEARTBEATS_PER_TIMEOUT = 10;
const DATABASE_FILE = "db.sqlite";
const KV_DIRECTORY = "kv";

/** Where a node's lines go. */
export type NodeLog = (level: "error" | "warn" | "info" | "debug", text: string) => void;

interface Parts extends Access {
  readonly config: NodeConfig;
  readonly disk: Disk;
  readonly sqlite: SqliteThreads;
  readonly consensus: ConsensusThread;
  readonly log: NodeLog;
}

/** The node behind its HTTP interface. */
class Node {
  readonly #parts: Parts;
  readonly pending: PendingProposals;
  readonly leadership: Leadership;
  readonly calls: Calls;
  readonly kv: KvCalls;
  readonly peers: Peers;
  readonly backups: Backups;
  readonly formation: ClusterFormation;
  /** As a store of leaders knows this node. */
  readonly self: () => DiscoveredNode;
  readonly counters: Counters = createCounters();
  readonly queue: WriteQueue;
  readonly operations: NodeOperations;
  readonly #startedAt = new Date();
  #lastBackupAt: Date | undefined;
  httpAddress: string;

  constructor(parts: Parts) {
    const { config, consensus, sqlite, log, disk } = parts;
    this.#parts = parts;
    this.httpAddress = config.httpAdvertisedAddress;
    this.pending = createPendingProposals(() => this.leadership.isLeader());
    sqlite.onResult((id, index, result) => this.pending.succeed(id, { result, index }));
    consensus.onFailure((id, failure) => this.pending.fail(id, failure));
    consensus.onNotice((text) => log("warn", text));
    this.leadership = watchLeadership({
      consensus,
      applyBarrier: () => this.calls.propose({ kind: "barrier" }),
      onChange: (text) => log("info", text),
    });
    const common = {
      consensus,
      sqlite,
      leadership: this.leadership,
      random: nodeRandom(),
      httpAddress: () => this.httpAddress,
    };
    this.calls = createCalls({ ...common, config, pending: this.pending });
    this.kv = createKvCalls({ ...common, calls: this.calls });
    const onNotice = (text: string): void => log("warn", text);
    const { calls, counters } = this;
    this.operations = createNodeOperations({ ...common, calls, counters, onNotice });
    this.queue = createWriteQueue({
      config: config.writeQueue,
      counters,
      execute: (command, options) => calls.execute(command, options),
      onLoss: onNotice,
    });
    const scheme = config.httpTls === undefined ? "http" : "https";
    const apiUrl = (): string => `${scheme}://${this.httpAddress}`;
    this.peers = createPeers({
      consensus,
      leadership: this.leadership,
      version: API_VERSION,
      apiUrl,
    });
    this.backups = createBackups({ disk, dir: `${config.dataDir}/tmp`, sqlite, consensus });
    const advertised = config.raftAddress.endsWith(":0")
      ? consensus.address
      : config.raftAdvertisedAddress;
    this.self = () => ({ id: config.nodeId, apiUrl: apiUrl(), address: advertised });
    this.formation = createClusterFormation(config, consensus, {
      address: advertised,
      discovery: parts.discovery,
      apiUrl,
      credentials: parts.credentials,
      onNotice,
    });
    consensus.onCall((method, payload) => this.#answer(method, payload));
  }

  /** @returns how to stop it. */
  startAutoVacuum(): () => void {
    const { config, log } = this.#parts;
    return startAutoVacuum({
      everyMs: config.autoVacuumMs,
      isLeader: () => this.leadership.isLeader(),
      execute: (command, options) => this.calls.execute(command, options),
      onNotice: (text) => log("warn", text),
    });
  }

  /** Keeps the store of leaders up to date, if there is one. @returns how to stop it. */
  startReporter(): () => void {
    const { discovery, log } = this.#parts;
    if (discovery === undefined) return () => undefined;
    return startReporter({
      discovery,
      leading: () => (this.leadership.isLeader() ? this.self() : undefined),
      onNotice: (text) => log("warn", text),
    });
  }

  /** Calls of other nodes. */
  async #answer(method: string, payload: Bytes): Promise<Bytes> {
    const { atLeader } = this.calls;
    const head = payload.length === 0 ? {} : unpackCall(payload).head;
    await authorizeCall(this.#parts.authorizer, method, credentialsIn(head));
    switch (method) {
      case "notify":
        return this.formation.notify(payload);
      case "info":
        return this.peers.describe();
      case "remove":
        return this.operations.answerRemove(payload);
      case "stepDown":
        return this.operations.answerStepDown(payload);
      case "load":
      case "execute": {
        const command = decodeCommand(unpackCall(payload).body);
        checkKind(method, command.kind);
        return packOutcome(await atLeader.execute(command, { timeoutMs: 0 }));
      }
      case "query": {
        const { request, options } = unpackRead(payload);
        return packOutcome(await atLeader.query(request, options));
      }
      case "request": {
        const command = decodeCommand(unpackCall(payload).body);
        return packOutcome(await atLeader.request(command, unpackReadOptions(head)));
      }
      case "kvExecute":
      case "kvQuery":
        return this.kv.answer(method, payload);
      case "backup":
        if (!this.leadership.isLeader()) throw new CairnError("REPLICA_NOT_LEADER", "not leader");
        return this.backups.answerMake(payload);
      case "backupChunk":
        return this.backups.answerChunk(payload);
      default:
        throw new CairnError("SERVER_REQUEST_INVALID", `server: unknown call ${method}`);
    }
  }

  service(): NodeService {
    const { config } = this.#parts;
    return {
      config,
      version: CAIRN_VERSION,
      execute: (command, options) => this.calls.execute(command, options),
      query: (request, options) => this.calls.query(request, options),
      request: (command, options) => this.calls.request(command, options),
      kv: this.kv,
      isLeader: () => this.leadership.isLeader(),
      hasLeader: () => this.leadership.leader() !== undefined,
      queue: this.queue,
      counters: this.counters,
      loadFile: (file, options) => this.operations.loadFile(file, options),
      boot: (file) => this.operations.boot(file),
      snapshot: (options) => this.operations.snapshot(options),
      reap: () => this.operations.reap(),
      removeNode: (id, options) => this.operations.removeNode(id, options),
      stepDown: (request, options) => this.operations.stepDown(request, options),
      leaderApiUrl: (timeoutMs) => this.peers.leaderApiUrl(timeoutMs),
      backup: async ({ local, ...request }, options) => {
        const file = local
          ? await this.backups.make(request)
          : await this.calls.route(
              () => this.backups.make(request),
              (leader) => this.backups.fetch(leader, request, options),
            );
        this.#lastBackupAt = new Date();
        return file;
      },
      nodes: (options) => this.peers.nodes(options),
      status: () => this.#status(),
      readiness: (options) => this.#readiness(options),
    };
  }

  async #status(): Promise<Record<string, unknown>> {
    const { discovery } = this.#parts;
    const tree = await collectStatus({
      ...this.#parts,
      version: CAIRN_VERSION,
      startedAt: this.#startedAt,
      leadership: this.leadership,
      queue: this.queue,
      extensions: [],
      httpAddress: () => this.httpAddress,
      lastBackupAt: () => this.#lastBackupAt,
    });
    return discovery === undefined ? tree : { ...tree, disco: discovery.status() };
  }

  async #readiness(options: Parameters<NodeService["readiness"]>[0]): Promise<{
    ready: boolean;
    lines: string[];
  }> {
    const lines = ["[+]node ok"];
    if (options.noLeader) return { ready: true, lines };
    const fail = (line: string): { ready: false; lines: string[] } => ({
      ready: false,
      lines: [...lines, line],
    });
    if (this.leadership.leader() === undefined) return fail("[+]leader does not exist");
    try {
      await this.peers.contactLeader(options.timeoutMs);
    } catch (error) {
      return fail(`[+]leader not contactable: ${error instanceof Error ? error.message : error}`);
    }
    lines.push("[+]leader ok");
    if (this.leadership.isLeader() && !this.leadership.isReady()) {
      return fail("[+]store not ready");
    }
    lines.push("[+]store ok");
    if (options.sync) {
      const problem = await this.#catchUp(options.timeoutMs);
      if (problem !== undefined) return fail(`[+]sync ${problem}`);
      lines.push("[+]sync ok");
    }
    try {
      const statement = { sql: "SELECT 1", positional: [], named: [] };
      await this.#parts.sqlite.read({
        statements: [statement],
        transaction: false,
        rendering: { associative: false, blobArray: false, qualifyColumns: false, timings: false },
        mode: "query",
      });
    } catch (error) {
      return fail(`[+]db not ok: (${error instanceof Error ? error.message : error}, [])`);
    }
    lines.push("[+]db ok");
    return { ready: true, lines };
  }

  /**
   * Waits until what this node knew to be committed is applied. @returns the problem, if there is
   * one.
   */
  async #catchUp(timeoutMs: number): Promise<string | undefined> {
    const { consensus } = this.#parts;
    const target = (await consensus.status())?.commitIndex ?? 0;
    const deadline = performance.now() + timeoutMs;
    while (((await consensus.status())?.appliedIndex ?? 0) < target) {
      if (performance.now() > deadline) return "timeout waiting for the applied index";
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return undefined;
  }
}

/** What comes as a load needs another permission than what comes as a write. */
function checkKind(method: string, kind: string): void {
  if (kind.startsWith("load") === (method === "load")) return;
  throw new CairnError("SERVER_REQUEST_INVALID", `server: a ${kind} came as ${method}`);
}

/**
 * The log is opened, and judged, before SQLite touches its files: a node that is refused because of
 * a damaged log must leave everything as it was.
 */
async function openThreads(
  config: NodeConfig,
): Promise<{ sqlite: SqliteThreads; consensus: ConsensusThread }> {
  const patienceMs = Math.max(config.heartbeatTimeoutMs, config.electionTimeoutMs);
  const consensus = await openConsensusThread({
    dataDir: config.dataDir,
    nodeId: config.nodeId,
    address: config.raftAddress,
    electionTimeoutMs: patienceMs,
    heartbeatMs: patienceMs / HEARTBEATS_PER_TIMEOUT,
    tls: config.nodeTls,
  });
  try {
    const sqlite = await openSqliteThreads({
      path: `${config.dataDir}/${DATABASE_FILE}`,
      kvDir: `${config.dataDir}/${KV_DIRECTORY}`,
      foreignKeys: config.foreignKeys,
      readerCount: config.readerCount,
    });
    return { sqlite, consensus };
  } catch (error) {
    await consensus.close();
    throw error;
  }
}

/**
 * Opens a node: takes the data directory, recovers, listens, and starts to look for its cluster.
 *
 * @param log - takes the node's lines; none by default.
 * @throws `DISK_LOCKED` when another process has the directory; `NET_ADDRESS_IN_USE`; `WAL_CORRUPT`
 * and what else recovery refuses; nothing is changed on disk then beyond the lock and an empty
 * directory.
 */
export async function openNode(
  config: NodeConfig,
  log: NodeLog = () => undefined,
): Promise<RunningNode> {
  const disk = createNodeDisk();
  const onNotice = (text: string): void => log("warn", text);
  const access = openAccess(config, onNotice);
  disk.makeDir(config.dataDir);
  const unlock = disk.lock(`${config.dataDir}/LOCK`);
  const closers: (() => void | Promise<void>)[] = [unlock];
  const closeAll = async (): Promise<void> => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    const { sqlite, consensus } = await openThreads(config);
    closers.push(
      () => sqlite.close(),
      () => consensus.close(),
    );
    const node = new Node({ ...access, config, disk, sqlite, consensus, log });
    closers.push(
      () => node.pending.close(),
      () => node.formation.stop(),
      () => node.queue.close(),
    );
    const failed = new Promise<Error>((resolve) => {
      const fail = (error: Error): void => {
        // Their results will not come, and a stop waits for those who wait for them.
        node.pending.close();
        resolve(error);
      };
      sqlite.onFatal(fail);
      consensus.onFatal(fail);
    });
    await consensus.start(sqlite.applierPort, sqlite.appliedIndexAtOpen);
    const service = node.service();
    const onFault = (error: unknown): void => log("error", `http: ${errorText(error)}`);
    const { authorizer } = access;
    const http = await openHttpServer(service, { onFault, onNotice, authorizer });
    closers.push(() => http.close());
    if (config.httpAdvertisedAddress.endsWith(":0")) node.httpAddress = http.address;
    closers.push(node.startReporter(), node.startAutoVacuum());
    const joined = node.formation.form();
    // Whoever holds the node decides what a failed joining means; it must not end the process by
    // itself.
    joined.catch((error: unknown) => log("error", `joining failed: ${error}`));
    return {
      service,
      httpAddress: http.address,
      raftAddress: consensus.address,
      joined,
      failed,
      close: closeAll,
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

/**
 * One node, built from a configuration: data directory, SQL threads, consensus thread, HTTP,
 * cluster.
 *
 * Opened in this order and closed in reverse. HTTP answers before the node knows its cluster, so
 * that `/status` and `/readyz` can say so. Invariant: one process has a data directory at a time.
 */
import { errorText } from "#base";
import { createNodeDisk, nodeRandom } from "#platform";
import type { Disk } from "#platform/types";
import { type ConsensusThread, openConsensusThread } from "#replica";
import { openSqliteThreads } from "#sqlite";
import type { SqliteThreads } from "#sqlite/types";
import { startAutoVacuum } from "./auto-vacuum.ts";
import { type Backups, createBackups } from "./backups.ts";
import { type ClusterFormation, createClusterFormation } from "./cluster.ts";
import { type Counters, createCounters } from "./counters.ts";
import { startReporter } from "./discovery/reporter.ts";
import type { DiscoveredNode } from "./discovery/types.ts";
import { gatherExtensions } from "./extensions.ts";
import { openHttpServer } from "./http/index.ts";
import { answerCall } from "./incoming-calls.ts";
import { createKvCalls, type KvCalls } from "./kv-calls.ts";
import { type Leadership, watchLeadership } from "./leadership.ts";
import { type ClusterMembership, createMembership } from "./membership.ts";
import { type Access, openAccess } from "./node-access.ts";
import { createNodeOperations, type NodeOperations } from "./node-operations.ts";
import { collectStatus } from "./node-status.ts";
import { createPeers, type Peers } from "./peers.ts";
import { createPendingProposals, type PendingProposals } from "./pending.ts";
import { createWriteQueue, type WriteQueue } from "./queue.ts";
import { readinessOf } from "./readiness.ts";
import { type Removal, watchRemoval } from "./removal.ts";
import { type Calls, createCalls } from "./service.ts";
import type { NodeConfig, NodeService, RunningNode } from "./types.ts";
import { API_VERSION, CAIRN_VERSION } from "./version.ts";

/** Ten heartbeats fit into a follower's patience, as in the reference. */
const HEARTBEATS_PER_TIMEOUT = 10;
const DATABASE_FILE = "db.sqlite";
const EXTENSIONS_DIRECTORY = "extensions";
/** For writes that were under way when leadership was handed over. */
const DRAIN_MS = 2000;
const KV_DIRECTORY = "kv";

/** Where a node's lines go. */
export type NodeLog = (level: "error" | "warn" | "info" | "debug", text: string) => void;

interface Parts extends Access {
  readonly config: NodeConfig;
  readonly disk: Disk;
  readonly sqlite: SqliteThreads;
  readonly consensus: ConsensusThread;
  /** Names of the libraries that every connection has loaded. */
  readonly extensions: readonly string[];
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
  readonly membership: ClusterMembership;
  readonly removal: Removal;
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
    this.pending = createPendingProposals(() => this.leadership.leadingTerm());
    sqlite.onResult((id, index, result) => this.pending.succeed(id, { result, index }));
    consensus.onFailure((id, failure) => this.pending.fail(id, failure));
    consensus.onNotice((text) => log("warn", text));
    this.leadership = watchLeadership({
      consensus,
      confirm: () => consensus.read("index"),
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
    const { credentials } = parts;
    this.membership = createMembership({ ...common, calls, counters });
    const { membership } = this;
    this.removal = watchRemoval({
      ...{ ...common, config, calls, counters, membership, credentials, onNotice },
    });
    this.operations = createNodeOperations({ ...common, calls, counters, membership, onNotice });
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
      credentials,
      onNotice,
    });
    const answering = { ...this, authorizer: parts.authorizer };
    consensus.onCall((method, payload) => answerCall(answering, method, payload));
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

  /**
   * Before anything closes: the next leader is there before its clients are sent to it. Whatever
   * stands in the way, they find it by themselves a little later.
   */
  async handOver(): Promise<void> {
    const { config, log } = this.#parts;
    const { stepsDown, removesItself } = config.leaving;
    if (!stepsDown || removesItself || !this.leadership.isLeader()) return;
    try {
      await this.membership.handOver(undefined);
      await this.pending.drain(DRAIN_MS);
    } catch (error) {
      log("info", `leadership not handed over: ${errorText(error)}`);
    }
  }

  /** The last thing that a node does in its cluster, if it is to leave it when it stops. */
  async leave(): Promise<void> {
    try {
      if (this.#parts.config.leaving.removesItself) await this.removal.leave();
    } finally {
      this.removal.stop();
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
        this.calls.checkSound();
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
      readiness: (options) => readinessOf({ ...this.#parts, ...this }, options),
      compareStates: (options) => this.operations.compareStates(options),
    };
  }

  async #status(): Promise<Record<string, unknown>> {
    const { discovery } = this.#parts;
    const tree = await collectStatus({
      ...this.#parts,
      version: CAIRN_VERSION,
      startedAt: this.#startedAt,
      leadership: this.leadership,
      removal: this.removal,
      queue: this.queue,
      httpAddress: () => this.httpAddress,
      lastBackupAt: () => this.#lastBackupAt,
    });
    return discovery === undefined ? tree : { ...tree, disco: discovery.status() };
  }
}

/**
 * The log is opened, and judged, before SQLite touches its files: a node that is refused because of
 * a damaged log must leave everything as it was.
 */
async function openThreads(
  config: NodeConfig,
  disk: Disk,
): Promise<{ sqlite: SqliteThreads; consensus: ConsensusThread; extensions: readonly string[] }> {
  const { raftAdvertisedAddress } = config;
  const advertised = raftAdvertisedAddress.endsWith(":0")
    ? {}
    : { advertisedAddress: raftAdvertisedAddress };
  const patienceMs = Math.max(config.heartbeatTimeoutMs, config.electionTimeoutMs);
  const consensus = await openConsensusThread({
    dataDir: config.dataDir,
    nodeId: config.nodeId,
    address: config.raftAddress,
    electionTimeoutMs: patienceMs,
    heartbeatMs: patienceMs / HEARTBEATS_PER_TIMEOUT,
    tls: config.nodeTls,
    logKeepBytesMax: config.logKeepBytesMax,
    digestEveryMs: config.compareStatesMs,
    ...advertised,
  });
  try {
    const dir = `${config.dataDir}/${EXTENSIONS_DIRECTORY}`;
    const extensions = gatherExtensions(disk, config.extensionPaths, dir);
    const sqlite = await openSqliteThreads({
      extensions: extensions.paths,
      path: `${config.dataDir}/${DATABASE_FILE}`,
      kvDir: `${config.dataDir}/${KV_DIRECTORY}`,
      foreignKeys: config.foreignKeys,
      readerCount: config.readerCount,
    });
    return { sqlite, consensus, extensions: extensions.names };
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
    const failures: unknown[] = [];
    for (const close of closers.splice(0).reverse()) {
      try {
        await close();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  };
  try {
    const { sqlite, consensus, extensions } = await openThreads(config, disk);
    closers.push(
      () => sqlite.close(),
      () => consensus.close(),
    );
    const node = new Node({ ...access, config, disk, sqlite, consensus, extensions, log });
    closers.push(
      () => node.pending.close(),
      () => node.formation.stop(),
      () => node.leave(),
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
    const { applierPort, appliedIndexAtOpen, newestIndexAtOpen } = sqlite;
    await consensus.start(applierPort, appliedIndexAtOpen, newestIndexAtOpen);
    const service = node.service();
    const onFault = (error: unknown): void => log("error", `http: ${errorText(error)}`);
    const { authorizer } = access;
    const http = await openHttpServer(service, { onFault, onNotice, authorizer });
    closers.push(() => http.close());
    if (config.httpAdvertisedAddress.endsWith(":0")) node.httpAddress = http.address;
    closers.push(node.startReporter(), node.startAutoVacuum());
    closers.push(() => node.handOver());
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

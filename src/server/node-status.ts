/**
 * The `/status` tree (compat reference, 13.1): what there is something true to say about, under the
 * names that clients of the reference read.
 */
import type { Role } from "#raft/types";
import type { ConsensusThread } from "#replica";
import type { Configuration, PeerFacts, ReplicaStatus } from "#replica/types";
import type { SqliteStatus, SqliteThreads } from "#sqlite/types";
import { formatDuration } from "./duration.ts";
import type { Leadership } from "./leadership.ts";
import { partsOfService } from "./parts.ts";
import { httpSection, processSections, readerFacts } from "./process-status.ts";
import type { WriteQueue } from "./queue.ts";
import type { Removal } from "./removal.ts";
import type { NodeConfig } from "./types.ts";

const STATES: Readonly<Record<Role, string>> = {
  follower: "Follower",
  "pre-candidate": "Candidate",
  candidate: "Candidate",
  leader: "Leader",
};

const NANOSECONDS_PER_MS = 1e6;

/** Where the facts come from. */
export interface StatusParts {
  readonly config: NodeConfig;
  readonly version: string;
  readonly startedAt: Date;
  readonly consensus: ConsensusThread;
  readonly sqlite: SqliteThreads;
  readonly leadership: Leadership;
  readonly removal: Pick<Removal, "isRemoved" | "isShutDown">;
  readonly queue: WriteQueue;
  /** Names of the extensions that every connection has loaded. */
  readonly extensions: readonly string[];
  readonly httpAddress: () => string;
  /** Of the last backup that this node handed out. */
  readonly lastBackupAt: () => Date | undefined;
}

function friendlyBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log10(bytes) / 3), units.length - 1);
  const value = bytes / 1000 ** power;
  return `${power === 0 ? value : value.toFixed(1)} ${units[power]}`;
}

/** As Go writes a time that was never set. */
const NO_TIME = "0001-01-01T00:00:00Z";

function timeOf(ms: number): string {
  return ms === 0 ? NO_TIME : new Date(ms).toISOString();
}

function raftSection(status: ReplicaStatus | undefined, parts: StatusParts): object {
  if (status === undefined) return { state: "Follower", term: 0, last_contact: "never" };
  const { config, consensus, removal } = parts;
  const voters = consensus.configuration?.sets.voters ?? [];
  const lastContact =
    status.role === "leader"
      ? 0
      : status.leaderSilenceMs < 0
        ? "never"
        : formatDuration(status.leaderSilenceMs);
  return {
    state: removal.isShutDown() ? "Shutdown" : STATES[status.role],
    term: status.term,
    last_log_index: status.lastIndex,
    last_log_term: status.lastTerm,
    commit_index: status.commitIndex,
    applied_index: status.appliedIndex,
    durable_index: status.durableIndex,
    first_log_index: status.firstIndex,
    fsm_pending: status.commitIndex - status.appliedIndex,
    num_peers: voters.filter((number) => number !== status.self).length,
    last_contact: lastContact,
    log_size: status.logBytes,
    log_size_friendly: friendlyBytes(status.logBytes),
    voter: voters.includes(status.self),
    removed: removal.isRemoved(),
    latest_configuration_index: status.configuration.index,
    latest_configuration: configurationText(consensus.configuration),
    committed_configuration_index: status.committedConfiguration.index,
    epoch: status.epoch,
    transferring_to: status.transferringTo,
    pending_bytes: status.pendingBytes,
    uncommitted_bytes: status.uncommittedBytes,
    unapplied_bytes: status.unappliedBytes,
    pending_reads: status.pendingReads,
    peers: status.peers.map(peerSection),
    snapshots: status.snapshots,
    config: {
      LocalID: config.nodeId,
      HeartbeatTimeout: config.heartbeatTimeoutMs * NANOSECONDS_PER_MS,
      ElectionTimeout: config.electionTimeoutMs * NANOSECONDS_PER_MS,
      ShutdownOnRemove: config.leaving.stopsWhenRemoved,
      LogLevel: config.logLevel.toUpperCase(),
    },
  };
}

/** In the reference's words: `[{Suffrage:Voter ID:1 Address:host:port}]`. */
function configurationText(configuration: Configuration | undefined): string {
  const { members = [], sets } = configuration ?? {};
  const texts = members.map(({ number, id, address }) => {
    const suffrage = sets?.voters.includes(number) === true ? "Voter" : "Nonvoter";
    return `{Suffrage:${suffrage} ID:${id} Address:${address}}`;
  });
  return `[${texts.join(" ")}]`;
}

function peerSection(peer: PeerFacts): object {
  return {
    number: peer.peer,
    voter: peer.voter,
    state: peer.state,
    match_index: peer.match,
    next_index: peer.next,
    caught_up: peer.caughtUp,
    silence_ms: peer.silenceMs < 0 ? -1 : Math.round(peer.silenceMs),
  };
}

function storeSection(
  raft: ReplicaStatus | undefined,
  sqlite: SqliteStatus & { readonly reader: Awaited<ReturnType<typeof readerFacts>> },
  parts: StatusParts,
): object {
  const { config, consensus, leadership } = parts;
  const leader = leadership.leader();
  const { members = [], sets } = consensus.configuration ?? {};
  const suffrageOf = (number: number): string =>
    sets?.voters.includes(number) === true ? "voter" : "nonvoter";
  return {
    open: {},
    node_id: config.nodeId,
    addr: consensus.address,
    dir: config.dataDir,
    fsm_update_time: timeOf(sqlite.lastAppliedAtMs),
    leader_appended_at_time: timeOf(sqlite.lastEntryTimeMs),
    ready: leader !== undefined && consensus.isSound,
    sound: consensus.isSound,
    ...(raft?.lastDigest === undefined ? {} : { last_digest: raft.lastDigest }),
    leader: { node_id: leader?.id ?? "", addr: leader?.address ?? "" },
    nodes: members.map(({ number, id, address }) => ({
      id,
      addr: address,
      suffrage: suffrageOf(number),
    })),
    raft: raftSection(raft, parts),
    fsm_index: raft?.appliedIndex ?? sqlite.appliedIndex,
    fsm_term: raft?.term ?? 0,
    db_applied_index: sqlite.appliedIndex,
    apply_timeout: formatDuration(config.applyTimeoutMs),
    heartbeat_timeout: formatDuration(config.heartbeatTimeoutMs),
    election_timeout: formatDuration(config.electionTimeoutMs),
    reap_timeout: formatDuration(config.leaving.reapVoterMs),
    reap_read_only_timeout: formatDuration(config.leaving.reapNonVoterMs),
    db_conf: { fk_constraints: config.foreignKeys },
    sqlite3: {
      version: sqlite.version,
      path: sqlite.path,
      size: sqlite.databaseBytes,
      wal_size: sqlite.walBytes,
      db_size: sqlite.databaseBytes,
      db_size_friendly: friendlyBytes(sqlite.databaseBytes),
      compile_options: sqlite.compileOptions,
      extensions: parts.extensions,
      mem_stats: sqlite.reader.memory,
      conn_pool_stats: {
        ro: { max_open_connections: config.readerCount, open_connections: config.readerCount },
        rw: { max_open_connections: 1, open_connections: 1 },
      },
      pragmas: { rw: sqlite.pragmas, ro: sqlite.reader.pragmas },
    },
  };
}

/** Collects the tree. */
export async function collectStatus(parts: StatusParts): Promise<Record<string, unknown>> {
  const { config, consensus, startedAt } = parts;
  const [raft, sqlite, reader] = await Promise.all([
    consensus.status(),
    parts.sqlite.status(),
    readerFacts(parts.sqlite),
  ]);
  const lastBackupAt = parts.lastBackupAt();
  const tls = config.nodeTls === undefined ? "disabled" : "enabled";
  return {
    ...processSections(startedAt),
    cairn: {
      version: parts.version,
      cluster_id: consensus.configuration?.clusterId ?? "",
      parts: partsOfService(),
    },
    cluster: {
      addr: consensus.address,
      https: config.httpTls === undefined ? "false" : "true",
      api_addr: parts.httpAddress(),
    },
    extensions: { dir: `${config.dataDir}/extensions`, names: parts.extensions },
    http: httpSection(config, parts.queue, consensus.address),
    ...(lastBackupAt === undefined ? {} : { last_backup_time: lastBackupAt.toISOString() }),
    mux: { addr: consensus.address, timeout: "30s", tls },
    store: storeSection(raft, { ...sqlite, reader }, parts),
  };
}

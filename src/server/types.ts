/**
 * Contract of the server: one node built from a configuration, and what its HTTP handlers need of
 * it.
 *
 * `http/` knows requests and the reference's wire format and nothing of consensus; `node.ts` knows
 * threads, leadership and forwarding and nothing of HTTP. This file is the line between them.
 */
import type { Bytes, Ms } from "#base";
import type { KvAnswer, KvCommand, KvFound, KvRead } from "#replica";
import type { BackupFormat, Command, ReadRequest } from "#sqlite/types";
import type { Counters } from "./counters.ts";
import type { NodeConfig } from "./node-config.ts";
import type { WriteQueue } from "./queue.ts";

export type { NodeConfig } from "./node-config.ts";

export type ReadLevel = "none" | "weak" | "linearizable" | "strong" | "auto";

/** The rights that an auth file can give (compat reference, 10.1). `all` stands for every one. */
export type Permission =
  | "all"
  | "execute"
  | "query"
  | "backup"
  | "load"
  | "snapshot"
  | "status"
  | "ready"
  | "leader-ops"
  | "remove"
  | "ui"
  | "join"
  | "join-read-only"
  | "join-read-replica";

/** Who asks, as the request says; the leader checks a forwarded request once more. */
export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** Options that every forwardable call has. */
export interface CallOptions {
  /** How long to wait for another node (parameter `timeout`). */
  readonly timeoutMs: Ms;
  /** Undefined: nobody in particular. */
  readonly credentials?: Credentials | undefined;
}

export interface ReadOptions extends CallOptions {
  readonly level: ReadLevel;
  /** 0: any age will do. Level `none` only. */
  readonly freshnessMs: Ms;
  readonly freshnessStrict: boolean;
  /** How long a linearizable read may wait for its index to be applied. */
  readonly linearizableTimeoutMs: Ms;
  /** A read that runs longer is stopped; 0: never (parameter `db_timeout`). */
  readonly databaseTimeoutMs: Ms;
}

/** The bytes of a body as they come; can be gone through once. */
export type BodyPieces = AsyncIterable<Bytes>;

/** Who did what was asked, as `CallOutcome.servedBy`. */
export interface Served {
  readonly servedBy: string;
}

/** What a write or read came to. `results` is the JSON array of the envelope. */
export interface CallOutcome {
  readonly results: Bytes;
  /** Log index, or 0 if the call did not go through the log. */
  readonly raftIndex: number;
  /** This node's HTTP address if it answered itself, else the leader's Raft address. */
  readonly servedBy: string;
}

/** What a call of the key-value store came to. */
export interface KvOutcome<T> extends CallOutcome {
  readonly value: T;
}

/** The key-value store, wherever the leader is. Errors as for SQL. */
export interface KvService {
  /** Replicates a command. @throws `REPLICA_COMMAND_INVALID` beyond the limits of commands */
  execute(command: KvCommand, options: CallOptions): Promise<KvOutcome<KvAnswer>>;
  /** Reads beside the log, at a level. @throws as `execute` */
  query(read: KvRead, options: ReadOptions): Promise<KvOutcome<KvFound>>;
}

/** What a comparison of states came to; nodes by their ids. */
export interface StateComparison {
  /** The entry behind which the states were compared. */
  readonly index: number;
  /** In hex; null if no majority of voters had the same. */
  readonly digest: string | null;
  readonly differing: readonly string[];
  /** They did not answer in time. */
  readonly silent: readonly string[];
}

/** A node as `/nodes` lists it (compat reference, 1.13). */
export interface NodeInfo {
  readonly id: string;
  /** Full URL; undefined when not reachable. */
  readonly apiAddress: string | undefined;
  /** Raft address. */
  readonly address: string;
  readonly version: string;
  readonly voter: boolean;
  readonly reachable: boolean;
  readonly leader: boolean;
  /** Round trip in milliseconds; undefined when not reachable. */
  readonly timeMs: Ms | undefined;
  readonly error: string | undefined;
}

/**
 * What HTTP handlers call. Errors by code: `SERVER_NO_LEADER`, `SERVER_NOT_READY`, `REPLICA_BUSY`,
 * `REPLICA_LEADERSHIP_LOST`, `REPLICA_TIMEOUT` (outcome unknown), `REPLICA_PEER_FAILED` (the
 * connection to the leader broke; outcome of a write unknown), `SQLITE_FILE_INVALID`; a stale
 * `none` read is `SERVER_STALE_READ`.
 */
export interface NodeService {
  readonly config: NodeConfig;
  readonly version: string;
  /** Replicates a command; on a follower, at the leader. Never sent twice. */
  execute(command: Command, options: CallOptions): Promise<CallOutcome>;
  query(request: ReadRequest, options: ReadOptions): Promise<CallOutcome>;
  /** Reads only: as `query`. Any write among them, or level strong: as `execute`. */
  request(command: Command, options: ReadOptions): Promise<CallOutcome>;
  readonly kv: KvService;
  /** Is this node the leader? */
  isLeader(): boolean;
  /** Does this node know of a leader? */
  hasLeader(): boolean;
  /** Writes that are confirmed before they are done (compat reference, section 5). */
  readonly queue: WriteQueue;
  /** What `/debug/vars` shows. */
  readonly counters: Counters;
  /** URL of the leader's HTTP API, asked of the leader; undefined when there is none. */
  leaderApiUrl(timeoutMs: Ms): Promise<string | undefined>;
  /**
   * A copy of the database in a file of its own; the caller removes it. `local`: this node's copy
   * even if it is not the leader.
   */
  backup(
    request: { format: BackupFormat; vacuum: boolean; tables: readonly string[]; local: boolean },
    options: CallOptions,
  ): Promise<{ readonly path: string; remove(): void }>;
  /**
   * Replaces the database by a SQLite file, through the log, in pieces: of whatever size, it takes
   * a few MiB of memory. Until the last piece the old database is there.
   *
   * @throws `SQLITE_FILE_INVALID` when it is no sound database; the old one stays.
   */
  loadFile(file: BodyPieces, options: CallOptions): Promise<Served>;
  /**
   * The same, for a cluster of one node only. @throws also `REPLICA_NOT_LEADER`,
   * `SERVER_NOT_SINGLE_NODE`
   */
  boot(file: BodyPieces): Promise<void>;
  /**
   * Makes everything that is applied here durable in the database file, so that the log can be
   * shortened. @returns false if nothing was new since the last time.
   */
  snapshot(options: { readonly trailingLogs: number }): Promise<boolean>;
  /** Removes what snapshots have left behind. */
  reap(): Promise<{ readonly snapshots: number; readonly wals: number }>;
  /**
   * Takes a node out of the cluster; nothing happens if it is not in it. On a follower, at the
   * leader. @throws `SERVER_MEMBERSHIP_REFUSED`
   */
  removeNode(id: string, options: CallOptions): Promise<Served>;
  /**
   * The leader hands over to `target`, or to whom it likes; `wait`: resolves when it has. On a
   * follower, at the leader. @throws `SERVER_MEMBERSHIP_REFUSED`
   */
  stepDown(
    request: { readonly target: string | undefined; readonly wait: boolean },
    options: CallOptions,
  ): Promise<Served>;
  /**
   * Compares the states of all nodes at one entry of the log, on a follower through the leader. A
   * node that differs stops serving and fetches its state anew.
   */
  compareStates(options: CallOptions): Promise<StateComparison>;
  nodes(options: CallOptions & { nonVoters: boolean }): Promise<readonly NodeInfo[]>;
  /**
   * The tree of compat reference 13.1, as far as there is something true to say. Plain JSON values.
   */
  status(): Promise<Record<string, unknown>>;
  /** Lines for `/readyz` (1.15). */
  readiness(options: CallOptions & { noLeader: boolean; sync: boolean }): Promise<{
    readonly ready: boolean;
    readonly lines: readonly string[];
  }>;
}

/** A running node. */
export interface RunningNode {
  readonly service: NodeService;
  /** Real addresses (ports that were 0 are filled in). */
  readonly httpAddress: string;
  readonly raftAddress: string;
  /** Resolves when the node knows its cluster; rejects when joining failed for good. */
  readonly joined: Promise<void>;
  /** Resolves with the error if the node dies of itself. */
  readonly failed: Promise<Error>;
  /** Graceful stop: no new requests, running ones finish, log synced. */
  close(): Promise<void>;
}

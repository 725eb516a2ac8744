/**
 * Everything that a node can be told, after flags, environment and file were read and checked.
 *
 * Built by `config.ts` from the table in `flag-table.ts` and from nothing else. Invariant: all
 * times are milliseconds, all sizes bytes, and a path that is not set is the empty string.
 */
import type { Ms } from "#base";

/** Files and checks of one TLS listener or dialler. */
export interface TlsConfig {
  readonly certificatePath: string;
  readonly keyPath: string;
  /** Whom to trust instead of the system's roots; empty: the system's roots. */
  readonly authorityPath: string;
  /** Whoever connects must show a certificate that the authority has signed. */
  readonly verifyClient: boolean;
  /** The common name that it must carry, exactly; empty: any. */
  readonly verifyCommonName: string;
}

/** TLS between nodes: each one both listens and dials. */
export interface NodeTlsConfig extends TlsConfig {
  /** Dialling accepts any certificate. */
  readonly trustsAnyServer: boolean;
  /** The name that a dialled node's certificate must carry; empty: the host that was dialled. */
  readonly verifyServerName: string;
}

export type DiscoveryMode = "consul-kv" | "etcd-kv" | "dns" | "dns-srv";

/** How other nodes are found. */
export interface DiscoveryConfig {
  readonly mode: DiscoveryMode;
  /** Prefix of the key in a key-value store. */
  readonly key: string;
  /** What `-disco-config` says, read and expanded; empty: the mode's defaults. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Raft addresses that are taken instead of asking DNS; empty: DNS is asked. */
  readonly hosts: readonly string[];
}

/** Queued writes (compat reference, section 5). */
export interface WriteQueueConfig {
  /** Requests that may wait. */
  readonly capacity: number;
  /** Requests in one entry of the log. */
  readonly batchRequests: number;
  /** A batch that is not full goes after this. */
  readonly timeoutMs: Ms;
  /** Each batch is a transaction. */
  readonly transaction: boolean;
}

/** When a snapshot is taken: 0 switches a rule off. */
export interface SnapshotConfig {
  readonly entries: number;
  readonly walBytes: number;
  readonly intervalMs: Ms;
  readonly compressesTransport: boolean;
}

/** How nodes leave. 0 switches a time limit off. */
export interface LeavingConfig {
  /** A node that was removed from its cluster stops its part in consensus. */
  readonly stopsWhenRemoved: boolean;
  /** A graceful stop removes the node from its cluster. */
  readonly removesItself: boolean;
  /** A leader hands over before it stops. */
  readonly stepsDown: boolean;
  readonly reapVoterMs: Ms;
  readonly reapNonVoterMs: Ms;
}

/** What one client may cost (beyond the reference, which has no limits). */
export interface RequestLimits {
  /** First line and headers together; more is answered with 431. */
  readonly headerBytesMax: number;
  /** From the first byte to the last header; then 408. */
  readonly headerTimeoutMs: Ms;
  /** A body may take so long, and a second more for each 500 bytes; then 408. */
  readonly bodyTimeoutMs: Ms;
  /** Connections at once; one more is closed. 0: no limit. */
  readonly connectionsMax: number;
}

/** Metrics pushed to a collector. */
export interface TelemetryConfig {
  readonly endpoint: string;
  readonly intervalMs: Ms;
  readonly insecure: boolean;
  readonly trustsAnyServer: boolean;
  readonly authorityPath: string;
  readonly certificatePath: string;
  readonly keyPath: string;
}

/** Everything that a node can be told. */
export interface NodeConfig {
  readonly dataDir: string;
  readonly nodeId: string;
  /** Where HTTP listens, `host:port`. */
  readonly httpAddress: string;
  readonly httpAdvertisedAddress: string;
  readonly httpAllowOrigin: string;
  /** Undefined: plain HTTP. */
  readonly httpTls: TlsConfig | undefined;
  /** Largest request body in bytes; one more is answered with 413. Default 64 MiB. */
  readonly httpBodyBytesMax: number;
  readonly limits: RequestLimits;
  /** File of users and permissions; empty: everybody may do everything. */
  readonly authPath: string;
  readonly raftAddress: string;
  readonly raftAdvertisedAddress: string;
  /** Undefined: plain TCP between nodes. */
  readonly nodeTls: NodeTlsConfig | undefined;
  /** Voters to wait for before the cluster is made; 0: a single node, or an existing cluster. */
  readonly bootstrapExpect: number;
  readonly bootstrapExpectTimeoutMs: Ms;
  /** Raft addresses of other nodes. */
  readonly join: readonly string[];
  readonly joinAttempts: number;
  readonly joinIntervalMs: Ms;
  /** The user in this node's own auth file as whom it speaks to other nodes; empty: nobody. */
  readonly joinAs: string;
  /** Undefined: other nodes are named by `join`, or there are none. */
  readonly discovery: DiscoveryConfig | undefined;
  readonly nonVoter: boolean;
  readonly foreignKeys: boolean;
  readonly readerCount: number;
  /** Pause between two times that the leader has every node VACUUM; 0: never. */
  readonly autoVacuumMs: Ms;
  readonly autoOptimizeMs: Ms;
  readonly extensionPaths: readonly string[];
  readonly logLevel: "error" | "warn" | "info" | "debug";
  readonly heartbeatTimeoutMs: Ms;
  readonly electionTimeoutMs: Ms;
  readonly applyTimeoutMs: Ms;
  readonly leaderLeaseMs: Ms;
  readonly commitTimeoutMs: Ms;
  readonly connectTimeoutMs: Ms;
  readonly snapshots: SnapshotConfig;
  readonly leaving: LeavingConfig;
  /** How often the leader has the states of all nodes compared; 0: only when asked. */
  readonly compareStatesMs: Ms;
  /** How much log is kept for a member that is away, before it needs a whole copy. */
  readonly logKeepBytesMax: number;
  readonly writeQueue: WriteQueueConfig;
  readonly changeCapture: string;
  readonly autoBackupPath: string;
  readonly autoRestorePath: string;
  readonly telemetry: TelemetryConfig;
  readonly cpuProfilePath: string;
  readonly memoryProfilePath: string;
  readonly tracePath: string;
}

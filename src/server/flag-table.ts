/**
 * Every flag of `cairnd`, in one table: the reference's 68 in its order, then ours.
 *
 * Usage text, environment variables, the configuration file and the appendix page are all made from
 * it. Invariant: a flag either has an effect or says in `noEffect` why it has none; whoever sets
 * such a flag is warned with these words.
 */
import type { FlagRow } from "./flags.ts";

/** More readers than this only compete for the cores that the writer and Raft need. */
export const READERS_MAX = 4;

type Extra = Partial<Pick<FlagRow, "noEffect" | "secret" | "commandLineOnly">>;

const row = (
  name: string,
  kind: FlagRow["kind"],
  usual: string,
  meaning: string,
  extra: Extra = {},
): FlagRow => ({ name, kind, default: usual, meaning, ...extra });

const NO_PUSH = "metrics are not pushed; read them from /debug/vars";
const NO_OPERATIONS = "this version has no change data capture, automatic backup and restore";
const SNAPSHOTS =
  "the database file is the snapshot, and the log is cut as soon as the file is on disk";

const PROGRAM: readonly FlagRow[] = [
  row("version", "boolean", "false", "Print the version and exit", { commandLineOnly: true }),
  row("extensions-path", "list", "", "Files, directories and archives of SQLite extensions"),
  row("cdc-config", "string", "", "Change data capture: URL, stdout or a file", {
    noEffect: NO_OPERATIONS,
    secret: true,
  }),
  row("otlp-endpoint", "string", "", "Collector of metrics, host:port", { noEffect: NO_PUSH }),
  row("otlp-interval", "duration", "30s", "How often metrics are pushed", { noEffect: NO_PUSH }),
  row("otlp-insecure", "boolean", "false", "Push without TLS", { noEffect: NO_PUSH }),
  row("otlp-no-verify", "boolean", "false", "Trust any collector", { noEffect: NO_PUSH }),
  row("otlp-ca-cert", "string", "", "Authority of the collector", { noEffect: NO_PUSH }),
  row("otlp-cert", "string", "", "Certificate shown to the collector", { noEffect: NO_PUSH }),
  row("otlp-key", "string", "", "Key of -otlp-cert", { noEffect: NO_PUSH }),
];

const HTTP: readonly FlagRow[] = [
  row("http-addr", "string", "localhost:4001", "Address that HTTP listens on"),
  row("http-adv-addr", "string", "", "HTTP address that is told to others; -http-addr if not set"),
  row("http-allow-origin", "string", "", "Value of the header Access-Control-Allow-Origin"),
  row("auth", "string", "", "File of users, passwords and permissions"),
  row("auto-backup", "string", "", "File that says where backups go", { noEffect: NO_OPERATIONS }),
  row("auto-restore", "string", "", "File that says where the first data come from", {
    noEffect: NO_OPERATIONS,
  }),
  row("http-ca-cert", "string", "", "Authority that clients' certificates are checked against"),
  row("http-cert", "string", "", "Certificate for HTTPS; read again when the file changes"),
  row("http-key", "string", "", "Key of -http-cert"),
  row("http-verify-client", "boolean", "false", "Clients must show a certificate"),
  row("http-verify-common-name", "string", "", "Common name that a client's certificate must have"),
];

const NODES: readonly FlagRow[] = [
  row("node-ca-cert", "string", "", "Authority that nodes' certificates are checked against"),
  row("node-cert", "string", "", "Certificate between nodes; read again when the file changes"),
  row("node-key", "string", "", "Key of -node-cert"),
  row("node-no-verify", "boolean", "false", "Accept any certificate of a node that is dialled"),
  row("node-verify-client", "boolean", "false", "Nodes that connect must show a certificate"),
  row("node-verify-server-name", "string", "", "Name that dialled nodes' certificates must carry"),
  row("node-verify-common-name", "string", "", "Common name that a connecting node must have"),
  row("node-id", "string", "", "Unique name of the node; the advertised Raft address if not set"),
  row("compress-snap-transport", "boolean", "false", "Compress snapshots on their way", {
    noEffect: "a snapshot travels as the pages of the database file, as they are",
  }),
  row("raft-addr", "string", "localhost:4002", "Address that other nodes connect to"),
  row("raft-adv-addr", "string", "", "Raft address that is told to others; -raft-addr if not set"),
];

const CLUSTER: readonly FlagRow[] = [
  row("join", "list", "", "Comma-separated Raft addresses of other nodes"),
  row("join-attempts", "integer", "5", "How often to try all of -join"),
  row("join-interval", "duration", "3s", "Pause between two such tries"),
  row("join-as", "string", "", "User in the file of -auth as whom this node joins"),
  row("bootstrap-expect", "integer", "0", "Nodes that must be there before the cluster is made"),
  row("bootstrap-expect-timeout", "duration", "120s", "How long to wait for them"),
  row("disco-mode", "string", "", "How nodes find each other: consul-kv, etcd-kv, dns or dns-srv"),
  row("disco-key", "string", "rqlite", "Prefix of the key in Consul or etcd"),
  row("disco-config", "string", "", "JSON for the discovery, or the path of a file with it", {
    secret: true,
  }),
];

const DATABASE: readonly FlagRow[] = [
  row("fk", "boolean", "false", "Enforce foreign keys"),
  row(
    "db-max-ro-conns",
    "integer",
    "256",
    `Connections for reads, each a thread; never more than ${READERS_MAX}, 0 means ${READERS_MAX}`,
  ),
  row("auto-vacuum-int", "duration", "0s", "Pause between two times that all nodes VACUUM; 0: off"),
  row("auto-optimize-int", "duration", "24h", "Pause between two PRAGMA optimize", {
    noEffect: "PRAGMA optimize looks at what one connection has been asked; send ANALYZE instead",
  }),
];

const RAFT: readonly FlagRow[] = [
  row("raft-log-level", "string", "WARN", "What is logged: ERROR, WARN, INFO or DEBUG"),
  row("raft-non-voter", "boolean", "false", "A copy for reads, without a vote"),
  row("raft-snap", "unsigned", "8192", "Entries of the log per snapshot", { noEffect: SNAPSHOTS }),
  row("raft-snap-wal-size", "unsigned", "4194304", "Bytes of SQLite's WAL per snapshot", {
    noEffect: SNAPSHOTS,
  }),
  row("raft-snap-int", "duration", "10s", "How often the two before are checked", {
    noEffect: SNAPSHOTS,
  }),
  row("raft-leader-lease-timeout", "duration", "0s", "How long a leader trusts its lease", {
    noEffect: "there are no leases: a leader asks a majority before it answers for it",
  }),
  row("raft-heartbeat-timeout", "duration", "1s", "Silence of a leader before an election"),
  row("raft-commit-timeout", "duration", "50ms", "When followers learn of a commit at the latest", {
    noEffect: "followers are told of a commit at once",
  }),
  row("raft-election-timeout", "duration", "1s", "Silence of voters before another election"),
  row("raft-apply-timeout", "duration", "10s", "How long a write may wait to be replicated"),
  row("raft-remove-shutdown", "boolean", "false", "Stop consensus on a node that was removed"),
  row(
    "raft-cluster-remove-shutdown",
    "boolean",
    "false",
    "A stop removes the node from the cluster",
  ),
  row("raft-shutdown-stepdown", "boolean", "true", "A leader that stops hands over first"),
  row("raft-reap-node-timeout", "duration", "0h", "Remove voters that were gone for so long"),
  row("raft-reap-read-only-node-timeout", "duration", "0h", "The same for nodes without a vote"),
  row("cluster-connect-timeout", "duration", "30s", "How long dialling a node may take", {
    noEffect: "a call may take as long as its own timeout says, dialling included",
  }),
];

const QUEUE: readonly FlagRow[] = [
  row("write-queue-capacity", "integer", "1024", "Queued writes that may wait"),
  row("write-queue-batch-size", "integer", "128", "Queued writes in one entry of the log"),
  row("write-queue-timeout", "duration", "50ms", "When a batch goes that is not full"),
  row("write-queue-tx", "boolean", "false", "Make each batch a transaction"),
  row(
    "cpu-profile",
    "string",
    "",
    "File for a CPU profile of the main thread, made until the stop",
  ),
  row("mem-profile", "string", "", "File for a heap snapshot, taken at the stop"),
  row("trace-profile", "string", "", "File for an execution trace", {
    noEffect: "Go's execution tracer has no counterpart; start node with --trace-events-enabled",
  }),
];

/** What the reference does not have. */
const OWN: readonly FlagRow[] = [
  row("config", "string", "", "JSON file with flags by name; every other source wins over it"),
  row("print-config", "boolean", "false", "Print every setting and where it comes from, and exit", {
    commandLineOnly: true,
  }),
  row(
    "compare-states-int",
    "duration",
    "1h",
    "Pause between two comparisons of the states of all nodes; 0: off",
  ),
  row(
    "raft-log-keep-bytes",
    "integer",
    "268435456",
    "Log kept for a node that is away, before it needs a copy of the whole database",
  ),
  row("http-max-body-bytes", "integer", "67108864", "Largest request body in bytes"),
  row("http-max-header-bytes", "integer", "1048576", "Largest request head in bytes"),
  row("http-header-timeout", "duration", "30s", "How long a client may take to send its head"),
  row(
    "http-body-timeout",
    "duration",
    "30s",
    "How long a body may take, and 1s more for each 500 bytes",
  ),
  row("http-max-conns", "integer", "0", "Connections to HTTP at once; 0: no limit"),
];

/** Flags that belong together, with a heading. */
export interface FlagGroup {
  readonly title: string;
  readonly rows: readonly FlagRow[];
}

const REFERENCE_GROUPS: readonly FlagGroup[] = [
  { title: "Program, extensions, metrics", rows: PROGRAM },
  { title: "HTTP, users, backups", rows: HTTP },
  { title: "Nodes", rows: NODES },
  { title: "Cluster and discovery", rows: CLUSTER },
  { title: "Database", rows: DATABASE },
  { title: "Consensus", rows: RAFT },
  { title: "Queued writes and profiles", rows: QUEUE },
];

/** Every flag in groups: those of the reference in its order, then ours. */
export const FLAG_GROUPS: readonly FlagGroup[] = [
  ...REFERENCE_GROUPS,
  { title: "Beyond rqlite", rows: OWN },
];

/** Flags of the reference, by its numbers. */
export const REFERENCE_FLAGS: readonly FlagRow[] = REFERENCE_GROUPS.flatMap(({ rows }) => rows);

/** Every flag. */
export const FLAGS: readonly FlagRow[] = FLAG_GROUPS.flatMap(({ rows }) => rows);

/** The data directory, which is no flag, in a file or (with prefix) in the environment. */
export const DATA_DIR_KEY = "data-dir";

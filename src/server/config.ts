/**
 * From a command line to a checked `NodeConfig`: one table of flags, printed as usage too.
 *
 * Invariant: a flag that is accepted has an effect. Flags of the reference that are not built yet
 * are refused by name. Messages of checks are the reference's (compat reference, section 11).
 */
import { CairnError } from "#base";
import { type FlagRow, flagsText, type ReadFlags, readFlags } from "./flags.ts";
import type { NodeConfig } from "./types.ts";

const row = (name: string, kind: FlagRow["kind"], usual: string, meaning: string): FlagRow => ({
  name,
  kind,
  default: usual,
  meaning,
});

/** More readers than this only compete for the cores that the writer and Raft need. */
const READERS_MAX = 4;

/** A body must fit into one string of JavaScript (about 512 MiB) with room to spare. */
const BODY_BYTES_CEILING = 256 * 1024 * 1024;

/** Below this, a timeout is shorter than a good disk's sync. The reference has the same bound. */
const RAFT_TIMEOUT_MS_MIN = 5;

/** Every flag, in the order of the usage text. */
export const FLAGS: readonly FlagRow[] = [
  row("node-id", "string", "", "Unique name of the node; the advertised Raft address if not set"),
  row("http-addr", "string", "localhost:4001", "Address that HTTP listens on"),
  row("http-adv-addr", "string", "", "HTTP address that is told to others; -http-addr if not set"),
  row("http-allow-origin", "string", "", "Value of the header Access-Control-Allow-Origin"),
  row("http-max-body-bytes", "integer", "67108864", "Largest request body in bytes"),
  row("raft-addr", "string", "localhost:4002", "Address that other nodes connect to"),
  row("raft-adv-addr", "string", "", "Raft address that is told to others; -raft-addr if not set"),
  row("bootstrap-expect", "integer", "0", "Nodes that must be there before the cluster is made"),
  row("bootstrap-expect-timeout", "duration", "120s", "How long to wait for them"),
  row("join", "string", "", "Comma-separated Raft addresses of other nodes"),
  row("join-attempts", "integer", "5", "How often to try all of -join"),
  row("join-interval", "duration", "3s", "Pause between two such tries"),
  row("fk", "boolean", "false", "Enforce foreign keys"),
  row(
    "db-max-ro-conns",
    "integer",
    "256",
    `Connections for reads, each a thread; never more than ${READERS_MAX}, 0 means ${READERS_MAX}`,
  ),
  row("raft-log-level", "string", "WARN", "What is logged: ERROR, WARN, INFO or DEBUG"),
  row("raft-heartbeat-timeout", "duration", "1s", "Silence of a leader before an election"),
  row("raft-election-timeout", "duration", "1s", "Silence of voters before another election"),
  row("raft-apply-timeout", "duration", "10s", "How long a write may wait to be replicated"),
  row("version", "boolean", "false", "Print the version and exit"),
];

/** Flags of the reference that are refused by name. */
export const REFUSED_FLAGS: ReadonlySet<string> = new Set(
  `extensions-path cdc-config otlp-endpoint otlp-interval otlp-insecure otlp-no-verify otlp-ca-cert
  otlp-cert otlp-key auth auto-backup auto-restore http-ca-cert http-cert http-key
  http-verify-client http-verify-common-name node-ca-cert node-cert node-key node-no-verify
  node-verify-client node-verify-server-name node-verify-common-name compress-snap-transport
  join-as disco-mode disco-key disco-config auto-vacuum-int auto-optimize-int raft-non-voter
  raft-snap raft-snap-wal-size raft-snap-int raft-leader-lease-timeout raft-commit-timeout
  raft-remove-shutdown raft-cluster-remove-shutdown raft-shutdown-stepdown
  raft-reap-node-timeout raft-reap-read-only-node-timeout cluster-connect-timeout
  write-queue-capacity write-queue-batch-size write-queue-timeout write-queue-tx
  cpu-profile mem-profile trace-profile`.split(/\s+/),
);

/** What a command line asks for. */
export type Invocation =
  | { readonly kind: "run"; readonly config: NodeConfig }
  | { readonly kind: "version" }
  | { readonly kind: "help" };

/** What `-help` prints, and what follows a flag that could not be read. */
export function usageText(): string {
  return [
    "Usage: cairnd [flags] <data directory>",
    "",
    "Runs one node of a replicated SQLite database. The data directory is made if it is missing.",
    "",
    flagsText(FLAGS),
  ].join("\n");
}

/**
 * Reads and checks a command line.
 *
 * @param argv - the arguments behind the program's name.
 * @throws `SERVER_CONFIG_INVALID`; detail `usage` is true if the usage text would help.
 */
export function readInvocation(argv: readonly string[]): Invocation {
  const flags = readFlags(FLAGS, REFUSED_FLAGS, argv);
  if (flags.help) return { kind: "help" };
  if (flags.value("version") === true) return { kind: "version" };
  const [dataDir, extra] = flags.positional;
  if (dataDir === undefined || dataDir === "") refuse("data directory path is required", true);
  if (extra !== undefined) {
    refuse(`unexpected argument ${JSON.stringify(extra)} after the data directory`, true);
  }
  const config = configOf(flags, dataDir);
  checkAddresses(config);
  checkJoin(config);
  checkNumbers(config);
  return { kind: "run", config };
}

function configOf(flags: ReadFlags, dataDir: string): NodeConfig {
  const text = (name: string): string => String(flags.value(name));
  const number = (name: string): number => Number(flags.value(name));
  const httpAddress = bindAddressOf(text("http-addr"));
  const raftAddress = bindAddressOf(text("raft-addr"));
  const raftAdvertisedAddress = text("raft-adv-addr") || raftAddress;
  const readers = number("db-max-ro-conns");
  return {
    dataDir,
    nodeId: text("node-id") || raftAdvertisedAddress,
    httpAddress,
    httpAdvertisedAddress: text("http-adv-addr") || httpAddress,
    httpAllowOrigin: text("http-allow-origin"),
    httpBodyBytesMax: number("http-max-body-bytes"),
    raftAddress,
    raftAdvertisedAddress,
    bootstrapExpect: number("bootstrap-expect"),
    bootstrapExpectTimeoutMs: number("bootstrap-expect-timeout"),
    join: text("join") === "" ? [] : text("join").split(","),
    joinAttempts: number("join-attempts"),
    joinIntervalMs: number("join-interval"),
    foreignKeys: flags.value("fk") === true,
    readerCount: readers === 0 ? READERS_MAX : Math.min(readers, READERS_MAX),
    logLevel: logLevelOf(text("raft-log-level")),
    heartbeatTimeoutMs: number("raft-heartbeat-timeout"),
    electionTimeoutMs: number("raft-election-timeout"),
    applyTimeoutMs: number("raft-apply-timeout"),
  };
}

/** To listen at `:4001` is to listen on every interface, as in Go. */
function bindAddressOf(address: string): string {
  return address.startsWith(":") ? `0.0.0.0${address}` : address;
}

function logLevelOf(text: string): NodeConfig["logLevel"] {
  const level = text.toLowerCase();
  if (level === "error" || level === "warn" || level === "info" || level === "debug") return level;
  return refuse(`-raft-log-level must be ERROR, WARN, INFO or DEBUG, not ${JSON.stringify(text)}`);
}

/** Host and port of `host:port` or `[v6]:port`; undefined if it is neither. */
export function splitAddress(address: string): { host: string; port: string } | undefined {
  const parts = /^(?:\[([^\]]*)\]|([^:[\]]*)):([^:]*)$/.exec(address);
  if (parts === null) return undefined;
  return { host: parts[1] ?? parts[2] ?? "", port: parts[3] ?? "" };
}

function isPort(text: string): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) < 2 ** 16;
}

function checkAddresses(config: NodeConfig): void {
  const { httpAddress, httpAdvertisedAddress, raftAddress, raftAdvertisedAddress } = config;
  for (const address of [httpAddress, httpAdvertisedAddress]) {
    if (/^https?:\/\//.test(address)) {
      refuse("HTTP options should not include protocol (http:// or https://)");
    }
  }
  checkAddress(httpAddress, "HTTP bind address not valid", "HTTP bind address not valid");
  const httpAdvertised = "HTTP advertised HTTP address not valid";
  const httpHost = checkAddress(httpAdvertisedAddress, httpAdvertised, httpAdvertised);
  checkAddress(raftAddress, "raft bind address not valid", "raft bind port not valid");
  const raftHost = checkAddress(
    raftAdvertisedAddress,
    "raft advertised address not valid",
    "raft advertised port is not valid",
  );
  checkRoutable(httpHost, "HTTP", "http");
  checkRoutable(raftHost, "Raft", "raft");
  if (clash(httpAddress, raftAddress)) refuse("HTTP and Raft addresses must differ");
  if (clash(httpAdvertisedAddress, raftAdvertisedAddress)) {
    refuse("advertised HTTP and Raft addresses must differ");
  }
}

/** Port 0 means "any free port", so two of them are never the same. */
function clash(one: string, other: string): boolean {
  return one === other && splitAddress(one)?.port !== "0";
}

function checkAddress(address: string, addressMessage: string, portMessage: string): string {
  const parts = splitAddress(address);
  if (parts === undefined) return refuse(`${addressMessage}: ${JSON.stringify(address)}`);
  if (!isPort(parts.port)) refuse(`${portMessage}: ${JSON.stringify(address)}`);
  return parts.host;
}

function checkRoutable(host: string, kind: string, flag: string): void {
  if (host !== "" && host !== "0.0.0.0" && !/^[0:]+$/.test(host)) return;
  refuse(
    `advertised ${kind} address is not routable (${host}), ` +
      `specify it via -${flag}-addr or -${flag}-adv-addr`,
  );
}

function checkJoin({ join, raftAdvertisedAddress, bootstrapExpect }: NodeConfig): void {
  for (const address of join) {
    const parts = splitAddress(address);
    const valid = parts !== undefined && parts.host !== "" && isPort(parts.port);
    if (!valid) refuse(`${JSON.stringify(address)} is an invalid join address`);
    if (address === raftAdvertisedAddress && bootstrapExpect === 0) {
      refuse("node cannot join with itself unless bootstrapping");
    }
  }
  // The reference allows this. But two groups of so few nodes could each found a cluster then, and
  // each would confirm writes that the other knows nothing of.
  const nodes = new Set([...join, raftAdvertisedAddress]).size;
  if (bootstrapExpect > 0 && join.length > 0 && bootstrapExpect < nodes) {
    refuse(
      `-bootstrap-expect ${bootstrapExpect} is less than the ${nodes} nodes that -join and this ` +
        "node make: two clusters could be founded",
    );
  }
}

function checkNumbers(config: NodeConfig): void {
  const { bootstrapExpect, joinAttempts, httpBodyBytesMax, readerCount } = config;
  if (bootstrapExpect < 0) refuse(`-bootstrap-expect must not be negative: ${bootstrapExpect}`);
  if (joinAttempts < 1) refuse(`-join-attempts must be at least 1: ${joinAttempts}`);
  if (readerCount < 1) refuse("-db-max-ro-conns must not be negative");
  if (httpBodyBytesMax < 1 || httpBodyBytesMax > BODY_BYTES_CEILING) {
    refuse(`-http-max-body-bytes must be 1 to ${BODY_BYTES_CEILING}: ${httpBodyBytesMax}`);
  }
  const timeouts: readonly (readonly [string, number, number])[] = [
    ["bootstrap-expect-timeout", config.bootstrapExpectTimeoutMs, 0],
    ["join-interval", config.joinIntervalMs, 0],
    ["raft-heartbeat-timeout", config.heartbeatTimeoutMs, RAFT_TIMEOUT_MS_MIN],
    ["raft-election-timeout", config.electionTimeoutMs, RAFT_TIMEOUT_MS_MIN],
    ["raft-apply-timeout", config.applyTimeoutMs, RAFT_TIMEOUT_MS_MIN],
  ];
  for (const [name, ms, msMin] of timeouts) {
    if (ms < msMin) refuse(`-${name} must be at least ${msMin}ms`);
  }
  if (config.electionTimeoutMs < config.heartbeatTimeoutMs) {
    refuse("-raft-election-timeout must not be less than -raft-heartbeat-timeout");
  }
}

function refuse(message: string, usage = false): never {
  throw new CairnError("SERVER_CONFIG_INVALID", message, { details: { usage } });
}

/**
 * What must hold before a node is started. Messages are the reference's where it has one (compat
 * reference, section 11).
 *
 * Invariant: every check runs before a file is made or a port is opened, so that a node that is
 * refused leaves everything as it was.
 */
import { CairnError } from "#base";
import { isPort, splitAddress } from "./address.ts";
import type { NodeConfig } from "./node-config.ts";
import type { Settings } from "./settings.ts";
import { fileExists } from "./text-file.ts";

/** A body must fit into one string of JavaScript (about 512 MiB) with room to spare. */
const BODY_BYTES_CEILING = 256 * 1024 * 1024;
/** Below this, no browser's head fits; above, one client could fill the memory with heads. */
const HEADER_BYTES_MIN = 4096;
const HEADER_BYTES_CEILING = 16 * 1024 * 1024;

/** Below this, a timeout is shorter than a good disk's sync. The reference has the same bound. */
const RAFT_TIMEOUT_MS_MIN = 5;

/** @throws `SERVER_CONFIG_INVALID` for the first thing that is wrong. */
export function checkConfig(config: NodeConfig, settings: Settings): void {
  checkFiles(config, settings);
  checkTls(settings);
  checkAddresses(config);
  checkJoin(config);
  checkDiscovery(config);
  checkTelemetry(config);
  checkNumbers(config);
  checkLimits(config);
  checkReaping(config, settings);
}

function checkFiles(config: NodeConfig, settings: Settings): void {
  for (const path of config.extensionPaths) {
    if (!fileExists(path)) refuse(`extension path does not exist: ${path}`);
  }
  for (const name of FILE_FLAGS) {
    const path = String(settings.value(name));
    if (path !== "" && !fileExists(path)) refuse(`${path} does not exist`);
  }
}

/** Flags whose value is the path of a file that must be there. */
const FILE_FLAGS = (
  "auth auto-backup auto-restore http-ca-cert http-cert http-key node-ca-cert node-cert node-key " +
  "otlp-ca-cert otlp-cert otlp-key"
).split(" ");

function checkTls(settings: Settings): void {
  for (const name of ["http", "node", "otlp"]) {
    const hasCertificate = settings.value(`${name}-cert`) !== "";
    if (hasCertificate !== (settings.value(`${name}-key`) !== "")) {
      refuse(`either both -${name}-cert and -${name}-key must be set, or neither`);
    }
    if (name === "otlp") continue;
    const verifies = settings.value(`${name}-verify-client`) === true;
    if (settings.value(`${name}-verify-common-name`) !== "" && !verifies) {
      refuse(`-${name}-verify-common-name requires -${name}-verify-client`);
    }
    // The reference would listen without TLS, to everybody, and not say so.
    if (verifies && !hasCertificate) refuse(`-${name}-verify-client requires -${name}-cert`);
  }
  if (settings.value("join-as") !== "" && settings.value("auth") === "") {
    refuse("-join-as requires -auth");
  }
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

function checkJoin(config: NodeConfig): void {
  const { join, raftAdvertisedAddress, bootstrapExpect, nonVoter } = config;
  if (nonVoter && bootstrapExpect > 0) refuse("bootstrapping only applicable to voting nodes");
  if (nonVoter && config.changeCapture !== "") refuse("CDC cannot be enabled on non-voting nodes");
  for (const address of join) {
    const parts = splitAddress(address);
    const valid = parts !== undefined && parts.host !== "" && isPort(parts.port);
    if (!valid) refuse(`${JSON.stringify(address)} is an invalid join address`);
    if (address === raftAdvertisedAddress && bootstrapExpect === 0) {
      refuse("node cannot join with itself unless bootstrapping");
    }
  }
  if (join.length > 0 && config.autoRestorePath !== "") {
    refuse("auto-restoring cannot be used when joining a cluster");
  }
  if (join.length > 0 && config.discovery !== undefined) {
    refuse("disco mode cannot be used when also explicitly joining a cluster");
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

function checkDiscovery({ discovery, bootstrapExpect, nonVoter }: NodeConfig): void {
  if (discovery === undefined) return;
  const { mode } = discovery;
  const isStore = mode === "consul-kv" || mode === "etcd-kv";
  if (isStore && bootstrapExpect > 0) refuse(`bootstrapping not applicable when using ${mode}`);
  if (!isStore && bootstrapExpect === 0 && !nonVoter) {
    refuse(`bootstrap-expect value required when using ${mode} with a voting node`);
  }
}

function checkTelemetry({ telemetry }: NodeConfig): void {
  const { endpoint, insecure, trustsAnyServer, authorityPath } = telemetry;
  const { certificatePath, intervalMs } = telemetry;
  const hasTls = trustsAnyServer || authorityPath !== "" || certificatePath !== "";
  if (endpoint === "") {
    if (hasTls || insecure) refuse("OTLP options require -otlp-endpoint");
    return;
  }
  if (endpoint.includes("://")) refuse("-otlp-endpoint must not include a protocol scheme");
  const parts = splitAddress(endpoint);
  if (parts === undefined || parts.host === "" || !isPort(parts.port)) {
    refuse(`${JSON.stringify(endpoint)} is not a valid address`);
  }
  if (intervalMs <= 0) refuse("-otlp-interval must be greater than zero");
  if (insecure && hasTls) refuse("-otlp-insecure cannot be used with other OTLP TLS options");
}

function checkNumbers(config: NodeConfig): void {
  const { bootstrapExpect, joinAttempts, readerCount, writeQueue } = config;
  if (bootstrapExpect < 0) refuse(`-bootstrap-expect must not be negative: ${bootstrapExpect}`);
  if (joinAttempts < 1) refuse(`-join-attempts must be at least 1: ${joinAttempts}`);
  if (readerCount < 1) refuse("-db-max-ro-conns must not be negative");
  if (writeQueue.capacity < 1) refuse("-write-queue-capacity must be at least 1");
  if (writeQueue.batchRequests < 1) refuse("-write-queue-batch-size must be at least 1");
  const timeouts: readonly (readonly [string, number, number])[] = [
    ["bootstrap-expect-timeout", config.bootstrapExpectTimeoutMs, 0],
    ["join-interval", config.joinIntervalMs, 0],
    ["raft-heartbeat-timeout", config.heartbeatTimeoutMs, RAFT_TIMEOUT_MS_MIN],
    ["raft-election-timeout", config.electionTimeoutMs, RAFT_TIMEOUT_MS_MIN],
    ["raft-apply-timeout", config.applyTimeoutMs, RAFT_TIMEOUT_MS_MIN],
    ["write-queue-timeout", writeQueue.timeoutMs, 0],
    ["auto-vacuum-int", config.autoVacuumMs, 0],
    ["cluster-connect-timeout", config.connectTimeoutMs, 1],
  ];
  for (const [name, ms, msMin] of timeouts) {
    if (ms < msMin) refuse(`-${name} must be at least ${msMin}ms`);
  }
  if (config.electionTimeoutMs < config.heartbeatTimeoutMs) {
    refuse("-raft-election-timeout must not be less than -raft-heartbeat-timeout");
  }
}

function checkLimits({ limits, httpBodyBytesMax }: NodeConfig): void {
  const { headerBytesMax } = limits;
  if (httpBodyBytesMax < 1 || httpBodyBytesMax > BODY_BYTES_CEILING) {
    refuse(`-http-max-body-bytes must be 1 to ${BODY_BYTES_CEILING}: ${httpBodyBytesMax}`);
  }
  if (headerBytesMax < HEADER_BYTES_MIN || headerBytesMax > HEADER_BYTES_CEILING) {
    refuse(
      `-http-max-header-bytes must be ${HEADER_BYTES_MIN} to ${HEADER_BYTES_CEILING}: ` +
        headerBytesMax,
    );
  }
  if (limits.headerTimeoutMs < 1) refuse("-http-header-timeout must be at least 1ms");
  if (limits.bodyTimeoutMs < 1) refuse("-http-body-timeout must be at least 1ms");
  if (limits.connectionsMax < 0) refuse("-http-max-conns must not be negative");
}

/** Zero is the default and means "never"; whoever types it means something else. */
function checkReaping({ leaving }: NodeConfig, settings: Settings): void {
  for (const [name, ms] of [
    ["raft-reap-node-timeout", leaving.reapVoterMs],
    ["raft-reap-read-only-node-timeout", leaving.reapNonVoterMs],
  ] as const) {
    if (settings.source(name) === "flag" && ms <= 0) refuse(`-${name} must be greater than 0`);
  }
}

function refuse(message: string): never {
  throw new CairnError("SERVER_CONFIG_INVALID", message, { details: { usage: false } });
}

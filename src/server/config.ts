/**
 * From a command line and its surroundings to a checked `NodeConfig`.
 *
 * Invariant: what this file returns has passed every check of `config-checks.ts`; nothing below
 * looks at a flag, a variable or the configuration file again.
 */
import { CairnError, errorText } from "#base";
import { checkConfig } from "./config-checks.ts";
import { readDiscoverySettings } from "./discovery/settings.ts";
import { FLAGS, READERS_MAX } from "./flag-table.ts";
import { flagsText } from "./flags.ts";
import type { NodeConfig } from "./node-config.ts";
import { type Environment, readSettings, type Settings, settingsText } from "./settings.ts";

/** What a command line asks for. */
export type Invocation =
  | {
      readonly kind: "run";
      readonly config: NodeConfig;
      /** Sentences for whoever starts the node: settings without effect, misspelt variables. */
      readonly warnings: readonly string[];
    }
  | { readonly kind: "version" }
  | { readonly kind: "help" }
  /** `problem`: why a node would not start with these settings. */
  | {
      readonly kind: "print";
      readonly text: string;
      readonly problem: string | undefined;
    };

/** What `-help` prints, and what follows a flag that could not be read. */
export function usageText(): string {
  return [
    "Usage: cairnd [flags] <data directory>",
    "       cairnd hash-password        (asks for a password, prints its line for the auth file)",
    "",
    "Runs one node of a replicated SQLite database. The data directory is made if it is missing.",
    "A flag -x-y may also stand in the variable CAIRN_X_Y, or as x-y in the JSON file of -config;",
    "the command line wins over the environment, and the environment over the file.",
    "",
    flagsText(FLAGS),
  ].join("\n");
}

/**
 * Reads and checks a command line.
 *
 * @param argv - the arguments behind the program's name.
 * @param environment - variables that may hold settings; none by default.
 * @throws `SERVER_CONFIG_INVALID`; detail `usage` is true if the usage text would help.
 */
export function readInvocation(argv: readonly string[], environment: Environment = {}): Invocation {
  const settings = readSettings(argv, environment);
  if (settings.help) return { kind: "help" };
  if (settings.value("version") === true) return { kind: "version" };
  if (settings.value("print-config") === true) {
    const problem = problemOf(settings, environment);
    return { kind: "print", text: settingsText(settings, problem), problem };
  }
  const config = checkedConfig(settings, environment);
  return { kind: "run", config, warnings: settings.warnings };
}

function problemOf(settings: Settings, environment: Environment): string | undefined {
  try {
    checkedConfig(settings, environment);
    return undefined;
  } catch (error) {
    return errorText(error);
  }
}

function checkedConfig(settings: Settings, environment: Environment): NodeConfig {
  const { dataDir, extra } = settings;
  if (dataDir === undefined || dataDir === "") refuse("data directory path is required", true);
  const [surplus] = extra;
  if (surplus !== undefined) {
    refuse(`unexpected argument ${JSON.stringify(surplus)} after the data directory`, true);
  }
  const config = configOf(settings, dataDir, environment);
  checkConfig(config, settings);
  return config;
}

/** Readers of single values, by the kinds of the table. */
interface Values {
  text(name: string): string;
  number(name: string): number;
  flag(name: string): boolean;
  list(name: string): readonly string[];
}

function valuesOf(settings: Settings): Values {
  const text = (name: string): string => String(settings.value(name));
  return {
    text,
    number: (name) => Number(settings.value(name)),
    flag: (name) => settings.value(name) === true,
    list: (name) => (text(name) === "" ? [] : text(name).split(",")),
  };
}

function configOf(settings: Settings, dataDir: string, environment: Environment): NodeConfig {
  const values = valuesOf(settings);
  const { text, number, flag, list } = values;
  const raftAddress = bindAddressOf(text("raft-addr"));
  const raftAdvertisedAddress = text("raft-adv-addr") || raftAddress;
  const readers = number("db-max-ro-conns");
  return {
    dataDir,
    nodeId: text("node-id") || raftAdvertisedAddress,
    raftAddress,
    raftAdvertisedAddress,
    ...httpOf(values),
    nodeTls: nodeTlsOf(values),
    bootstrapExpect: number("bootstrap-expect"),
    bootstrapExpectTimeoutMs: number("bootstrap-expect-timeout"),
    join: list("join"),
    joinAttempts: number("join-attempts"),
    joinIntervalMs: number("join-interval"),
    joinAs: text("join-as"),
    discovery: discoveryOf(values, environment),
    nonVoter: flag("raft-non-voter"),
    foreignKeys: flag("fk"),
    readerCount: readers === 0 ? READERS_MAX : Math.min(readers, READERS_MAX),
    autoVacuumMs: number("auto-vacuum-int"),
    autoOptimizeMs: number("auto-optimize-int"),
    extensionPaths: list("extensions-path"),
    logLevel: logLevelOf(text("raft-log-level")),
    heartbeatTimeoutMs: number("raft-heartbeat-timeout"),
    electionTimeoutMs: number("raft-election-timeout"),
    applyTimeoutMs: number("raft-apply-timeout"),
    leaderLeaseMs: number("raft-leader-lease-timeout"),
    commitTimeoutMs: number("raft-commit-timeout"),
    connectTimeoutMs: number("cluster-connect-timeout"),
    ...storeOf(values),
    compareStatesMs: number("compare-states-int"),
    logKeepBytesMax: number("raft-log-keep-bytes"),
    changeCapture: text("cdc-config"),
    autoBackupPath: text("auto-backup"),
    autoRestorePath: text("auto-restore"),
    telemetry: telemetryOf(values),
    cpuProfilePath: text("cpu-profile"),
    memoryProfilePath: text("mem-profile"),
    tracePath: text("trace-profile"),
  };
}

type HttpSettings =
  | "httpAddress"
  | "httpAdvertisedAddress"
  | "httpAllowOrigin"
  | "httpTls"
  | "httpBodyBytesMax"
  | "limits"
  | "authPath";

function httpOf({ text, number, flag }: Values): Pick<NodeConfig, HttpSettings> {
  const httpAddress = bindAddressOf(text("http-addr"));
  const tls = {
    certificatePath: text("http-cert"),
    keyPath: text("http-key"),
    authorityPath: text("http-ca-cert"),
    verifyClient: flag("http-verify-client"),
    verifyCommonName: text("http-verify-common-name"),
  };
  return {
    httpAddress,
    httpAdvertisedAddress: text("http-adv-addr") || httpAddress,
    httpAllowOrigin: text("http-allow-origin"),
    httpTls: tls.certificatePath === "" ? undefined : tls,
    httpBodyBytesMax: number("http-max-body-bytes"),
    limits: {
      headerBytesMax: number("http-max-header-bytes"),
      headerTimeoutMs: number("http-header-timeout"),
      bodyTimeoutMs: number("http-body-timeout"),
      connectionsMax: number("http-max-conns"),
    },
    authPath: text("auth"),
  };
}

function nodeTlsOf({ text, flag }: Values): NodeConfig["nodeTls"] {
  if (text("node-cert") === "") return undefined;
  return {
    certificatePath: text("node-cert"),
    keyPath: text("node-key"),
    authorityPath: text("node-ca-cert"),
    verifyClient: flag("node-verify-client"),
    verifyCommonName: text("node-verify-common-name"),
    trustsAnyServer: flag("node-no-verify"),
    verifyServerName: text("node-verify-server-name"),
  };
}

/** Variables that name nodes instead of DNS, for tests; the first one that is set counts. */
const HOSTS_VARIABLES = ["CAIRN_DISCO_DNS_HOSTS", "RQLITE_DISCO_DNS_HOSTS"];

function discoveryOf({ text }: Values, environment: Environment): NodeConfig["discovery"] {
  const mode = text("disco-mode");
  if (mode === "") return undefined;
  if (mode !== "consul-kv" && mode !== "etcd-kv" && mode !== "dns" && mode !== "dns-srv") {
    return refuse("disco mode must be one of consul-kv, etcd-kv, dns, or dns-srv");
  }
  const hosts = HOSTS_VARIABLES.map((name) => environment[name] ?? "").find((one) => one !== "");
  return {
    mode,
    key: text("disco-key"),
    settings: readDiscoverySettings(text("disco-config"), environment),
    hosts: mode === "dns" && hosts !== undefined ? hosts.split(",") : [],
  };
}

function storeOf({
  number,
  flag,
}: Values): Pick<NodeConfig, "snapshots" | "leaving" | "writeQueue"> {
  return {
    snapshots: {
      entries: number("raft-snap"),
      walBytes: number("raft-snap-wal-size"),
      intervalMs: number("raft-snap-int"),
      compressesTransport: flag("compress-snap-transport"),
    },
    leaving: {
      stopsWhenRemoved: flag("raft-remove-shutdown"),
      removesItself: flag("raft-cluster-remove-shutdown"),
      stepsDown: flag("raft-shutdown-stepdown"),
      reapVoterMs: number("raft-reap-node-timeout"),
      reapNonVoterMs: number("raft-reap-read-only-node-timeout"),
    },
    writeQueue: {
      capacity: number("write-queue-capacity"),
      batchRequests: number("write-queue-batch-size"),
      timeoutMs: number("write-queue-timeout"),
      transaction: flag("write-queue-tx"),
    },
  };
}

function telemetryOf({ text, number, flag }: Values): NodeConfig["telemetry"] {
  return {
    endpoint: text("otlp-endpoint"),
    intervalMs: number("otlp-interval"),
    insecure: flag("otlp-insecure"),
    trustsAnyServer: flag("otlp-no-verify"),
    authorityPath: text("otlp-ca-cert"),
    certificatePath: text("otlp-cert"),
    keyPath: text("otlp-key"),
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

function refuse(message: string, usage = false): never {
  throw new CairnError("SERVER_CONFIG_INVALID", message, { details: { usage } });
}

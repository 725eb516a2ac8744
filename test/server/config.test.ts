/**
 * The command line of `cairnd`. Method: command lines that operators of the reference write, each
 * wrong one with the message that it must give, and the usage text against the table.
 */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { CairnError } from "#base";
import {
  API_VERSION,
  CAIRN_VERSION,
  FLAGS,
  REFERENCE_FLAGS,
  readInvocation,
  usageText,
} from "#server";
import type { NodeConfig } from "#server/types";

function configOf(...argv: string[]): NodeConfig {
  const invocation = readInvocation(argv);
  if (invocation.kind !== "run") throw new Error(`expected a run, got ${invocation.kind}`);
  return invocation.config;
}

function refusalOf(...argv: string[]): { message: string; usage: boolean } {
  try {
    readInvocation(argv);
  } catch (error) {
    if (!(error instanceof CairnError)) throw error;
    expect(error.code).toBe("SERVER_CONFIG_INVALID");
    return { message: error.message, usage: error.details["usage"] === true };
  }
  throw new Error(`accepted: ${argv.join(" ")}`);
}

const SNAPSHOTS = {
  entries: 8192,
  walBytes: 4 * 1024 * 1024,
  intervalMs: 10_000,
  compressesTransport: false,
};

test("without flags every value is the reference's default", () => {
  expect(configOf("data")).toEqual({
    dataDir: "data",
    nodeId: "localhost:4002",
    httpAddress: "localhost:4001",
    httpAdvertisedAddress: "localhost:4001",
    httpAllowOrigin: "",
    httpTls: undefined,
    httpBodyBytesMax: 64 * 1024 * 1024,
    limits: {
      headerBytesMax: 1024 * 1024,
      headerTimeoutMs: 30_000,
      bodyTimeoutMs: 30_000,
      connectionsMax: 0,
    },
    authPath: "",
    raftAddress: "localhost:4002",
    raftAdvertisedAddress: "localhost:4002",
    nodeTls: undefined,
    bootstrapExpect: 0,
    bootstrapExpectTimeoutMs: 120_000,
    join: [],
    joinAttempts: 5,
    joinIntervalMs: 3000,
    joinAs: "",
    discovery: undefined,
    nonVoter: false,
    foreignKeys: false,
    readerCount: 4,
    autoVacuumMs: 0,
    autoOptimizeMs: 24 * 3_600_000,
    extensionPaths: [],
    logLevel: "warn",
    heartbeatTimeoutMs: 1000,
    electionTimeoutMs: 1000,
    applyTimeoutMs: 10_000,
    leaderLeaseMs: 0,
    commitTimeoutMs: 50,
    connectTimeoutMs: 30_000,
    snapshots: SNAPSHOTS,
    leaving: {
      stopsWhenRemoved: false,
      removesItself: false,
      stepsDown: true,
      reapVoterMs: 0,
      reapNonVoterMs: 0,
    },
    compareStatesMs: 3_600_000,
    logKeepBytesMax: 256 * 1024 * 1024,
    writeQueue: { capacity: 1024, batchRequests: 128, timeoutMs: 50, transaction: false },
    changeCapture: "",
    autoBackupPath: "",
    autoRestorePath: "",
    telemetry: {
      endpoint: "",
      intervalMs: 30_000,
      insecure: false,
      trustsAnyServer: false,
      authorityPath: "",
      certificatePath: "",
      keyPath: "",
    },
    cpuProfilePath: "",
    memoryProfilePath: "",
    tracePath: "",
  } satisfies NodeConfig);
});

test("one dash or two, a blank or an equals sign: all the same", () => {
  for (const flag of [["-node-id", "a"], ["-node-id=a"], ["--node-id", "a"], ["--node-id=a"]]) {
    expect(configOf(...flag, "data").nodeId).toBe("a");
  }
  expect(configOf("-node-id=a=b", "data").nodeId).toBe("a=b");
  expect(configOf("-node-id", "-fk", "data")).toMatchObject({ nodeId: "-fk", foreignKeys: false });
});

test("a boolean takes its value with an equals sign only", () => {
  expect(configOf("-fk", "data").foreignKeys).toBe(true);
  expect(configOf("-fk=true", "data").foreignKeys).toBe(true);
  expect(configOf("-fk=0", "data").foreignKeys).toBe(false);
  // The word behind it is the data directory, and what follows is one argument too many.
  expect(refusalOf("-fk", "false", "data").message).toMatch(/unexpected argument "data"/);
  expect(refusalOf("-fk=maybe", "data").message).toBe(
    'invalid boolean value "maybe" for -fk: parse error',
  );
});

test("two dashes alone end the flags", () => {
  expect(configOf("-fk", "--", "-data").dataDir).toBe("-data");
});

test("every value of the start reaches its place", () => {
  const argv =
    "-node-id n1 -http-addr 0.0.0.0:5001 -http-adv-addr h:5001 -http-allow-origin * " +
    "-raft-addr :5002 -raft-adv-addr h:5002 -bootstrap-expect 3 " +
    "-bootstrap-expect-timeout 1m -join a:1,b:2 " +
    "-join-attempts 7 -join-interval 100ms -fk -raft-log-level info " +
    "-raft-heartbeat-timeout 200ms -raft-election-timeout 300ms " +
    "-raft-apply-timeout 2s -db-max-ro-conns 2 -auto-vacuum-int 1h " +
    "-http-max-body-bytes 1024 -http-max-header-bytes 0x2000 -http-header-timeout 2s " +
    "-http-body-timeout 3s -http-max-conns 9 -cluster-connect-timeout 4s data";
  expect(configOf(...argv.split(" "))).toMatchObject({
    dataDir: "data",
    nodeId: "n1",
    httpAddress: "0.0.0.0:5001",
    httpAdvertisedAddress: "h:5001",
    httpAllowOrigin: "*",
    httpBodyBytesMax: 1024,
    limits: {
      headerBytesMax: 8192,
      headerTimeoutMs: 2000,
      bodyTimeoutMs: 3000,
      connectionsMax: 9,
    },
    raftAddress: "0.0.0.0:5002",
    raftAdvertisedAddress: "h:5002",
    bootstrapExpect: 3,
    bootstrapExpectTimeoutMs: 60_000,
    join: ["a:1", "b:2"],
    joinAttempts: 7,
    joinIntervalMs: 100,
    foreignKeys: true,
    readerCount: 2,
    autoVacuumMs: 3_600_000,
    logLevel: "info",
    heartbeatTimeoutMs: 200,
    electionTimeoutMs: 300,
    applyTimeoutMs: 2000,
    connectTimeoutMs: 4000,
  });
});

test("ports of 0 may be the same, because each takes a free one", () => {
  const config = configOf("-http-addr", "127.0.0.1:0", "-raft-addr", "127.0.0.1:0", "data");
  expect(config.httpAddress).toBe(config.raftAddress);
  expect(configOf("-http-addr", "[::1]:4001", "data").httpAddress).toBe("[::1]:4001");
});

test.each([
  ["-frobnicate data", "flag provided but not defined: -frobnicate"],
  ["--frobnicate=1 data", "flag provided but not defined: -frobnicate"],
  ["-jion a:1 data", "flag provided but not defined: -jion; did you mean -join?"],
  ["-raft-snap=-1 data", 'invalid value "-1" for flag -raft-snap: parse error'],
  ["---fk data", "bad flag syntax: ---fk"],
  ["-=x data", "bad flag syntax: -=x"],
  ["-node-id", "flag needs an argument: -node-id"],
  ["-join-attempts x data", 'invalid value "x" for flag -join-attempts: parse error'],
  ["-join-attempts 1.5 data", 'invalid value "1.5" for flag -join-attempts: parse error'],
  ["-join-interval 5 data", 'invalid value "5" for flag -join-interval: parse error'],
  ["", "data directory path is required"],
  ["-fk", "data directory path is required"],
  ["data extra", 'unexpected argument "extra" after the data directory'],
  ["data -fk", 'unexpected argument "-fk" after the data directory'],
])("%j is refused with the usage text: %s", (line, message) => {
  const argv = line === "" ? [] : line.split(" ");
  expect(refusalOf(...argv)).toEqual({ message, usage: true });
});

test.each([
  ["-http-addr http://localhost:1", "HTTP options should not include protocol"],
  ["-http-addr localhost", 'HTTP bind address not valid: "localhost"'],
  ["-http-addr localhost:99999", "HTTP bind address not valid"],
  ["-http-addr a:b:1", "HTTP bind address not valid"],
  ["-http-adv-addr nowhere", 'HTTP advertised HTTP address not valid: "nowhere"'],
  ["-raft-addr localhost", "raft bind address not valid"],
  ["-raft-addr localhost:x", 'raft bind port not valid: "localhost:x"'],
  ["-raft-adv-addr h", "raft advertised address not valid"],
  ["-raft-adv-addr h:x", "raft advertised port is not valid"],
  ["-raft-addr localhost:4001", "HTTP and Raft addresses must differ"],
  ["-http-adv-addr h:1 -raft-adv-addr h:1", "advertised HTTP and Raft addresses must differ"],
  [
    "-http-addr 0.0.0.0:4001",
    "advertised HTTP address is not routable (0.0.0.0), specify it via -http-addr or",
  ],
  ["-raft-addr [::]:4002", "advertised Raft address is not routable (::)"],
  ["-raft-addr :4002", "advertised Raft address is not routable (0.0.0.0)"],
  ["-join h", '"h" is an invalid join address'],
  ["-join a:1,,b:2", '"" is an invalid join address'],
  ["-join localhost:4002", "node cannot join with itself unless bootstrapping"],
  ["-bootstrap-expect 2 -join a:1,b:2", "two clusters could be founded"],
  ["-raft-log-level LOUD", "-raft-log-level must be ERROR, WARN, INFO or DEBUG"],
  ["-bootstrap-expect -1", "-bootstrap-expect must not be negative: -1"],
  ["-join-attempts 0", "-join-attempts must be at least 1"],
  ["-db-max-ro-conns -1", "-db-max-ro-conns must not be negative"],
  ["-http-max-body-bytes 0", "-http-max-body-bytes must be 1 to"],
  ["-http-max-body-bytes 999999999", "-http-max-body-bytes must be 1 to"],
  ["-raft-heartbeat-timeout 1ms", "-raft-heartbeat-timeout must be at least 5ms"],
  ["-raft-apply-timeout -1s", "-raft-apply-timeout must be at least 5ms"],
  ["-raft-heartbeat-timeout 2s", "-raft-election-timeout must not be less than"],
])("%s is refused: %s", (flags, message) => {
  const refusal = refusalOf(...flags.split(" "), "data");
  expect(refusal.message).toContain(message);
  expect(refusal.usage).toBe(false);
});

test("a node may join with itself while the cluster is being made", () => {
  const config = configOf("-bootstrap-expect", "3", "-join", "localhost:4002,h:2", "data");
  expect(config.join).toEqual(["localhost:4002", "h:2"]);
});

test("version and help ask for nothing else", () => {
  expect(readInvocation(["-version"])).toEqual({ kind: "version" });
  expect(readInvocation(["-h"])).toEqual({ kind: "help" });
  expect(readInvocation(["--help", "x", "y"])).toEqual({ kind: "help" });
});

test("the usage text names every flag of the table with its default", () => {
  const usage = usageText();
  for (const { name, default: usual } of FLAGS) {
    expect(usage).toContain(`  -${name}`);
    if (usual !== "" && usual !== "false") expect(usage).toContain(`(default ${usual})`);
  }
});

test("the table has the reference's 68 flags in its order, with its defaults", () => {
  const rows = REFERENCE_FLAGS.map(({ name, kind, default: usual }) => [name, kind, usual]);
  expect(rows.map((row) => row.join(" ").trim())).toEqual(REFERENCE.trim().split(/\n */));
});

/** Section 11 of the compat reference. */
const REFERENCE = `
  version boolean false
  extensions-path list
  cdc-config string
  otlp-endpoint string
  otlp-interval duration 30s
  otlp-insecure boolean false
  otlp-no-verify boolean false
  otlp-ca-cert string
  otlp-cert string
  otlp-key string
  http-addr string localhost:4001
  http-adv-addr string
  http-allow-origin string
  auth string
  auto-backup string
  auto-restore string
  http-ca-cert string
  http-cert string
  http-key string
  http-verify-client boolean false
  http-verify-common-name string
  node-ca-cert string
  node-cert string
  node-key string
  node-no-verify boolean false
  node-verify-client boolean false
  node-verify-server-name string
  node-verify-common-name string
  node-id string
  compress-snap-transport boolean false
  raft-addr string localhost:4002
  raft-adv-addr string
  join list
  join-attempts integer 5
  join-interval duration 3s
  join-as string
  bootstrap-expect integer 0
  bootstrap-expect-timeout duration 120s
  disco-mode string
  disco-key string rqlite
  disco-config string
  fk boolean false
  db-max-ro-conns integer 256
  auto-vacuum-int duration 0s
  auto-optimize-int duration 24h
  raft-log-level string WARN
  raft-non-voter boolean false
  raft-snap unsigned 8192
  raft-snap-wal-size unsigned 4194304
  raft-snap-int duration 10s
  raft-leader-lease-timeout duration 0s
  raft-heartbeat-timeout duration 1s
  raft-commit-timeout duration 50ms
  raft-election-timeout duration 1s
  raft-apply-timeout duration 10s
  raft-remove-shutdown boolean false
  raft-cluster-remove-shutdown boolean false
  raft-shutdown-stepdown boolean true
  raft-reap-node-timeout duration 0h
  raft-reap-read-only-node-timeout duration 0h
  cluster-connect-timeout duration 30s
  write-queue-capacity integer 1024
  write-queue-batch-size integer 128
  write-queue-timeout duration 50ms
  write-queue-tx boolean false
  cpu-profile string
  mem-profile string
  trace-profile string`;

test("the version is the package's own, and the API's is another thing", () => {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  expect((JSON.parse(text) as { version: string }).version).toBe(CAIRN_VERSION);
  expect(API_VERSION).toBe("v10.3.0");
});

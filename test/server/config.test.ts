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
  REFUSED_FLAGS,
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

test("without flags every value is the reference's default", () => {
  expect(configOf("data")).toEqual({
    dataDir: "data",
    nodeId: "localhost:4002",
    httpAddress: "localhost:4001",
    httpAdvertisedAddress: "localhost:4001",
    httpAllowOrigin: "",
    httpBodyBytesMax: 64 * 1024 * 1024,
    raftAddress: "localhost:4002",
    raftAdvertisedAddress: "localhost:4002",
    bootstrapExpect: 0,
    bootstrapExpectTimeoutMs: 120_000,
    join: [],
    joinAttempts: 5,
    joinIntervalMs: 3000,
    foreignKeys: false,
    readerCount: 4,
    logLevel: "warn",
    heartbeatTimeoutMs: 1000,
    electionTimeoutMs: 1000,
    applyTimeoutMs: 10_000,
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

test("every value reaches its place", () => {
  const argv =
    "-node-id n1 -http-addr 0.0.0.0:5001 -http-adv-addr h:5001 -http-allow-origin * " +
    "-raft-addr :5002 -raft-adv-addr h:5002 -bootstrap-expect 3 " +
    "-bootstrap-expect-timeout 1m -join a:1,b:2 " +
    "-join-attempts 7 -join-interval 100ms -fk -raft-log-level info " +
    "-raft-heartbeat-timeout 200ms -raft-election-timeout 300ms " +
    "-raft-apply-timeout 2s -db-max-ro-conns 2 " +
    "-http-max-body-bytes 1024 data";
  expect(configOf(...argv.split(" "))).toEqual({
    dataDir: "data",
    nodeId: "n1",
    httpAddress: "0.0.0.0:5001",
    httpAdvertisedAddress: "h:5001",
    httpAllowOrigin: "*",
    httpBodyBytesMax: 1024,
    raftAddress: "0.0.0.0:5002",
    raftAdvertisedAddress: "h:5002",
    bootstrapExpect: 3,
    bootstrapExpectTimeoutMs: 60_000,
    join: ["a:1", "b:2"],
    joinAttempts: 7,
    joinIntervalMs: 100,
    foreignKeys: true,
    readerCount: 2,
    logLevel: "info",
    heartbeatTimeoutMs: 200,
    electionTimeoutMs: 300,
    applyTimeoutMs: 2000,
  } satisfies NodeConfig);
});

test("ports of 0 may be the same, because each takes a free one", () => {
  const config = configOf("-http-addr", "127.0.0.1:0", "-raft-addr", "127.0.0.1:0", "data");
  expect(config.httpAddress).toBe(config.raftAddress);
  expect(configOf("-http-addr", "[::1]:4001", "data").httpAddress).toBe("[::1]:4001");
});

test.each([
  ["-frobnicate data", "flag provided but not defined: -frobnicate"],
  ["--frobnicate=1 data", "flag provided but not defined: -frobnicate"],
  ["-auth f data", "flag -auth is part of rqlite but not supported yet"],
  ["-raft-snap=1 data", "flag -raft-snap is part of rqlite but not supported yet"],
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
  expect(FLAGS.filter(({ name }) => REFUSED_FLAGS.has(name))).toEqual([]);
});

test("all 68 flags of the reference are either taken or refused by name", () => {
  const ours = new Set(["http-max-body-bytes"]);
  const taken = FLAGS.filter(({ name }) => !ours.has(name)).length;
  expect(taken + REFUSED_FLAGS.size).toBe(68);
});

test("the version is the package's own, and the API's is another thing", () => {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  expect((JSON.parse(text) as { version: string }).version).toBe(CAIRN_VERSION);
  expect(API_VERSION).toBe("v10.3.0");
});

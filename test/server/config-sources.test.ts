/**
 * Settings from the environment and from a file, beside the command line. Method: the same setting
 * in every place, taken away one place at a time; names and values that are wrong in each place;
 * and the page of the book against the table.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { configurationPage, FLAGS, readInvocation } from "#server";
import type { NodeConfig } from "#server/types";
import { temporaryDir } from "../support/processes.ts";

type Environment = Record<string, string>;

function runOf(argv: readonly string[], environment: Environment = {}) {
  const invocation = readInvocation(argv, environment);
  if (invocation.kind !== "run") throw new Error(`expected a run, got ${invocation.kind}`);
  return invocation;
}

const configOf = (argv: readonly string[], environment: Environment = {}): NodeConfig =>
  runOf(argv, environment).config;

interface Printed {
  readonly settings: Record<string, unknown>;
  readonly from: Record<string, string>;
  readonly warnings: readonly string[];
  readonly problem?: string;
}

function printed(argv: readonly string[], environment: Environment = {}): Printed {
  const invocation = readInvocation(["-print-config", ...argv], environment);
  if (invocation.kind !== "print") throw new Error(`expected a print, got ${invocation.kind}`);
  return JSON.parse(invocation.text) as Printed;
}

function fileWith(content: unknown): string {
  const path = join(temporaryDir(), "cairn.json");
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

describe("one rule of precedence", () => {
  test("flag over environment over file over default", () => {
    const config = fileWith({ "node-id": "file", "data-dir": "file" });
    const file = { CAIRN_CONFIG: config };
    const both = { ...file, CAIRN_NODE_ID: "environment", CAIRN_DATA_DIR: "environment" };
    expect(configOf(["-node-id", "flag", "flag"], both)).toMatchObject({
      nodeId: "flag",
      dataDir: "flag",
    });
    expect(configOf([], both)).toMatchObject({ nodeId: "environment", dataDir: "environment" });
    expect(configOf([], file)).toMatchObject({ nodeId: "file", dataDir: "file" });
    expect(configOf(["data"]).nodeId).toBe("localhost:4002");
  });

  test("the file that a flag names counts, and not the one of the environment", () => {
    const environment = { CAIRN_CONFIG: fileWith({ "node-id": "other" }) };
    const config = fileWith({ "node-id": "mine" });
    expect(configOf(["-config", config, "data"], environment).nodeId).toBe("mine");
  });

  test("a stronger false wins over a weaker true", () => {
    const config = fileWith({ fk: true });
    expect(configOf(["-config", config, "data"]).foreignKeys).toBe(true);
    expect(configOf(["-config", config, "data"], { CAIRN_FK: "0" }).foreignKeys).toBe(false);
    expect(configOf(["-fk=false", "data"], { CAIRN_FK: "true" }).foreignKeys).toBe(false);
  });

  test("a variable that is empty is not set", () => {
    const config = fileWith({ "join-attempts": 7 });
    const environment = { CAIRN_JOIN_ATTEMPTS: "", CAIRN_DATA_DIR: "" };
    expect(configOf(["-config", config, "data"], environment).joinAttempts).toBe(7);
  });
});

/** A value for each kind that is not the default of any flag of that kind. */
const SAMPLES = {
  boolean: (usual: string) => (usual === "true" ? "false" : "true"),
  string: () => "sample",
  list: () => "a:1,b:2",
  integer: () => "7",
  unsigned: () => "7",
  duration: () => "7s",
} as const;

test.each(FLAGS.filter((row) => !row.commandLineOnly && row.name !== "config"))(
  "$name is the same from each place",
  ({ name, kind, default: usual }) => {
    const text = SAMPLES[kind](usual);
    const variable = `CAIRN_${name.toUpperCase().replaceAll("-", "_")}`;
    const fromFlag = printed([`-${name}=${text}`, "data"]);
    const fromVariable = printed(["data"], { [variable]: text });
    const fromFile = printed(["-config", fileWith({ [name]: text }), "data"]);
    expect(fromFlag.from[name]).toBe("flag");
    expect(fromVariable.from[name]).toBe("environment");
    expect(fromFile.from[name]).toBe("file");
    const value = fromFlag.settings[name];
    expect(value).not.toEqual(printed(["data"]).settings[name]);
    expect(fromVariable.settings[name]).toEqual(value);
    expect(fromFile.settings[name]).toEqual(value);
  },
);

test("the file may use JSON's own types", () => {
  const file = {
    "data-dir": "d",
    fk: true,
    "join-attempts": 7,
    "raft-snap": 5,
    join: ["a:1", "b:2"],
    "join-interval": "2s",
    "disco-mode": "",
  };
  expect(configOf(["-config", fileWith(file)])).toMatchObject({
    dataDir: "d",
    foreignKeys: true,
    joinAttempts: 7,
    snapshots: { entries: 5 },
    join: ["a:1", "b:2"],
    joinIntervalMs: 2000,
  });
});

test("settings of a discovery may be an object in the file", () => {
  const file = { "disco-mode": "consul-kv", "disco-config": { address: "h:1" } };
  expect(configOf(["-config", fileWith(file), "data"]).discovery?.settings).toEqual({
    address: "h:1",
  });
});

test.each<[string, unknown, RegExp]>([
  ["no JSON", "{", /not JSON/],
  ["an array", [], /must be one JSON object/],
  ["a misspelt name", { jion: "a:1" }, /unknown setting "jion"; did you mean "join"\?/],
  ["a name of nothing near", { colour: "red" }, /unknown setting "colour"$/],
  ["an underscore", { http_addr: "h:1" }, /did you mean "http-addr"/],
  ["the version", { version: true }, /unknown setting "version"/],
  ["another file", { config: "x" }, /unknown setting "config"/],
  ["a number for a text", { "node-id": 5 }, /node-id in .*: 5 is no string/],
  ["a number for a duration", { "join-interval": 5 }, /5 is no duration/],
  ["a bare number in a duration", { "join-interval": "5" }, /invalid value "5"/],
  ["a text for a number", { "join-attempts": "many" }, /invalid value "many"/],
  ["a fraction", { "join-attempts": 1.5 }, /invalid value "1.5"/],
  ["null", { "node-id": null }, /null is no string/],
])("a file with %s is refused", (_, content, message) => {
  expect(() => configOf(["-config", fileWith(content), "data"])).toThrow(message);
});

test("a file that is not there is refused by name", () => {
  expect(() => configOf(["-config", "/nowhere/cairn.json", "data"])).toThrow(/nowhere/);
});

test("a variable with a value that cannot be read is refused by name", () => {
  expect(() => configOf(["data"], { CAIRN_JOIN_ATTEMPTS: "x" })).toThrow(
    'invalid value "x" for flag CAIRN_JOIN_ATTEMPTS: parse error',
  );
});

test("a variable that is no setting is told if it is near one, and left alone", () => {
  const environment = {
    CAIRN_HTTP_ADR: "h:1",
    CAIRN_SEED: "1",
    CAIRN_VERSION: "1.2.3",
    CAIRN_SERVICE_HOST: "10.0.0.1",
    CAIRN_PORT_4001_TCP: "tcp://10.0.0.1:4001",
    OTHER_HTTP_ADR: "x",
  };
  expect(runOf(["data"], environment).warnings).toEqual([
    "CAIRN_HTTP_ADR is no setting; did you mean CAIRN_HTTP_ADDR?",
  ]);
});

test("a flag without effect is taken, with a warning that says why", () => {
  const { warnings } = runOf(["-raft-leader-lease-timeout", "1s", "-otlp-endpoint", "h:1", "data"]);
  expect(warnings).toEqual([
    expect.stringMatching(/^-otlp-endpoint has no effect: .{10,}/),
    expect.stringMatching(/^-raft-leader-lease-timeout has no effect: .{10,}/),
  ]);
  expect(runOf(["data"]).warnings).toEqual([]);
  // Whoever switches off what is not there is right already.
  expect(runOf(["-compress-snap-transport=false", "data"]).warnings).toEqual([]);
});

test("integers are read as Go reads them", () => {
  const attempts = (text: string): number =>
    configOf([`-join-attempts=${text}`, "data"]).joinAttempts;
  expect(["7", "+7", "0x1f", "0b101", "0o17", "017"].map(attempts)).toEqual([7, 7, 31, 5, 15, 15]);
  for (const text of ["", "0x", "1e3", "09", "7 ", "0b2", "--7", "99999999999999999999"]) {
    expect(() => attempts(text)).toThrow(/parse error/);
  }
});

describe("print-config", () => {
  test("prints every setting, and only where it comes from if it was set", () => {
    const { settings, from } = printed(["-fk", "data"]);
    const rows = FLAGS.filter((row) => !row.commandLineOnly && row.name !== "config");
    const names = rows.map(({ name }) => name);
    expect(Object.keys(settings)).toEqual(["data-dir", ...names]);
    expect(from).toEqual({ fk: "flag" });
    expect(settings).toMatchObject({ fk: true, join: [], "join-interval": "3000ms" });
  });

  test("its settings are a file that gives the same settings again", () => {
    const argv = ["-join", "a:1,b:2", "-fk", "-http-addr", "h:1", "-raft-apply-timeout", "1m"];
    const { settings } = printed([...argv, "data"]);
    expect(configOf(["-config", fileWith(settings)])).toEqual(configOf([...argv, "data"]));
  });

  test("hides what may hold a password, wherever it comes from", () => {
    const secret = '{"token":"hunter2"}';
    const argv = ["-disco-mode", "consul-kv", "-disco-config", secret];
    const all = [
      printed([...argv, "data"]),
      printed(["data"], { CAIRN_CDC_CONFIG: "https://u:hunter2@h", CAIRN_DISCO_CONFIG: secret }),
      printed(["-config", fileWith({ "disco-config": { token: "hunter2" } }), "data"]),
    ];
    expect(JSON.stringify(all)).not.toContain("hunter2");
    expect(all.map(({ settings }) => settings["disco-config"])).toEqual(Array(3).fill("(hidden)"));
  });

  test("says why a node would not start, and prints all the same", () => {
    const { problem, settings } = printed(["-raft-addr", "localhost:4001"]);
    expect(problem).toBe("data directory path is required");
    expect(settings["raft-addr"]).toBe("localhost:4001");
  });
});

const files = fileWith("x");

test.each([
  [`-auth /nowhere`, "/nowhere does not exist"],
  [`-extensions-path /nowhere`, "extension path does not exist: /nowhere"],
  [`-http-cert ${files}`, "either both -http-cert and -http-key must be set, or neither"],
  [`-node-key ${files}`, "either both -node-cert and -node-key must be set, or neither"],
  [`-otlp-cert ${files}`, "either both -otlp-cert and -otlp-key must be set, or neither"],
  ["-http-verify-common-name x", "-http-verify-common-name requires -http-verify-client"],
  ["-node-verify-common-name x", "-node-verify-common-name requires -node-verify-client"],
  ["-http-verify-client", "-http-verify-client requires -http-cert"],
  ["-node-verify-client", "-node-verify-client requires -node-cert"],
  ["-join-as bob", "-join-as requires -auth"],
  ["-raft-non-voter -bootstrap-expect 3", "bootstrapping only applicable to voting nodes"],
  ["-raft-non-voter -cdc-config stdout", "CDC cannot be enabled on non-voting nodes"],
  [`-join a:1 -auto-restore ${files}`, "auto-restoring cannot be used when joining a cluster"],
  [
    "-join a:1 -disco-mode consul-kv",
    "disco mode cannot be used when also explicitly joining a cluster",
  ],
  ["-disco-mode zeroconf", "disco mode must be one of consul-kv, etcd-kv, dns, or dns-srv"],
  ["-disco-mode etcd-kv -bootstrap-expect 3", "bootstrapping not applicable when using etcd-kv"],
  ["-disco-mode dns", "bootstrap-expect value required when using dns with a voting node"],
  ["-otlp-insecure", "OTLP options require -otlp-endpoint"],
  ["-otlp-endpoint http://h:1", "-otlp-endpoint must not include a protocol scheme"],
  ["-otlp-endpoint h", '"h" is not a valid address'],
  ["-otlp-endpoint h:1 -otlp-interval 0s", "-otlp-interval must be greater than zero"],
  [
    "-otlp-endpoint h:1 -otlp-insecure -otlp-no-verify",
    "-otlp-insecure cannot be used with other OTLP TLS options",
  ],
  ["-raft-reap-node-timeout 0s", "-raft-reap-node-timeout must be greater than 0"],
  ["-raft-reap-read-only-node-timeout -1s", "-raft-reap-read-only-node-timeout must be greater"],
  ["-write-queue-capacity 0", "-write-queue-capacity must be at least 1"],
  ["-write-queue-batch-size 0", "-write-queue-batch-size must be at least 1"],
  ["-http-max-header-bytes 1", "-http-max-header-bytes must be 4096 to"],
  ["-http-header-timeout 0s", "-http-header-timeout must be at least 1ms"],
  ["-http-body-timeout 0s", "-http-body-timeout must be at least 1ms"],
  ["-http-max-conns -1", "-http-max-conns must not be negative"],
])("%s is refused: %s", (line, message) => {
  expect(() => configOf([...line.split(" "), "data"])).toThrow(message);
});

test("files and checks of TLS, and how others are found, reach their place", () => {
  const argv =
    `-http-cert ${files} -http-key ${files} -http-ca-cert ${files} -http-verify-client ` +
    `-http-verify-common-name app -node-cert ${files} -node-key ${files} -node-no-verify ` +
    `-node-verify-server-name db -auth ${files} -join-as bob -disco-mode dns-srv ` +
    "-disco-key k -bootstrap-expect 3 data";
  expect(configOf(argv.split(" "))).toMatchObject({
    httpTls: {
      certificatePath: files,
      keyPath: files,
      authorityPath: files,
      verifyClient: true,
      verifyCommonName: "app",
    },
    nodeTls: {
      authorityPath: "",
      verifyClient: false,
      trustsAnyServer: true,
      verifyServerName: "db",
    },
    authPath: files,
    joinAs: "bob",
    discovery: { mode: "dns-srv", key: "k", settings: {}, hosts: [] },
  });
});

test("the page of the book is what the table makes", () => {
  const path = new URL("../../chapters/appendix/configuration.md", import.meta.url);
  if (process.env["CAIRN_UPDATE_GOLDEN"] === "1") writeFileSync(path, configurationPage());
  expect(readFileSync(path, "utf8")).toBe(configurationPage());
});

/**
 * Users, certificates and time limits between real processes. Method: clusters that are shut to
 * strangers, and strangers; statements that never end, and what the processes do about them.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect, test } from "vitest";
import { basicHeader } from "#server";
import {
  type Authority,
  type Certificate,
  createAuthority,
  createExpiredLeaf,
  createLeaf,
} from "../support/certificates.ts";
import { startCluster } from "../support/cluster.ts";
import { createHttpClient } from "../support/http-client.ts";
import {
  atTestEnd,
  createProcessNode,
  freePort,
  type ProcessNode,
  temporaryDir,
  waitUntil,
} from "../support/processes.ts";

const MINUTES = 60_000;
const ENDLESS =
  "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
const http = createHttpClient();

const bob = { authorization: basicHeader({ username: "bob", password: "secret1" }) };
const USERS = [
  { username: "bob", password: "secret1", perms: ["execute", "query"] },
  { username: "node", password: "joining", perms: ["join", "remove"] },
  { username: "*", perms: ["status", "ready"] },
];

function fileIn(dir: string, name: string, content: unknown): string {
  const path = join(dir, name);
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

/** Flags for a node that shows `leaf` and trusts `authority`. */
function tlsFlags(dir: string, leaf: Certificate, authority: Authority): readonly string[] {
  const cert = fileIn(dir, "node-cert.pem", leaf.certificate);
  const key = fileIn(dir, "node-key.pem", leaf.key);
  const ca = fileIn(dir, "node-ca.pem", authority.certificate);
  return [
    ..."-node-verify-client -node-verify-common-name cairn-node".split(" "),
    ...["-node-cert", cert, "-node-key", key, "-node-ca-cert", ca],
  ];
}

async function nodeWith(id: string, flags: readonly string[]): Promise<ProcessNode> {
  const dir = temporaryDir();
  const node = createProcessNode({
    id,
    httpPort: await freePort(),
    raftPort: await freePort(),
    dataDir: join(dir, "data"),
    logPath: join(dir, "log"),
    flags,
  });
  atTestEnd(() => node.kill9());
  return node;
}

const execute = (node: ProcessNode, sql: string, headers: Record<string, string> = {}) =>
  http.post(`${node.url}/db/execute`, [sql], { headers });

test("three nodes with mutual TLS and users form a cluster, and a follower passes credentials on", {
  timeout: 2 * MINUTES,
}, async () => {
  const dir = temporaryDir();
  const authority = createAuthority();
  const leaf = createLeaf(authority, { commonName: "cairn-node" });
  const auth = fileIn(dir, "auth.json", USERS);
  const extraFlags = [...tlsFlags(dir, leaf, authority), "-auth", auth, "-join-as", "node"];
  const cluster = await startCluster({ extraFlags });
  const leader = await cluster.waitForLeader();
  const follower = cluster.nodes.find((node) => node !== leader);
  if (follower === undefined) throw new Error("no follower");
  const made = await execute(follower, "CREATE TABLE t (v)", bob);
  expect({ status: made.status, text: made.text }).toEqual({
    status: 200,
    text: '{"results":[{}]}',
  });
  expect(made.headers["x-rqlite-served-by"]).toBe(leader.raftAddress);
  expect((await execute(follower, "DROP TABLE t")).status).toBe(401);
  const wrong = { authorization: basicHeader({ username: "bob", password: "wrong" }) };
  expect((await execute(follower, "DROP TABLE t", wrong)).status).toBe(401);
  expect((await http.get(`${follower.url}/db/backup`, { headers: bob })).status).toBe(401);

  // A stranger with a certificate of its own authority gets no word in.
  const theirs = createAuthority("theirs");
  const forged = createLeaf(theirs, { commonName: "cairn-node" });
  const strange = tlsFlags(temporaryDir(), forged, theirs);
  const join = ["-join", leader.raftAddress, "-join-attempts", "1"];
  const stranger = await nodeWith("stranger", [...strange, ...join]);
  stranger.spawn();
  expect((await stranger.exit()).code).toBe(1);
  const nodes = await http.get(`${leader.url}/nodes`);
  expect(nodes.text).not.toContain("stranger");
});

test("the leader checks again: what a follower's own file allows is not enough", {
  timeout: 2 * MINUTES,
}, async () => {
  const dir = temporaryDir();
  const strict = fileIn(dir, "strict.json", [
    ...USERS.filter(({ username }) => username !== "bob"),
    { username: "bob", password: "secret1", perms: ["query"] },
  ]);
  const cluster = await startCluster({ extraFlags: ["-auth", strict, "-join-as", "node"] });
  const leader = await cluster.waitForLeader();
  const follower = cluster.nodes.find((node) => node !== leader);
  if (follower === undefined) throw new Error("no follower");
  expect((await execute(follower, "CREATE TABLE t (v)", bob)).status).toBe(401);
  const lax = fileIn(dir, "lax.json", USERS);
  await follower.terminate();
  await follower.start(["-auth", lax]);
  await cluster.waitForLeader();
  const answer = await waitUntil("an answer of the leader", async () => {
    const reply = await execute(follower, "CREATE TABLE t (v)", bob);
    return reply.status === 503 ? undefined : reply;
  });
  expect({ status: answer.status, text: answer.text }).toEqual({
    status: 401,
    text: "remote Execute not authorized\n",
  });
});

test("a node whose certificate has expired is let in once it is replaced, without a restart", {
  timeout: 2 * MINUTES,
}, async () => {
  const dir = temporaryDir();
  const authority = createAuthority();
  const expired = createExpiredLeaf(authority, { commonName: "cairn-node" });
  const extraFlags = tlsFlags(dir, expired, authority);
  const nodes = await Promise.all(["1", "2"].map((id) => nodeWith(id, extraFlags)));
  const peers = nodes.map(({ raftAddress }) => raftAddress).join(",");
  for (const node of nodes) node.spawn(["-bootstrap-expect", "2", "-join", peers]);
  const refused = (node: ProcessNode): boolean => /is not trusted: .*expired/i.test(node.log());
  await waitUntil("a refusal", () => (nodes.some(refused) ? true : undefined));
  tlsFlags(dir, createLeaf(authority, { commonName: "cairn-node" }), authority);
  await waitUntil("a leader", async () => {
    const states = await Promise.all(nodes.map((node) => node.state()));
    return states.some((state) => state?.role === "Leader") ? true : undefined;
  });
});

/** Processes that this one has started. Linux only; elsewhere none are found. */
function childrenOf(pid: number): readonly number[] {
  if (process.platform !== "linux") return [];
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
  return text
    .split(" ")
    .filter((word) => word !== "")
    .map(Number);
}

/** Whether a process runs; one that has ended and that nobody has waited for does not. */
function runs(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    // There is none.
    return false;
  }
}

async function leadingNode(...flags: readonly string[]): Promise<ProcessNode> {
  const node = await nodeWith("1", flags);
  await node.start();
  await waitUntil("a leader", async () =>
    (await node.state())?.role === "Leader" ? true : undefined,
  );
  return node;
}

test("a query past db_timeout is stopped, and the node serves on", async () => {
  const node = await leadingNode();
  const asked = [`${node.url}/db/query?db_timeout=200ms`, ["SELECT 1 AS v", ENDLESS]] as const;
  const [limited, free] = await Promise.all([
    http.post(...asked),
    http.get(`${node.url}/db/query?q=SELECT%202%20AS%20v`),
  ]);
  expect(limited.status).toBe(200);
  expect(JSON.parse(limited.text)).toEqual({
    results: [{ columns: ["v"], types: ["integer"], values: [[1]] }, { error: "query timeout" }],
  });
  expect(free.text).toContain('"values":[[2]]');
  const request = await http.post(`${node.url}/db/request?db_timeout=200ms`, [ENDLESS]);
  expect(JSON.parse(request.text)).toEqual({ results: [{ error: "query timeout" }] });
});

test("a reader process does not outlive a node that is killed", async () => {
  const node = await leadingNode();
  const endless = http.post(`${node.url}/db/query?db_timeout=1h`, [ENDLESS]);
  const broken = expect(endless).rejects.toThrow();
  const children = await waitUntil("a reader process", () => {
    const found = childrenOf(node.pid ?? 0);
    return found.length > 0 || process.platform !== "linux" ? found : undefined;
  });
  await node.kill9();
  await broken;
  await waitUntil("the end of the reader", () =>
    children.some((pid) => runs(pid)) ? undefined : true,
  );
});

test("a query that never ends does not keep a node from stopping, and nothing is lost", {
  timeout: MINUTES,
}, async () => {
  const node = await leadingNode();
  await execute(node, "CREATE TABLE t (v)");
  await execute(node, "INSERT INTO t VALUES (7)");
  const broken = expect(http.post(`${node.url}/db/query`, [ENDLESS])).rejects.toThrow();
  // A read that was answered behind it shows that it has begun.
  await http.get(`${node.url}/db/query?q=SELECT%201`);
  const end = await node.terminate();
  await broken;
  expect(end).toEqual({ code: null, signal: "SIGKILL" });
  expect(node.log()).toMatch(/a read does not end/);
  await node.start();
  const rows = await waitUntil("the rows", async () => {
    const { status, text } = await http.get(`${node.url}/db/query?q=SELECT%20v%20FROM%20t`);
    return status === 200 ? text : undefined;
  });
  expect(rows).toContain('"values":[[7]]');
});

/** As much of Consul as a node needs. */
async function openConsul(): Promise<{ readonly address: string; value: string | undefined }> {
  const store: { address: string; value: string | undefined } = { address: "", value: undefined };
  const bodyOf = async (request: IncomingMessage): Promise<string> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks).toString("utf8");
  };
  const server: Server = createServer(async (request, response) => {
    const body = await bodyOf(request);
    if (request.method === "GET") {
      const Value = Buffer.from(store.value ?? "").toString("base64");
      if (store.value === undefined) response.writeHead(404).end();
      else response.end(JSON.stringify([{ Value, ModifyIndex: 1 }]));
      return;
    }
    const isTaken = request.url?.includes("cas=0") === true && store.value !== undefined;
    if (!isTaken) store.value = body;
    response.end(String(!isTaken));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  atTestEnd(() => {
    server.closeAllConnections();
    server.close();
  });
  store.address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return store;
}

test("nodes that find each other through Consul: the first founds a cluster, others join it", {
  timeout: 2 * MINUTES,
}, async () => {
  const consul = await openConsul();
  const settings = JSON.stringify({ address: consul.address });
  const flags = ["-disco-mode", "consul-kv", "-disco-config", settings];
  const nodes = await Promise.all(["1", "2", "3"].map((id) => nodeWith(id, flags)));
  await Promise.all(nodes.map((node) => node.start()));
  const leader = await waitUntil(
    "one leader that all know",
    async () => {
      const states = await Promise.all(nodes.map((node) => node.state()));
      const addresses = new Set(states.map((state) => state?.leaderAddress));
      const [address = ""] = addresses;
      return addresses.size === 1 ? nodes.find((node) => node.raftAddress === address) : undefined;
    },
    { timeoutMs: MINUTES, describe: () => nodes.map((node) => node.log()).join("\n") },
  );
  expect(JSON.parse(consul.value ?? "")).toEqual({
    id: leader.id,
    api_addr: leader.url,
    addr: leader.raftAddress,
  });
  const status = await http.get(`${leader.url}/status?key=disco.mode`);
  expect(status.text).toBe('"consul-kv"');
  // Whoever joins learns first: without three voters, nobody follows a dead leader.
  await waitUntil(
    "three voters",
    async () => {
      const { text } = await http.get(`${leader.url}/nodes`);
      const members = Object.values(JSON.parse(text)) as { readonly voter: boolean }[];
      return members.filter(({ voter }) => voter).length === 3 || undefined;
    },
    { timeoutMs: MINUTES },
  );
  await leader.kill9();
  await waitUntil(
    "the new leader in the store",
    () => (consul.value?.includes(leader.raftAddress) ? undefined : true),
    { timeoutMs: MINUTES },
  );
});

test("nodes that find each other through DNS found a cluster together", {
  timeout: 2 * MINUTES,
}, async () => {
  const flags = ["-disco-mode", "dns", "-bootstrap-expect", "3"];
  const nodes = await Promise.all(["1", "2", "3"].map((id) => nodeWith(id, flags)));
  process.env["RQLITE_DISCO_DNS_HOSTS"] = nodes.map((node) => node.raftAddress).join(",");
  atTestEnd(() => {
    delete process.env["RQLITE_DISCO_DNS_HOSTS"];
  });
  await Promise.all(nodes.map((node) => node.start()));
  await waitUntil("a leader", async () => {
    const states = await Promise.all(nodes.map((node) => node.state()));
    return states.some((state) => state?.role === "Leader") ? true : undefined;
  });
});

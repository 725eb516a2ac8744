/**
 * What a person can get wrong: each mistake is answered plainly, and nothing is lost.
 *
 * Method: real processes; the directory is compared byte for byte where nothing may change.
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createCluster, type ProcessCluster, startCluster } from "../support/cluster.ts";
import { CAIRND, type ProcessNode } from "../support/processes.ts";

const TIMEOUT_MS = 60_000;

const single = (): Promise<ProcessCluster> => startCluster({ nodes: 1 });

function nodeOf(cluster: ProcessCluster): ProcessNode {
  const node = cluster.nodes[0];
  if (node === undefined) throw new Error("a cluster has a node");
  return node;
}

/** Names and contents below a directory, as one digest; the lock belongs to whoever tries last. */
function fingerprint(dir: string): string {
  const hash = createHash("sha256");
  const walk = (path: string): void => {
    for (const name of readdirSync(path).sort()) {
      if (name === "LOCK") continue;
      const inner = join(path, name);
      const isDir = statSync(inner).isDirectory();
      hash.update(`${inner}${isDir}`);
      if (isDir) walk(inner);
      else hash.update(readFileSync(inner));
    }
  };
  walk(dir);
  return hash.digest("hex");
}

/** Starts a node that must not come up. @returns what it printed. */
async function refused(node: ProcessNode, flags: readonly string[] = []): Promise<string> {
  const before = node.log().length;
  node.spawn(flags);
  const { code } = await node.exit();
  expect(code, "exit code").not.toBe(0);
  return node.log().slice(before);
}

describe("starting", () => {
  test("an unknown flag is named", async () => {
    const node = nodeOf(await createCluster({ nodes: 1 }));
    expect(await refused(node, ["-no-such-flag", "1"])).toMatch(/no-such-flag/);
  });

  test("a file of users that is not there is named, and nobody is let in without it", async () => {
    const node = nodeOf(await createCluster({ nodes: 1 }));
    expect(await refused(node, ["-auth", "users.json"])).toContain("users.json");
  });

  test(
    "a busy HTTP port and a busy Raft port are named",
    async () => {
      const cluster = await createCluster({ nodes: 1 });
      const node = nodeOf(cluster);
      for (const address of [new URL(node.url).host, node.raftAddress]) {
        const [host, port] = address.split(":");
        const server = createServer().listen(Number(port), host);
        await new Promise((resolve) => server.once("listening", resolve));
        expect(await refused(node)).toContain(address);
        await new Promise((resolve) => server.close(resolve));
      }
      await node.start();
      await cluster.waitForLeader();
    },
    TIMEOUT_MS,
  );

  test(
    "a data directory that another process uses is refused, and its owner named",
    async () => {
      const cluster = await single();
      const owner = nodeOf(cluster);
      const other = nodeOf(await createCluster({ nodes: 1 }));
      const child = spawn(process.execPath, [
        CAIRND,
        "-http-addr",
        new URL(other.url).host,
        "-raft-addr",
        other.raftAddress,
        owner.dataDir,
      ]);
      let printed = "";
      child.stderr.on("data", (chunk) => {
        printed += chunk;
      });
      const code = await new Promise((resolve) => child.once("close", resolve));
      expect(code).toBe(1);
      expect(printed).toContain(owner.dataDir);
      expect(printed).toContain(String(owner.pid));
      await cluster.execute(owner, ["CREATE TABLE still_alive (a)"]);
    },
    TIMEOUT_MS,
  );

  test(
    "a read-only directory is refused with its path",
    async () => {
      const node = nodeOf(await createCluster({ nodes: 1 }));
      mkdirSync(node.dataDir, { recursive: true });
      if (process.getuid?.() === 0) {
        // Root may write anywhere by mode bits; a file in the directory's place refuses even root.
        const blocked = join(node.dataDir, "raft-log");
        writeFileSync(blocked, "in the way");
        expect(await refused(node)).toContain(blocked);
        return;
      }
      chmodSync(node.dataDir, 0o555);
      expect(await refused(node)).toContain(node.dataDir);
      chmodSync(node.dataDir, 0o755);
    },
    TIMEOUT_MS,
  );

  test(
    "a damaged log is refused with file and offset, and nothing is changed",
    async () => {
      const cluster = await single();
      const node = nodeOf(cluster);
      await cluster.execute(node, ["CREATE TABLE t (id INTEGER PRIMARY KEY, v)"]);
      for (let n = 0; n < 20; n += 1) {
        await cluster.execute(node, [["INSERT INTO t(v) VALUES(?)", `row ${n}`]]);
      }
      await node.kill9();
      const logDir = join(node.dataDir, "raft-log");
      const segment = join(logDir, readdirSync(logDir).sort()[0] ?? "");
      const sound = readFileSync(segment);
      const at = sound.indexOf("row 3");
      expect(at).toBeGreaterThan(0);
      const damaged = Buffer.from(sound);
      damaged[at] = (damaged[at] ?? 0) ^ 1;
      writeFileSync(segment, damaged);
      const before = fingerprint(node.dataDir);
      const printed = await refused(node);
      expect(printed).toContain(segment);
      expect(printed).toMatch(/WAL_CORRUPT/);
      expect(printed).toMatch(/\b\d+\b/);
      expect(fingerprint(node.dataDir)).toBe(before);
      writeFileSync(segment, sound);
      await node.start();
      await cluster.waitForLeader();
      expect(await cluster.rows(node, "SELECT count(*) FROM t", "weak")).toEqual([[20]]);
    },
    TIMEOUT_MS,
  );

  test(
    "a directory of another node is refused",
    async () => {
      const cluster = await single();
      const node = nodeOf(cluster);
      await node.terminate();
      expect(await refused(node, ["-node-id", "somebody-else"])).toMatch(/belongs to node n1/);
    },
    TIMEOUT_MS,
  );
});

describe("requests", () => {
  test(
    "bad bodies, wrong shapes, failing statements and a 100 MB body, on a living node",
    async () => {
      const cluster = await single();
      const node = nodeOf(cluster);
      await cluster.execute(node, ["CREATE TABLE t (id INTEGER PRIMARY KEY, v UNIQUE)"]);
      const cases: readonly [string, number, RegExp][] = [
        ["{", 400, /^invalid (JSON body|request)/],
        ["", 400, /^invalid JSON body/],
        ["null", 400, /^invalid request/],
        ['{"sql":"SELECT 1"}', 400, /^invalid request/],
        ["[[1]]", 400, /^invalid request/],
        ["[]", 400, /^no statements/],
        ['[["INSERT INTO t(v) VALUES(?)",[300]]]', 400, /^unsupported type 300/],
      ];
      for (const [body, status, text] of cases) {
        const answer = await cluster.http.post(`${node.url}/db/execute`, body);
        expect(answer.status, body).toBe(status);
        expect(answer.text, body).toMatch(text);
      }
      const middle = await cluster.execute(node, [
        "INSERT INTO t(v) VALUES('a')",
        "INSERT INTO nowhere VALUES(1)",
        "INSERT INTO t(v) VALUES('a')",
        "INSERT INTO t(v) VALUES('b')",
      ]);
      expect(middle.results.map((result) => result.error ?? "ok")).toEqual([
        "ok",
        "no such table: nowhere",
        "UNIQUE constraint failed: t.v",
        "ok",
      ]);
      const huge = Buffer.alloc(100 * 1024 * 1024, "x");
      const answer = await cluster.http.post(`${node.url}/db/execute`, huge);
      expect(answer.status).toBe(413);
      expect(await cluster.rows(node, "SELECT count(*) FROM t", "weak")).toEqual([[2]]);
    },
    TIMEOUT_MS,
  );

  test(
    "a request larger than an entry of the log is refused, and the node lives on",
    async () => {
      const cluster = await createCluster({ nodes: 1 });
      const node = nodeOf(cluster);
      await node.start(["-http-max-body-bytes", String(256 * 1024 * 1024)]);
      await cluster.waitForLeader();
      const statement = JSON.stringify([`SELECT '${"x".repeat(129 * 1024 * 1024)}'`]);
      const answer = await cluster.http.post(`${node.url}/db/execute`, Buffer.from(statement));
      expect(answer.status).toBe(413);
      expect(answer.text).toMatch(/^request takes 1352\d+ bytes in the log, the limit is/);
      expect(await cluster.rows(node, "SELECT 1", "strong")).toEqual([[1]]);
    },
    TIMEOUT_MS,
  );
});

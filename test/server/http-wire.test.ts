/**
 * What is common to every request, the endpoints without SQL, limits and stopping. Method: raw
 * requests, among them what no decent client would send (compat reference, 1.1, 1.2, 1.7, 1.12 to
 * 1.15).
 */
import { Agent } from "node:http";
import { Socket } from "node:net";
import { gunzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type HttpServer, openHttpServer } from "#server";
import { ask, type HttpReply } from "../support/raw-http.ts";
import { openSingleNode, type SingleNode } from "../support/single-node-service.ts";

const BODY_BYTES_MAX = 1024 * 1024;

let node: SingleNode;
let server: HttpServer;

beforeEach(async () => {
  node = openSingleNode({ httpBodyBytesMax: BODY_BYTES_MAX, httpAllowOrigin: "*" });
  server = await openHttpServer(node.service);
});

afterEach(async () => {
  await server.close();
  node.close();
});

const get = (path: string): Promise<HttpReply> => ask(server.address, path);
const execute = (body: string | Uint8Array): Promise<HttpReply> =>
  ask(server.address, "/db/execute", { body });

test("every answer carries the version and the rules for browsers", async () => {
  for (const path of ["/status", "/nowhere", "/db/execute", "/status?timeout=5"]) {
    const { headers } = await get(path);
    expect(headers["x-rqlite-version"]).toBe("v10.3.0");
    expect(headers["access-control-allow-origin"]).toBe("*");
  }
});

test("OPTIONS is answered on any path with 200 and nothing", async () => {
  for (const path of ["/db/execute", "/nowhere", "/status?timeout=x", "*"]) {
    const { status, text } = await ask(server.address, path, { method: "OPTIONS" });
    expect([status, text]).toEqual([200, ""]);
  }
});

test("an unknown path is 404 and a wrong method 405, both empty", async () => {
  for (const path of ["/nowhere", "/db", "/db/", "/db/sq", "/Status", "//status"]) {
    expect(await get(path)).toMatchObject({ status: 404, text: "" });
  }
  const wrong: [string, string][] = [
    ["GET", "/db/execute"],
    ["PUT", "/db/query"],
    ["GET", "/db/request"],
    ["POST", "/db/backup"],
    ["GET", "/db/load"],
    ["POST", "/status"],
    ["DELETE", "/nodes"],
    ["HEAD", "/readyz"],
    ["PROPFIND", "/status"],
    ["PATCH", "/"],
  ];
  for (const [method, path] of wrong) {
    const reply = await ask(server.address, path, { method });
    expect([reply.status, reply.text, reply.headers.allow], `${method} ${path}`).toEqual([
      405,
      "",
      undefined,
    ]);
  }
});

test("paths match by prefix, and escapes in them are read", async () => {
  for (const path of ["/status/", "/statusX", "/%73tatus", "http://elsewhere/status"]) {
    expect((await get(path)).status, path).toBe(200);
  }
  expect(await get("/db/query/?q=SELECT+1")).toMatchObject({ status: 200 });
  expect(await get("/")).toMatchObject({ status: 302, headers: { location: "/console/" } });
});

test.each([
  ["?timeout=5", "timeout is not a valid duration"],
  ["?timeout=", "timeout is not a valid duration"],
  ["?db_timeout=x", "db_timeout is not a valid duration"],
  ["?linearizable_timeout=1", "linearizable_timeout is not a valid duration"],
  ["?freshness=soon", "freshness is not a valid duration"],
  ["?freshness_strict", "freshness_strict requires freshness"],
  ["?retries=1.5", "retries is not a valid integer"],
  ["?trailing_logs=", "trailing_logs is not a valid integer"],
  ["?q=", "query parameter not set"],
  ["?a=%zz", 'invalid URL escape "%zz"'],
  ["?%4", 'invalid URL escape "%4"'],
  ["?a=1;b=2", "invalid semicolon separator in query"],
])("the query %s is refused on every path: %s", async (query, message) => {
  for (const path of ["/db/query", "/nowhere", "/"]) {
    const reply = await get(path + query);
    expect([reply.status, reply.text]).toEqual([400, `${message}\n`]);
    expect(reply.headers["content-type"]).toBe("text/plain; charset=utf-8");
  }
});

test("a broken escape in the path is refused, and bytes that are no text do no harm", async () => {
  expect(await get("/db/%q")).toMatchObject({ status: 400, text: 'invalid URL escape "%q"\n' });
  expect((await get("/%ff%fe")).status).toBe(404);
  expect((await get("/status?x=%ff&retries=-1&timeout=-1s")).status).toBe(200);
  const reply = await get(`/db/query?q=${encodeURIComponent("SELECT 'é'")}%20||%20%27%ff+%27`);
  expect(reply.text).toContain("é\ufffd ");
});

test("SQL of 500 KiB fits into the first line", async () => {
  const sql = `SELECT '${"x".repeat(500 * 1024)}' = 'y'`;
  expect((await get(`/db/query?q=${encodeURIComponent(sql)}`)).text).toContain("[[0]]");
});

describe("a body beyond the limit", () => {
  const limit = `${BODY_BYTES_MAX} bytes (-http-max-body-bytes)`;
  const text = `request body is larger than the limit of ${limit}\n`;

  test("is refused with the limit in the answer, however it is sent", async () => {
    const large = Buffer.alloc(100 * 1024 * 1024, "x");
    expect(await execute(large)).toMatchObject({ status: 413, text });
    const chunked = { body: large, headers: { "transfer-encoding": "chunked" } };
    expect(await ask(server.address, "/db/load", chunked)).toMatchObject({ status: 413, text });
    expect(node.commands).toEqual([]);
  });

  test("leaves the connection usable", async () => {
    const line = "POST /db/load HTTP/1.1\r\nHost: x\r\n";
    const bytes = BODY_BYTES_MAX + 1;
    const large = `${line}Content-Length: ${bytes}\r\n\r\n${"x".repeat(bytes)}`;
    const answers = await raw(
      `${large}GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
    );
    expect(answers).toContain("HTTP/1.1 413 ");
    expect(answers).toContain("HTTP/1.1 200 OK");
  });

  test("need not be sent by who asks first", async () => {
    const head = `POST /db/request HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n`;
    const answer = await raw(`${head}Content-Length: ${BODY_BYTES_MAX + 1}\r\n\r\n`, "limit of");
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    const small = await raw(`${head}Connection: close\r\nContent-Length: 12\r\n\r\n["SELECT 1"]`);
    expect(small).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 /);
  });

  test("begins one byte above it", async () => {
    const body = `["SELECT 1"]${" ".repeat(BODY_BYTES_MAX)}`;
    expect((await execute(body.slice(0, BODY_BYTES_MAX))).status).toBe(200);
    expect((await execute(body.slice(0, BODY_BYTES_MAX + 1))).status).toBe(413);
  });
});

test("what is not HTTP, and a body that breaks off, leave the server as it was", async () => {
  expect(await raw("\x16\x03\x01 no HTTP\r\n\r\n")).toMatch(/^HTTP\/1\.1 400 /);
  await raw("POST /db/execute HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n[", "", true);
  expect((await get("/readyz")).status).toBe(200);
  expect(node.commands).toEqual([]);
});

/** Sends text as it is; resolves with what came when the server closes or `until` has come. */
function raw(text: string, until?: string, breakOff = false): Promise<string> {
  const [host = "", port = ""] = server.address.split(":");
  return new Promise((resolve, reject) => {
    const socket = new Socket();
    let came = "";
    socket.setEncoding("latin1");
    socket.on("data", (chunk: string) => {
      came += chunk;
      if (until !== undefined && until !== "" && came.includes(until)) socket.destroy();
    });
    socket.on("error", reject);
    socket.on("close", () => resolve(came));
    socket.connect(Number(port), host, () => {
      socket.write(text, () => {
        if (breakOff) socket.destroy();
      });
    });
  });
}

test("status is sorted, and a key picks a part of it", async () => {
  const whole = '{"build":{"version":"v"},"store":{"open":{},"raft":{"state":"Leader","term":7}}}';
  expect((await get("/status")).text).toBe(whole);
  expect((await get("/status?key=store.raft")).text).toBe('{"state":"Leader","term":7}');
  expect((await get("/status?key=store.raft.state")).text).toBe('"Leader"');
  for (const key of ["nothing", "store.raft.term.x", "store.__proto__", "build.version.length"]) {
    expect((await get(`/status?key=${key}`)).text).toBe("{}");
  }
  expect((await get("/status?pretty")).text).toBe(JSON.stringify(JSON.parse(whole), null, 4));
});

test("nodes are listed by name in the old form and in order in the new", async () => {
  const up = { version: "v10.3.0", voter: true, reachable: true, leader: true, error: undefined };
  const down = { version: "", voter: true, reachable: false, leader: false, timeMs: undefined };
  node.nodes = [
    { ...up, id: "9", apiAddress: "http://b:4001", address: "b:4002", timeMs: 0.0231 },
    { ...down, id: "10", apiAddress: undefined, address: "a:4002", error: "no answer" },
  ];
  const nine =
    '{"id":"9","api_addr":"http://b:4001","addr":"b:4002","version":"v10.3.0","voter":true,' +
    '"reachable":true,"leader":true,"time":0.0000231,"time_s":"23.1µs"}';
  const ten =
    '{"id":"10","addr":"a:4002","version":"","voter":true,"reachable":false,"leader":false,' +
    '"error":"no answer"}';
  expect((await get("/nodes")).text).toBe(`{"10":${ten},"9":${nine}}`);
  expect((await get("/nodes?ver=2")).text).toBe(`{"nodes":[${ten},${nine}]}`);
});

test("readyz is 200 or 503 with a line for each thing, without a newline at the end", async () => {
  node.ready = { ready: false, lines: ["[+]node ok", "[+]leader does not exist"] };
  expect(await get("/readyz")).toMatchObject({
    status: 503,
    text: "[+]node ok\n[+]leader does not exist",
  });
});

describe("backup", () => {
  beforeEach(async () => {
    await execute('["CREATE TABLE t (a)", "INSERT INTO t VALUES(randomblob(300000))"]');
  });

  test("streams the whole file and leaves no copy behind", async () => {
    const { status, headers, body } = await get("/db/backup");
    expect([status, headers["content-type"]]).toEqual([200, "application/octet-stream"]);
    expect(body.subarray(0, 15).toString()).toBe("SQLite format 3");
    expect(Number(headers["content-length"])).toBe(body.length);
    expect(node.copies).toBe(0);
  });

  test("compresses, dumps and copies locally", async () => {
    const plain = await get("/db/backup?fmt=delete");
    const zipped = await get("/db/backup?compress&fmt=DELETE");
    expect(gunzipSync(zipped.body).equals(plain.body)).toBe(true);
    expect(zipped.headers["content-encoding"]).toBeUndefined();
    const dump = await get("/db/backup?fmt=sql&tables=t,%20,u");
    expect(dump.headers["content-type"]).toBe("application/sql");
    expect(dump.text).toContain("CREATE TABLE t");
    node.leading = false;
    expect(await get("/db/backup")).toMatchObject({ status: 503, text: "leader not found\n" });
    expect((await get("/db/backup?noleader&redirect")).status).toBe(200);
    expect(node.copies).toBe(0);
  });

  test("refuses to vacuum what is not a plain file", async () => {
    for (const format of ["sql", "delete"]) {
      expect(await get(`/db/backup?vacuum&fmt=${format}`)).toMatchObject({
        status: 500,
        text: "invalid backup format\n",
      });
    }
  });

  test("removes the copy when the client goes away in the middle", async () => {
    for (const query of ["", "?compress"]) {
      await raw(`GET /db/backup${query} HTTP/1.1\r\nHost: x\r\n\r\n`, "200 OK");
    }
    await expect.poll(() => node.copies).toBe(0);
  });
});

test("a busy or impossible address is refused by its name", async () => {
  const other = (httpAddress: string): Promise<HttpServer> =>
    openHttpServer({ ...node.service, config: { ...node.config, httpAddress } });
  await expect(other(server.address)).rejects.toMatchObject({
    code: "NET_ADDRESS_IN_USE",
    message: expect.stringContaining(server.address),
  });
  await expect(other("203.0.113.1:4001")).rejects.toMatchObject({ code: "NET_ADDRESS_INVALID" });
});

test("closing lets a running request finish, and idle connections do not hold it up", async () => {
  let finish = (): void => undefined;
  const gate = new Promise<void>((resolve) => {
    finish = resolve;
  });
  let entered = false;
  const slow = await openHttpServer({
    ...node.service,
    async execute(command, options) {
      entered = true;
      await gate;
      return node.service.execute(command, options);
    },
  });
  const agent = new Agent({ keepAlive: true });
  expect((await ask(slow.address, "/readyz", { agent })).status).toBe(200);
  const running = ask(slow.address, "/db/execute", { body: '["SELECT 1"]' });
  await expect.poll(() => entered).toBe(true);
  const closed = slow.close();
  finish();
  expect((await running).status).toBe(200);
  await closed;
  await expect(ask(slow.address, "/readyz")).rejects.toThrow(/ECONNREFUSED/);
});

test("closing does not wait for ever for a request that hangs", async () => {
  let entered = false;
  const stuck = await openHttpServer(
    {
      ...node.service,
      execute: () => {
        entered = true;
        return new Promise(() => undefined);
      },
    },
    { closeMs: 50 },
  );
  const running = ask(stuck.address, "/db/execute", { body: '["SELECT 1"]' });
  const outcome = running.catch((error: unknown) => error);
  await expect.poll(() => entered).toBe(true);
  await stuck.close();
  expect(await outcome).toBeInstanceOf(Error);
});

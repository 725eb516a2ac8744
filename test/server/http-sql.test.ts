/**
 * Execute, query, request and load over the wire. Method: real SQLite behind a real listener;
 * bodies and answers are compared byte for byte with the reference's examples (compat reference,
 * 1.3 to 1.8).
 */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { CairnError } from "#base";
import { type HttpServer, openHttpServer } from "#server";
import { ask, type HttpReply } from "../support/raw-http.ts";
import { openSingleNode, type SingleNode } from "../support/single-node-service.ts";

let node: SingleNode;
let server: HttpServer;

beforeEach(async () => {
  node = openSingleNode();
  server = await openHttpServer(node.service);
});

afterEach(async () => {
  await server.close();
  node.close();
});

const post = (path: string, body: unknown, type = "application/json"): Promise<HttpReply> =>
  ask(server.address, path, {
    body: typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body),
    headers: { "content-type": type },
  });
const get = (path: string): Promise<HttpReply> => ask(server.address, path);
const textOf = async (reply: Promise<HttpReply>): Promise<string> => (await reply).text;

const CREATE = ["CREATE TABLE t (id INTEGER NOT NULL PRIMARY KEY, name TEXT)"];
const FIONA = [["INSERT INTO t(name) VALUES(?)", "fiona"]];
const ALL = `/db/query?q=${encodeURIComponent("SELECT * FROM t")}`;

test("the reference's examples are answered byte for byte", async () => {
  expect(await textOf(post("/db/execute", CREATE))).toBe('{"results":[{}]}');
  expect(await textOf(post("/db/execute", FIONA))).toBe(
    '{"results":[{"last_insert_id":1,"rows_affected":1}]}',
  );
  const types = '"columns":["id","name"],"types":["integer","text"]';
  expect(await textOf(get(ALL))).toBe(`{"results":[{${types},"values":[[1,"fiona"]]}]}`);
  expect(await textOf(get(`${ALL}%20WHERE%20id=9`))).toBe(`{"results":[{${types}}]}`);
  expect(await textOf(get(`${ALL}&associative`))).toBe(
    '{"results":[{"types":{"id":"integer","name":"text"},"rows":[{"id":1,"name":"fiona"}]}]}',
  );
  expect(await textOf(post("/db/execute", ["INSRT"]))).toBe(
    '{"results":[{"error":"near \\"INSRT\\": syntax error"}]}',
  );
  expect(await textOf(post("/db/request", [...FIONA, "SELECT COUNT(*) AS n FROM t"]))).toBe(
    '{"results":[{"last_insert_id":2,"rows_affected":1},' +
      '{"columns":["n"],"types":["integer"],"values":[[2]]}]}',
  );
});

test("an answer says what it is, who gave it, and at which place of the log", async () => {
  await post("/db/execute", CREATE);
  const reply = await post("/db/execute?raft_index", FIONA);
  expect(reply.headers).toMatchObject({
    "content-type": "application/json; charset=utf-8",
    "x-rqlite-version": "v10.3.0",
    "x-rqlite-served-by": "127.0.0.1:4001",
    "access-control-allow-methods": "OPTIONS, GET, POST",
    "access-control-allow-headers": "Content-Type",
  });
  expect(reply.headers["access-control-allow-origin"]).toBeUndefined();
  expect(reply.text).toBe('{"results":[{"last_insert_id":1,"rows_affected":1}],"raft_index":2}');
  expect(await textOf(get(`${ALL}&raft_index`))).not.toContain("raft_index");
  expect(await textOf(get(`${ALL}&raft_index&level=strong`))).toContain('"raft_index":3');
});

test("timings come as seconds behind the results", async () => {
  const reply = JSON.parse(await textOf(post("/db/execute?timings&raft_index", CREATE)));
  expect(Object.keys(reply)).toEqual(["results", "time", "raft_index"]);
  expect(reply.time).toBeGreaterThan(0);
});

test("pretty answers are the same JSON, indented, digits kept", async () => {
  const sql = encodeURIComponent("SELECT 9007199254740993 AS n");
  expect(await textOf(get(`/db/query?pretty=false&q=${sql}`))).toBe(
    JSON.stringify(
      { results: [{ columns: ["n"], types: ["integer"], values: [["N"]] }] },
      null,
      4,
    ).replace('"N"', "9007199254740993"),
  );
});

test("numbers, blobs and names reach SQLite as they were written", async () => {
  await post("/db/execute", ["CREATE TABLE p (a, b, c, d, e)"]);
  const body =
    '[["INSERT INTO p VALUES(?, ?, ?, :d, :e)", 9223372036854775807, 1.0, [1, 255], ' +
    '{"d": "x\'00\'", "e": true}]]';
  await post("/db/execute", body);
  const sql = "SELECT a, typeof(b), hex(c), hex(d), e FROM p";
  expect(await textOf(get(`/db/query?q=${encodeURIComponent(sql)}`))).toContain(
    '[[9223372036854775807,"real","01FF","00",1]]',
  );
});

test("a text body is one statement on execute and query, and no JSON on request", async () => {
  await post("/db/execute", CREATE[0], "text/plain; charset=utf-8");
  expect(node.commands).toHaveLength(1);
  expect(await textOf(post("/db/query", "SELECT 1", "text/plain"))).toContain('"values":[[1]]');
  const refused = await post("/db/request", "SELECT 1", "text/plain");
  expect([refused.status, refused.text]).toEqual([400, "invalid JSON body\n"]);
});

test("no content type, an odd one or a broken one: the body is JSON all the same", async () => {
  for (const headers of [{}, { "content-type": "text/html" }, { "content-type": ";;//" }]) {
    const reply = await ask(server.address, "/db/query", { body: '["SELECT 1"]', headers });
    expect(reply.text).toContain('"values":[[1]]');
  }
});

test("an error in the middle of a batch is told in its place, and the rest runs", async () => {
  await post("/db/execute", CREATE);
  const batch = [...FIONA, "INSERT INTO nowhere VALUES(1)", ...FIONA];
  expect(await textOf(post("/db/execute", batch))).toBe(
    '{"results":[{"last_insert_id":1,"rows_affected":1},' +
      '{"error":"no such table: nowhere"},{"last_insert_id":2,"rows_affected":1}]}',
  );
  const inTransaction = JSON.parse(await textOf(post("/db/execute?transaction", batch)));
  expect(inTransaction.results).toHaveLength(2);
  expect(await textOf(get("/db/query?q=SELECT+COUNT(*)+FROM+t"))).toContain('"values":[[2]]');
});

test("GET without q has no results, and a query does not write", async () => {
  expect(await textOf(get("/db/query"))).toBe('{"results":[]}');
  await post("/db/execute", CREATE);
  expect(await textOf(post("/db/query", FIONA))).toContain("attempt to change database");
  expect(node.commands).toHaveLength(1);
});

test("levels and freshness reach the node; an unknown level is weak", async () => {
  const levels = ["none", "WEAK", "linearizable", "Strong", "auto", "loud", ""];
  for (const level of levels) {
    await get(`/db/query?q=SELECT+1&level=${level}&freshness=2s&freshness_strict&timeout=5s`);
  }
  expect(node.reads.map(({ options }) => options.level)).toEqual([
    "none",
    "weak",
    "linearizable",
    "strong",
    "auto",
    "weak",
    "weak",
  ]);
  expect(node.reads[0]?.options).toEqual({
    level: "none",
    credentials: undefined,
    databaseTimeoutMs: 0,
    linearizableTimeoutMs: 10_000,
    timeoutMs: 5000,
    freshnessMs: 2000,
    freshnessStrict: true,
  });
});

test.each(["execute", "query", "request"])(
  "%s refuses bad bodies and runs nothing",
  async (kind) => {
    const refusals: [string, string][] = [
      ["", "invalid JSON body"],
      ["SELECT 1", "invalid JSON body"],
      ['["SELECT 1"', "invalid JSON body"],
      ['{"a": 1}', "invalid request"],
      ["[1]", "invalid request"],
      ["[]", "no statements"],
      ['["SELECT 1", ["SELECT ?", [256]]]', "unsupported type 256"],
      ['[["SELECT ?", 1e999]]', "invalid number 1e999"],
    ];
    for (const [body, message] of refusals) {
      const reply = await post(`/db/${kind}`, body);
      expect([reply.status, reply.text], body).toEqual([400, `${message}\n`]);
      expect(reply.headers["content-type"]).toBe("text/plain; charset=utf-8");
      expect(reply.headers["x-content-type-options"]).toBe("nosniff");
    }
    expect([node.commands, node.reads]).toEqual([[], []]);
  },
);

test("a PRAGMA that would take the engine out of our hands stops the whole request", async () => {
  await post("/db/execute", CREATE);
  for (const kind of ["execute", "query", "request"]) {
    const reply = await post(`/db/${kind}`, [...FIONA, "PRAGMA journal_mode=DELETE"]);
    expect([reply.status, reply.text]).toEqual([200, '{"results":[],"error":"disallowed pragma"}']);
  }
  expect(node.commands).toHaveLength(1);
  const query = await get(`/db/query?q=${encodeURIComponent("PRAGMA synchronous = OFF")}`);
  expect(query.text).toContain("disallowed pragma");
});

describe("errors of the node", () => {
  test.each([
    ["SERVER_NO_LEADER", 503, "leader not found\n"],
    ["SERVER_NOT_READY", 200, '{"results":[],"error":"store not ready"}'],
    ["SERVER_STALE_READ", 200, '{"results":[],"error":"stale read"}'],
    ["REPLICA_NOT_LEADER", 200, '{"results":[],"error":"not leader"}'],
    ["REPLICA_BUSY", 503, "timed out enqueuing operation\n"],
    ["REPLICA_DIVERGED", 503, "the <own> text\n"],
    [
      "REPLICA_LEADERSHIP_LOST",
      200,
      '{"results":[],"error":"leadership lost while committing log"}',
    ],
    ["REPLICA_TIMEOUT", 200, '{"results":[],"error":"the \\u003cown\\u003e text"}'],
    ["REPLICA_PEER_FAILED", 200, '{"results":[],"error":"the \\u003cown\\u003e text"}'],
  ] as const)("%s is answered as the reference does", async (code, status, text) => {
    node.failure = new CairnError(code, "the <own> text");
    for (const kind of ["execute", "query", "request"]) {
      const reply = await post(`/db/${kind}`, CREATE);
      expect([reply.status, reply.text]).toEqual([status, text]);
      expect(reply.headers["x-rqlite-served-by"]).toBeUndefined();
    }
  });

  test("an error that is our own fault is a 500, is reported, and the server goes on", async () => {
    const faults: unknown[] = [];
    const other = await openHttpServer(node.service, { onFault: (error) => faults.push(error) });
    node.failure = new RangeError("index out of range");
    const reply = await ask(other.address, "/db/execute", { body: '["SELECT 1"]' });
    expect([reply.status, reply.text]).toEqual([500, "internal error: index out of range\n"]);
    expect(faults).toHaveLength(1);
    node.failure = undefined;
    expect((await ask(other.address, "/db/execute", { body: '["SELECT 1"]' })).status).toBe(200);
    await other.close();
  });
});

test("a follower redirects who asked for it to the leader, path and query kept", async () => {
  const target = "/db/execute?redirect&timeout=1s&x=%20";
  expect((await post(target, CREATE)).status).toBe(200);
  node.leading = false;
  expect(await post(target, CREATE)).toMatchObject({ status: 500, text: "leader not found\n" });
  node.leaderUrl = "http://leader:4001";
  for (const path of [target, "/db/load?redirect", "/db/request?redirect", "/db/query?redirect"]) {
    const reply = await post(path, ["SELECT 1"]);
    expect([reply.status, reply.headers.location, reply.text]).toEqual([
      301,
      `http://leader:4001${path}`,
      "",
    ]);
  }
  expect((await post(target, "no JSON")).status).toBe(400);
  expect((await get("/db/query?q=SELECT+1&level=none&redirect")).status).toBe(200);
});

describe("load", () => {
  test("SQL text runs as a whole and answers with one entry", async () => {
    const dump = `BEGIN TRANSACTION; ${CREATE[0]}; INSERT INTO t VALUES(1, 'a;b'); COMMIT;`;
    const reply = await post("/db/load", dump, "application/octet-stream");
    expect([reply.status, reply.text]).toEqual([
      200,
      '{"results":[{"last_insert_id":1,"rows_affected":1}]}',
    ]);
    expect(reply.headers["x-rqlite-served-by"]).toBe("127.0.0.1:4001");
    expect((await post("/db/load", "INSERT INTO t VALUES(1, 'x')")).text).toBe(
      '{"results":[{"error":"UNIQUE constraint failed: t.id"}]}',
    );
  });

  test("a SQLite file is told by its first bytes and replaces the database", async () => {
    await post("/db/execute", CREATE);
    await post("/db/execute", FIONA);
    const { body } = await get("/db/backup");
    await post("/db/execute", ["DELETE FROM t"]);
    const reply = await post("/db/load", body, "text/plain");
    expect([reply.status, reply.text]).toEqual([200, '{"results":[]}']);
    expect(node.commands.at(-1)?.kind).toBe("loadFile");
  });

  test("an empty body, a broken file and a missing leader are told by status", async () => {
    expect(await post("/db/load", "")).toMatchObject({ status: 400 });
    await post("/db/execute", CREATE);
    for (const broken of ["SQLite format 3", `SQLite format 3\0${"x".repeat(5000)}`]) {
      expect(await post("/db/load", broken)).toMatchObject({
        status: 400,
        text: "invalid SQLite data\n",
      });
    }
    expect(await textOf(get(ALL)), "the database is as before").not.toContain("error");
    node.failure = new CairnError("SERVER_NOT_READY", "x");
    expect(await post("/db/load", "x")).toMatchObject({ status: 500, text: "store not ready\n" });
    node.failure = undefined;
    node.leading = false;
    expect(await post("/db/load", "x")).toMatchObject({ status: 503, text: "leader not found\n" });
  });
});

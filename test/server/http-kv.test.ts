/**
 * `/kv/` over the wire. Method: a real machine behind a real listener; keys and values of any
 * bytes, conditions, sessions, ranges in pages, transactions, and everything that can be said
 * wrongly.
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

type Headers = Record<string, string>;
const get = (path: string): Promise<HttpReply> => ask(server.address, path);
const put = (path: string, body: string | Uint8Array, headers: Headers = {}): Promise<HttpReply> =>
  ask(server.address, path, { method: "PUT", body, headers });
const remove = (path: string, headers: Headers = {}): Promise<HttpReply> =>
  ask(server.address, path, { method: "DELETE", headers });
const post = (path: string, body: unknown, headers: Headers = {}): Promise<HttpReply> =>
  ask(server.address, path, { method: "POST", body: JSON.stringify(body), headers });
const jsonOf = async (reply: Promise<HttpReply>): Promise<unknown> => {
  const { status, text } = await reply;
  expect(status, text).toBe(200);
  return JSON.parse(text);
};
const b64 = (text: string): string => Buffer.from(text, "latin1").toString("base64");

test("values of any bytes come back as they are, with their revision", async () => {
  const value = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  expect(await jsonOf(put("/kv/a%2Fb", value))).toEqual({ revision: 1, previousRevision: 0 });
  const reply = await get("/kv/a%2Fb");
  expect(reply.status).toBe(200);
  expect(new Uint8Array(reply.body)).toEqual(value);
  expect(reply.headers).toMatchObject({
    "content-type": "application/octet-stream",
    "cairn-revision": "1",
    etag: '"1"',
  });
  // An escaped slash and one that is not are the same byte.
  expect((await get("/kv/a/b")).status).toBe(200);
  expect(await jsonOf(put("/kv/a/b", ""))).toEqual({ revision: 2, previousRevision: 1 });
  expect((await get("/kv/a/b")).body).toHaveLength(0);
  expect(await jsonOf(remove("/kv/a/b"))).toEqual({ revision: 3, deleted: 1, more: false });
  expect(await get("/kv/a/b")).toMatchObject({ status: 404, text: "no such key\n" });
  expect(await jsonOf(remove("/kv/a/b"))).toMatchObject({ deleted: 0 });
});

test("keys of any bytes are told apart, also those that are not UTF-8", async () => {
  for (const key of ["%00", "%ff", "%fe%ff", "%EF%BF%BD", "txn", "session", "%2E%2E", "a%20b"]) {
    await jsonOf(put(`/kv/${key}`, key));
    expect((await get(`/kv/${key}`)).text).toBe(key);
  }
  const { entries } = (await jsonOf(get("/kv/?keys&limit=100"))) as { entries: { key: string }[] };
  expect(entries.map(({ key }) => Buffer.from(key, "base64").toString("hex"))).toEqual([
    "00",
    "2e2e",
    "612062",
    "73657373696f6e",
    "74786e",
    "efbfbd",
    "feff",
    "ff",
  ]);
});

test("headers make a change conditional", async () => {
  expect((await put("/kv/k", "1", { "if-none-match": "*" })).status).toBe(200);
  expect((await put("/kv/k", "2", { "if-none-match": "*" })).status).toBe(412);
  expect((await put("/kv/k", "3", { "if-match": '"1"' })).status).toBe(200);
  expect((await put("/kv/k", "4", { "if-match": '"1"' })).status).toBe(412);
  expect((await remove("/kv/none", { "if-match": "*" })).status).toBe(412);
  expect((await remove("/kv/k", { "if-match": "*" })).status).toBe(200);
  for (const tag of ["1", 'W/"1"', '"x"', '"1", "2"']) {
    expect((await put("/kv/k", "5", { "if-match": tag })).status, tag).toBe(400);
  }
  expect((await get("/kv/k")).status).toBe(404);
});

describe("ranges", () => {
  beforeEach(async () => {
    for (let n = 0; n < 7; n += 1) await put(`/kv/p/${n}`, `value ${n}`);
    await put("/kv/q", "other");
  });

  test("come in pages, from a prefix or between two keys", async () => {
    const seen: string[] = [];
    let cursor = "";
    for (let pages = 0; pages < 9; pages += 1) {
      const page = (await jsonOf(get(`/kv/?prefix=p/&limit=3${cursor}`))) as {
        entries: { key: string; value: string; revision: number }[];
        more: boolean;
        cursor?: string;
      };
      seen.push(...page.entries.map(({ value }) => Buffer.from(value, "base64").toString()));
      if (!page.more) break;
      cursor = `&cursor=${page.cursor}`;
    }
    expect(seen).toEqual([0, 1, 2, 3, 4, 5, 6].map((n) => `value ${n}`));
    expect(await jsonOf(get("/kv/?from=p/5&before=q&keys&pretty"))).toEqual({
      entries: [{ key: b64("p/5") }, { key: b64("p/6") }],
      more: false,
    });
    expect(await jsonOf(get("/kv/?prefix=nothing"))).toEqual({ entries: [], more: false });
  });

  test("are removed as far as the limit goes, and only if they are named", async () => {
    expect(await remove("/kv/")).toMatchObject({ status: 400 });
    expect(await remove("/kv/?limit=3")).toMatchObject({ status: 400 });
    expect(await jsonOf(remove("/kv/?prefix=p/&limit=5"))).toMatchObject({
      deleted: 5,
      more: true,
    });
    expect(await jsonOf(remove("/kv/?prefix=p/"))).toMatchObject({ deleted: 2, more: false });
    expect((await get("/kv/q")).text).toBe("other");
  });

  test("that nobody can mean are refused", async () => {
    for (const query of ["prefix=a&from=b", "limit=0", "limit=10001", "cursor=%21", "from=%zz"]) {
      expect((await get(`/kv/?${query}`)).status, query).toBe(400);
    }
  });
});

describe("transactions", () => {
  test("compare, then do one thing or the other, at one moment", async () => {
    const body = {
      conditions: [{ key: b64("n"), revision: { equal: 0 } }],
      success: [{ put: { key: b64("n"), value: b64("1") } }],
      failure: [{ get: { key: b64("n") } }, { range: { prefix: b64("n"), limit: 1 } }],
    };
    expect(await jsonOf(post("/kv/txn", body))).toEqual({
      held: true,
      revision: 1,
      found: [{ previousRevision: 0 }],
    });
    const entry = { key: b64("n"), value: b64("1"), revision: 1 };
    expect(await jsonOf(post("/kv/txn", body))).toEqual({
      held: false,
      revision: 2,
      found: [{ entry }, { entries: [entry], more: false }],
    });
    const less = { key: b64("n"), value: { less: b64("2") } };
    const success = [{ delete: { key: b64("n") } }, { deleteRange: { from: b64("a") } }];
    expect(await jsonOf(post("/kv/txn", { conditions: [less], success }))).toMatchObject({
      held: true,
      found: [{ deleted: 1 }, { deleted: 0, more: false }],
    });
  });

  test.each<[string, unknown, string]>([
    ["no object", [], "body is no object"],
    ["an unknown member", { sucess: [] }, "sucess is unknown"],
    ["no list", { success: {} }, "success is no list"],
    ["no operation", { success: [{}] }, "success[0] needs one of put"],
    ["two operations", { success: [{ get: {}, put: {} }] }, "success[0] needs one of"],
    ["an unknown operation", { success: [{ increment: {} }] }, "increment is unknown"],
    ["no key", { success: [{ get: {} }] }, "success[0].get.key is not base64"],
    ["no base64", { success: [{ get: { key: "a" } }] }, "is not base64"],
    [
      "two targets",
      { conditions: [{ key: "", value: {}, revision: {} }] },
      "needs one of revision",
    ],
    ["an empty key", { success: [{ get: { key: "" } }] }, "a key of 0 bytes"],
    ["no number", { conditions: [{ key: b64("a"), revision: { equal: "1" } }] }, "whole number"],
    ["a limit of 0", { success: [{ range: { limit: 0 } }] }, "limit 0"],
    ["both ends", { success: [{ range: { prefix: "", from: "" } }] }, "prefix takes the place"],
  ])("a body with %s is refused by name", async (_name, body, words) => {
    const reply = await post("/kv/txn", body);
    expect(reply.status).toBe(400);
    expect(reply.text).toContain(words);
  });

  test("a body that is no JSON is refused", async () => {
    const reply = await ask(server.address, "/kv/txn", { method: "POST", body: "{" });
    expect(reply).toMatchObject({ status: 400 });
    expect(reply.text).toContain("is not JSON");
  });
});

describe("sessions", () => {
  test("a change that is sent again takes effect once, and has the first answer", async () => {
    const { session } = (await jsonOf(post("/kv/session", null))) as { session: number };
    const once = (serial: number): Headers => ({
      "cairn-session": `${session}`,
      "cairn-serial": `${serial}`,
    });
    const first = await jsonOf(put("/kv/k", "1", once(1)));
    expect(await jsonOf(put("/kv/k", "again", once(1)))).toEqual(first);
    expect((await get("/kv/k")).text).toBe("1");
    expect((await put("/kv/k", "2", once(7))).status).toBe(200);
    expect(await put("/kv/k", "3", once(6))).toMatchObject({ status: 409 });
    await jsonOf(post("/kv/session/close", null, { "cairn-session": `${session}` }));
    expect(await put("/kv/k", "4", once(8))).toMatchObject({ status: 410 });
    expect((await get("/kv/k")).text).toBe("2");
  });

  test("half a session, or none, is refused", async () => {
    const wrong: Headers[] = [
      { "cairn-session": "1" },
      { "cairn-serial": "1" },
      { "cairn-session": "one", "cairn-serial": "1" },
      { "cairn-session": "1", "cairn-serial": "0" },
      { "cairn-session": "1", "cairn-serial": "99999999999999999999" },
    ];
    for (const headers of wrong) expect((await put("/kv/k", "1", headers)).status).toBe(400);
    expect((await post("/kv/session/close", null)).status).toBe(400);
    expect((await put("/kv/k", "1", { "cairn-session": "9", "cairn-serial": "1" })).status).toBe(
      410,
    );
  });
});

test("failures of the cluster have the status of their code", async () => {
  node.leading = false;
  expect(await put("/kv/k", "1")).toMatchObject({ status: 503 });
  expect((await put("/kv/k", "1")).headers["retry-after"]).toBe("1");
  expect((await get("/kv/k?level=none")).status).toBe(404);
  node.leading = true;
  for (const [code, status] of [
    ["REPLICA_BUSY", 503],
    ["REPLICA_TIMEOUT", 504],
    ["REPLICA_PEER_FAILED", 502],
    ["SERVER_STALE_READ", 503],
    ["SERVER_UNAUTHORIZED", 401],
  ] as const) {
    node.failure = new CairnError(code, `because of ${code}`);
    expect(await get("/kv/k"), code).toMatchObject({ status, text: `because of ${code}\n` });
  }
});

test("what is too large, or no request of ours, is refused", async () => {
  expect((await put(`/kv/${"k".repeat(4097)}`, "1")).status).toBe(400);
  expect((await put("/kv/k", new Uint8Array(8 * 1024 * 1024 + 1))).status).toBe(400);
  expect((await put("/kv/", "1")).status).toBe(400);
  expect((await post("/kv/other", {})).status).toBe(404);
  expect((await ask(server.address, "/kv/k", { method: "PATCH", body: "1" })).status).toBe(405);
  expect((await get("/kv")).status).toBe(404);
});

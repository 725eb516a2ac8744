/**
 * Every endpoint with every permission (compat reference, 10.1). Method: one user for each
 * permission and no other; each asks each endpoint, and what the table below does not allow must be
 * 401, before anything else is looked at.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { PERMISSIONS } from "#server";
import type { Permission } from "#server/types";
import { ask } from "../../support/raw-http.ts";
import { as, type Door, openDoor, type UserEntry, usersOf } from "./door.ts";

interface Endpoint {
  readonly target: string;
  readonly method: string;
  readonly needs: readonly Permission[];
  readonly body?: string;
}

const endpoint = (
  method: string,
  target: string,
  needs: readonly Permission[],
  body?: string,
): Endpoint => ({ method, target, needs, ...(body === undefined ? {} : { body }) });

const SELECT = '["SELECT 1"]';

/** Written from the reference, not from our table of routes. */
const ENDPOINTS: readonly Endpoint[] = [
  endpoint("POST", "/db/execute", ["execute"], '["CREATE TABLE IF NOT EXISTS t (a)"]'),
  endpoint("POST", "/db/execute?queue&wait", ["execute"], '["CREATE TABLE IF NOT EXISTS t (a)"]'),
  endpoint("GET", "/db/query?q=SELECT%201", ["query"]),
  endpoint("POST", "/db/query", ["query"], SELECT),
  endpoint("POST", "/db/query/", ["query"], SELECT),
  endpoint("POST", "/db/request", ["query", "execute"], SELECT),
  endpoint("GET", "/db/backup", ["backup"]),
  endpoint("POST", "/db/load", ["load"], "SELECT 1;"),
  endpoint("GET", "/db/sql?q=SELECT%201", ["query"]),
  endpoint("POST", "/db/sql", ["query"], SELECT),
  endpoint("POST", "/boot", ["load"], "x"),
  endpoint("POST", "/snapshot", ["snapshot"]),
  endpoint("POST", "/reap", ["snapshot"]),
  endpoint("DELETE", "/remove", ["remove"], '{"id":"9"}'),
  endpoint("GET", "/status", ["status"]),
  endpoint("GET", "/nodes", ["status"]),
  endpoint("GET", "/licenses", ["status"]),
  endpoint("GET", "/debug/vars", ["status"]),
  endpoint("GET", "/debug/pprof/cmdline", ["status"]),
  endpoint("GET", "/readyz", ["ready"]),
  endpoint("GET", "/leader", ["leader-ops"]),
  endpoint("POST", "/leader", ["leader-ops"]),
  endpoint("GET", "/console/", ["ui"]),
  endpoint("HEAD", "/console/", ["ui"]),
];

/** What nobody needs a permission for. */
const OPEN_ENDPOINTS: readonly (readonly [method: string, target: string, status: number])[] = [
  ["GET", "/", 302],
  ["GET", "/nowhere", 404],
  ["OPTIONS", "/db/execute", 200],
  ["GET", "/openapi.json", 200],
  ["GET", "/db/query?timeout=5", 400],
];

const onlyUser = (permission: string): UserEntry => ({
  username: `only-${permission}`,
  password: `pw-${permission}`,
  perms: [permission],
});

const statusOf = async (
  { address }: Door,
  { method, target, body }: Endpoint,
  headers: Record<string, string>,
): Promise<number> => {
  if (body === undefined) return (await ask(address, target, { method, headers })).status;
  // Node's client announces no length for the body of a DELETE.
  const length = { "content-length": String(Buffer.byteLength(body)) };
  const question = { method, headers: { ...headers, ...length }, body };
  return (await ask(address, target, question)).status;
};

describe.each(PERMISSIONS)("a user with the permission %s alone", (permission) => {
  let door: Door;
  beforeAll(async () => {
    door = await openDoor({ authorizer: usersOf(...PERMISSIONS.map(onlyUser)) });
  });
  afterAll(() => door.close());

  test.each(ENDPOINTS)("at $method $target", async (asked) => {
    const isAllowed =
      permission === "all" || (asked.needs.length === 1 && asked.needs[0] === permission);
    const headers = as(`only-${permission}`, `pw-${permission}`);
    const before = [door.node.commands.length, door.node.reads.length];
    const status = await statusOf(door, asked, headers);
    if (isAllowed) expect(status).not.toBe(401);
    else {
      expect(status).toBe(401);
      // Nothing reached the database.
      expect([door.node.commands.length, door.node.reads.length]).toEqual(before);
    }
  });
});

test("request needs query and execute; together they do", async () => {
  const both: UserEntry = { username: "u", password: "p", perms: ["execute", "query"] };
  const door = await openDoor({ authorizer: usersOf(both) });
  const asked = endpoint("POST", "/db/request", [], SELECT);
  expect(await statusOf(door, asked, as("u", "p"))).toBe(200);
});

const all: UserEntry = { username: "bob", password: "secret1", perms: ["all"] };
const everybody: UserEntry = { username: "*", perms: ["status", "ready"] };
const reader: UserEntry = { username: "amy", password: "secret2", perms: ["query"] };

test.each<[string, Record<string, string>]>([
  ["nobody", {}],
  ["a wrong password", as("bob", "secret2")],
  ["no password", as("bob", "")],
  ["a beginning of the password", as("bob", "secret")],
  ["more than the password", as("bob", "secret11")],
  ["another case", as("Bob", "secret1")],
  ["an unknown name", as("eve", "secret1")],
  ["no name", as("", "secret1")],
  ["everybody's name", as("*", "")],
  ["the password of another", as("amy", "secret1")],
  ["another scheme", { authorization: "Bearer Ym9iOnNlY3JldDE=" }],
  ["no scheme", { authorization: "Ym9iOnNlY3JldDE=" }],
  ["broken base64", { authorization: "Basic Ym9iOnNlY3JldDE" }],
  ["no colon", { authorization: `Basic ${Buffer.from("bob").toString("base64")}` }],
  ["a NUL behind the password", as("bob", "secret1\0")],
])("%s may execute nothing", async (_, headers) => {
  const door = await openDoor({ authorizer: usersOf(all, everybody, reader) });
  const asked = endpoint("POST", "/db/execute", [], '["CREATE TABLE t (a)"]');
  const { status, text } = await ask(door.address, asked.target, {
    method: "POST",
    headers,
    body: asked.body ?? "",
  });
  expect({ status, text }).toEqual({ status: 401, text: "" });
  expect(door.node.commands).toEqual([]);
});

test("the scheme is read in any case, and a password may hold colons", async () => {
  const user: UserEntry = { username: "u", password: "a:b:ü", perms: ["all"] };
  const door = await openDoor({ authorizer: usersOf(user) });
  const { authorization } = as("u", "a:b:ü");
  const headers = { authorization: `bAsIc ${authorization?.slice("Basic ".length)}` };
  expect((await ask(door.address, "/status", { headers })).status).toBe(200);
});

test("what everybody may do needs no password, and takes a wrong one", async () => {
  const door = await openDoor({ authorizer: usersOf(all, everybody) });
  for (const headers of [{}, as("bob", "wrong"), as("nobody", "x"), { authorization: "junk" }]) {
    expect((await ask(door.address, "/status", { headers })).status).toBe(200);
    expect((await ask(door.address, "/readyz", { headers })).status).toBe(200);
    expect((await ask(door.address, "/db/backup", { headers })).status).toBe(401);
  }
});

test("everybody with all leaves nothing shut", async () => {
  const door = await openDoor({ authorizer: usersOf({ username: "*", perms: ["all"] }) });
  expect((await ask(door.address, "/db/query?q=SELECT%201")).status).toBe(200);
});

test("the permission comes before the method, and only where there is an endpoint", async () => {
  const door = await openDoor({ authorizer: usersOf(all) });
  expect((await ask(door.address, "/db/execute")).status).toBe(401);
  const headers = as("bob", "secret1");
  expect((await ask(door.address, "/db/execute", { headers })).status).toBe(405);
  for (const [method, target, status] of OPEN_ENDPOINTS) {
    expect({ target, status: (await ask(door.address, target, { method })).status }).toEqual({
      target,
      status,
    });
  }
});

test("with users every answer carries the challenge, without them none does", async () => {
  const shut = await openDoor({ authorizer: usersOf(all) });
  const headers = as("bob", "secret1");
  for (const reply of [
    await ask(shut.address, "/status", { headers }),
    await ask(shut.address, "/status"),
    await ask(shut.address, "/nowhere"),
    await ask(shut.address, "/", { method: "OPTIONS" }),
  ]) {
    expect(reply.headers).toMatchObject({
      "www-authenticate": 'Basic realm="rqlite"',
      "access-control-allow-headers": "Content-Type, Authorization",
      "access-control-allow-credentials": "true",
    });
  }
  const open = await openDoor();
  const reply = await ask(open.address, "/status");
  expect(reply.headers).not.toHaveProperty("www-authenticate");
  expect(reply.headers).not.toHaveProperty("access-control-allow-credentials");
  expect(reply.headers["access-control-allow-headers"]).toBe("Content-Type");
});

test("credentials travel on with the request, for the leader to check", async () => {
  const door = await openDoor({ authorizer: usersOf(all) });
  const headers = as("bob", "secret1");
  const question = { method: "POST", headers, body: SELECT };
  expect((await ask(door.address, "/db/query?level=strong", question)).status).toBe(200);
  expect(door.node.reads[0]?.options.credentials).toEqual({
    username: "bob",
    password: "secret1",
  });
});

/**
 * Servers that speak as much of Consul's and etcd's APIs as discovery uses, from their public
 * documentation; with the means to fail.
 *
 * Invariant: as in the originals, a conditional write is one step: of two at once, one wins.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createSecureServer, type ServerOptions } from "node:https";
import type { AddressInfo } from "node:net";
import { atTestEnd } from "../../support/processes.ts";

/** A store and what it was asked. */
export interface StandIn {
  /** `host:port`. */
  readonly address: string;
  /** Keys with their values. */
  readonly values: Map<string, string>;
  /** Method, path and query of each request, in order. */
  readonly asked: string[];
  /** What the next requests are answered with instead; undefined: properly. */
  failure: "refuse" | "nonsense" | "hang" | "hang-up" | undefined;
}

/** How a stand-in is made. */
export interface StandInOptions {
  /** Requests without this token are refused. */
  readonly token?: string;
  /** etcd: requests need a token that this login gets. */
  readonly login?: { readonly name: string; readonly password: string };
  readonly tls?: ServerOptions;
}

type Answer = { readonly status: number; readonly body: string };

function bodyOf(request: IncomingMessage): Promise<string> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => resolve(Buffer.concat(chunks).toString("utf8")));
  });
}

async function open(
  tls: ServerOptions | undefined,
  answer: (request: IncomingMessage, url: URL, body: string) => Answer,
): Promise<StandIn> {
  const asked: string[] = [];
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? "/", "http://stand-in");
    asked.push(`${request.method} ${url.pathname}${url.search}`);
    const body = await bodyOf(request);
    switch (standIn.failure) {
      case "refuse":
        response.writeHead(500).end("rpc error: no leader");
        return;
      case "nonsense":
        response.writeHead(200).end("<html>welcome</html>");
        return;
      case "hang":
        return;
      case "hang-up":
        request.socket.destroy();
        return;
      case undefined: {
        const { status, body: text } = answer(request, url, body);
        response.writeHead(status, { "content-type": "application/json" }).end(text);
      }
    }
  };
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    void handle(request, response);
  };
  const server: Server =
    tls === undefined ? createServer(listener) : createSecureServer(tls, listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  atTestEnd(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const values = new Map<string, string>();
  const standIn: StandIn = { address: `127.0.0.1:${port}`, values, asked, failure: undefined };
  return standIn;
}

/** Consul: `/v1/kv/<key>`, with `cas`. */
export async function openConsul({ token, tls }: StandInOptions = {}): Promise<StandIn> {
  const indexes = new Map<string, number>();
  let nextIndex = 1;
  const standIn = await open(tls, (request, url, body) => {
    if (token !== undefined && request.headers["x-consul-token"] !== token) {
      return { status: 403, body: "rpc error: Permission denied: token lacks key:read" };
    }
    const key = decodeURIComponent(url.pathname.replace("/v1/kv/", ""));
    const value = standIn.values.get(key);
    if (request.method === "GET") {
      if (value === undefined) return { status: 404, body: "" };
      const ModifyIndex = indexes.get(key) ?? 1;
      const Value = Buffer.from(value).toString("base64");
      const entry = { LockIndex: 0, Key: key, Flags: 0, Value, CreateIndex: 1, ModifyIndex };
      return { status: 200, body: JSON.stringify([entry]) };
    }
    const cas = url.searchParams.get("cas");
    const current = value === undefined ? 0 : (indexes.get(key) ?? 1);
    if (cas !== null && Number(cas) !== current) return { status: 200, body: "false" };
    nextIndex += 1;
    indexes.set(key, nextIndex);
    standIn.values.set(key, body);
    return { status: 200, body: "true" };
  });
  return standIn;
}

interface EtcdRequest {
  readonly key?: string;
  readonly value?: string;
  readonly name?: string;
  readonly password?: string;
  readonly compare?: readonly { readonly key: string; readonly create_revision: string }[];
  readonly success?: readonly { readonly request_put: EtcdRequest }[];
}

const text = (encoded: string | undefined): string =>
  Buffer.from(encoded ?? "", "base64").toString("utf8");

/** etcd: the JSON gateway of version 3. */
export async function openEtcd({ login, tls }: StandInOptions = {}): Promise<StandIn> {
  const token = "simple.token.1";
  const put = ({ key, value }: EtcdRequest): void => {
    standIn.values.set(text(key), text(value));
  };
  const standIn = await open(tls, (request, url, body) => {
    const asked = JSON.parse(body) as EtcdRequest;
    const header = { cluster_id: "1", member_id: "2", revision: "3" };
    const fine = (rest: object): Answer => ({
      status: 200,
      body: JSON.stringify({ header, ...rest }),
    });
    if (url.pathname === "/v3/auth/authenticate") {
      const isRight = asked.name === login?.name && asked.password === login?.password;
      const error = "etcdserver: authentication failed, invalid user ID or password";
      return isRight ? fine({ token }) : { status: 400, body: JSON.stringify({ error, code: 3 }) };
    }
    if (login !== undefined && request.headers.authorization !== token) {
      return { status: 401, body: JSON.stringify({ error: "invalid auth token", code: 16 }) };
    }
    switch (url.pathname) {
      case "/v3/kv/range": {
        const value = standIn.values.get(text(asked.key));
        if (value === undefined) return fine({});
        const kvs = [{ key: asked.key, value: Buffer.from(value).toString("base64") }];
        return fine({ kvs, count: "1" });
      }
      case "/v3/kv/put":
        put(asked);
        return fine({});
      case "/v3/kv/txn": {
        const [compare] = asked.compare ?? [];
        const isThere = standIn.values.has(text(compare?.key));
        if (isThere || compare?.create_revision !== "0") return fine({ responses: [] });
        for (const { request_put } of asked.success ?? []) put(request_put);
        return fine({ succeeded: true });
      }
      default:
        return { status: 404, body: JSON.stringify({ error: "Not Found", code: 5 }) };
    }
  });
  return standIn;
}

/**
 * The HTTP listener: from sockets to `Call`s, from `Answer`s to bytes (compat reference, 1.1).
 *
 * The order is the reference's: headers that every answer carries, OPTIONS, parameters, route,
 * method, and only then the body. Invariant: whatever a client sends, it gets an answer or a closed
 * connection, and the process goes on.
 */
import { lookup } from "node:dns/promises";
import type { Server } from "node:http";
import { Readable } from "node:stream";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { type Bytes, CairnError, errorText, type Ms } from "#base";
import { type Authorizer, authorize, challengeHeaders, openAuthorizer } from "../access.ts";
import { splitAddress } from "../address.ts";
import { createHttpListener } from "../http-listener.ts";
import type { Credentials, NodeConfig, NodeService } from "../types.ts";
import { API_VERSION } from "../version.ts";
import { type Answer, emptyAnswer, textError } from "./answer.ts";
import { declaredBytes, drain, piecesOf, readBody, tooLarge } from "./body.ts";
import { plainFailure } from "./failure.ts";
import { type Parameters, readParameters } from "./parameters.ts";
import { splitTarget, unescapePercent } from "./query-string.ts";
import { findRoute, type Operation, rootAnswer } from "./routes.ts";

const SHORT_BYTES_MAX = 4096;
const OPENING_BRACE = 0x7b;

/** How long running requests may take to finish once the node stops. */
const CLOSE_MS: Ms = 10_000;

/** How the listener behaves. */
export interface HttpServerOptions {
  /** Told of errors that are our own fault, and of connections that broke while answering. */
  readonly onFault?: (error: unknown) => void;
  /** Who may do what. Default: everybody everything. */
  readonly authorizer?: Authorizer;
  /** Told of replaced certificates and of clients without one that is good. */
  readonly onNotice?: (text: string) => void;
  /** How long `close` waits for running requests. Default 10 s. Longer: slower stops. */
  readonly closeMs?: Ms;
}

/** A listening server. */
export interface HttpServer {
  /** `host:port` as configured, with the real port. */
  readonly address: string;
  /** Stops accepting, lets running requests finish for a bounded time, closes every connection. */
  close(): Promise<void>;
}

/** What is known of a request before its body is read. */
interface Begun {
  readonly operation: Operation;
  readonly path: string;
  readonly parameters: Parameters;
  readonly contentType: string;
  readonly isText: boolean;
  readonly credentials: Credentials | undefined;
  readonly startedAt: number;
}

/**
 * Starts to listen at the configured address.
 *
 * @throws `NET_ADDRESS_IN_USE` or `NET_ADDRESS_INVALID`, naming the address; `NET_TLS_INVALID`.
 */
export async function openHttpServer(
  service: NodeService,
  options: HttpServerOptions = {},
): Promise<HttpServer> {
  const { onFault = () => undefined, onNotice = () => undefined, closeMs = CLOSE_MS } = options;
  const { authorizer = openAuthorizer("") } = options;
  const { httpAddress, httpBodyBytesMax } = service.config;
  const app = fastify({
    logger: false,
    // One route takes every path: we match by prefix, and broken escapes are ours to tell.
    rewriteUrl: () => "/",
    exposeHeadRoutes: false,
    serverFactory: (handler) => createHttpListener({ config: service.config, handler, onNotice }),
  });
  const begun = new WeakMap<FastifyRequest, Begun>();
  const standardHeaders = { ...headersOf(service.config), ...challengeHeaders(authorizer) };
  app.addHook("onRequest", async (request, reply) => {
    reply.headers(standardHeaders);
    const start = await beginRequest(request, service, authorizer);
    if ("status" in start) return send(reply, start);
    begun.set(request, start);
    // Only text/plain changes anything; a type that the library cannot read must not stop us.
    request.raw.headers["content-type"] = start.isText ? "text/plain" : "application/octet-stream";
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", async (request: FastifyRequest) => {
    if (begun.get(request)?.operation.streams === true) return undefined;
    return (await readBody(request.raw, httpBodyBytesMax)) ?? null;
  });
  app.all("/", async (request, reply) => {
    const start = begun.get(request);
    if (start === undefined) return send(reply, emptyAnswer(404));
    const body = request.body as Bytes | null | undefined;
    if (body === null) return send(reply, tooLarge(httpBodyBytesMax));
    const answer = await start.operation.handler({
      ...start,
      service,
      method: request.method,
      target: request.originalUrl,
      header: (name) => firstOf(request.headers[name]),
      body: body ?? new Uint8Array(),
      pieces: piecesOf(request.raw),
    });
    drain(request.raw);
    // A client that went away in the middle is no fault of ours.
    const isOurs = answer.status === 500 && !request.raw.readableAborted;
    if (isOurs) onFault(new Error(`${request.originalUrl}: ${answer.body}`));
    return send(reply, answer);
  });
  app.setErrorHandler((error, _request, reply) => {
    onFault(error);
    return send(reply, textError(500, `internal error: ${errorText(error)}`));
  });
  answerExpectations(app.server, httpBodyBytesMax);
  return listen(app, httpAddress, closeMs);
}

function firstOf(values: string | string[] | undefined): string | undefined {
  return typeof values === "string" ? values : values?.[0];
}

/** Headers that every answer carries. */
function headersOf({ httpAllowOrigin }: NodeConfig): Record<string, string> {
  const headers: Record<string, string> = {
    "x-rqlite-version": API_VERSION,
    "access-control-allow-methods": "OPTIONS, GET, POST",
    "access-control-allow-headers": "Content-Type",
  };
  if (httpAllowOrigin !== "") headers["access-control-allow-origin"] = httpAllowOrigin;
  return headers;
}

/** Everything that comes before the body. */
async function beginRequest(
  request: FastifyRequest,
  { counters }: NodeService,
  authorizer: Authorizer,
): Promise<Begun | Answer> {
  const startedAt = performance.now();
  if (request.method === "OPTIONS") return emptyAnswer(200);
  try {
    const { path: escaped, query } = splitTarget(request.originalUrl);
    const parameters = readParameters(query);
    const path = unescapePercent(escaped);
    if (path === "/") return rootAnswer(request.method);
    const route = findRoute(path);
    if (route === undefined) return emptyAnswer(404);
    const operation = route.operations[request.method];
    const permissions = operation?.permissions ?? route.permissions;
    const admission = await authorize(authorizer, request.headers, permissions);
    if (!authorizer.isOpen) counters.add("http", admission.isAllowed ? "auth_ok" : "auth_fail");
    if (!admission.isAllowed) return emptyAnswer(401);
    if (operation === undefined) return emptyAnswer(405);
    const contentType = request.headers["content-type"] ?? "";
    return {
      operation,
      path,
      parameters,
      contentType,
      isText: contentType.startsWith("text/plain"),
      credentials: admission.credentials,
      startedAt,
    };
  } catch (error) {
    if (error instanceof CairnError) return plainFailure(error);
    throw error;
  }
}

function send(reply: FastifyReply, answer: Answer): FastifyReply {
  reply.code(answer.status).headers(answer.headers);
  const { body } = answer;
  // Nothing has no type. The library would call an empty text plain text.
  if (body === "") return reply.send();
  if (typeof body === "string" || body instanceof Readable) return reply.send(body);
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  // Node writes a head and a text in one go, and a head and bytes in two: for a short answer that
  // is a system call more. What we render is UTF-8.
  const isShortJson = bytes.length <= SHORT_BYTES_MAX && bytes[0] === OPENING_BRACE;
  return reply.send(isShortJson ? bytes.toString("utf8") : bytes);
}

/** Who asks before sending a body that is too large is told at once, and need not send it. */
function answerExpectations(server: Server, bytesMax: number): void {
  server.on("checkContinue", (request, response) => {
    const { path } = splitTarget(request.url ?? "");
    const isStreamed = findRoute(path)?.operations[request.method ?? ""]?.streams === true;
    if (isStreamed || declaredBytes(request) <= bytesMax) response.writeContinue();
    server.emit("request", request, response);
  });
}

async function listen(app: FastifyInstance, address: string, closeMs: Ms): Promise<HttpServer> {
  const { host, port } = splitAddress(address) ?? { host: "", port: "" };
  try {
    await app.listen({ host: await resolveHost(host), port: Number(port) });
  } catch (error) {
    await app.close();
    throw listenError(address, error);
  }
  const bound = app.server.address();
  const realPort = bound !== null && typeof bound === "object" ? bound.port : port;
  return {
    address: `${host.includes(":") ? `[${host}]` : host}:${realPort}`,
    async close() {
      const impatience = setTimeout(() => app.server.closeAllConnections(), closeMs);
      await app.close();
      clearTimeout(impatience);
    },
  };
}

/** One address for a name, IPv4 before IPv6, as Go listens. */
async function resolveHost(host: string): Promise<string> {
  const found = await lookup(host, { all: true });
  return (found.find(({ family }) => family === 4) ?? found[0])?.address ?? host;
}

function listenError(address: string, error: unknown): CairnError {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return code === "EADDRINUSE"
    ? new CairnError("NET_ADDRESS_IN_USE", `server: http: address ${address} is already in use`)
    : new CairnError(
        "NET_ADDRESS_INVALID",
        `server: http: cannot listen on ${address}: ${errorText(error)}`,
        { cause: error },
      );
}

/**
 * What one client may cost: heads, bodies that drip, connections (beyond the reference).
 *
 * Node ends heads that are too long (431) or too slow (408). A body may take `-http-body-timeout`,
 * and a second more for each {@link BODY_BYTES_PER_SECOND_MIN} bytes of it that have come; then it
 * is 408 as well. Invariant: a client is never charged for time in which this node did not read.
 */
import type {
  IncomingMessage,
  RequestListener,
  Server,
  ServerOptions,
  ServerResponse,
} from "node:http";
import type { Ms } from "#base";
import type { RequestLimits } from "./node-config.ts";

/** A modem of the last century was faster; a client that drips on purpose is not. */
export const BODY_BYTES_PER_SECOND_MIN = 500;

const MS_PER_SECOND = 1000;
/** How often bodies and heads under way are looked at; a limit may be late by as much. */
const CHECK_MS_MAX: Ms = 500;
/** A limit below this is looked at as often as this. */
const CHECK_MS_MIN: Ms = 20;
/** Clients keep connections for a minute or so; whoever closes first loses a request to a race. */
const KEEP_ALIVE_MS: Ms = 120_000;
/** After a 408 the client may read it for so long, whether or not it goes on sending. */
const LINGER_MS: Ms = 1000;

/** Options of Node's server for these limits. */
export function limitOptions(limits: RequestLimits): ServerOptions {
  return {
    maxHeaderSize: limits.headerBytesMax,
    headersTimeout: limits.headerTimeoutMs,
    // The whole request has no limit: a database of many gigabytes is one.
    requestTimeout: 0,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connectionsCheckingInterval: checkMs(limits.headerTimeoutMs),
    noDelay: true,
  };
}

/** A body that is coming in. */
interface Incoming {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly bytesAtStart: number;
  deadline: Ms;
}

/** Watches the bodies of a server; ends with it. */
export function limitBodies(
  server: Server,
  { bodyTimeoutMs, connectionsMax }: RequestLimits,
): void {
  if (connectionsMax > 0) server.maxConnections = connectionsMax;
  let incoming: Incoming[] = [];
  const intervalMs = checkMs(bodyTimeoutMs);
  const look = (): void => {
    incoming = incoming.filter((body) => isComing(body) && !isLate(body, intervalMs));
  };
  const timer = setInterval(look, intervalMs);
  timer.unref();
  server.on("close", () => clearInterval(timer));
  const onRequest: RequestListener = (request, response) => {
    if (!hasBody(request)) return;
    const deadline = performance.now() + bodyTimeoutMs;
    incoming.push({ request, response, bytesAtStart: request.socket.bytesRead, deadline });
  };
  // Before the handler of the server: a body that has arrived with its head is complete by then.
  server.prependListener("request", onRequest);
}

function checkMs(limitMs: Ms): Ms {
  return Math.max(CHECK_MS_MIN, Math.min(CHECK_MS_MAX, limitMs / 2));
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
}

function isComing({ request }: Incoming): boolean {
  return !request.complete && !request.destroyed;
}

/** Ends a body that is late, and says so. */
function isLate(body: Incoming, intervalMs: Ms): boolean {
  const { request, response, bytesAtStart } = body;
  // What has come and was not read yet is our delay, not the client's.
  if (request.readableLength > 0) body.deadline += intervalMs;
  const bytes = request.socket.bytesRead - bytesAtStart;
  const earnedMs = (bytes / BODY_BYTES_PER_SECOND_MIN) * MS_PER_SECOND;
  if (performance.now() < body.deadline + earnedMs) return false;
  const { socket } = request;
  if (response.headersSent) socket.destroy();
  else {
    response.writeHead(408, { "content-type": "text/plain; charset=utf-8", connection: "close" });
    response.end("request body is too slow (-http-body-timeout)\n");
    setTimeout(() => socket.destroy(), LINGER_MS).unref();
  }
  return true;
}

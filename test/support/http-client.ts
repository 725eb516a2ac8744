/**
 * HTTP for tests: `node:http` with connections that are kept, so that a test measures the node and
 * not the client.
 *
 * Invariant: one call sends at most one request: a write whose answer was lost is not sent again.
 */
import { Agent, request } from "node:http";

/** Above anything that a healthy cluster takes; a test that waits for more is stuck. */
const TIMEOUT_MS_DEFAULT = 30_000;

/** An answer. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
  readonly text: string;
}

/** Beyond method and address. */
export interface HttpOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly timeoutMs?: number;
}

/** A client with connections of its own. */
export interface HttpClient {
  /** Rejects when there is no answer, or no whole one. */
  send(method: string, url: string, options?: HttpOptions): Promise<HttpAnswer>;
  get(url: string, options?: HttpOptions): Promise<HttpAnswer>;
  /** Posts a value as JSON; text and bytes as they are (name the type yourself). */
  post(url: string, body: unknown, options?: HttpOptions): Promise<HttpAnswer>;
  close(): void;
}

function send(
  agent: Agent,
  method: string,
  url: string,
  { headers = {}, body, timeoutMs = TIMEOUT_MS_DEFAULT }: HttpOptions,
): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const length = body === undefined ? 0 : Buffer.byteLength(body);
    const outgoing = request(
      url,
      { method, agent, headers: { "Content-Length": length, ...headers } },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
        incoming.on("error", reject);
        incoming.on("end", () => {
          clearTimeout(limit);
          const whole = Buffer.concat(chunks);
          resolve({
            status: incoming.statusCode ?? 0,
            headers: incoming.headers,
            body: whole,
            text: whole.toString("utf8"),
          });
        });
      },
    );
    const limit = setTimeout(
      () => outgoing.destroy(new Error(`${method} ${url}: no answer within ${timeoutMs} ms`)),
      timeoutMs,
    );
    outgoing.on("error", (error) => {
      clearTimeout(limit);
      reject(error);
    });
    outgoing.end(body);
  });
}

/** @param connections - at most so many at once to one node. */
export function createHttpClient(connections = Number.POSITIVE_INFINITY): HttpClient {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  return {
    send: (method, url, options = {}) => send(agent, method, url, options),
    get: (url, options = {}) => send(agent, "GET", url, options),
    post(url, body, options = {}) {
      if (typeof body === "string" || body instanceof Uint8Array) {
        return send(agent, "POST", url, { ...options, body });
      }
      const headers = { "Content-Type": "application/json", ...options.headers };
      return send(agent, "POST", url, { ...options, headers, body: JSON.stringify(body) });
    },
    close: () => agent.destroy(),
  };
}

/**
 * A bare HTTP client for tests: sends exactly what it is told, also what a browser would mend.
 */
import { type Agent, type IncomingHttpHeaders, request } from "node:http";

export interface HttpReply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly text: string;
}

export interface HttpQuestion {
  readonly method?: string;
  readonly body?: string | Uint8Array;
  readonly headers?: Record<string, string>;
  /** Keeps connections. Default: each question has a connection of its own. */
  readonly agent?: Agent;
}

/** Asks and reads the whole answer. `target` goes into the request line as it is. */
export function ask(
  address: string,
  target: string,
  { method, body, headers = {}, agent }: HttpQuestion = {},
): Promise<HttpReply> {
  const at = address.lastIndexOf(":");
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        host: address.slice(0, at),
        port: Number(address.slice(at + 1)),
        path: target,
        method: method ?? (body === undefined ? "GET" : "POST"),
        headers,
        agent: agent ?? false,
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => {
          const whole = Buffer.concat(chunks);
          const { statusCode: status = 0, headers: got } = response;
          resolve({ status, headers: got, body: whole, text: whole.toString() });
        });
      },
    );
    asked.on("error", reject);
    asked.end(body);
  });
}

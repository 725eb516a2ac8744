/**
 * Small requests to a key-value store, over HTTP or HTTPS.
 *
 * Invariant: every request ends, in an answer or in `SERVER_DISCOVERY_FAILED` that says which store
 * and why; what a password or token was is never in it.
 */
import { request as plainRequest } from "node:http";
import { request as secureRequest } from "node:https";
import { CairnError, errorText, type Ms } from "#base";

/** TLS towards a store. */
export interface StoreTls {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** The name that its certificate must carry, if not the host's. */
  readonly servername?: string;
  readonly rejectUnauthorized: boolean;
}

/** One request. */
export interface StoreRequest {
  readonly method: "GET" | "PUT" | "POST";
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly timeoutMs: Ms;
  readonly tls?: StoreTls;
}

/** Its answer. */
export interface StoreAnswer {
  readonly status: number;
  readonly text: string;
}

/** The value of one key is some hundred bytes; more is not from such a store. */
const ANSWER_BYTES_MAX = 1024 * 1024;

/** @throws `SERVER_DISCOVERY_FAILED` if there is no whole answer in time. */
export function askStore(question: StoreRequest): Promise<StoreAnswer> {
  const { method, url, headers = {}, body, timeoutMs, tls } = question;
  const send = url.protocol === "https:" ? secureRequest : plainRequest;
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void => reject(failed(url.host, errorText(error), error));
    // Of the whole exchange: a store that sends a byte now and then is as good as none.
    const signal = AbortSignal.timeout(timeoutMs);
    const sent = send(url, { method, headers, signal, ...tls }, (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > ANSWER_BYTES_MAX) response.destroy(new Error("the answer is too long"));
        else chunks.push(chunk);
      });
      response.on("error", fail);
      response.on("end", () => {
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8") });
      });
    });
    sent.on("error", (error) => {
      fail(signal.aborted ? new Error(`no answer in ${timeoutMs} ms`) : error);
    });
    sent.end(body);
  });
}

/** The error of a store that gave no useful answer. */
export function failed(place: string, problem: string, cause?: unknown): CairnError {
  return new CairnError("SERVER_DISCOVERY_FAILED", `server: discovery: ${place}: ${problem}`, {
    cause,
  });
}

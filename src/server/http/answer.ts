/**
 * What a handler gives back, and the few shapes that answers have (compat reference, 1.1).
 *
 * Handlers know nothing of the HTTP library: they take a `Call` and return an `Answer`.
 * Invariant: an error with a text is `text/plain` with `nosniff` and one newline at its end.
 */
import type { Readable } from "node:stream";
import type { Bytes } from "#base";
import type { BodyPieces, Credentials, NodeService } from "../types.ts";
import { indentJson } from "./json-text.ts";
import type { Parameters } from "./parameters.ts";

/** A request that was understood as far as its URL goes. */
export interface Call {
  readonly service: NodeService;
  readonly method: string;
  /** The path alone, its escapes read. */
  readonly path: string;
  /** Path and query as they came, for redirects. */
  readonly target: string;
  readonly parameters: Parameters;
  /** Content type `text/plain`, which changes how SQL bodies are read. */
  readonly isText: boolean;
  readonly contentType: string;
  /** A header by its name in small letters; of several of one name, the first. */
  header(name: string): string | undefined;
  /** Empty for endpoints that take their body in pieces. */
  readonly body: Bytes;
  readonly pieces: BodyPieces;
  /** Who asks, as far as the request says. */
  readonly credentials: Credentials | undefined;
  /** When the request came, on the clock of `performance.now`. */
  readonly startedAt: number;
}

/** What goes back. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Bytes | Readable;
}

export type Handler = (call: Call) => Answer | Promise<Answer>;

export const JSON_TYPE: string = "application/json; charset=utf-8";
export const TEXT_TYPE: string = "text/plain; charset=utf-8";

/** A status and nothing else. */
export function emptyAnswer(
  status: number,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  return { status, headers, body: "" };
}

/** An error that is told in words. */
export function textError(status: number, message: string): Answer {
  const headers = { "content-type": TEXT_TYPE, "x-content-type-options": "nosniff" };
  return { status, headers, body: `${message}\n` };
}

/** JSON with status 200, indented if the caller asked for it. */
export function jsonAnswer(
  call: Call,
  json: Bytes,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  return {
    status: 200,
    headers: { "content-type": JSON_TYPE, ...headers },
    body: call.parameters.has("pretty") ? indentJson(json) : json,
  };
}

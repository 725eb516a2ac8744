/**
 * Calls that one node makes at another: payloads and their answers.
 *
 * | part   | bytes | meaning                                                    |
 * | ------ | ----: | ---------------------------------------------------------- |
 * | length |     4 | u32 LE, bytes of the head                                  |
 * | head   |     n | JSON: options, or facts about the answer                   |
 * | body   |     m | a command (`encodeCommand`), or the results as JSON bytes  |
 *
 * Invariant: a write is forwarded at most once; what the leader's answer leaves open stays open.
 */
import { type Bytes, CairnError } from "#base";
import { decodeCommand, encodeCommand } from "#sqlite";
import type { Command, ReadRequest } from "#sqlite/types";
import type { CallOutcome, ReadOptions } from "./types.ts";

const LENGTH_BYTES = 4;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Joins head and body. */
export function packCall(head: object, body: Bytes = new Uint8Array(0)): Bytes {
  const text = encoder.encode(JSON.stringify(head));
  const bytes = new Uint8Array(LENGTH_BYTES + text.length + body.length);
  new DataView(bytes.buffer).setUint32(0, text.length, true);
  bytes.set(text, LENGTH_BYTES);
  bytes.set(body, LENGTH_BYTES + text.length);
  return bytes;
}

/**
 * Parts them again. The body is a view.
 *
 * @throws `BYTES_MALFORMED`
 */
export function unpackCall(bytes: Bytes): { head: Record<string, unknown>; body: Bytes } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = bytes.length >= LENGTH_BYTES ? view.getUint32(0, true) : bytes.length;
  if (LENGTH_BYTES + length > bytes.length) {
    throw new CairnError("BYTES_MALFORMED", `server: call of ${bytes.length} bytes is cut short`);
  }
  const head: unknown = JSON.parse(
    decoder.decode(bytes.subarray(LENGTH_BYTES, LENGTH_BYTES + length)),
  );
  if (typeof head !== "object" || head === null) {
    throw new CairnError("BYTES_MALFORMED", "server: head of a call is no object");
  }
  return { head: head as Record<string, unknown>, body: bytes.subarray(LENGTH_BYTES + length) };
}

/** Packs a read for the leader. Its statements travel as a command does. */
export function packRead(request: ReadRequest, options: ReadOptions): Bytes {
  const { statements, transaction, rendering, mode } = request;
  const body = encodeCommand({ kind: "request", statements, transaction, rendering });
  return packCall({ mode, ...options }, body);
}

/** Unpacks what {@link packRead} packed. @throws `BYTES_MALFORMED` */
export function unpackRead(bytes: Bytes): { request: ReadRequest; options: ReadOptions } {
  const { head, body } = unpackCall(bytes);
  const command = decodeCommand(body);
  if (command.kind !== "request") {
    throw new CairnError("BYTES_MALFORMED", `server: a ${command.kind} command is no read`);
  }
  const { statements, transaction, rendering } = command;
  const mode = head["mode"] === "request" ? "request" : "query";
  return {
    request: { statements, transaction, rendering, mode },
    options: unpackReadOptions(head),
  };
}

const LEVELS = new Set(["none", "weak", "linearizable", "strong", "auto"]);

/** Reads the options of a forwarded read; what is missing gets the default. */
export function unpackReadOptions(head: Record<string, unknown>): ReadOptions {
  const level = String(head["level"]);
  return {
    level: LEVELS.has(level) ? (level as ReadOptions["level"]) : "weak",
    freshnessMs: Number(head["freshnessMs"] ?? 0),
    freshnessStrict: head["freshnessStrict"] === true,
    linearizableTimeoutMs: Number(head["linearizableTimeoutMs"] ?? 10_000),
    databaseTimeoutMs: Number(head["databaseTimeoutMs"] ?? 0),
    timeoutMs: Number(head["timeoutMs"] ?? 30_000),
  };
}

/** Packs a unified request for the leader. */
export function packRequest(command: Command, options: ReadOptions): Bytes {
  return packCall({ ...options }, encodeCommand(command));
}

/** Packs an outcome for the way back. */
export function packOutcome(outcome: CallOutcome): Bytes {
  return packCall({ raftIndex: outcome.raftIndex }, outcome.results);
}

/** Unpacks an outcome; the caller knows who served it. */
export function unpackOutcome(bytes: Bytes, servedBy: string): CallOutcome {
  const { head, body } = unpackCall(bytes);
  return { results: body, raftIndex: Number(head["raftIndex"] ?? 0), servedBy };
}

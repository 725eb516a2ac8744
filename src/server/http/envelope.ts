/**
 * The envelope around results: `results`, `error`, `time`, `sequence_number`, `raft_index`, in this
 * order (compat reference, 1.4).
 *
 * Invariant: `results` is put in as the bytes that the database rendered, never decoded here.
 */

import type { CallOutcome } from "../types.ts";
import { type Answer, type Call, jsonAnswer } from "./answer.ts";
import { jsonString } from "./json-text.ts";

const OPENING = Buffer.from('{"results":');
const MS_PER_SECOND = 1000;

/** The answer with what a call came to. */
export function outcomeEnvelope(call: Call, outcome: CallOutcome): Answer {
  const index =
    outcome.raftIndex > 0 && call.parameters.has("raft_index")
      ? `,"raft_index":${outcome.raftIndex}`
      : "";
  const closing = Buffer.from(`${timeMember(call)}${index}}`);
  const json = Buffer.concat([OPENING, outcome.results, closing]);
  return jsonAnswer(call, json, { "x-rqlite-served-by": outcome.servedBy });
}

/** The answer to a request that was in order and had nothing to run. */
export function noResultsEnvelope(call: Call): Answer {
  return jsonAnswer(call, Buffer.from(`{"results":[]${timeMember(call)}}`));
}

/** The answer to a write that was put into the queue. */
export function queuedEnvelope(call: Call, sequenceNumber: bigint): Answer {
  const json = `{"results":[]${timeMember(call)},"sequence_number":${sequenceNumber}}`;
  return jsonAnswer(call, Buffer.from(json));
}

/** The answer to a request that failed as a whole: still 200. */
export function errorEnvelope(call: Call, message: string): Answer {
  const json = `{"results":[],"error":${jsonString(message)}${timeMember(call)}}`;
  return jsonAnswer(call, Buffer.from(json));
}

/** Wall time since the request came, in seconds, if the caller wants to know. */
export function timeMember({ parameters, startedAt }: Call): string {
  if (!parameters.has("timings")) return "";
  return `,"time":${(performance.now() - startedAt) / MS_PER_SECOND}`;
}

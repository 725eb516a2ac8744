/**
 * `/db/execute`, `/db/query`, `/db/request` (compat reference, 1.3 to 1.6).
 *
 * Invariant: nothing runs before the whole body was understood and no statement in it is a PRAGMA
 * that would take the engine out of our hands.
 */
import { isCairnError, type Ms } from "#base";
import type { Command, ReadRequest, Statement } from "#sqlite/types";
import type { CallOutcome } from "../types.ts";
import type { Answer, Call } from "./answer.ts";
import { noResultsEnvelope, outcomeEnvelope } from "./envelope.ts";
import { sqlFailure } from "./failure.ts";
import { callOptionsOf, readOptionsOf, renderingOf } from "./parameters.ts";
import { handleQueued } from "./queued.ts";
import { redirection } from "./redirect.ts";
import { statementOfParameter, statementsOfBody } from "./statements.ts";

/** The calls as the reference writes them when the leader lets nobody in. */
type CallName = "Execute" | "query" | "Request";

/** Runs statements for their effect. */
export function handleExecute(call: Call): Promise<Answer> {
  if (call.parameters.has("queue")) return handleQueued(call);
  return answered(call, "Execute", async () => {
    const statements = statementsOfBody(call, call);
    const { counters } = call.service;
    counters.add("http", "executions");
    counters.add("http", "execute_stmts_rx", statements.length);
    const command = commandOf(call, "execute", statements);
    return (await redirection(call)) ?? call.service.execute(command, callOptionsOf(call));
  });
}

/** Runs statements for their rows; refuses to write. */
export function handleQuery(call: Call): Promise<Answer> {
  return answered(call, "query", async () => {
    const isGet = call.method === "GET";
    const q = call.parameters.text("q");
    if (isGet && q === undefined) return noResultsEnvelope(call);
    const statements =
      isGet && q !== undefined ? statementOfParameter(q) : statementsOfBody(call, call);
    const { counters } = call.service;
    counters.add("http", "queries");
    counters.add("http", "query_stmts_rx", statements.length);
    const options = readOptionsOf(call);
    const request: ReadRequest = {
      statements,
      transaction: call.parameters.has("transaction"),
      rendering: renderingOf(call.parameters),
      mode: "query",
    };
    // A read of any age is served where it arrives: there is nobody better to send the caller to.
    const redirect = options.level === "none" ? undefined : await redirection(call);
    return redirect ?? call.service.query(request, options);
  });
}

/** Runs reads and writes together. Its body is always JSON, whatever its type. */
export function handleRequest(call: Call): Promise<Answer> {
  return answered(call, "Request", async () => {
    const statements = statementsOfBody(call);
    const { counters } = call.service;
    counters.add("http", "requests");
    counters.add("http", "request_stmts_rx", statements.length);
    const command = commandOf(call, "request", statements);
    // As in the reference, whose parameter `linearizable_timeout` is for queries alone.
    const options = { ...readOptionsOf(call), linearizableTimeoutMs: REQUEST_LINEARIZABLE_MS };
    // At level `none` too: whether something among it would write is known only to the database.
    return (await redirection(call)) ?? call.service.request(command, options);
  });
}

/** How long a linearizable request may wait for the log. */
const REQUEST_LINEARIZABLE_MS: Ms = 1000;

/** Runs a handler and turns its outcome or its error into an answer. */
async function answered(
  call: Call,
  name: CallName,
  run: () => Promise<CallOutcome | Answer>,
): Promise<Answer> {
  try {
    const outcome = await run();
    return "results" in outcome ? outcomeEnvelope(call, outcome) : outcome;
  } catch (error) {
    if (isCairnError(error, "SERVER_NO_LEADER"))
      call.service.counters.add("http", "leader_not_found");
    return sqlFailure(call, error, name);
  }
}

function commandOf(
  { parameters }: Call,
  kind: "execute" | "request",
  statements: readonly Statement[],
): Command {
  const rendering = renderingOf(parameters);
  return {
    kind,
    statements,
    transaction: parameters.has("transaction"),
    // Column names are qualified on query and request only.
    rendering: kind === "execute" ? { ...rendering, qualifyColumns: false } : rendering,
  };
}

/**
 * `/db/execute`, `/db/query`, `/db/request` (compat reference, 1.3 to 1.6).
 *
 * Invariant: nothing runs before the whole body was understood and no statement in it is a PRAGMA
 * that would take the engine out of our hands.
 */
import { CairnError } from "#base";
import { findDisallowedPragma } from "#sqlite";
import type { Command, ReadRequest, Statement } from "#sqlite/types";
import type { CallOutcome } from "../types.ts";
import type { Answer, Call } from "./answer.ts";
import { noResultsEnvelope, outcomeEnvelope } from "./envelope.ts";
import { sqlFailure } from "./failure.ts";
import { parseStatements, plainStatement } from "./json-body.ts";
import { readOptionsOf, renderingOf } from "./parameters.ts";
import { redirection } from "./redirect.ts";

/** Runs statements for their effect. */
export function handleExecute(call: Call): Promise<Answer> {
  return answered(call, async () => {
    if (call.parameters.has("queue")) {
      throw new CairnError("SERVER_REQUEST_INVALID", "queued writes are not supported yet");
    }
    const statements = statementsOf(call, call.isText);
    const command = commandOf(call, "execute", statements);
    return (
      (await redirection(call)) ??
      call.service.execute(command, { timeoutMs: call.parameters.timeoutMs })
    );
  });
}

/** Runs statements for their rows; refuses to write. */
export function handleQuery(call: Call): Promise<Answer> {
  return answered(call, async () => {
    const isGet = call.method === "GET";
    const q = call.parameters.text("q");
    if (isGet && q === undefined) return noResultsEnvelope(call);
    const statements =
      isGet && q !== undefined ? [checked(plainStatement(q))] : statementsOf(call, call.isText);
    const options = readOptionsOf(call.parameters);
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
  return answered(call, async () => {
    const command = commandOf(call, "request", statementsOf(call, false));
    // At level `none` too: whether something among it would write is known only to the database.
    return (
      (await redirection(call)) ?? call.service.request(command, readOptionsOf(call.parameters))
    );
  });
}

/** Runs a handler and turns its outcome or its error into an answer. */
async function answered(call: Call, run: () => Promise<CallOutcome | Answer>): Promise<Answer> {
  try {
    const outcome = await run();
    return "results" in outcome ? outcomeEnvelope(call, outcome) : outcome;
  } catch (error) {
    return sqlFailure(call, error);
  }
}

function statementsOf({ body }: Call, isText: boolean): Statement[] {
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("utf8");
  const statements = isText ? [plainStatement(text)] : parseStatements(text);
  refuseDisallowed(statements);
  return statements;
}

function checked(statement: Statement): Statement {
  refuseDisallowed([statement]);
  return statement;
}

function refuseDisallowed(statements: readonly Statement[]): void {
  if (findDisallowedPragma(statements) === undefined) return;
  throw new CairnError("SQLITE_PRAGMA_DISALLOWED", "disallowed pragma");
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

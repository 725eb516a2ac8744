/**
 * `/db/sql`: how statements would be run (compat reference, 1.5).
 *
 * The reference shows what it rewrites. We rewrite nothing, so `rewritten` is the text as it came;
 * what this endpoint is good for here is to find syntax errors without touching a database.
 */
import { findSyntaxError } from "#sqlite";
import { type Answer, type Call, jsonAnswer, textError } from "./answer.ts";
import { timeMember } from "./envelope.ts";
import { plainFailure } from "./failure.ts";
import { jsonString } from "./json-text.ts";
import { statementOfParameter, statementsOfBody } from "./statements.ts";

/** Each statement with its text, or with what is wrong with it. */
export function handleAnalysis(call: Call): Answer {
  call.service.counters.add("http", "sql_analyze");
  const q = call.parameters.text("q");
  if (call.method === "GET" && q === undefined) return textError(400, "query not specified");
  try {
    const statements =
      call.method === "GET" ? statementOfParameter(q ?? "") : statementsOfBody(call);
    const results = statements.map(({ sql }) => analysis(sql)).join(",");
    return jsonAnswer(call, Buffer.from(`{"results":[${results}]${timeMember(call)}}`));
  } catch (error) {
    return plainFailure(error);
  }
}

function analysis(sql: string): string {
  const original = jsonString(sql);
  const error = findSyntaxError(sql);
  if (error !== undefined) return `{"original":${original},"error":${jsonString(error)}}`;
  return `{"original":${original},"rewritten":${original}}`;
}

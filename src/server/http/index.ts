/**
 * http: the wire format of the reference over one `NodeService`.
 *
 * Reading order: answer.ts; query-string.ts, parameter-table.ts, parameters.ts, json-scanner.ts,
 * json-body.ts, statements.ts, json-text.ts, envelope.ts, failure.ts, redirect.ts; sql.ts,
 * queued.ts, sql-analysis.ts, load.ts, backup.ts, state.ts, leader.ts, administration.ts, debug.ts,
 * profiles.ts, console.ts, openapi.ts; routes.ts, body.ts, server.ts.
 */
export type { Answer, Call, Handler } from "./answer.ts";
export { parseStatements } from "./json-body.ts";
export { indentJson, sortedJson } from "./json-text.ts";
export { type HttpServer, type HttpServerOptions, openHttpServer } from "./server.ts";
